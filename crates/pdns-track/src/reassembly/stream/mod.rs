//! DNS messages out of TCP streams: RFC 1035 section 4.2.2, RFC 7766 section 8.
//!
//! [`StreamTable`] knows the streams and their timers, [`half`] puts one direction in order, [`parse`] cuts it into messages,
//! [`credible`] finds a message start where the framing is not known.
//!
//! - **Start**: behind a SYN the first byte starts a message. A stream joined in the middle is searched for a start.
//! - **Order**: the first copy of a byte counts. Bytes behind missing ones wait until those come, until the receiver has
//!   acknowledged them ([`StreamConfig::reorder_wait`]), [`StreamConfig::gap_timeout`], or until too much waits.
//!   Neither FIN nor the search gives up earlier: a sender that has sent its FIN still repeats what was lost.
//! - **Gaps**: a gap inside one message loses that message; behind any other the next message start is searched for.
//! - **End**: a stream with FIN from both sides, or RST, is remembered for [`StreamConfig::linger`].
//! - **Bounds**: when there are too many streams, closed ones go first, then those that never sent anything, then the
//!   least recently active; when they hold too many bytes, the least recently active of those that hold some.
//!   What can be read of a removed stream is read.

mod credible;
mod half;
mod parse;
mod stats;
mod table;
#[cfg(test)]
mod tests;

pub use stats::StreamStats;
pub use table::StreamTable;

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
    /// How long a stream may be silent; it is forgotten up to a 64th earlier.
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
