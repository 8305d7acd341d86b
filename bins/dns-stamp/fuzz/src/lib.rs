//! Fuzz targets of `dns-stamp`.
#![forbid(unsafe_code)]

mod config;

pub use config::STAMP_CONFIG;
