//! What a line may hold, and how long.

use std::time::Duration;

use crate::Needs;
use crate::frame::settings::{Settings, WhenFull};

/// The limits of one line: the operator's, and the sink's own.
#[derive(Debug)]
pub(super) struct Limits {
    /// The most memory that batches take, in bytes.
    pub(super) memory: usize,
    pub(super) when_full: WhenFull,
    /// How long a batch waits for more.
    pub(super) linger: Duration,
    /// How long a delivery may take, unless the sink sees to that.
    pub(super) timeout: Option<Duration>,
    /// The most deliveries under way at the same time, at least one.
    pub(super) window: usize,
    /// The most bytes of one delivery.
    pub(super) batch_bytes: usize,
    /// The most records of one delivery, at least one.
    pub(super) batch_records: u64,
}

impl Limits {
    pub(super) fn new(settings: &Settings, needs: &Needs) -> Self {
        Self {
            memory: settings.queue_bytes,
            when_full: settings.when_full,
            linger: settings.linger,
            timeout: (!needs.own_timeout).then_some(settings.timeout),
            window: needs.window.max(1),
            batch_bytes: needs.batch_bytes,
            batch_records: needs.batch_records.max(1),
        }
    }
}
