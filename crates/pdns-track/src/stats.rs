//! What was counted. Plain numbers that each worker keeps for itself and that add up over workers.

use crate::reassembly::StreamStats;
use crate::transaction::Status;

/// Defines a struct of counters that add up over workers and can be listed by name.
macro_rules! counters {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* $field:ident,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: u64,)*
        }

        impl $name {
            /// Adds another worker's counters.
            pub const fn add(&mut self, other: &Self) {
                $(self.$field += other.$field;)*
            }

            /// All counters with their names.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($field), self.$field)),*].into_iter()
            }
        }
    };
}
pub(crate) use counters;

/// Adds counters place by place.
pub(crate) fn add_each<const N: usize>(counters: &mut [u64; N], others: &[u64; N]) {
    for (counter, other) in counters.iter_mut().zip(others) {
        *counter += other;
    }
}

counters! {
    /// Counters of [`Pairing`](crate::Pairing).
    ///
    /// Once everything is handed out, `queries = answered + unanswered + retransmissions` and
    /// `responses = answered + orphan + duplicate`.
    pub struct PairingStats {
        /// Queries taken.
        queries,
        /// Responses taken.
        responses,
        /// Queries that got their response.
        answered,
        /// Queries that did not, in time or before the capture ended.
        unanswered,
        /// Queries repeated while the first was outstanding.
        retransmissions,
        /// Responses without a query.
        orphan,
        /// Further responses to a query answered shortly before.
        duplicate,
        /// Queries ended as unanswered before their time because the table was full.
        evicted_queries,
        /// Responses ended as orphans before their time because the table was full.
        evicted_responses,
        /// Answered queries forgotten before their time because the table was full.
        evicted_answered,
    }
}

impl PairingStats {
    /// Transactions that ended with `status`.
    pub const fn transactions(&self, status: Status) -> u64 {
        match status {
            Status::Answered => self.answered,
            Status::Unanswered => self.unanswered,
            Status::Orphan => self.orphan,
            Status::Duplicate => self.duplicate,
        }
    }

    pub(crate) const fn count(&mut self, status: Status) {
        match status {
            Status::Answered => self.answered += 1,
            Status::Unanswered => self.unanswered += 1,
            Status::Orphan => self.orphan += 1,
            Status::Duplicate => self.duplicate += 1,
        }
    }
}

/// Counters of a [`Tracker`](crate::Tracker).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackerStats {
    /// Queries, responses and how they ended.
    pub pairing: PairingStats,
    /// TCP segments and what became of their bytes.
    pub streams: StreamStats,
    /// Datagrams and stream messages too short for a header.
    pub short_messages: u64,
}

impl TrackerStats {
    /// Adds another worker's counters.
    pub const fn add(&mut self, other: &Self) {
        self.pairing.add(&other.pairing);
        self.streams.add(&other.streams);
        self.short_messages += other.short_messages;
    }
}
