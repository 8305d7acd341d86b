//! The short run of all targets.

use dns_replication_fuzz::{KEY_FILE, KEYTAB, REPLY};

fn main() {
    pdns_fuzz::replay(env!("CARGO_MANIFEST_DIR"), &[KEYTAB, KEY_FILE, REPLY]);
}
