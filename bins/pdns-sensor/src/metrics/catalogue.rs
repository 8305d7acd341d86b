//! Every metric there is, made from the account of one moment. `docs/metrics.md` says what to do about each.

use std::borrow::Cow;

use pdns_track::reassembly::StreamStats;

use super::family::{Family, Kind, Sample, Value};
use super::sinks;
use crate::account::{Account, Report};
use crate::delays::{BOUNDS, Delays};

/// The program's metrics, but for those of its process.
///
/// All come from one account: its sums hold among them. All values that a label can have are there from the start.
pub(crate) fn families(account: &Account) -> Vec<Family> {
    // Whoever adds a counter to the account has to say here what its metric is.
    let Report {
        frames_received,
        frames_accepted: _, // the sum over `content`
        frames_discarded,
        frames_reordered,
        clock_restarts,
        kernel_dropped,
        interface_dropped,
        udp_datagrams,
        tcp_segments,
        fragments,
        fragments_pending,
        fragments_reassembled,
        fragments_dropped,
        packets_reassembled,
        reassembled_udp_datagrams,
        reassembled_tcp_segments,
        reassembled_fragments,
        reassembled_discarded,
        udp_datagrams_queued,
        tcp_segments_queued,
        tcp: _, // from the numbers themselves
        queries,
        responses,
        messages_discarded,
        answered,
        unanswered,
        retransmissions,
        queries_outstanding,
        orphan,
        duplicate,
        responses_held,
        evicted,
        transactions_unwanted,
        transactions_shortened,
        records_made,
        records_offered: _, // this and what follows are sums over `sink`
        records_delivered: _,
        records_dropped: _,
        records_queued: _,
        records_spooled: _,
        records_restored: _,
        sinks: _,
    } = account.report();

    let mut families = vec![build()];
    families.extend([
        count("pdns_capture_received_frames", "Frames read", frames_received),
        counts(
            "pdns_capture_accepted_frames",
            "Frames that hold a fragment, or a segment or datagram between DNS ports, by what they hold",
            "content",
            contents(fragments, tcp_segments, udp_datagrams),
        ),
        counts(
            "pdns_capture_discarded_frames",
            "Frames that hold nothing for us, by reason",
            "reason",
            frames_discarded,
        ),
        counts(
            "pdns_capture_dropped_frames",
            "Frames lost before they could be read, by where",
            "stage",
            [("kernel", kernel_dropped), ("interface", interface_dropped)],
        ),
        count("pdns_capture_reordered_frames", "Frames a little older than one before them", frames_reordered),
        count("pdns_capture_clock_restarts", "Frames much older than the one before", clock_restarts),
    ]);
    families.extend([
        count("pdns_reassembly_used_fragments", "Fragments that became part of a whole packet", fragments_reassembled),
        counts("pdns_reassembly_dropped_fragments", "Fragments that did not, by reason", "reason", fragments_dropped),
        level(
            "pdns_reassembly_pending_fragments",
            "Fragments that wait for the rest of their packet",
            fragments_pending,
        ),
        count("pdns_reassembly_completed_packets", "Packets made whole of fragments", packets_reassembled),
        counts(
            "pdns_reassembly_accepted_packets",
            "Packets made whole that hold something for us, by what they hold",
            "content",
            contents(reassembled_fragments, reassembled_tcp_segments, reassembled_udp_datagrams),
        ),
        counts(
            "pdns_reassembly_discarded_packets",
            "Packets made whole that hold nothing for us, by reason",
            "reason",
            reassembled_discarded,
        ),
        levels(
            "pdns_worker_queued_packets",
            "Packets on their way to a worker, by what they are",
            "content",
            [("tcp_segment", tcp_segments_queued), ("udp_datagram", udp_datagrams_queued)],
        ),
    ]);
    families.extend(streams(&account.counters.tracker.streams, account.streams_open()));
    families.extend([
        counts(
            "pdns_dns_messages",
            "DNS messages whose header could be read",
            "kind",
            [("query", queries), ("response", responses)],
        ),
        counts("pdns_dns_discarded_messages", "DNS messages that could not be read", "reason", messages_discarded),
        counts(
            "pdns_dns_transactions",
            "Transactions, by how they ended",
            "status",
            [("answered", answered), ("unanswered", unanswered), ("orphan", orphan), ("duplicate", duplicate)],
        ),
        count(
            "pdns_dns_retransmitted_queries",
            "Queries repeated while the first one was outstanding",
            retransmissions,
        ),
        level("pdns_dns_outstanding_queries", "Queries that wait for their response", queries_outstanding),
        level("pdns_dns_held_responses", "Responses that wait a moment for their query", responses_held),
        counts(
            "pdns_dns_evicted_entries",
            "What ended before its time because a table was full, by table",
            "table",
            evicted,
        ),
        delays(&account.counters.delays),
        count("pdns_dns_unwanted_transactions", "Transactions of a status that is not written", transactions_unwanted),
        count(
            "pdns_dns_shortened_transactions",
            "Transactions that questions or records were left out of, their text being too long",
            transactions_shortened,
        ),
        count("pdns_dns_made_records", "Records made of transactions", records_made),
    ]);
    families.extend(sinks::families(&account.sinks));
    families
}

