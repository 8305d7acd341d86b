//! The short run of all targets.

use pdns_sensor_fuzz::{PIPELINE, SENSOR_CONFIG};

fn main() {
    pdns_fuzz::replay(env!("CARGO_MANIFEST_DIR"), &[PIPELINE, SENSOR_CONFIG]);
}
