//! The account of a run: where every frame, message and record went.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use pdns_packet::frame::Discard;
use pdns_sink::{DropReason, SinkReport, SinkStats};
use pdns_track::Status;
use pdns_track::reassembly::FragmentDrop;
use serde::Serialize;

use crate::board::Counters;
use crate::output;
use crate::settings::unwritable_stats;

/// The counters of a whole run, up to one moment.
///
/// What is still on its way at that moment is counted as well, so that the sums of `docs/account.md` hold in the middle of
/// a run as they do at its end.
#[derive(Debug)]
pub(crate) struct Account {
    /// What the threads counted.
    pub counters: Counters,
    /// What all sinks together say of the records they were offered.
    pub sink: SinkStats,
    /// What each of them says.
    pub sinks: Vec<SinkReport>,
}

impl Account {
    pub(crate) fn new(counters: Counters, sinks: Vec<SinkReport>) -> Self {
        Self { counters, sink: output::sum(&sinks), sinks }
    }

    /// UDP datagrams on their way from the reader to a worker.
    pub(crate) const fn udp_datagrams_queued(&self) -> u64 {
        let Counters { ingest, tracker, .. } = &self.counters;
        let messages = tracker.pairing.queries + tracker.pairing.responses + tracker.short_messages;
        (ingest.udp_datagrams + ingest.reassembled_udp).saturating_sub(messages - tracker.streams.messages)
    }

    /// TCP segments on their way from the reader to a worker.
    pub(crate) const fn tcp_segments_queued(&self) -> u64 {
        let Counters { ingest, tracker, .. } = &self.counters;
        (ingest.tcp_segments + ingest.reassembled_tcp).saturating_sub(tracker.streams.segments)
    }

    /// TCP streams that are followed at the moment.
    pub(crate) const fn streams_open(&self) -> u64 {
        let streams = &self.counters.tracker.streams;
        let ended = streams.streams_closed + streams.streams_unfinished + streams.streams_evicted;
        (streams.streams_opened + streams.streams_joined).saturating_sub(ended)
    }

    /// Queries that wait for their response.
    pub(crate) const fn queries_outstanding(&self) -> u64 {
        let pairing = &self.counters.tracker.pairing;
        pairing.queries.saturating_sub(pairing.answered + pairing.unanswered + pairing.retransmissions)
    }

    /// Responses that wait a moment for a query that may have been captured later.
    pub(crate) const fn responses_held(&self) -> u64 {
        let pairing = &self.counters.tracker.pairing;
        pairing.responses.saturating_sub(pairing.answered + pairing.orphan + pairing.duplicate)
    }

    /// The account in one line.
    pub(crate) fn summary(&self) -> String {
        let Counters { ingest, tracker, .. } = &self.counters;
        let pairing = &tracker.pairing;
        let statuses = Status::ALL.map(|status| format!("{} {}", pairing.transactions(status), status.name()));
        format!(
            "{} frames, {} queries, {} responses: {}; {} records delivered, {} dropped",
            ingest.received,
            pairing.queries,
            pairing.responses,
            statuses.join(", "),
            self.sink.delivered,
            self.sink.dropped_total()
        )
    }

    /// The account as it is written.
    pub(crate) fn report(&self) -> Report {
        let Counters { ingest, fragments, live, tracker, .. } = &self.counters;
        let pairing = &tracker.pairing;
        Report {
            frames_received: ingest.received,
            frames_accepted: ingest.fragments + ingest.tcp_segments + ingest.udp_datagrams,
            frames_discarded: by_reason(&ingest.discarded),
            frames_reordered: self.counters.reordered,
            clock_restarts: self.counters.restarts,
            kernel_dropped: live.dropped,
            interface_dropped: live.if_dropped,
            udp_datagrams: ingest.udp_datagrams,
            tcp_segments: ingest.tcp_segments,
            fragments: ingest.fragments,
            fragments_pending: fragments.pending,
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
            udp_datagrams_queued: self.udp_datagrams_queued(),
            tcp_segments_queued: self.tcp_segments_queued(),
            tcp: self.streams(),
            queries: pairing.queries,
            responses: pairing.responses,
            messages_discarded: BTreeMap::from([("short_header", tracker.short_messages)]),
            answered: pairing.transactions(Status::Answered),
            unanswered: pairing.transactions(Status::Unanswered),
            retransmissions: pairing.retransmissions,
            queries_outstanding: self.queries_outstanding(),
            orphan: pairing.transactions(Status::Orphan),
            duplicate: pairing.transactions(Status::Duplicate),
            responses_held: self.responses_held(),
            evicted: BTreeMap::from([
                ("queries", pairing.evicted_queries),
                ("responses", pairing.evicted_responses),
                ("answered", pairing.evicted_answered),
            ]),
            transactions_unwanted: self.counters.unwanted,
            transactions_shortened: self.counters.shortened,
            records_made: self.counters.records,
            records_offered: self.sink.offered,
            records_delivered: self.sink.delivered,
            records_dropped: dropped(&self.sink),
            records_queued: self.sink.queued_records,
            records_spooled: self.sink.spooled_records,
            records_restored: self.sink.restored,
            sinks: self.sinks.iter().map(|report| (report.name.clone(), SinkAccount::from(&report.stats))).collect(),
        }
    }

