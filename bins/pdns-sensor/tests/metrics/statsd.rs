//! Whether statsd, the one from npm, counts what the account counts.

use std::time::Instant;

use pdns_fixtures::capture::PcapFormat;
use pdns_rigs::or_skip;
use pdns_rigs::process::free_address;
use pdns_rigs::statsd::Statsd;
use pdns_rigs::wait::{PATIENCE, poll};

use super::list::{Listed, listed};
use super::sensor::Sensor;
use crate::util::{Run, exchange, mixed, sensor};

#[test]
fn statsd_counts_what_the_account_counts() {
    let Some(statsd) = or_skip(Statsd::start()) else { return };
    let host = statsd.metrics.to_string();
    let mut sensor = Sensor::start(&[
        "-statsd_host",
        &host,
        "-statsd_interval=1",
        "-statsd_prefix",
        "dns.edge:1",
        "--name",
        "ns1.example|c",
    ]);
    let start = Instant::now();
    sensor.feed(&mixed());
    let prefix = "dns.edge_1.ns1_example_c.";
    // What comes at intervals, before the end.
    poll("the count of frames", || {
        (statsd.values("counters").unwrap().get(&format!("{prefix}packets_received")) == Some(&23.0)).then_some(())
    });
    let account = sensor.finish();
    let seconds = start.elapsed().as_secs() + 2;
    // What has come last is there at once, or a moment later.
    let answered = account.count("unanswered") as f64;
    let counters = poll("the count of unanswered queries", || {
        let counters = statsd.values("counters").unwrap();
        (counters.get(&format!("{prefix}dns_transactions.unanswered")) == Some(&answered)).then_some(counters)
    });
    let gauges = statsd.values("gauges").unwrap();

    let old_names = [
        ("packets", "frames_accepted"),
        ("packets_received", "frames_received"),
        ("packets_dropped", "kernel_dropped"),
        ("packets_ifdropped", "interface_dropped"),
        ("reassembed_tcp", "tcp/messages"),
        ("incoming_log_depth", "records_queued"),
    ];
    let mut expected: Vec<_> =
        old_names.map(|(name, counter)| (name.to_owned(), vec![counter.to_owned()])).into_iter().collect();
    let counted = listed().into_iter().filter(|metric| !metric.account.is_empty());
    expected.extend(counted.map(|Listed { name, account, .. }| {
        (name.trim_start_matches("pdns_").trim_end_matches("_total").to_owned(), account)
    }));
    assert!(expected.len() > 40);
    let mut all = counters.clone();
    all.extend(gauges);
    for (name, counters) in expected {
        let full = format!("{prefix}{name}");
        let labelled = format!("{full}.");
        let values: Vec<_> = all
            .iter()
            .filter(|(name, _)| **name == full || name.starts_with(&labelled))
            .map(|(_, value)| value)
            .collect();
        assert!(!values.is_empty(), "no {full} in {all:?}");
        let counted: u64 = counters.iter().map(|counter| account.count(counter)).sum();
        assert_eq!(values.into_iter().sum::<f64>(), counted as f64, "{full}");
    }
    let lookups = account.count("queries") + account.count("responses") - account.count("tcp/messages");
    assert_eq!(counters[&format!("{prefix}dns_lookups")], lookups as f64);
    let unmatched = account.count("unanswered") + account.count("orphan");
    assert_eq!(counters[&format!("{prefix}cache_entries_dropped")], unmatched as f64);

    assert_eq!(counters["statsd.bad_lines_seen"], 0.0);
    let packets = counters["statsd.packets_received"] as u64;
    assert!(packets <= 8 * seconds, "{packets} packets in {seconds} s");
}

#[test]
fn a_server_that_is_not_there_is_nothing_to_the_capture() {
    let nobody = free_address().unwrap().to_string();
    for host in [nobody.as_str(), "[::1]:9", "nowhere.invalid", "nowhere.invalid:8125"] {
        let mut command = sensor();
        command.args(["--pcap", "-", "--statsd-host", host, "--statsd-interval", "1ms"]);
        let start = Instant::now();
        let run = Run::with_input(&mut command, &exchange(3000).pcap(PcapFormat::default()));
        assert_eq!((run.status, run.stdout.lines().count()), (0, 3000), "{host}: {}", run.stderr);
        assert!(start.elapsed() < PATIENCE / 2, "{host}");
        // It is told once, if at all: the program may end before the name is known to be unknown.
        assert!(run.stderr.lines().count() <= 1, "{host}: {}", run.stderr);
        assert!(run.stderr.is_empty() || run.stderr.starts_with(&format!("pdns-sensor: warning: statsd {host}: ")));
    }
}
