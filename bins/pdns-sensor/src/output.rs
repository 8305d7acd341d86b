//! From transactions to a sink: encoded into batches, which are handed over when they are full.

use std::sync::{Arc, Mutex, PoisonError};

use pdns_record::{Encoder, Encoding};
use pdns_sink::{Batch, Direct, DirectError, SinkStats, Stdout, StdoutConfig};
use pdns_track::{Consumer, Status, Transaction};

use crate::settings::Settings;

/// How many bytes of records are handed over at once. Larger batches no longer save system calls that matter, and no
/// longer fit the second-level cache.
const BATCH_BYTES: usize = 64 * 1024;

/// The sink that all workers write to; taken once a batch.
pub(crate) type SharedSink = Arc<Mutex<Direct<Stdout>>>;

/// Standard output, for all workers.
pub(crate) fn stdout(settings: &Settings) -> SharedSink {
    let stdout = Stdout::new(StdoutConfig { layout: settings.layout });
    Arc::new(Mutex::new(Direct::new("stdout", stdout)))
}

/// What the sink says of the records it was offered.
pub(crate) fn stats(sink: &SharedSink) -> SinkStats {
    sink.lock().unwrap_or_else(PoisonError::into_inner).stats().clone()
}

/// One worker's way to the sink.
pub(crate) struct Output {
    encoder: Encoder,
    wanted: [bool; Status::ALL.len()],
    sink: Option<SharedSink>,
    batch: Batch,
    records: u64,
    unwanted: u64,
    failure: Option<DirectError>,
}

impl Output {
    pub(crate) fn new(settings: &Settings, sink: Option<SharedSink>) -> Self {
        Self {
            encoder: Encoder::new(settings.layout, &settings.sensor, &settings.level),
            wanted: Status::ALL.map(|status| settings.statuses.contains(&status)),
            sink,
            batch: Batch::new(Encoding::json(settings.layout), false),
            records: 0,
            unwanted: 0,
            failure: None,
        }
    }

    /// Hands over the records there are, however few.
    pub(crate) fn flush(&mut self) {
        if let Some(sink) = &self.sink
            && !self.batch.is_empty()
        {
            // A worker that panicked while it held the sink is reported by its own join.
            let delivered = sink.lock().unwrap_or_else(PoisonError::into_inner).deliver(&self.batch);
            self.failure = self.failure.take().or_else(|| delivered.err());
            self.batch.clear();
        }
    }

    /// Records made.
    pub(crate) const fn records(&self) -> u64 {
        self.records
    }

    /// Transactions of a status that is not written.
    pub(crate) const fn unwanted(&self) -> u64 {
        self.unwanted
    }

    /// Whether records can no longer be delivered.
    pub(crate) const fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Why records could not be delivered.
    pub(crate) fn failure(self) -> Option<DirectError> {
        self.failure
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
        self.records += self.batch.write(|bytes| self.encoder.encode(transaction, bytes));
        if self.batch.bytes().len() >= BATCH_BYTES {
            self.flush();
        }
    }
}
