//! See `pdns_track_fuzz::FRAGMENT`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| (pdns_track_fuzz::FRAGMENT.check)(input));
