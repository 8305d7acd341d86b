//! What is delivered in one piece.

use std::sync::Arc;
use std::time::Instant;

use crate::{Batch, DeliveryId};

/// A batch on its way, or a part of one.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub batch: Arc<Batch>,
    /// When its oldest record was offered.
    pub since: Instant,
    pub origin: Origin,
    /// How often it was tried.
    pub tries: u32,
    /// The last try.
    pub last: Option<DeliveryId>,
    /// How often it failed in a way that may be its own fault.
    pub suspicions: u32,
    /// For a record by itself that is set aside, since it may be its own fault: how many deliveries had succeeded by then.
    pub aside: Option<u64>,
    /// How often it failed again after others had succeeded.
    pub proofs: u32,
}

/// Where records come from, and have to be settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Memory,
    /// The batch of this number in the spool.
    Spool(u64),
}

/// A delivery under way.
#[derive(Debug)]
pub(crate) struct Flight {
    pub id: DeliveryId,
    pub deadline: Option<Instant>,
    pub parcel: Parcel,
}

impl Parcel {
    pub(crate) const fn new(batch: Arc<Batch>, since: Instant, origin: Origin) -> Self {
        Self { batch, since, origin, tries: 0, last: None, suspicions: 0, aside: None, proofs: 0 }
    }

    pub(crate) fn records(&self) -> u64 {
        self.batch.records()
    }

    /// A parcel of some of the records.
    pub(crate) fn part(&self, batch: Batch) -> Self {
        Self { batch: Arc::new(batch), last: None, ..*self }
    }

    /// What is compared to keep parcels in the order of their records: memory holds what is older than the spool. What is set
    /// aside comes last.
    pub(crate) fn order(&self) -> (bool, u64, Instant) {
        let place = match self.origin {
            Origin::Memory => 0,
            Origin::Spool(number) => number + 1,
        };
        (self.aside.is_some(), place, self.since)
    }
}
