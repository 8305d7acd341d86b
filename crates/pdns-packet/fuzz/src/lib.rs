//! Fuzz targets of `pdns-packet`.
#![forbid(unsafe_code)]

mod file;
mod frame;
mod message;

pub use file::FILE;
pub use frame::FRAME;
pub use message::MESSAGE;
