//! Fuzz targets of `dns-replication`.
#![forbid(unsafe_code)]

mod key_file;
mod keytab;
mod reply;

pub use key_file::KEY_FILE;
pub use keytab::KEYTAB;
pub use reply::REPLY;
