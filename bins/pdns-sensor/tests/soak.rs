//! Half a minute of what `make soak` does for an hour.

use std::sync::Mutex;

use pdns_soak::{Course, prepare, run};

use crate::util::Scratch;

#[test]
fn nothing_is_lost_while_everything_is_disturbed() {
    let course = Course::short(env!("CARGO_BIN_EXE_pdns-sensor").into());
    if pdns_rigs::or_skip(prepare(&course)).is_none() {
        return;
    }
    let (scratch, told) = (Scratch::new(), Mutex::new(String::new()));
    let tell = |line: &str| told.lock().unwrap().push_str(&format!("{line}\n"));
    let report = run(&course, &scratch.path("soak"), &tell);
    let told = told.lock().unwrap();
    let report = report.unwrap_or_else(|error| panic!("{told}{error}"));
    assert!(report.is_well(), "{told}{report}");
}
