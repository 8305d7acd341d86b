//! What is private and reads bytes of others, for the fuzz targets.

use std::sync::Arc;

use pdns_record::Encoding;

use crate::frame::store::{Append, Damage, Fetched, Left, Store};
use crate::http::Protocol;
use crate::spool::{self, Settings, SpoolError};
use crate::{Batch, Outcome, fluentd, http};

/// The batches on disk of one sink.
pub struct Spool(Box<dyn Store>);

/// What there is of something: batches, records, and bytes that are lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub batches: u64,
    pub records: u64,
    pub lost_bytes: u64,
}

impl Spool {
    /// Opens a spool; tells what an earlier run left.
    ///
    /// # Errors
    /// See [`SpoolError`].
    pub fn open(settings: &Settings, encoding: Encoding) -> Result<(Self, Count), SpoolError> {
        let (store, Left { batches, records, cut_bytes }) = spool::open(settings, encoding)?;
        Ok((Self(store), Count { batches, records, lost_bytes: cut_bytes }))
    }

    /// Appends a batch, if there is room.
    ///
    /// # Errors
    /// What the system says.
    pub fn append(&mut self, batch: Batch) -> Result<bool, String> {
        let Append { batches, failure, .. } = self.0.append(&[Arc::new(batch)]);
        failure.map_or(Ok(batches == 1), Err)
    }

    /// The next batch with its number, or how much of the spool cannot be read.
    pub fn fetch(&mut self) -> Option<Result<(Batch, u64), Count>> {
        match self.0.fetch() {
            Fetched::Batch(batch, number, _) => Some(Ok((batch, number))),
            Fetched::Damaged(Damage { batches, records, bytes, .. }) => {
                Some(Err(Count { batches, records, lost_bytes: bytes }))
            }
            Fetched::Nothing => None,
        }
    }

    /// Forgets all batches up to this number.
    pub fn forget(&mut self, number: u64) {
        self.0.forget(number);
    }

    /// How many bytes there are on disk.
    pub fn bytes(&self) -> u64 {
        self.0.bytes()
    }
}

/// What an answer of the Forward protocol acknowledges; `None` while its end is missing.
pub fn fluentd_answer(bytes: &[u8]) -> Option<Result<&str, ()>> {
    fluentd::answer(bytes)
}

/// What became of so many records that were answered with this status, ClickHouse's exception and body.
pub fn http_answer(protocol: &Protocol, status: u16, exception: Option<u32>, body: String, records: u64) -> Outcome {
    http::answer(protocol, status, exception, body, records)
}
