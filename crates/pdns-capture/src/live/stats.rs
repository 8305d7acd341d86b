//! What the kernel counts.

use std::ops::AddAssign;

/// What was counted in some time, for a ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiveStats {
    /// Frames that passed the filter, those included for which there was no room.
    pub received: u64,
    /// Frames for which there was no room, as the ring was not read fast enough.
    pub dropped: u64,
    /// Frames that the interface or its driver dropped, whatever their kind. The first ring counts them for all.
    pub if_dropped: u64,
}

impl AddAssign for LiveStats {
    fn add_assign(&mut self, other: Self) {
        self.received += other.received;
        self.dropped += other.dropped;
        self.if_dropped += other.if_dropped;
    }
}
