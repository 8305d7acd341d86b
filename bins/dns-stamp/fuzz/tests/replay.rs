//! The short run of all targets.

use dns_stamp_fuzz::STAMP_CONFIG;

fn main() {
    pdns_fuzz::replay(env!("CARGO_MANIFEST_DIR"), &[STAMP_CONFIG]);
}
