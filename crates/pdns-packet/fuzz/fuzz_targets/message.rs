//! See `pdns_packet_fuzz::MESSAGE`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| (pdns_packet_fuzz::MESSAGE.check)(input));
