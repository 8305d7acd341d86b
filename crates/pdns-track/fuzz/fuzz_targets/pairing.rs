//! See `pdns_track_fuzz::PAIRING`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| (pdns_track_fuzz::PAIRING.check)(input));
