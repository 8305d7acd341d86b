//! A sink without queue and thread, for when it is the only one and whoever offers records may wait for it.

use super::tee::SinkReport;
use crate::{Batch, Deliver, DropReason, Failure, Outcome, SinkStats};

/// Delivers on the thread of whoever offers records.
#[derive(Debug)]
pub struct Direct<D> {
    name: String,
    kind: &'static str,
    sink: D,
    closed: bool,
    stats: SinkStats,
}

/// Why records were not delivered. They are counted as dropped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectError {
    /// The receiver has gone: nobody wants records any more.
    #[error("{sink}: the reader has gone")]
    Closed {
        /// The sink's name.
        sink: String,
    },
    /// The records cannot be written.
    #[error("{sink}: cannot write {records} records: {failure}")]
    Failed {
        /// The sink's name.
        sink: String,
        /// How many records are lost.
        records: u64,
        /// Why.
        failure: Failure,
    },
}

impl<D: Deliver> Direct<D> {
    /// A sink of this name and kind.
    pub fn new(name: &str, kind: &'static str, sink: D) -> Self {
        Self { name: name.to_owned(), kind, sink, closed: false, stats: SinkStats::default() }
    }

    /// The sink itself.
    pub const fn get_ref(&self) -> &D {
        &self.sink
    }

    /// Whether the receiver has gone for good.
    pub const fn is_gone(&self) -> bool {
        self.closed
    }

    /// The account so far, with whose it is.
    pub fn report(&self) -> SinkReport {
        let (name, target) = (self.name.clone(), self.sink.target());
        SinkReport { name, kind: self.kind, target, stats: self.stats.clone() }
    }

    /// The account so far.
    pub const fn stats(&self) -> &SinkStats {
        &self.stats
    }

    /// Delivers a batch and waits until it is taken. A failure is final.
    ///
    /// # Errors
    /// The batch was not delivered, or only its beginning; all its records are counted as dropped.
    pub fn deliver(&mut self, batch: &Batch) -> Result<(), DirectError> {
        let records = batch.records();
        self.stats.offered += records;
        let outcome = if self.closed { Outcome::Closed } else { self.sink.deliver(batch) };
        let sink = || self.name.clone();
        match outcome {
            Outcome::Delivered => {
                self.stats.delivered += records;
                self.stats.delivered_bytes += batch.bytes().len() as u64;
                self.stats.batches += 1;
                Ok(())
            }
            Outcome::Closed => {
                self.closed = true;
                self.stats.drop(DropReason::Closed, records);
                Err(DirectError::Closed { sink: sink() })
            }
            Outcome::Retry(failure) | Outcome::Split(failure) | Outcome::Refused(failure) | Outcome::Stop(failure) => {
                self.stats.drop(DropReason::WriteFailed, records);
                Err(DirectError::Failed { sink: sink(), records, failure })
            }
            Outcome::Partly(partly) => {
                let lost = (partly.refused.len() + partly.again.len()) as u64;
                self.stats.delivered += records - lost;
                self.stats.cut += partly.cut;
                if lost == 0 {
                    return Ok(());
                }
                self.stats.drop(DropReason::WriteFailed, lost);
                let refused = partly.refused.into_iter().next().map(|(_, reason)| Failure::new(reason));
                let failure = partly.reason.or(refused).unwrap_or_else(|| Failure::new("refused"));
                Err(DirectError::Failed { sink: sink(), records: lost, failure })
            }
        }
    }
}
