//! See `pdns_capture_fuzz::FILTER`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| (pdns_capture_fuzz::FILTER.check)(input));
