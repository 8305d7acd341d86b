//! Limits and time-outs, all in capture time.

use crate::reassembly::StreamConfig;

/// A second, in nanoseconds.
pub const SECOND: i64 = 1_000_000_000;

/// How queries and responses are paired. Times are in nanoseconds.
#[derive(Clone, Debug)]
pub struct PairingConfig {
    /// How long a query waits for its response.
    pub query_timeout: i64,
    /// How long a response waits for a query that was captured after it; 0 turns that off.
    pub skew_timeout: i64,
    /// How long after its answer further responses to a query are duplicates; 0 turns that off.
    pub duplicate_window: i64,
    /// Leave VLAN ids out of the key: mirrored trunks can tag the two directions differently.
    pub ignore_vlan: bool,
    /// How many messages may wait at once.
    pub max_messages: usize,
    /// How many bytes of messages may wait at once.
    pub max_bytes: usize,
}

impl Default for PairingConfig {
    fn default() -> Self {
        Self {
            query_timeout: 60 * SECOND,
            skew_timeout: SECOND / 10,
            duplicate_window: 2 * SECOND,
            ignore_vlan: false,
            max_messages: 1 << 20,
            max_bytes: 128 << 20,
        }
    }
}

/// Everything that a [`Tracker`](crate::Tracker) keeps to.
#[derive(Clone, Debug, Default)]
pub struct TrackerConfig {
    /// How queries and responses are paired.
    pub pairing: PairingConfig,
    /// How TCP streams are put together.
    pub streams: StreamConfig,
}
