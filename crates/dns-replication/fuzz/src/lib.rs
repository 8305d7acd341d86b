//! Fuzz targets of `dns-replication`. `docs/fuzzing.md` says how they are run, and what they have found.
//!
//! A single input, such as one that was found, is checked like this:
//!
//! ```
//! let input = (dns_replication_fuzz::KEYTAB.seeds)().swap_remove(0);
//! (dns_replication_fuzz::KEYTAB.check)(&input);
//! ```
#![forbid(unsafe_code)]

mod key_file;
mod keytab;
mod reply;

pub use key_file::KEY_FILE;
pub use keytab::KEYTAB;
pub use reply::REPLY;
