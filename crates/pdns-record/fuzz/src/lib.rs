//! Fuzz targets of `pdns-record`. `docs/fuzzing.md` says how they are run, and what they have found.
//!
//! A single input, such as one that was found, is checked like this:
//!
//! ```
//! let input = (pdns_record_fuzz::RECORD.seeds)().swap_remove(0);
//! (pdns_record_fuzz::RECORD.check)(&input);
//! ```
#![forbid(unsafe_code)]

mod decode;
mod record;

pub use record::RECORD;
