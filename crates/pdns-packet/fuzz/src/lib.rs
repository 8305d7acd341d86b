//! Fuzz targets of `pdns-packet`.
#![forbid(unsafe_code)]

mod file;
mod frame;
mod message;
// The crate's own tests have it too, and cannot depend on this one.
#[path = "../../tests/strict/mod.rs"]
mod strict;

pub use file::FILE;
pub use frame::FRAME;
pub use message::MESSAGE;
