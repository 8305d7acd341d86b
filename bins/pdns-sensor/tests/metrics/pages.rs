//! Whether the pages say what the account says, hold its sums at any moment, and are what `docs/metrics.md` lists.

use std::collections::BTreeSet;
use std::thread;

use pdns_fixtures::capture::PcapFormat;
use pdns_rigs::http::Page;

use super::list::{Listed, listed};
use super::sensor::{HEADER, Sensor};
use super::web::{Samples, get, request};
use crate::util::{client, exchange, mixed, query, response, server};

/// The sums of `docs/account.md`, in metrics.
const SUMS: [(&[&str], &[&str]); 10] = [
    (
        &["pdns_capture_received_frames_total"],
        &["pdns_capture_accepted_frames_total", "pdns_capture_discarded_frames_total"],
    ),
    (
        &[
            "pdns_capture_accepted_frames_total{content=\"fragment\"}",
            "pdns_reassembly_accepted_packets_total{content=\"fragment\"}",
        ],
        &[
            "pdns_reassembly_used_fragments_total",
            "pdns_reassembly_dropped_fragments_total",
            "pdns_reassembly_pending_fragments",
        ],
    ),
    (
        &["pdns_reassembly_completed_packets_total"],
        &["pdns_reassembly_accepted_packets_total", "pdns_reassembly_discarded_packets_total"],
    ),
    (
        &[
            "pdns_capture_accepted_frames_total{content=\"tcp_segment\"}",
            "pdns_reassembly_accepted_packets_total{content=\"tcp_segment\"}",
        ],
        &["pdns_tcp_segments_total", "pdns_worker_queued_packets{content=\"tcp_segment\"}"],
    ),
    (&["pdns_tcp_received_bytes_total"], &["pdns_tcp_processed_bytes_total", "pdns_tcp_pending_bytes"]),
    (&["pdns_tcp_started_streams_total"], &["pdns_tcp_ended_streams_total", "pdns_tcp_open_streams"]),
    (
        &[
            "pdns_capture_accepted_frames_total{content=\"udp_datagram\"}",
            "pdns_reassembly_accepted_packets_total{content=\"udp_datagram\"}",
            "pdns_tcp_messages_total",
        ],
        &[
            "pdns_dns_messages_total",
            "pdns_dns_discarded_messages_total",
            "pdns_worker_queued_packets{content=\"udp_datagram\"}",
        ],
    ),
    (
        &["pdns_dns_messages_total{kind=\"query\"}"],
        &[
            "pdns_dns_transactions_total{status=\"answered\"}",
            "pdns_dns_transactions_total{status=\"unanswered\"}",
            "pdns_dns_retransmitted_queries_total",
            "pdns_dns_outstanding_queries",
        ],
    ),
    (
        &["pdns_dns_messages_total{kind=\"response\"}"],
        &[
            "pdns_dns_transactions_total{status=\"answered\"}",
            "pdns_dns_transactions_total{status=\"orphan\"}",
            "pdns_dns_transactions_total{status=\"duplicate\"}",
            "pdns_dns_held_responses",
        ],
    ),
    (
        &["pdns_sink_offered_records_total", "pdns_sink_restored_records_total"],
        &[
            "pdns_sink_delivered_records_total",
            "pdns_sink_dropped_records_total",
            "pdns_sink_queued_records",
            "pdns_sink_spooled_records",
        ],
    ),
];

/// Fails unless all sums hold.
pub(crate) fn assert_sums(samples: &Samples) {
    let value = |name: &&str| samples.0.get(*name).copied().unwrap_or_else(|| samples.sum(name));
    for (whole, parts) in SUMS {
        let [whole_sum, parts_sum] = [whole, parts].map(|names| names.iter().map(value).sum::<f64>());
        assert_eq!(whole_sum, parts_sum, "{whole:?} = {parts:?} in {samples:?}");
    }
    let answered = samples.0["pdns_dns_transactions_total{status=\"answered\"}"];
    assert_eq!(samples.0["pdns_dns_response_delay_seconds_count"], answered);
}

#[test]
fn the_metrics_are_those_that_are_listed() {
    let mut sensor = Sensor::start(&[]);
    sensor.feed(&exchange(1));
    sensor.settle(2);
    let page = get(sensor.address(), "/metrics").body;
    let served: BTreeSet<_> = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")).map(str::to_owned).collect();
    let expected: BTreeSet<_> = listed().iter().map(|metric| format!("{} {}", metric.name, metric.kind)).collect();
    assert_eq!(served, expected);

    let samples = Samples::of(&page);
    for Listed { name, kind, labels, .. } in listed() {
        let of_name = samples.0.keys().filter(|sample| {
            let plain = sample.split('{').next().unwrap();
            plain == name || kind == "histogram" && plain == format!("{name}_bucket")
        });
        for sample in of_name {
            let served: Vec<_> =
                sample.split(['{', ',']).skip(1).map(|label| label.split('=').next().unwrap()).collect();
            assert_eq!(served, labels, "{sample}");
        }
    }
}

