//! See `pdns_record_fuzz::RECORD`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| (pdns_record_fuzz::RECORD.check)(input));
