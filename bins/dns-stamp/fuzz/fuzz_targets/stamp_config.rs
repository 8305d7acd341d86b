//! See `dns_stamp_fuzz::STAMP_CONFIG`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| (dns_stamp_fuzz::STAMP_CONFIG.check)(input));
