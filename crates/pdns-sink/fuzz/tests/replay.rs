//! The short run of all targets.

use pdns_sink_fuzz::{RECEIVER, SPOOL};

fn main() {
    pdns_fuzz::replay(env!("CARGO_MANIFEST_DIR"), &[RECEIVER, SPOOL]);
}
