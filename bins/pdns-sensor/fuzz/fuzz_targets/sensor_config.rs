//! See `pdns_sensor_fuzz::SENSOR_CONFIG`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| (pdns_sensor_fuzz::SENSOR_CONFIG.check)(input));
