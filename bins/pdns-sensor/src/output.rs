//! From transactions to sinks: encoded into batches, which are handed over when they are full.

use std::sync::Arc;

use anyhow::{Context, Result};
use pdns_record::Encoder;
use pdns_sink::stdout::Stdout;
use pdns_sink::{Batch, DirectError, Level, Log, RecordId, SinkReport, SinkStats, Tee};
use pdns_track::{Consumer, Status, Transaction};

use crate::log;
use crate::settings::{Settings, SinkPlan, Target};

/// How many bytes of records are handed over at once. Larger batches no longer save system calls that matter, and no
/// longer fit the second-level cache.
const BATCH_BYTES: usize = 64 * 1024;

/// How many bytes of records are kept, rather than wait for a sink that another worker writes to.
const MOST_BYTES: usize = 2 * BATCH_BYTES;

/// The sinks that all workers write to.
pub(crate) type Sinks = Arc<Tee>;

/// Starts all sinks; `None` when there is none.
///
/// # Errors
///
/// A sink could not be started.
pub(crate) fn start(settings: &Settings) -> Result<Option<Sinks>> {
    let plans = match settings.sinks.as_slice() {
        [] => return Ok(None),
        // A capture file can wait for standard output, so that nothing has to stand between them.
        [SinkPlan { settings: frame, target: Target::Stdout(config) }] if settings.live.is_none() => {
            return Ok(Some(Arc::new(Tee::direct(frame, Box::new(Stdout::new(*config))))));
        }
        plans => plans,
    };
    let log = log();
    let setups = plans.iter().map(|plan| plan.setup(&log)).collect();
    let tee = Tee::start(setups, log, settings.run).context("cannot start the sinks")?;
    Ok(Some(Arc::new(tee)))
}

/// Where sinks' messages go.
pub(crate) fn log() -> Log {
    Arc::new(|level, message| match level {
        Level::Info => log::info(message),
        Level::Warning => log::warn(message),
        Level::Error => log::error(message),
    })
}

/// All sinks in one account.
pub(crate) fn sum(reports: &[SinkReport]) -> SinkStats {
    let mut sum = SinkStats::default();
    reports.iter().for_each(|report| sum.add(&report.stats));
    sum
}

/// One worker's way to the sinks.
pub(crate) struct Output {
    wanted: [bool; Status::ALL.len()],
    sinks: Option<Sinks>,
    /// One for each encoding in use.
    lines: Vec<Line>,
    /// What the next record is called by; the same in all encodings.
    id: RecordId,
    records: u64,
    unwanted: u64,
    failure: Option<DirectError>,
}

/// Records of one encoding.
struct Line {
    encoder: Encoder,
    batch: Batch,
}

impl Output {
    /// The output of one of the workers.
    pub(crate) fn new(settings: &Settings, sinks: Option<Sinks>, worker: u16) -> Self {
        let encodings = sinks.as_ref().map_or(&[][..], |sinks| sinks.encodings());
        let lines = encodings.iter().map(|used| Line {
            encoder: Encoder::of(used.encoding, &settings.sensor, &settings.level),
            batch: Batch::new(used.encoding, used.detailed),
        });
        Self {
            wanted: Status::ALL.map(|status| settings.statuses.contains(&status)),
            lines: lines.collect(),
            sinks,
            id: RecordId::first(settings.run, worker),
            records: 0,
            unwanted: 0,
            failure: None,
        }
    }

    /// Hands over the records there are, however few.
    pub(crate) fn flush(&mut self) {
        self.hand_over(Tee::offer);
    }

    fn hand_over(&mut self, offer: impl Fn(&Tee, &mut Batch) -> Result<(), DirectError>) {
        let Some(sinks) = &self.sinks else { return };
        for line in &mut self.lines {
            let taken = offer(sinks, &mut line.batch);
            self.failure = self.failure.take().or_else(|| taken.err());
        }
    }

    /// Records made, once for each encoding.
    pub(crate) const fn records(&self) -> u64 {
        self.records
    }

    /// Transactions of a status that is not written.
    pub(crate) const fn unwanted(&self) -> u64 {
        self.unwanted
    }

    /// Transactions that some questions or records were left out of, once for each encoding.
    pub(crate) fn shortened(&self) -> u64 {
        self.lines.iter().map(|line| line.encoder.shortened()).sum()
    }

    /// Whether records can no longer be delivered.
    pub(crate) const fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Whether nobody takes records any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.failure.is_some() || self.sinks.as_ref().is_some_and(|sinks| sinks.is_gone())
    }

    /// Why records could not be delivered.
    pub(crate) fn failure(self) -> Option<DirectError> {
        self.failure
    }
}

impl Line {
    /// Appends the records of a transaction; how many there are.
    fn encode(&mut self, transaction: &Transaction<'_>, id: RecordId) -> u64 {
        let Self { encoder, batch } = self;
        if !batch.is_detailed() {
            return batch.write(|bytes| encoder.encode_into(transaction, bytes));
        }
        let before = batch.records();
        let seen = transaction.response.or(transaction.query).map(|message| message.time).unwrap_or_default();
        batch.write_each(seen, transaction.client, id, |bytes, ended| encoder.encode_each(transaction, bytes, ended));
        batch.records() - before
    }

    fn has(&self, bytes: usize) -> bool {
        self.batch.bytes().len() >= bytes
    }
}

impl Consumer for Output {
    fn transaction(&mut self, transaction: &Transaction<'_>) {
        if !self.wanted[transaction.status as usize] {
            self.unwanted += 1;
            return;
        }
        let mut most = 0;
        let mut is_full = false;
        for line in &mut self.lines {
            let records = line.encode(transaction, self.id);
            self.records += records;
            most = most.max(records);
            is_full |= line.has(BATCH_BYTES);
        }
        self.id = self.id.plus(most);
        if !is_full {
            return;
        }
        if self.lines.iter().any(|line| line.has(MOST_BYTES)) {
            self.flush();
        } else {
            self.hand_over(Tee::try_offer);
        }
    }
}
