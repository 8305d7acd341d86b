//! Sinks against the real programs that they send to.
#![cfg(feature = "http")]

mod fluentd;
mod http;
mod records;
