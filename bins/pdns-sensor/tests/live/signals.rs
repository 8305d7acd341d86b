//! How a run ends, and what it lives through.

use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use pdns_rigs::network::{Sender, in_namespace, ip, pair};
use rustix::process::Signal;

use super::{Sensor, exchange, live, query_frame, with_stats};
use crate::account::Account;
use crate::util::{PATIENCE, Scratch, pcap, read_lines, sensor, wait};

/// More records than a pipe and a batch hold together.
const MANY: u16 = 2000;

#[test]
fn a_signal_to_end_reports_what_is_outstanding_and_writes_the_account() {
    in_namespace(|| {
        pair("cap0", "far0");
        let scratch = Scratch::new();
        let mut sender = Sender::new("far0");
        for (signal, workers) in [(Signal::TERM, "1"), (Signal::INT, "2")] {
            let stats = scratch.path("stats.json");
            let sensor = Sensor::start(with_stats(live(&["cap0"]).args(["--numprocs", workers]), &stats));
            exchange(&mut sender, 1, 3);
            sender.send(&query_frame(9));
            // At once: what the kernel still has is read before the end.
            sensor.signal(signal);
            let (status, records, logged) = sensor.wait();
            assert_eq!(status, 0, "{logged:#?}");
            let mut statuses: Vec<_> = records.iter().map(|record| record["status"].as_str().unwrap()).collect();
            statuses.sort_unstable();
            assert_eq!(statuses, ["answered", "answered", "answered", "unanswered"]);
            let account = Account::read(&stats);
            account.assert_balanced("live");
            assert_eq!((account.count("frames_received"), account.count("records_delivered")), (7, 4));
        }
    });
}

#[test]
fn a_second_signal_ends_it_at_once() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut sender = Sender::new("far0");
        for (signal, expected) in [(Signal::TERM, 143), (Signal::INT, 130)] {
            // Nobody reads its records, so that it cannot end well.
            let mut sensor = Sensor::start_unread(&mut live(&["cap0"]));
            exchange(&mut sender, 0, MANY);
            sensor.signal(signal);
            thread::sleep(Duration::from_millis(500));
            assert!(sensor.is_running());
            sensor.signal(signal);
            assert_eq!(sensor.wait().0, expected);
        }
    });
}

#[test]
fn hanging_up_opens_the_log_file_anew() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut sender = Sender::new("far0");
        let scratch = Scratch::new();
        let (file, moved) = (scratch.path("dns.log"), scratch.path("dns.log.old"));
        let mut sensor = Sensor::start(live(&["cap0"]).arg("--logfile").arg(&file));
        exchange(&mut sender, 1, 1);
        assert_eq!(sensor.record()["id"], 1);
        until(|| fs::read_to_string(&file).is_ok_and(|text| text.contains("\"id\":1,")));
        fs::rename(&file, &moved).unwrap();
        sensor.signal(Signal::HUP);
        until(|| file.exists());
        exchange(&mut sender, 2, 1);
        assert_eq!(sensor.record()["id"], 2);
        sensor.end();
        assert!(fs::read_to_string(&file).unwrap().contains("\"id\":2,"));
        assert_eq!(fs::read_to_string(&moved).unwrap().lines().count(), 1);
    });
}

/// Waits until something holds.
fn until(holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn an_interface_that_goes_down_and_comes_back_is_captured_from_again() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut sender = Sender::new("far0");
        let mut sensor = Sensor::start(live(&["cap0"]).args(["--numprocs", "2"]));
        exchange(&mut sender, 1, 1);
        sensor.record();
        ip("link set cap0 down");
        let line = sensor.wait_for("cap0");
        assert_eq!(line, "pdns-sensor: warning: interface 'cap0' is down; waiting for it");
        ip("link set cap0 up");
        assert_eq!(sensor.wait_for("cap0"), "pdns-sensor: interface 'cap0' is captured from again");
        exchange(&mut sender, 2, 1);
        assert_eq!(sensor.record()["id"], 2);
        let (_, logged) = sensor.end();
        assert_eq!(logged.iter().filter(|line| line.contains("cap0'")).count(), 2, "one line each: {logged:#?}");
    });
}

#[test]
fn a_reader_that_has_gone_ends_it_quietly() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut sender = Sender::new("far0");
        for workers in ["1", "2"] {
            let mut sensor = Sensor::start_unread(live(&["cap0"]).args(["--numprocs", workers]));
            sensor.close();
            exchange(&mut sender, 1, 1);
            let (status, _, logged) = sensor.wait();
            assert_eq!(status, 0, "{logged:#?}");
            assert!(!logged.iter().any(|line| line.contains("error")), "{logged:#?}");
        }
    });
}

#[test]
fn a_run_on_files_ends_on_a_signal_too() {
    // The pipe that it reads stays silent after the first transactions.
    let scratch = Scratch::new();
    for workers in ["1", "3"] {
        let stats = scratch.path("stats.json");
        let mut command = sensor();
        let command = with_stats(command.args(["--pcap", "-", "--numprocs", workers]), &stats);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let capture = pcap(3);
        // Of the third response only a part.
        stdin.write_all(&capture[..capture.len() - 10]).unwrap();
        assert_eq!(read_lines(child.stdout.take().unwrap(), 2).lines().count(), 2);
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::TERM).unwrap();
        assert_eq!(wait(&mut child), 0);
        let account = Account::read(&stats);
        account.assert_sums("stopped");
        assert_eq!((account.count("answered"), account.count("unanswered")), (2, 1));
    }
}
