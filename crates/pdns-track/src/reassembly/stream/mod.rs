//! DNS messages out of TCP streams: RFC 1035 section 4.2.2, RFC 7766 section 8.

mod stats;

pub use stats::StreamStats;

use pdns_packet::frame::Flow;
use pdns_packet::time::Timestamp;

/// The limits of a [`StreamTable`]. Times are nanoseconds of capture time.
#[derive(Clone, Copy, Debug)]
pub struct StreamConfig {
    /// Leave VLAN ids out of a stream's key, for mirrors that tag the two directions differently.
    pub ignore_vlan: bool,
    /// The port of servers: tells queries from responses when a message start is searched for, if one side only has it.
    pub server_port: Option<u16>,
    /// How long after the receiver acknowledged bytes that the capture has not seen they may still come.
    pub reorder_wait: i64,
    /// How long missing bytes may take in any case, from when the first segment behind them came.
    pub gap_timeout: i64,
    /// How long a stream may be silent.
    pub idle_timeout: i64,
    /// How long a closed stream is remembered, so that late segments do not look like a new one.
    pub linger: i64,
    /// How many streams there may be at a time.
    pub max_streams: usize,
    /// How many bytes one direction may hold behind missing ones.
    pub max_ahead: usize,
    /// How many bytes all streams may hold.
    pub max_bytes: usize,
}

impl Default for StreamConfig {
    fn default() -> Self {
        const SECOND: i64 = 1_000_000_000;
        Self {
            ignore_vlan: false,
            server_port: Some(53),
            reorder_wait: SECOND / 10,
            gap_timeout: 5 * SECOND,
            idle_timeout: 120 * SECOND,
            linger: 10 * SECOND,
            max_streams: 65_536,
            max_ahead: 128 << 10,
            max_bytes: 64 << 20,
        }
    }
}

/// A DNS message found in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamMessage<'a> {
    /// From whom to whom.
    pub flow: Flow,
    /// Capture time of the packet that completed it.
    pub time: Timestamp,
    /// The message without its length prefix.
    pub bytes: &'a [u8],
}
