//! Fuzz targets of `pdns-track`. `docs/fuzzing.md` says how they are run, and what they have found.
//!
//! A single input, such as one that was found, is checked like this:
//!
//! ```
//! let input = (pdns_track_fuzz::STREAM.seeds)().swap_remove(0);
//! (pdns_track_fuzz::STREAM.check)(&input);
//! ```
#![forbid(unsafe_code)]

mod fragment;
mod pairing;
mod stream;

pub use fragment::FRAGMENT;
pub use pairing::PAIRING;
pub use stream::STREAM;

/// How much memory empty tables may take.
const EMPTY: usize = 256 << 10;
