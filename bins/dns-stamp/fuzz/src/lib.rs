//! Fuzz targets of `dns-stamp`. `docs/fuzzing.md` says how they are run, and what they have found.
//!
//! A single input, such as one that was found, is checked like this:
//!
//! ```
//! let input = (dns_stamp_fuzz::STAMP_CONFIG.seeds)().swap_remove(0);
//! (dns_stamp_fuzz::STAMP_CONFIG.check)(&input);
//! ```
#![forbid(unsafe_code)]

mod config;

pub use config::STAMP_CONFIG;
