//! Fuzz targets of `pdns-capture`. `docs/fuzzing.md` says how they are run, and what they have found.
//!
//! A single input, such as one that was found, is checked like this:
//!
//! ```
//! let input = (pdns_capture_fuzz::FILTER.seeds)().swap_remove(0);
//! (pdns_capture_fuzz::FILTER.check)(&input);
//! ```
#![forbid(unsafe_code)]

mod compressed;
mod filter;

pub use compressed::COMPRESSED;
pub use filter::FILTER;
