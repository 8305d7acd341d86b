//! See `pdns_sink_fuzz::RECEIVER`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| (pdns_sink_fuzz::RECEIVER.check)(input));
