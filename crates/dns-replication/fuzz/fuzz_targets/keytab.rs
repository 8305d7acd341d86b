//! See `dns_replication_fuzz::KEYTAB`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| (dns_replication_fuzz::KEYTAB.check)(input));
