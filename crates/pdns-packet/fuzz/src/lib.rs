//! Fuzz targets of `pdns-packet`. `docs/fuzzing.md` says how they are run, and what they have found.
//!
//! A single input, such as one that was found, is checked like this:
//!
//! ```
//! let input = (pdns_packet_fuzz::MESSAGE.seeds)().swap_remove(0);
//! (pdns_packet_fuzz::MESSAGE.check)(&input);
//! ```
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
