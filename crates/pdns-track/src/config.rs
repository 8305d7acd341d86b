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
    /// How many bytes of messages may wait at once, without the entries that hold them: some hundred bytes each.
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

impl TrackerConfig {
    /// What each of `workers` trackers keeps to, so that together they keep to this.
    #[must_use]
    pub fn share(mut self, workers: usize) -> Self {
        let workers = workers.max(1);
        self.pairing.max_messages = (self.pairing.max_messages / workers).max(1);
        self.pairing.max_bytes /= workers;
        self.streams.max_streams = (self.streams.max_streams / workers).max(1);
        self.streams.max_bytes /= workers;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_keep_to_the_limits_together() {
        let all = TrackerConfig::default();
        for workers in [1, 2, 3, 1024] {
            let one = all.clone().share(workers);
            let limits = |config: &TrackerConfig| {
                let TrackerConfig { pairing, streams } = config;
                [pairing.max_messages, pairing.max_bytes, streams.max_streams, streams.max_bytes]
            };
            for (share, limit) in limits(&one).into_iter().zip(limits(&all)) {
                assert!(share > 0 && share * workers <= limit && (share + 1) * workers > limit, "{share} of {limit}");
            }
        }
        assert_eq!(all.clone().share(0).pairing.max_messages, all.pairing.max_messages);
    }
}
