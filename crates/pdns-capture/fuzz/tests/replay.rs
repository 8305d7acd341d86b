//! The short run of all targets.

use pdns_capture_fuzz::{COMPRESSED, FILTER};

fn main() {
    pdns_fuzz::replay(env!("CARGO_MANIFEST_DIR"), &[COMPRESSED, FILTER]);
}