    fn streams(&self) -> BTreeMap<&'static str, u64> {
        let open = [("streams_open", self.streams_open())];
        self.counters.tracker.streams.named().chain(open).collect()
    }
}

/// Where the account goes: a file that is opened at the start, when it still may be, and written at the end.
pub(crate) struct StatsFile {
    path: PathBuf,
    file: File,
}

impl StatsFile {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        // What it holds stays until there is something better.
        let file = File::options().write(true).create(true).truncate(false).open(path);
        Ok(Self { path: path.to_owned(), file: file.with_context(|| unwritable_stats(path))? })
    }

    /// Writes the account as one JSON object.
    pub(crate) fn write(self, account: &Account) -> Result<()> {
        write(&self.file, account).with_context(|| unwritable_stats(&self.path))
    }
}

fn write(file: &File, account: &Account) -> Result<()> {
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    let mut file = BufWriter::new(file);
    serde_json::to_writer_pretty(&mut file, &account.report())?;
    file.write_all(b"\n")?;
    Ok(file.flush()?)
}

fn by_reason(counts: &[u64; Discard::ALL.len()]) -> BTreeMap<&'static str, u64> {
    Discard::ALL.into_iter().map(|reason| (reason.name(), counts[reason as usize])).collect()
}

/// The account as it is written. `docs/account.md` says what each number means and which sums hold.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub frames_received: u64,
    pub frames_accepted: u64,
    pub frames_discarded: BTreeMap<&'static str, u64>,
    pub frames_reordered: u64,
    pub clock_restarts: u64,
    pub kernel_dropped: u64,
    pub interface_dropped: u64,
    pub udp_datagrams: u64,
    pub tcp_segments: u64,
    pub fragments: u64,
    pub fragments_pending: u64,
    pub fragments_reassembled: u64,
    pub fragments_dropped: BTreeMap<&'static str, u64>,
    pub packets_reassembled: u64,
    pub reassembled_udp_datagrams: u64,
    pub reassembled_tcp_segments: u64,
    pub reassembled_fragments: u64,
    pub reassembled_discarded: BTreeMap<&'static str, u64>,
    pub udp_datagrams_queued: u64,
    pub tcp_segments_queued: u64,
    pub tcp: BTreeMap<&'static str, u64>,
    pub queries: u64,
    pub responses: u64,
    pub messages_discarded: BTreeMap<&'static str, u64>,
    pub answered: u64,
    pub unanswered: u64,
    pub retransmissions: u64,
    pub queries_outstanding: u64,
    pub orphan: u64,
    pub duplicate: u64,
    pub responses_held: u64,
    pub evicted: BTreeMap<&'static str, u64>,
    pub transactions_unwanted: u64,
    pub transactions_shortened: u64,
    pub records_made: u64,
    pub records_offered: u64,
    pub records_delivered: u64,
    pub records_dropped: BTreeMap<&'static str, u64>,
    pub records_queued: u64,
    pub records_spooled: u64,
    pub records_restored: u64,
    pub sinks: BTreeMap<String, SinkAccount>,
}

/// The account of one sink.
#[derive(Debug, Serialize)]
pub(crate) struct SinkAccount {
    pub offered: u64,
    pub restored: u64,
    pub delivered: u64,
    pub retried: u64,
    pub dropped: BTreeMap<&'static str, u64>,
    pub queued: u64,
    pub spooled: u64,
}

impl From<&SinkStats> for SinkAccount {
    fn from(stats: &SinkStats) -> Self {
        Self {
            offered: stats.offered,
            restored: stats.restored,
            delivered: stats.delivered,
            retried: stats.retried,
            dropped: dropped(stats),
            queued: stats.queued_records,
            spooled: stats.spooled_records,
        }
    }
}

fn dropped(stats: &SinkStats) -> BTreeMap<&'static str, u64> {
    DropReason::ALL.into_iter().map(|reason| (reason.name(), stats.dropped(reason))).collect()
}
