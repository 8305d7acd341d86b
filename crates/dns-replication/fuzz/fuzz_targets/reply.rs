//! See `dns_replication_fuzz::REPLY`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| (dns_replication_fuzz::REPLY.check)(input));
