//! Flags, their old spellings, the help text, and what is refused before anything is read.

use std::fs;
use std::path::Path;

use crate::util::{Run, Scratch, exchange, pcap, query, sensor, sensor_on, server};
use pdns_fixtures::capture::{Capture, PcapFormat};
use pdns_fixtures::wire::{link, udp};
use serde_json::json;

#[test]
fn the_help_is_the_text_checked_in() {
    // Without a terminal this is the width.
    let run = Run::of(sensor().arg("--help").env("COLUMNS", "100")).assert_clean();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/help.txt");
    let expected = fs::read_to_string(&file).unwrap();
    assert_eq!(run.stdout, expected, "if the change is meant: pdns-sensor --help > {}", file.display());
}

#[test]
fn the_version_is_the_packages() {
    let run = Run::of(sensor().arg("--version")).assert_clean();
    assert_eq!(run.stdout, concat!("pdns-sensor ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn bad_values_are_refused_with_what_is_allowed() {
    // What clap cannot make sense of.
    let unreadable: [(&[&str], &str); 3] = [
        (&["--nonsense"], "error: unexpected argument '--nonsense' found"),
        (&["stray"], "error: unexpected argument 'stray' found"),
        (&["--stats"], "error: a value is required for '--stats <FILE>' but none was supplied"),
    ];
    for (arguments, first_line) in unreadable {
        let run = Run::of(sensor().args(["--pcap", "x"]).args(arguments));
        assert_eq!((run.status, run.stderr.lines().next()), (2, Some(first_line)), "{arguments:?}");
        assert_eq!(run.stdout, "");
    }
    let scratch = Scratch::new();
    let capture = scratch.file("input.pcap", pcap(1));
    let refused =
        |arguments: &[&str], reason: &str| Run::of(sensor_on(&capture).args(arguments)).assert_refused(reason);
    refused(&["--format", "csv"], "--format: 'csv' is not one of answer, transaction");
    refused(&["--ports", "0"], "--ports: '0' is not a port number from 1 to 65535");
    refused(&["--ports", "53,x"], "--ports: 'x' is not a port number from 1 to 65535");
    refused(
        &["--gc-age", "0s"],
        "--gc-age: '0s' is not a time such as 500ms, 30s or 1m30s, longer than 0, up to a year",
    );
    refused(
        &["--duplicate-window", "2"],
        "--duplicate-window: '2' is not a time such as 500ms, 30s or 1m30s, up to a year",
    );
    refused(&["--snaplen", "63"], "--snaplen: '63' is not a whole number from 64 to 4294967295");
    refused(&["--statuses", "lost"], "--statuses: 'lost' is not one of answered, unanswered, orphan, duplicate");
    for count in ["0", "1025", "-1"] {
        let reason = format!("--numprocs: '{count}' is not a whole number from 1 to 1024");
        refused(&["--numprocs", count], &reason);
        refused(&[&format!("--numprocs={count}")], &reason);
    }
    Run::of(&mut sensor()).assert_refused("nothing to capture from: give interfaces with --dev or files with --pcap");
}

#[test]
fn gopassivednss_spellings_work() {
    let scratch = Scratch::new();
    let capture = scratch.file("in_put.pcap", pcap(3));
    let ours = Run::of(sensor_on(&capture).args(["--gc-age", "1m", "--bpf", "port 53"])).assert_clean();
    assert_eq!(ours.records().len(), 3);
    for old in [["-gc_age=-1m", "-bpf=port 53"], ["--gc_age=1m", "--bpf=port 53"]] {
        let theirs = Run::of(sensor().arg("-pcap").arg(&capture).args(old)).assert_clean();
        assert_eq!(theirs, ours);
    }
    let separate = Run::of(sensor_on(&capture).args(["-gc_age", "-1m", "-bpf", "port 53"])).assert_clean();
    assert_eq!(separate, ours);
    let quiet = Run::of(sensor_on(&capture).arg("-quiet")).assert_clean();
    assert_eq!(quiet.stdout, "");
}

#[test]
fn the_query_timeout_counts_capture_time() {
    let mut capture = exchange(1);
    capture.at("20").udp(crate::util::client(), server(), query(9).compose());
    capture.at("55").udp(server(), crate::util::client(), query(9).response().compose());
    let scratch = Scratch::new();
    let file = scratch.file("late.pcap", capture.pcap(PcapFormat::default()));
    let statuses = |age| Run::of(sensor_on(&file).args(["--gc-age", age])).assert_clean().column("status");
    assert_eq!(statuses("36s"), ["answered", "answered"]);
    assert_eq!(statuses("34s"), ["answered", "unanswered", "orphan"]);
}

#[test]
fn the_duplicate_window_counts_from_the_answer() {
    let mut capture = exchange(1);
    capture.at("3").udp(server(), crate::util::client(), crate::util::response(0).compose());
    let scratch = Scratch::new();
    let file = scratch.file("twice.pcap", capture.pcap(PcapFormat::default()));
    let statuses =
        |window| Run::of(sensor_on(&file).args(["--duplicate-window", window])).assert_clean().column("status");
    assert_eq!(statuses("2s"), ["answered", "orphan"]);
    assert_eq!(statuses("3s"), ["answered", "duplicate"]);
}

#[test]
fn vlans_pair_only_with_themselves_unless_they_are_ignored() {
    let (client, server) = (crate::util::client(), server());
    let mut capture = Capture::new();
    capture.at("0").packet(link::vlan(7, udp(client, server, &query(1).compose())));
    capture.at("0.1").packet(link::vlan(8, udp(server, client, &query(1).response().compose())));
    let scratch = Scratch::new();
    let file = scratch.file("tagged.pcap", capture.pcap(PcapFormat::default()));
    let mut apart = Run::of(&mut sensor_on(&file)).assert_clean().column("status");
    apart.sort_by_key(ToString::to_string);
    assert_eq!(apart, ["orphan", "unanswered"]);
    let together = Run::of(sensor_on(&file).args(["--ignore-vlan", "--format", "transaction"])).assert_clean();
    assert_eq!(together.column("status"), ["answered"]);
    assert_eq!(together.column("vlan"), [json!([7])]);
}

#[test]
fn filters_see_frames_as_they_are_and_lift_the_port() {
    let (client, server) = (crate::util::client(), server());
    let other = "192.0.2.54:5300".parse().unwrap();
    let mut capture = Capture::new();
    capture.at("0").udp(client, server, query(1).compose());
    capture.at("1").packet(link::vlan(7, udp(client, server, &query(2).compose())));
    capture.at("2").packet(link::qinq(6, link::vlan(7, udp(client, server, &query(3).compose()))));
    capture.at("3").udp(client, other, query(4).compose());
    let scratch = Scratch::new();
    let file = scratch.file("input.pcap", capture.pcap(PcapFormat::default()));
    let ids = |arguments: &[&str]| Run::of(sensor_on(&file).args(arguments)).assert_clean().column("query_id");
    assert_eq!(ids(&[]), [1, 2, 3]);
    assert_eq!(ids(&["--bpf", ""]), [1, 2, 3]);
    assert_eq!(ids(&["--bpf", "udp port 53"]), [1], "a filter looks into tagged frames only when told to");
    assert_eq!(ids(&["--bpf", "udp port 53 or vlan"]), [1, 2, 3]);
    assert_eq!(ids(&["--bpf", "vlan 7 and udp port 53"]), [2]);
    assert_eq!(ids(&["--bpf", "udp"]), [1, 4]);
    assert_eq!(ids(&["--bpf", "udp", "--ports", "53"]), [1]);
    assert_eq!(ids(&["--ports", "5300"]), [4]);
    assert_eq!(ids(&["--ports", "53,5300"]), [1, 2, 3, 4]);
}

#[test]
fn a_bad_filter_is_refused_before_anything_is_read() {
    let scratch = Scratch::new();
    let good = scratch.file("good.pcap", pcap(1));
    let no_frames = scratch.file("none.pcap", pcap(0));
    for file in [&good, &no_frames] {
        Run::of(sensor_on(file).args(["--bpf", "udp and ("]))
            .assert_refused("filter 'udp and (' for link type 1 (EN10MB): can't parse filter expression: syntax error");
    }
    let piped = Run::with_input(sensor().args(["--pcap", "-", "--bpf", "port dns-over-pigeons"]), &pcap(1));
    assert_eq!((piped.status, piped.stdout.as_str()), (2, ""));
    assert!(piped.stderr.starts_with("pdns-sensor: error: filter 'port dns-over-pigeons' for link type 1 (EN10MB): "));
}

#[test]
fn the_snap_length_cuts_what_is_decoded() {
    let scratch = Scratch::new();
    let file = scratch.file("input.pcap", pcap(1));
    let run = Run::of(sensor_on(&file).args(["--snaplen", "64", "--format", "transaction"])).assert_clean();
    let record = &run.records()[0];
    assert_eq!(record["id"], 0, "the header is within it");
    assert!(record["malformed"].is_string() && record.get("answers").is_none(), "{record}");
}

#[test]
fn debugging_says_what_is_done() {
    let scratch = Scratch::new();
    let file = scratch.file("input.pcap", pcap(2));
    let run = Run::of(sensor_on(&file).arg("--debug"));
    let expected = format!(
        "pdns-sensor: reading {}\n\
         pdns-sensor: 4 frames, 2 queries, 2 responses: 2 answered, 0 unanswered, 0 orphan, 0 duplicate; \
         2 records delivered, 0 dropped\n",
        file.display()
    );
    let (privileges, rest) = run.stderr.split_once('\n').unwrap();
    assert!(privileges.starts_with("pdns-sensor: running as uid "), "{privileges}");
    assert_eq!((run.status, rest), (0, expected.as_str()));
}