fn build() -> Family {
    let labels = vec![("version", Cow::Borrowed(env!("CARGO_PKG_VERSION")))];
    let samples = vec![Sample { labels, value: Value::One }];
    Family { name: "pdns_build", help: "What program this is", kind: Kind::Info, samples }
}

fn streams(streams: &StreamStats, open: u64) -> Vec<Family> {
    let &StreamStats {
        segments: _, // the sum over `kind`
        segments_data,
        segments_empty,
        bytes_received,
        bytes_delivered,
        bytes_duplicate,
        bytes_skipped,
        bytes_incomplete,
        bytes_outside,
        bytes_pending,
        bytes_lost,
        messages,
        messages_lost,
        messages_incomplete,
        messages_short,
        gaps,
        resyncs,
        conflicts,
        streams_opened,
        streams_joined,
        streams_closed,
        streams_unfinished,
        streams_evicted,
    } = streams;
    vec![
        counts(
            "pdns_tcp_segments",
            "TCP segments, by whether they carry data",
            "kind",
            [("data", segments_data), ("empty", segments_empty)],
        ),
        count("pdns_tcp_received_bytes", "Payload of TCP segments", bytes_received),
        counts(
            "pdns_tcp_processed_bytes",
            "Payload of TCP segments, by what became of it",
            "outcome",
            [
                ("delivered", bytes_delivered),
                ("duplicate", bytes_duplicate),
                ("incomplete", bytes_incomplete),
                ("outside", bytes_outside),
                ("skipped", bytes_skipped),
            ],
        ),
        level("pdns_tcp_pending_bytes", "Payload held until there is more", bytes_pending),
        count("pdns_tcp_lost_bytes", "Payload that was sent and never captured", bytes_lost),
        count("pdns_tcp_messages", "DNS messages found in TCP streams", messages),
        counts(
            "pdns_tcp_dropped_messages",
            "DNS messages in TCP streams that could not be used, by reason",
            "reason",
            [("incomplete", messages_incomplete), ("lost", messages_lost), ("short", messages_short)],
        ),
        count("pdns_tcp_gaps", "Runs of missing bytes that were given up", gaps),
        count("pdns_tcp_resyncs", "Times that a message was searched for and found", resyncs),
        count("pdns_tcp_conflicting_segments", "Segments that contradict an earlier one", conflicts),
        counts(
            "pdns_tcp_started_streams",
            "TCP streams, by how they began",
            "start",
            [("joined", streams_joined), ("opened", streams_opened)],
        ),
        counts(
            "pdns_tcp_ended_streams",
            "TCP streams, by how they ended",
            "end",
            [("closed", streams_closed), ("evicted", streams_evicted), ("unfinished", streams_unfinished)],
        ),
        level("pdns_tcp_open_streams", "TCP streams that are followed", open),
    ]
}

fn delays(delays: &Delays) -> Family {
    let bounds = BOUNDS.iter().map(|&nanos| seconds(nanos)).chain([f64::INFINITY]);
    let value = Value::Buckets { buckets: bounds.zip(delays.counts).collect(), sum: delays.sum as f64 / 1e9 };
    Family::single(Kind::Histogram, "pdns_dns_response_delay_seconds", "Time from a query to its response", value)
}

/// Nanoseconds as seconds, nearest to what a person would write: a product with 1e-9 would give 0.00025000000000000001.
fn seconds(nanos: i64) -> f64 {
    nanos as f64 / 1e9
}

fn count(name: &'static str, help: &'static str, count: u64) -> Family {
    Family::single(Kind::Counter, name, help, Value::Count(count))
}

fn level(name: &'static str, help: &'static str, level: u64) -> Family {
    Family::single(Kind::Gauge, name, help, Value::Count(level))
}

fn counts(
    name: &'static str,
    help: &'static str,
    label: &'static str,
    counts: impl IntoIterator<Item = (&'static str, u64)>,
) -> Family {
    Family::by(Kind::Counter, name, help, label, counts)
}

fn levels(
    name: &'static str,
    help: &'static str,
    label: &'static str,
    levels: impl IntoIterator<Item = (&'static str, u64)>,
) -> Family {
    Family::by(Kind::Gauge, name, help, label, levels)
}

const fn contents(fragments: u64, segments: u64, datagrams: u64) -> [(&'static str, u64); 3] {
    [("fragment", fragments), ("tcp_segment", segments), ("udp_datagram", datagrams)]
}
