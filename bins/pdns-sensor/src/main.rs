//! Passive DNS sensor.
#![forbid(unsafe_code)]

fn main() {}
