//! Fuzz targets of `pdns-capture`.
#![forbid(unsafe_code)]

mod compressed;
mod filter;

pub use compressed::COMPRESSED;
pub use filter::FILTER;
