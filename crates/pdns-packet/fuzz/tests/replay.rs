//! The short run of all targets.

use pdns_packet_fuzz::{FILE, FRAME, MESSAGE};

fn main() {
    pdns_fuzz::replay(env!("CARGO_MANIFEST_DIR"), &[FILE, FRAME, MESSAGE]);
}
