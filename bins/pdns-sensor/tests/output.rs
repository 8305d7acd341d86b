//! Records to pipes that close or stall, to full devices, and an account that cannot be written.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::account::Account;
use crate::util::{Run, Scratch, bare_sensor, pcap, sensor, sensor_on, wait, without_settings};

/// More transactions than fit into a pipe and a batch together.
const MANY: u16 = 5000;

#[test]
fn a_reader_that_has_seen_enough_ends_the_run_quietly() {
    let scratch = Scratch::new();
    let capture = scratch.file("many.pcap", pcap(MANY));
    for workers in ["1", "3"] {
        let mut command = sensor_on(&capture);
        command.args(["--numprocs", workers]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(first.starts_with("{\"query_id\":"), "{first}");
        let status = wait(&mut child);
        assert_eq!((status, std::io::read_to_string(child.stderr.unwrap()).unwrap().as_str()), (0, ""));
    }
}

#[test]
fn a_closed_pipe_is_no_error_whatever_the_shell_does_with_its_signal() {
    let scratch = Scratch::new();
    let capture = scratch.file("many.pcap", pcap(MANY));
    // A program started with SIGPIPE ignored gets an error where the signal would have ended it.
    for trap in ["trap '' PIPE", "trap - PIPE"] {
        let script = format!("{trap}; {{ \"$0\" --name test --numprocs 1 --pcap \"$1\"; echo $? >&2; }} | head -n 1");
        let mut shell = Command::new("sh");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_pdns-sensor")]).arg(&capture);
        let output = without_settings(&mut shell).output().unwrap();
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "0\n", "{trap}");
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 1);
    }
}

#[test]
fn a_full_device_is_an_error() {
    let scratch = Scratch::new();
    let capture = scratch.file("input.pcap", pcap(3));
    let stats = scratch.path("stats.json");
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let output = sensor_on(&capture).arg("--stats").arg(&stats).stdout(full()).stderr(Stdio::piped()).output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(log, "pdns-sensor: error: stdout: cannot write 3 records: No space left on device (os error 28)\n");
    assert_eq!(output.status.code(), Some(1));
    let account = Account::read(&stats);
    assert_eq!(account.count("records_offered"), 3);
    assert_eq!((account.count("records_delivered"), account.count("records_dropped/write_failed")), (0, 3));
    // Without records there is nothing to write.
    let quiet = sensor_on(&capture).arg("--quiet").stdout(full()).output().unwrap();
    assert_eq!(quiet.status.code(), Some(0));
}

#[test]
fn an_account_that_cannot_be_written_is_an_error() {
    let scratch = Scratch::new();
    let capture = scratch.file("input.pcap", pcap(3));
    let nowhere = scratch.path("missing/stats.json");
    let reason = format!("cannot write the account to {}: No such file or directory (os error 2)", nowhere.display());
    Run::of(sensor_on(&capture).arg("--stats").arg(&nowhere)).assert_refused(&reason);

    let run = Run::of(sensor_on(&capture).args(["--stats", "/dev/full"]));
    assert_eq!((run.status, run.records().len()), (1, 3));
    let expected = "pdns-sensor: error: cannot write the account to /dev/full: No space left on device (os error 28)\n";
    assert_eq!(run.stderr, expected);
}

#[test]
fn the_account_replaces_an_older_one() {
    let scratch = Scratch::new();
    let capture = scratch.file("input.pcap", pcap(3));
    let stats = scratch.file("stats.json", "x".repeat(100_000));
    Run::of(sensor_on(&capture).arg("--stats").arg(&stats)).assert_clean();
    assert_eq!(Account::read(&stats).count("answered"), 3);
    assert!(fs::read_to_string(&stats).unwrap().ends_with("}\n"));
}

#[test]
fn only_the_wanted_statuses_are_written() {
    let scratch = Scratch::new();
    let whole = pcap(3);
    // The last response is cut off with its frame.
    let capture = scratch.file("input.pcap", &whole[..whole.len() - 1]);
    let statuses = |list| Run::of(sensor_on(&capture).args(["--statuses", list])).column("status");
    assert_eq!(statuses("answered"), ["answered", "answered"]);
    assert_eq!(statuses("unanswered"), ["unanswered"]);
    assert_eq!(statuses("orphan,duplicate"), [(); 0].map(|()| ""));
    assert_eq!(statuses("unanswered,answered").len(), 3);
}

#[test]
fn the_sensors_name_is_the_hosts_unless_given() {
    let scratch = Scratch::new();
    let capture = scratch.file("input.pcap", pcap(1));
    let named = Run::of(sensor().arg("--pcap").arg(&capture)).assert_clean();
    assert_eq!(named.column("sensor"), ["test"]);
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let unnamed = Run::of(bare_sensor().arg("--pcap").arg(&capture)).assert_clean();
    assert_eq!(unnamed.column("sensor"), [host.trim()]);
    assert_ne!(host.trim(), "");
}
