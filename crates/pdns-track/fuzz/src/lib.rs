//! Fuzz targets of `pdns-track`.
#![forbid(unsafe_code)]

mod fragment;
mod pairing;
mod stream;

pub use fragment::FRAGMENT;
pub use pairing::PAIRING;
pub use stream::STREAM;

/// How much memory empty tables may take.
const EMPTY: usize = 256 << 10;
