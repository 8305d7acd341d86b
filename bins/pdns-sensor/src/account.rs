//! The account of a run: where every frame, message and record went.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Result;
use pdns_packet::frame::Discard;
use pdns_sink::{SinkError, SinkStats};
use pdns_track::reassembly::{FragmentDrop, FragmentStats};
use pdns_track::{Ingest, IngestStats, Status, TrackerStats};
use serde::Serialize;

use crate::worker::WorkerReport;

/// The counters of a whole run.
#[derive(Debug)]
pub(crate) struct Account {
    ingest: IngestStats,
    fragments: FragmentStats,
    tracker: TrackerStats,
    reordered: u64,
    restarts: u64,
    unwanted: u64,
    /// What the sink says of the records it was offered.
    pub sink: SinkStats,
    /// Why records could not be delivered.
    pub failures: Vec<SinkError>,
}

impl Account {
    /// Adds up what the reader and the workers counted.
    pub(crate) fn new(ingest: &Ingest, reports: Vec<WorkerReport>) -> Self {
        let mut account = Self {
            ingest: ingest.stats().clone(),
            fragments: *ingest.fragment_stats(),
            tracker: TrackerStats::default(),
            reordered: ingest.clock().reordered(),
            restarts: ingest.clock().restarts(),
            unwanted: 0,
            sink: SinkStats::default(),
            failures: Vec::new(),
        };
        for report in reports {
            account.tracker.add(&report.tracker);
            account.unwanted += report.unwanted;
            account.failures.extend(report.failure);
        }
        account
    }

    /// Writes the account as one JSON object.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        serde_json::to_writer_pretty(&mut file, &self.report())?;
        file.write_all(b"\n")?;
        Ok(file.flush()?)
    }

    /// The account in one line.
    pub(crate) fn summary(&self) -> String {
        let pairing = &self.tracker.pairing;
        let statuses = Status::ALL.map(|status| format!("{} {}", pairing.transactions(status), status.name()));
        format!(
            "{} frames, {} queries, {} responses: {}; {} records delivered, {} dropped",
            self.ingest.received,
            pairing.queries,
            pairing.responses,
            statuses.join(", "),
            self.sink.delivered,
            self.sink.dropped
        )
    }

    fn report(&self) -> Report {
        let Self { ingest, fragments, tracker, .. } = self;
        let pairing = &tracker.pairing;
        Report {
            frames_received: ingest.received,
            frames_accepted: ingest.fragments + ingest.tcp_segments + ingest.udp_datagrams,
            frames_discarded: by_reason(&ingest.discarded),
            frames_reordered: self.reordered,
            clock_restarts: self.restarts,
            kernel_dropped: 0,
            interface_dropped: 0,
            udp_datagrams: ingest.udp_datagrams,
            tcp_segments: ingest.tcp_segments,
            fragments: ingest.fragments,
            fragments_reassembled: fragments.reassembled,
            fragments_dropped: FragmentDrop::ALL
                .into_iter()
                .map(|reason| (reason.name(), fragments.dropped(reason)))
                .collect(),
            packets_reassembled: fragments.datagrams_completed,
            reassembled_udp_datagrams: ingest.reassembled_udp,
            reassembled_tcp_segments: ingest.reassembled_tcp,
            reassembled_fragments: ingest.reassembled_fragments,
            reassembled_discarded: by_reason(&ingest.reassembled_discarded),
            tcp: tracker.streams.named().collect(),
            queries: pairing.queries,
            responses: pairing.responses,
            messages_discarded: BTreeMap::from([("short_header", tracker.short_messages)]),
            answered: pairing.transactions(Status::Answered),
            unanswered: pairing.transactions(Status::Unanswered),
            retransmissions: pairing.retransmissions,
            orphan: pairing.transactions(Status::Orphan),
            duplicate: pairing.transactions(Status::Duplicate),
            evicted: BTreeMap::from([
                ("queries", pairing.evicted_queries),
                ("responses", pairing.evicted_responses),
                ("answered", pairing.evicted_answered),
            ]),
            transactions_unwanted: self.unwanted,
            records_offered: self.sink.offered,
            records_delivered: self.sink.delivered,
            records_dropped: BTreeMap::from([("write_failed", self.sink.dropped)]),
            records_queued: 0,
        }
    }
}

fn by_reason(counts: &[u64; Discard::ALL.len()]) -> BTreeMap<&'static str, u64> {
    Discard::ALL.into_iter().map(|reason| (reason.name(), counts[reason as usize])).collect()
}

/// The account as it is written. `docs/account.md` says what each number means and which sums hold.
#[derive(Debug, Serialize)]
struct Report {
    frames_received: u64,
    frames_accepted: u64,
    frames_discarded: BTreeMap<&'static str, u64>,
    frames_reordered: u64,
    clock_restarts: u64,
    kernel_dropped: u64,
    interface_dropped: u64,
    udp_datagrams: u64,
    tcp_segments: u64,
    fragments: u64,
    fragments_reassembled: u64,
    fragments_dropped: BTreeMap<&'static str, u64>,
    packets_reassembled: u64,
    reassembled_udp_datagrams: u64,
    reassembled_tcp_segments: u64,
    reassembled_fragments: u64,
    reassembled_discarded: BTreeMap<&'static str, u64>,
    tcp: BTreeMap<&'static str, u64>,
    queries: u64,
    responses: u64,
    messages_discarded: BTreeMap<&'static str, u64>,
    answered: u64,
    unanswered: u64,
    retransmissions: u64,
    orphan: u64,
    duplicate: u64,
    evicted: BTreeMap<&'static str, u64>,
    transactions_unwanted: u64,
    records_offered: u64,
    records_delivered: u64,
    records_dropped: BTreeMap<&'static str, u64>,
    records_queued: u64,
}
