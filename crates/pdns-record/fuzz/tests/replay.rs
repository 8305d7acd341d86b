//! The short run of all targets.

use pdns_record_fuzz::RECORD;

fn main() {
    pdns_fuzz::replay(env!("CARGO_MANIFEST_DIR"), &[RECORD]);
}
