//! Fuzz targets of `pdns-sink`. `docs/fuzzing.md` says how they are run, and what they have found.
//!
//! A single input, such as one that was found, is checked like this:
//!
//! ```
//! let input = (pdns_sink_fuzz::SPOOL.seeds)().swap_remove(0);
//! (pdns_sink_fuzz::SPOOL.check)(&input);
//! ```
#![forbid(unsafe_code)]

mod receiver;
mod spool;

pub use receiver::RECEIVER;
pub use spool::SPOOL;