#[test]
fn the_metrics_are_those_of_the_account() {
    let mut capture = mixed();
    // Late enough for all that waits to be given up.
    for second in [300, 301] {
        capture.at(&format!("{second}")).udp(client(), server(), query(99).compose());
        capture.at(&format!("{second}.002")).udp(server(), client(), response(99).compose());
    }
    let mut sensor = Sensor::start(&[]);
    sensor.feed(&capture);
    let samples = sensor.settle(27);
    assert_sums(&samples);
    let account = sensor.finish();
    account.assert_balanced("at the end");
    for Listed { name, labels, account: counters, .. } in listed() {
        if counters.is_empty() {
            continue;
        }
        let counted: u64 = counters.iter().map(|counter| account.count(counter)).sum();
        assert_eq!(samples.sum(&name), counted as f64, "{name}");
        let Some(label) = labels.last() else { continue };
        let by_label = samples.by_label(&name, label);
        match &counters[..] {
            [counter] if label == "sink" => {
                assert_eq!(by_label, account.of_sinks(counter.trim_start_matches("records_")), "{name}");
            }
            // What the account has in an object is told apart here as well.
            [counter] => {
                if let Some(reasons) = account.reasons(counter) {
                    assert_eq!(by_label, reasons, "{name}");
                }
            }
            _ => {
                let apart =
                    by_label.keys().map(|value| (value.clone(), account.count(counter_of(value, &counters)) as f64));
                assert_eq!(by_label, apart.collect(), "{name}");
                assert_eq!(by_label.len(), counters.len(), "{name}");
            }
        }
    }
    let counters: BTreeSet<_> = listed().into_iter().flat_map(|metric| metric.account).collect();
    let missing: Vec<_> = account.names().into_iter().filter(|name| !counters.contains(name)).collect();
    // They are parts of others, by label.
    let parts = ["fragments", "sinks", "tcp/segments_data", "tcp/segments_empty", "tcp_segments", "udp_datagrams"];
    assert_eq!(missing, parts);
}

/// The counter whose name has the value of a label in it, in the plural it may be; `answered` is no `unanswered`.
fn counter_of<'a>(value: &str, counters: &'a [String]) -> &'a str {
    let stem = value.trim_end_matches('y');
    counters.iter().filter(|counter| counter.contains(stem)).min_by_key(|counter| counter.len()).unwrap()
}

#[test]
fn the_sums_hold_at_every_moment() {
    let frames = &exchange(5000).pcap(PcapFormat::default())[HEADER..];
    let mut sensor = Sensor::start(&["--numprocs", "2"]);
    let address = sensor.address();
    thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut last = 0.0;
            let mut differing = 0;
            while last < 10_000.0 {
                let samples = Samples::fetch(address);
                assert_sums(&samples);
                let received = samples.sum("pdns_capture_received_frames_total");
                assert!(received >= last, "a counter went back from {last} to {received}");
                differing += u32::from(received > last);
                last = received;
            }
            differing
        });
        for part in frames.chunks(frames.len() / 10) {
            sensor.write(part);
            thread::sleep(std::time::Duration::from_millis(100));
        }
        assert!(reader.join().unwrap() >= 3, "the counts came at once");
    });
    let account = sensor.finish();
    account.assert_balanced("at the end");
    assert_eq!(account.count("answered"), 5000);
}

#[test]
fn readers_get_what_they_ask_for() {
    let sensor = Sensor::start(&[]);
    let address = sensor.address();
    let with_accept = |accept: &str| {
        let page = request(address, &format!("GET /metrics HTTP/1.0\r\nAccept: {accept}\r\n\r\n"));
        assert_eq!(page.status, 200);
        (page.headers["content-type"].clone(), page.body)
    };
    let (kind, body) =
        with_accept("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(body.ends_with("# EOF\n"));
    let (kind, body) = with_accept("text/html,*/*;q=0.1");
    assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
    assert!(
        body.contains("\n# TYPE pdns_capture_received_frames_total counter\npdns_capture_received_frames_total 0\n")
    );

    let Page { status, body, .. } = get(address, "/healthz");
    assert_eq!((status, &*body), (200, "ok\n"));
    let Page { status, headers, body } = get(address, "/");
    assert_eq!((status, &*headers["content-type"]), (200, "text/html; charset=utf-8"));
    assert!(body.contains("href=\"metrics\"") && body.contains("href=\"healthz\""));
    let Page { status, body, .. } = request(address, "HEAD /metrics?x=y HTTP/1.0\r\n\r\n");
    assert_eq!((status, &*body), (200, ""));
    for path in ["/metric", "/metrics/", "/healthz/x", "/../etc/passwd", "//metrics"] {
        assert_eq!(get(address, path).status, 404, "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "X"] {
        let page = request(address, &format!("{method} /metrics HTTP/1.0\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!((page.status, &*page.headers["allow"]), (405, "GET, HEAD"), "{method}");
    }
}
