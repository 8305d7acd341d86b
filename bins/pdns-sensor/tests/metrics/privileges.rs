//! Whether pages are served by a program that has given its privileges up.

use super::sensor::Sensor;
use super::web::{Samples, get};
use crate::util::{exchange, is_root};

#[test]
fn another_user_serves_all_pages() {
    if !is_root() {
        return;
    }
    let mut sensor = Sensor::start(&["--user", "65534", "--group", "65534", "--numprocs", "2"]);
    sensor.feed(&exchange(2));
    sensor.settle(4);
    let address = sensor.address();
    // Of the process too, whose folder in /proc belongs to root now.
    let samples = Samples::fetch(address);
    for name in ["process_open_fds", "process_resident_memory_bytes", "process_cpu_seconds_total"] {
        assert!(samples.0.contains_key(name), "{name} is not among {samples:?}");
    }
    assert_eq!(get(address, "/healthz").status, 200);
    assert!(!sensor.log().contains("panicked"), "{}", sensor.log());
}
