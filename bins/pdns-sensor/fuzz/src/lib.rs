//! Fuzz targets of `pdns-sensor`.
#![forbid(unsafe_code)]

mod config;
mod pipeline;

pub use config::SENSOR_CONFIG;
pub use pipeline::PIPELINE;
