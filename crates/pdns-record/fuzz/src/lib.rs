//! Fuzz targets of `pdns-record`.
#![forbid(unsafe_code)]

mod decode;
mod record;

pub use record::RECORD;
