//! What a person may want to know of a line.

use std::sync::Arc;
use std::time::Duration;

use super::disk::Damage;
use crate::{Batch, DropReason};

/// Something that happened.
#[derive(Debug)]
pub(crate) enum News {
    /// A delivery has failed, or the start.
    Failed {
        reason: String,
        /// Whether it will stay so until a person acts.
        is_final: bool,
        /// How long until the next try; zero where there was none yet.
        pause: Duration,
        /// How many failures in a row.
        failures: u32,
        /// Records that wait.
        waiting: u64,
    },
    /// Deliveries succeed again.
    Recovered { after: Duration },
    /// The receiver will never take these.
    Refused { batch: Arc<Batch>, reason: String },
    /// Records were dropped, for a reason other than that they were refused.
    Dropped { reason: DropReason, records: u64 },
    /// The receiver has gone for good.
    Gone,
    /// The spool cannot be written.
    SpoolFailed(String),
    /// The spool cannot be read.
    SpoolDamaged(Damage),
}
