//! Fuzz targets of `pdns-sink`.
#![forbid(unsafe_code)]

mod receiver;
mod spool;

pub use receiver::RECEIVER;
pub use spool::SPOOL;
