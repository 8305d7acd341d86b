//! A whole run over a capture file.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use pdns_fixtures::account::Account;
use pdns_fuzz::{Input, Target, heap, seeds};
use pdns_record::Layout;
use pdns_sensor::fuzz::{Run, read};
use rustix::fs::{MemfdFlags, memfd_create};
use serde_json::Value;

/// A capture file through the whole program: every record is JSON, the account adds up, and neither depends on the number
/// of workers.
pub const PIPELINE: Target = Target { name: "pipeline", check, seeds: captures, mutations: 200 };

/// What a run with one worker holds whatever its input: tables, buffers and batches.
const RUN: usize = 16 << 20;

/// One byte that chooses the layout and whether several workers are tried, then the file.
fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let choice = input.byte();
    let layout = if choice & 1 == 0 { Layout::Transaction } else { Layout::Answer };
    let bytes = input.rest();
    let (_file, path) = file(bytes);
    // The longest records are lists of names that are pointers of two bytes each.
    let Some(run) = heap::bounded(RUN + 4096 * bytes.len(), || read(&path, layout, 1)) else { return };
    examine(&run, layout);
    // Threads take more time than all else.
    if choice & 6 == 2 {
        let other = read(&path, layout, 3).expect("it started with one worker");
        examine(&other, layout);
        assert_eq!(lines(&other), lines(&run));
        assert_eq!((other.is_complete, &other.account), (run.is_complete, &run.account));
    }
}

fn examine(run: &Run, layout: Layout) {
    let account = Account::new(run.account.clone());
    let wrong = match layout {
        Layout::Transaction => account.wrong_sums_of_transactions(),
        Layout::Answer => account.wrong_sums(),
    };
    assert!(wrong.is_empty(), "{wrong:?} in {}", run.account);
    for gauge in ["fragments_pending", "queries_outstanding", "responses_held", "records_queued"] {
        assert_eq!(run.account[gauge], 0, "{gauge}");
    }
    let mut records = 0;
    for line in run.records.split_inclusive(|&byte| byte == b'\n') {
        let record: Value =
            serde_json::from_slice(line).unwrap_or_else(|error| panic!("{error}: {}", line.escape_ascii()));
        assert!(record["status"].is_string() && line.ends_with(b"\n"));
        records += 1;
    }
    assert_eq!(run.account["records_delivered"], records);
}

/// The records in an order that workers do not change.
fn lines(run: &Run) -> Vec<&[u8]> {
    let mut lines: Vec<_> = run.records.split(|&byte| byte == b'\n').collect();
    lines.sort_unstable();
    lines
}

/// A file in memory, for as long as it is open.
fn file(bytes: &[u8]) -> (File, PathBuf) {
    let mut file = File::from(memfd_create("capture", MemfdFlags::CLOEXEC).expect("memory"));
    file.write_all(bytes).expect("memory");
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    (file, path)
}

fn captures() -> Vec<Vec<u8>> {
    let captures = seeds::captures(16 << 10);
    captures.iter().enumerate().map(|(index, capture)| [&[index as u8], capture.as_slice()].concat()).collect()
}
