//! What was counted. Plain numbers that each worker keeps for itself and that add up over workers.

use crate::reassembly::StreamStats;
use crate::transaction::Status;

/// Counters of [`Pairing`](crate::Pairing).
///
/// Once everything is handed out, `queries = answered + unanswered + retransmissions` and
/// `responses = answered + orphan + duplicate`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PairingStats {
    /// Queries taken.
    pub queries: u64,
    /// Responses taken.
    pub responses: u64,
    /// Transactions by status, in the order of [`Status::ALL`].
    pub transactions: [u64; 4],
    /// Queries repeated while the first was outstanding.
    pub retransmissions: u64,
    /// Queries ended as unanswered before their time because the table was full.
    pub evicted_queries: u64,
    /// Responses ended as orphans before their time because the table was full.
    pub evicted_responses: u64,
    /// Answered queries forgotten before their time because the table was full.
    pub evicted_answered: u64,
}

impl PairingStats {
    /// Transactions that ended with `status`.
    pub const fn transactions(&self, status: Status) -> u64 {
        self.transactions[status as usize]
    }

    pub(crate) const fn count(&mut self, status: Status) {
        self.transactions[status as usize] += 1;
    }

    /// Adds another worker's counters.
    pub fn add(&mut self, other: &Self) {
        self.queries += other.queries;
        self.responses += other.responses;
        for (mine, theirs) in self.transactions.iter_mut().zip(other.transactions) {
            *mine += theirs;
        }
        self.retransmissions += other.retransmissions;
        self.evicted_queries += other.evicted_queries;
        self.evicted_responses += other.evicted_responses;
        self.evicted_answered += other.evicted_answered;
    }
}

/// Counters of a [`Tracker`](crate::Tracker).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    pub fn add(&mut self, other: &Self) {
        self.pairing.add(&other.pairing);
        self.streams.add(&other.streams);
        self.short_messages += other.short_messages;
    }
}
