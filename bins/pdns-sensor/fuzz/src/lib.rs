//! Fuzz targets of `pdns-sensor`. `docs/fuzzing.md` says how they are run, and what they have found.
//!
//! A single input, such as one that was found, is checked like this:
//!
//! ```
//! let input = (pdns_sensor_fuzz::PIPELINE.seeds)().swap_remove(0);
//! (pdns_sensor_fuzz::PIPELINE.check)(&input);
//! ```
#![forbid(unsafe_code)]

mod config;
mod pipeline;

pub use config::SENSOR_CONFIG;
pub use pipeline::PIPELINE;
