//! What the line knows of its spool.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Batch;

/// How long to leave a spool alone that cannot be written.
const RETRY: Duration = Duration::from_secs(1);

/// The spool as the line sees it: how much is in it, and what is on its way there.
#[derive(Debug)]
pub(crate) struct Disk {
    /// Whether everything goes through the spool.
    always: bool,
    /// Batches that have not been fetched.
    unread: u64,
    /// Records that are not settled.
    records: u64,
    /// Batches that have been fetched, with the records not settled of each, oldest first.
    fetched: VecDeque<(u64, u64)>,
    /// The last batch up to which all are settled, when that is new.
    done: Option<u64>,
    /// Batches that are being written.
    on_the_way: Vec<Arc<Batch>>,
    is_fetching: bool,
    is_full: bool,
    /// When to try writing again, after a failure.
    retry: Option<Instant>,
    last_failure: Option<String>,
}

/// What an earlier run left in the spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    pub batches: u64,
    pub records: u64,
    /// What was cut off because it was torn.
    pub cut_bytes: u64,
}

/// How appending to the spool ended.
#[derive(Debug, Default)]
pub(crate) struct Append {
    /// How many batches are on disk now; those after them are not.
    pub batches: usize,
    /// Records of these.
    pub records: u64,
    /// There is no room for the others.
    pub is_full: bool,
    /// Why the others could not be written.
    pub failure: Option<String>,
}

/// What reading the spool gave.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// A batch, its number, and how long ago it was written.
    Batch(Batch, u64, Duration),
    /// Some of it cannot be read.
    Damaged(Damage),
    /// Nothing: all has been read.
    Nothing,
}

/// A part of the spool that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    pub batches: u64,
    pub records: u64,
    pub bytes: u64,
    pub reason: String,
}

impl Disk {
    pub(crate) const fn new(always: bool, batches: u64, records: u64) -> Self {
        Self {
            always,
            unread: batches,
            records,
            fetched: VecDeque::new(),
            done: None,
            on_the_way: Vec::new(),
            is_fetching: false,
            is_full: false,
            retry: None,
            last_failure: None,
        }
    }

    pub(crate) const fn records(&self) -> u64 {
        self.records
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.is_full
    }

    /// Whether all has been fetched.
    pub(crate) const fn is_drained(&self) -> bool {
        self.unread == 0 && !self.is_fetching
    }

    pub(crate) fn records_on_the_way(&self) -> u64 {
        self.on_the_way.iter().map(|batch| batch.records()).sum()
    }

    pub(crate) fn bytes_on_the_way(&self) -> usize {
        self.on_the_way.iter().map(|batch| batch.size()).sum()
    }

    pub(crate) const fn retry_time(&self) -> Option<Instant> {
        self.retry
    }

    pub(crate) const fn last_failure(&self) -> Option<&String> {
        self.last_failure.as_ref()
    }

    pub(crate) fn set_last_failure(&mut self, failure: Option<String>) {
        self.last_failure = failure;
    }

    /// Whether what waits in memory has to go through the disk, to keep the order or because it always does. A disk that
    /// cannot be written keeps nothing from being delivered.
    pub(crate) fn goes_before_memory(&self, now: Instant) -> bool {
        self.unread > 0 || self.is_fetching || (self.always && self.can_append(now))
    }

    /// Whether what waits in memory is to be written now.
    pub(crate) fn takes(&self, now: Instant, is_ready: bool, is_crowded: bool) -> bool {
        self.can_append(now) && (is_crowded || (is_ready && self.goes_before_memory(now)))
    }

    pub(crate) fn can_append(&self, now: Instant) -> bool {
        !self.is_full && self.retry.is_none_or(|retry| now >= retry)
    }

    pub(crate) fn begin_append(&mut self, batches: &[Arc<Batch>]) {
        self.on_the_way = batches.to_vec();
    }

    /// Counts what was written, and gives back what was not.
    pub(crate) fn appended(&mut self, now: Instant, append: &Append) -> Vec<Arc<Batch>> {
        self.unread += append.batches as u64;
        self.records += append.records;
        self.is_full = append.is_full;
        // A full spool is tried again when some of it is settled; a failed one after a while.
        self.retry = append.failure.is_some().then(|| now + RETRY);
        let mut batches = std::mem::take(&mut self.on_the_way);
        batches.split_off(append.batches.min(batches.len()))
    }

    /// Whether a batch is to be fetched; then it is under way.
    pub(crate) const fn begin_fetch(&mut self) -> bool {
        let begins = self.unread > 0 && !self.is_fetching;
        self.is_fetching |= begins;
        begins
    }

    /// Counts what was fetched.
    pub(crate) fn fetched(&mut self, fetched: Fetched) -> Result<Option<(Batch, u64, Duration)>, Damage> {
        self.is_fetching = false;
        match fetched {
            Fetched::Batch(batch, number, age) => {
                self.unread = self.unread.saturating_sub(1);
                self.fetched.push_back((number, batch.records()));
                Ok(Some((batch, number, age)))
            }
            Fetched::Damaged(damage) => {
                self.unread = self.unread.saturating_sub(damage.batches);
                self.records = self.records.saturating_sub(damage.records);
                Err(damage)
            }
            Fetched::Nothing => {
                self.unread = 0;
                Ok(None)
            }
        }
    }

    /// Counts records of a fetched batch as delivered or dropped.
    pub(crate) fn settle(&mut self, number: u64, records: u64) {
        self.records = self.records.saturating_sub(records);
        if let Some((_, left)) = self.fetched.iter_mut().find(|(fetched, _)| *fetched == number) {
            *left = left.saturating_sub(records);
        }
        while let Some(&(number, 0)) = self.fetched.front() {
            self.fetched.pop_front();
            self.done = Some(number);
            self.is_full = false;
        }
    }

    pub(crate) const fn take_done(&mut self) -> Option<u64> {
        self.done.take()
    }
}
