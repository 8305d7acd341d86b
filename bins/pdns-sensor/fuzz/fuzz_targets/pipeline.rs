//! See `pdns_sensor_fuzz::PIPELINE`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| (pdns_sensor_fuzz::PIPELINE.check)(input));
