//! One worker: packets in, transactions encoded into batches, batches to the sink.

use std::sync::{Arc, Mutex, PoisonError};

use pdns_packet::time::Timestamp;
use pdns_record::Encoder;
use pdns_sink::{Batch, Sink, SinkError};
use pdns_track::{Consumer, Dissected, Status, Tracker, TrackerStats, Transaction};

use crate::settings::Settings;

/// How many bytes of records are handed over at once. Larger batches no longer save system calls that matter, and no
/// longer fit the second-level cache.
const BATCH_BYTES: usize = 64 * 1024;

/// The sink that all workers write to; taken once a batch.
pub(crate) type SharedSink = Arc<Mutex<dyn Sink + Send>>;

/// A tracker with its output.
pub(crate) struct Worker {
    tracker: Tracker,
    output: Output,
}

/// What a worker counted by its end.
pub(crate) struct WorkerReport {
    pub tracker: TrackerStats,
    /// Transactions of a status that is not written.
    pub unwanted: u64,
    pub failure: Option<SinkError>,
}

impl Worker {
    pub(crate) fn new(settings: &Settings, sink: Option<SharedSink>) -> Self {
        let tracker = settings.tracker.clone().share(settings.workers);
        Self {
            tracker: Tracker::new(tracker),
            output: Output {
                encoder: Encoder::new(settings.layout, &settings.sensor, &settings.level),
                wanted: Status::ALL.map(|status| settings.statuses.contains(&status)),
                sink,
                batch: Batch::default(),
                unwanted: 0,
                failure: None,
            },
        }
    }

    pub(crate) fn packet(&mut self, packet: &Dissected<'_>) {
        self.tracker.packet(packet, &mut self.output);
    }

    /// Hands over the records there are, however few.
    pub(crate) fn flush(&mut self) {
        self.output.flush();
    }

    /// Whether records can no longer be delivered.
    pub(crate) const fn has_failed(&self) -> bool {
        self.output.failure.is_some()
    }

    pub(crate) fn finish(mut self, now: Timestamp) -> WorkerReport {
        self.tracker.finish(now, &mut self.output);
        self.output.flush();
        let Output { unwanted, failure, .. } = self.output;
        WorkerReport { tracker: self.tracker.stats(), unwanted, failure }
    }
}

struct Output {
    encoder: Encoder,
    wanted: [bool; Status::ALL.len()],
    sink: Option<SharedSink>,
    batch: Batch,
    unwanted: u64,
    failure: Option<SinkError>,
}

impl Output {
    fn flush(&mut self) {
        if let Some(sink) = &self.sink
            && !self.batch.bytes.is_empty()
        {
            // A worker that panicked while it held the sink is reported by its own join.
            let delivered = sink.lock().unwrap_or_else(PoisonError::into_inner).deliver(&self.batch);
            self.failure = self.failure.take().or_else(|| delivered.err());
            self.batch.clear();
        }
    }
}

impl Consumer for Output {
    fn transaction(&mut self, transaction: &Transaction<'_>) {
        if !self.wanted[transaction.status as usize] {
            self.unwanted += 1;
            return;
        }
        if self.sink.is_none() {
            return;
        }
        self.batch.records += self.encoder.encode(transaction, &mut self.batch.bytes);
        if self.batch.bytes.len() >= BATCH_BYTES {
            self.flush();
        }
    }
}
