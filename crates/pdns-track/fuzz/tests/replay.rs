//! The short run of all targets.

use pdns_track_fuzz::{FRAGMENT, PAIRING, STREAM};

fn main() {
    pdns_fuzz::replay(env!("CARGO_MANIFEST_DIR"), &[STREAM, FRAGMENT, PAIRING]);
}
