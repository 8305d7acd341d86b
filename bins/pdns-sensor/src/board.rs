//! Where threads put up what they counted, for whoever asks how the run is going.
//!
//! Each thread counts for itself and copies its counters to its own slot about once a second: no packet waits for a lock,
//! and none shares a cache line with another thread. A copy is made between packets, so it adds up by itself. Threads that
//! hand packets on put up what they counted before they do, so that nobody has taken more than was handed out.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pdns_capture::live::LiveStats;
use pdns_track::reassembly::FragmentStats;
use pdns_track::{Ingest, IngestStats, TrackerStats};

use crate::account::Account;
use crate::delays::Delays;
use crate::interfaces::Interfaces;
use crate::output::Sinks;

/// How old a slot's counters may be while its thread has work. One that has none puts them up at once.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);

/// What one thread counted, or all of them together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    pub ingest: IngestStats,
    pub fragments: FragmentStats,
    /// Frames a little older than one before them.
    pub reordered: u64,
    /// Frames much older.
    pub restarts: u64,
    /// What the kernel counted.
    pub live: LiveStats,
    pub tracker: TrackerStats,
    /// Of answered queries.
    pub delays: Delays,
    /// Records made.
    pub records: u64,
    /// Transactions of a status that is not written.
    pub unwanted: u64,
    /// Transactions that some questions or records were left out of.
    pub shortened: u64,
}

impl Counters {
    /// Writes down what was counted of frames.
    pub(crate) fn frames(&mut self, ingest: &Ingest) {
        self.ingest.clone_from(ingest.stats());
        self.fragments = *ingest.fragment_stats();
        self.reordered = ingest.clock().reordered();
        self.restarts = ingest.clock().restarts();
    }

    fn add(&mut self, other: &Self) {
        self.ingest.add(&other.ingest);
        self.fragments.add(&other.fragments);
        self.reordered += other.reordered;
        self.restarts += other.restarts;
        self.live += other.live;
        self.tracker.add(&other.tracker);
        self.delays.add(&other.delays);
        self.records += other.records;
        self.unwanted += other.unwanted;
        self.shortened += other.shortened;
    }
}

/// The counters of all threads.
pub(crate) struct Board {
    slots: Mutex<Vec<Slot>>,
    interfaces: Interfaces,
    sinks: Option<Sinks>,
}

impl Board {
    pub(crate) fn new(sinks: Option<Sinks>) -> Self {
        Self { slots: Mutex::default(), interfaces: Interfaces::default(), sinks }
    }

    /// A slot for another thread. One that hands packets on takes its slot before those that it hands them to.
    pub(crate) fn slot(&self) -> Slot {
        let slot = Slot::default();
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).push(slot.clone());
        slot
    }

    /// The interfaces that are captured from.
    pub(crate) const fn interfaces(&self) -> &Interfaces {
        &self.interfaces
    }

    /// How long the thread that has been silent for longest has put up nothing.
    pub(crate) fn silence(&self, now: Instant) -> Duration {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let times = slots.iter().map(|slot| slot.0.lock().unwrap_or_else(PoisonError::into_inner).at);
        times.map(|at| now.saturating_duration_since(at)).max().unwrap_or_default()
    }

    /// How the run is going, or went.
    pub(crate) fn account(&self) -> Account {
        // Those who take packets or records are asked before those who hand them on.
        let sinks = self.sinks.as_ref().map(|sinks| sinks.reports()).unwrap_or_default();
        let mut sum = Counters::default();
        for slot in self.slots.lock().unwrap_or_else(PoisonError::into_inner).iter().rev() {
            sum.add(&slot.0.lock().unwrap_or_else(PoisonError::into_inner).counters);
        }
        Account::new(sum, sinks)
    }
}

/// One thread's place on the board.
#[derive(Clone, Default)]
pub(crate) struct Slot(Arc<Mutex<Posted>>);

struct Posted {
    counters: Counters,
    /// When they were put up.
    at: Instant,
}

impl Default for Posted {
    fn default() -> Self {
        Self { counters: Counters::default(), at: Instant::now() }
    }
}

impl Slot {
    /// Puts up what `count` writes down.
    pub(crate) fn put_up(&self, count: impl FnOnce(&mut Counters)) {
        self.put_up_at(Instant::now(), count);
    }

    /// As [`put_up`](Self::put_up), by a clock of the caller's.
    pub(crate) fn put_up_at(&self, now: Instant, count: impl FnOnce(&mut Counters)) {
        let mut posted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        count(&mut posted.counters);
        posted.at = now;
    }
}

/// Tells when it is time again.
pub(crate) struct Pace(Instant);

impl Pace {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }

    /// Whether an interval has passed since this was last so.
    pub(crate) fn is_due(&mut self, now: Instant) -> bool {
        let due = now.duration_since(self.0) >= INTERVAL;
        if due {
            self.0 = now;
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_add_up_and_the_latest_copy_counts() {
        let board = Board::new(None);
        let [reader, worker] = [board.slot(), board.slot()];
        for frames in [3, 5] {
            reader.put_up(|counters| counters.ingest.udp_datagrams = frames);
        }
        worker.put_up(|counters| counters.tracker.pairing.queries = 4);
        let account = board.account();
        assert_eq!((account.counters.ingest.udp_datagrams, account.counters.tracker.pairing.queries), (5, 4));
        assert_eq!(account.udp_datagrams_queued(), 1);
    }

    #[test]
    fn the_pace_is_kept() {
        let mut pace = Pace::new();
        let start = pace.0;
        assert!(!pace.is_due(start + INTERVAL / 2));
        assert!(pace.is_due(start + INTERVAL));
        assert!(!pace.is_due(start + INTERVAL));
        assert!(pace.is_due(start + 2 * INTERVAL));
    }
}
