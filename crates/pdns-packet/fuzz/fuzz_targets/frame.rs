//! See `pdns_packet_fuzz::FRAME`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| (pdns_packet_fuzz::FRAME.check)(input));
