//! The account of a sink.

use std::time::{Duration, SystemTime};

/// Why records were dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// The queue was full, and the policy is to drop the newest.
    QueueFull,
    /// The spool was full as well.
    SpoolFull,
    /// The spool could not be written.
    SpoolFailed,
    /// The spool was damaged where they stood.
    SpoolDamaged,
    /// The receiver will never take them.
    Refused,
    /// The receiver has gone for good.
    Closed,
    /// They could not be written, and nobody waits to try again.
    WriteFailed,
    /// The time for the end was over.
    Shutdown,
}

impl DropReason {
    /// All reasons.
    pub const ALL: [Self; 8] = [
        Self::QueueFull,
        Self::SpoolFull,
        Self::SpoolFailed,
        Self::SpoolDamaged,
        Self::Refused,
        Self::Closed,
        Self::WriteFailed,
        Self::Shutdown,
    ];

    /// The reason as statistics name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::SpoolFull => "spool_full",
            Self::SpoolFailed => "spool_failed",
            Self::SpoolDamaged => "spool_damaged",
            Self::Refused => "refused",
            Self::Closed => "closed",
            Self::WriteFailed => "write_failed",
            Self::Shutdown => "shutdown",
        }
    }
}

/// What became of the records offered to a sink. A copy taken at one moment, at which
/// `offered + restored = delivered + all dropped + queued_records + spooled_records`.
///
/// All but the gauges, which say so, only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SinkStats {
    /// Records offered in this run.
    pub offered: u64,
    /// Records that an earlier run left in the spool.
    pub restored: u64,
    /// Records that the receiver has taken.
    pub delivered: u64,
    /// Bytes of these records.
    pub delivered_bytes: u64,
    /// Deliveries that ended well.
    pub batches: u64,
    /// Records that had to be delivered again, once for each time.
    pub retried: u64,
    /// Records delivered without their end, because they are longer than the receiver takes.
    pub cut: u64,
    /// Records dropped, by the number of the reason; see [`dropped`](Self::dropped).
    pub dropped_by_reason: [u64; DropReason::ALL.len()],
    /// Records that were written to the spool in this run.
    pub spool_written: u64,
    /// Bytes cut off the spool's segments because they were torn or damaged.
    pub spool_cut_bytes: u64,
    /// Gauge: records that wait in memory, or are under way.
    pub queued_records: u64,
    /// Gauge: the memory that they take, in bytes.
    pub queued_bytes: u64,
    /// Gauge: how many bytes of memory the queue may take.
    pub queue_limit_bytes: u64,
    /// Gauge: records in the spool.
    pub spooled_records: u64,
    /// Gauge: bytes of the spool's segments.
    pub spooled_bytes: u64,
    /// Gauge: deliveries under way.
    pub in_flight: u64,
    /// Gauge: how long ago the oldest record that waits was offered; zero when none does.
    pub lag: Duration,
    /// The failure of last time; it stays when deliveries succeed again.
    pub last_error: Option<LastError>,
    /// Gauge: whether deliveries fail at the moment, and since when.
    pub failing_since: Option<SystemTime>,
}

/// The failure of last time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastError {
    /// What it was.
    pub text: String,
    /// When it was.
    pub at: SystemTime,
}

impl SinkStats {
    /// Records dropped for a reason.
    pub const fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped_by_reason[reason as usize]
    }

    /// Records dropped.
    pub fn dropped_total(&self) -> u64 {
        self.dropped_by_reason.iter().sum()
    }

    /// Adds up the accounts of several sinks. Of what cannot be added the worst and the latest hold.
    pub fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        self.restored += other.restored;
        self.delivered += other.delivered;
        self.delivered_bytes += other.delivered_bytes;
        self.batches += other.batches;
        self.retried += other.retried;
        for (count, more) in self.dropped_by_reason.iter_mut().zip(other.dropped_by_reason) {
            *count += more;
        }
        self.spool_written += other.spool_written;
        self.cut += other.cut;
        self.spool_cut_bytes += other.spool_cut_bytes;
        self.queued_records += other.queued_records;
        self.queued_bytes += other.queued_bytes;
        self.queue_limit_bytes += other.queue_limit_bytes;
        self.spooled_records += other.spooled_records;
        self.spooled_bytes += other.spooled_bytes;
        self.in_flight += other.in_flight;
        self.lag = self.lag.max(other.lag);
        let errors = [self.last_error.take(), other.last_error.clone()];
        self.last_error = errors.into_iter().flatten().max_by_key(|error| error.at);
        self.failing_since = [self.failing_since, other.failing_since].into_iter().flatten().min();
    }

    /// Counts records as dropped.
    pub(crate) const fn drop(&mut self, reason: DropReason, records: u64) {
        self.dropped_by_reason[reason as usize] += records;
    }
}
