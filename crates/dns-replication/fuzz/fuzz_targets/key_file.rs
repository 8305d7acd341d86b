//! See `dns_replication_fuzz::KEY_FILE`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| (dns_replication_fuzz::KEY_FILE.check)(input));
