//! Whether statsd, the one from npm, counts what the account counts.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Instant;

use pdns_fixtures::capture::PcapFormat;

use super::list::{Listed, listed};
use super::peer::{Peer, free_tcp_port, free_udp_port, npm};
use super::sensor::Sensor;
use super::web::{PATIENCE, poll};
use crate::util::{Run, Scratch, exchange, mixed, sensor};

struct Statsd {
    /// Where it takes metrics.
    metrics: SocketAddr,
    /// Where it tells of them.
    management: SocketAddr,
    _peer: Peer,
    _scratch: Scratch,
}

impl Statsd {
    fn start() -> Option<Self> {
        let folder = npm("statsd", "0.9.0")?;
        let (metrics, management) = (free_udp_port(), free_tcp_port());
        let scratch = Scratch::new();
        // It is to keep its counts for as long as the test lasts.
        let settings = format!(
            "{{address: '127.0.0.1', port: {}, mgmt_address: '127.0.0.1', mgmt_port: {}, flushInterval: 3600000,
              backends: ['./backends/console']}}",
            metrics.port(),
            management.port()
        );
        let mut command = Command::new("node");
        command.arg(folder.join("stats.js")).arg(scratch.file("config.js", settings)).stdout(Stdio::null());
        let mut peer = Peer::start(&mut command)?;
        poll("statsd", || {
            assert!(!peer.has_ended(), "statsd ended");
            TcpStream::connect(management).ok()
        });
        Some(Self { metrics, management, _peer: peer, _scratch: scratch })
    }

    /// All values of a kind, `counters` or `gauges`.
    fn values(&self, kind: &str) -> BTreeMap<String, f64> {
        let mut stream = TcpStream::connect(self.management).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(format!("{kind}\n").as_bytes()).unwrap();
        let lines = BufReader::new(stream).lines().map(Result::unwrap).take_while(|line| line != "END");
        // A line is `  'name': value,`; a name that is a word has no quotes.
        let values = lines.filter_map(|line| {
            let (name, value) = line.trim().trim_end_matches(',').rsplit_once(": ")?;
            Some((name.trim_matches('\'').to_owned(), value.parse().ok()?))
        });
        values.collect()
    }
}

#[test]
fn statsd_counts_what_the_account_counts() {
    let Some(statsd) = Statsd::start() else { return };
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
        (statsd.values("counters").get(&format!("{prefix}packets_received")) == Some(&23.0)).then_some(())
    });
    let account = sensor.finish();
    let seconds = start.elapsed().as_secs() + 2;
    // What has come last is there at once, or a moment later.
    let answered = account.count("unanswered") as f64;
    let counters = poll("the count of unanswered queries", || {
        let counters = statsd.values("counters");
        (counters.get(&format!("{prefix}dns_transactions.unanswered")) == Some(&answered)).then_some(counters)
    });
    let gauges = statsd.values("gauges");

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
    let nobody = free_udp_port().to_string();
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
