//! Where every segment, byte and message of the streams went.

<<<<<<< HEAD
use crate::stats::counters;

counters! {
    /// The account of a [`StreamTable`](super::StreamTable). Every payload byte captured is in exactly one place:
    /// `bytes_received = bytes_delivered + bytes_duplicate + bytes_skipped + bytes_incomplete + bytes_outside + bytes_pending`.
    pub struct StreamStats {
        /// Segments pushed: `segments_data + segments_empty`.
        segments,
        /// Segments with payload, captured or cut off.
        segments_data,
        /// Segments without payload.
        segments_empty,
        /// Payload bytes captured.
        bytes_received,
        /// Bytes of delivered messages, with their length prefixes.
        bytes_delivered,
        /// Bytes that came again, or after they had been given up.
        bytes_duplicate,
        /// Bytes passed over in search of a message start, and the messages too short for a header.
        bytes_skipped,
        /// Bytes of messages that never became whole.
        bytes_incomplete,
        /// Bytes that cannot belong to the stream: far from where it is, or after its end.
        bytes_outside,
        /// Bytes held at the moment.
        bytes_pending,
        /// Bytes that were sent but never captured: the sum of all gaps. Not part of the sum above.
        bytes_lost,
        /// Messages delivered.
        messages,
        /// Messages that a gap made a hole in. Those that a gap swallowed whole cannot be counted.
        messages_lost,
        /// Messages whose end had not come when their stream ended.
        messages_incomplete,
        /// Messages whose length prefix says that they have no header.
        messages_short,
        /// Runs of missing bytes that were given up.
        gaps,
        /// Times that a message start was searched for and found.
        resyncs,
        /// Segments with other bytes than an earlier one at the same place; the earlier one counts.
        conflicts,
        /// Streams that began with a SYN, or its answer.
        streams_opened,
        /// Streams whose beginning was not captured.
        streams_joined,
        /// Streams that ended with FIN on both sides or RST.
        streams_closed,
        /// Streams removed because they were silent, or replaced by a new connection, or cut off by the capture's end.
        streams_unfinished,
        /// Streams removed because the table was full.
        streams_evicted,
    }
=======
/// The account of a [`StreamTable`](super::StreamTable). Every payload byte captured is in exactly one place:
/// `bytes_received = bytes_delivered + bytes_duplicate + bytes_skipped + bytes_incomplete + bytes_outside + bytes_pending`.
/// When the table is empty, `streams_opened + streams_joined = streams_closed + streams_unfinished + streams_evicted`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamStats {
    /// Segments pushed: `segments_data + segments_empty`.
    pub segments: u64,
    /// Segments with payload, captured or cut off.
    pub segments_data: u64,
    /// Segments without payload.
    pub segments_empty: u64,
    /// Payload bytes captured.
    pub bytes_received: u64,
    /// Bytes of delivered messages, with their length prefixes.
    pub bytes_delivered: u64,
    /// Bytes that came again, or after they had been given up.
    pub bytes_duplicate: u64,
    /// Bytes passed over in search of a message start, and the messages too short for a header.
    pub bytes_skipped: u64,
    /// Bytes of messages that never became whole.
    pub bytes_incomplete: u64,
    /// Bytes that cannot belong to the stream: far from where it is, or after its end.
    pub bytes_outside: u64,
    /// Bytes held at the moment.
    pub bytes_pending: u64,
    /// Bytes that were sent but never captured: the sum of all gaps. Not part of the sum above.
    pub bytes_lost: u64,
    /// Messages delivered.
    pub messages: u64,
    /// Messages that a gap made a hole in. Those that a gap swallowed whole cannot be counted.
    pub messages_lost: u64,
    /// Messages whose end had not come when their stream ended.
    pub messages_incomplete: u64,
    /// Messages whose length prefix says that they have no header.
    pub messages_short: u64,
    /// Runs of missing bytes that were given up.
    pub gaps: u64,
    /// Times that a message start was searched for and found.
    pub resyncs: u64,
    /// Segments with other bytes than an earlier one at the same place; the earlier one counts.
    pub conflicts: u64,
    /// Streams that began with a SYN, or its answer.
    pub streams_opened: u64,
    /// Streams whose beginning was not captured.
    pub streams_joined: u64,
    /// Streams that ended with FIN on both sides or RST.
    pub streams_closed: u64,
    /// Streams removed because they were silent, or replaced by a new connection, or cut off by the capture's end.
    pub streams_unfinished: u64,
    /// Streams removed because the table was full.
    pub streams_evicted: u64,
>>>>>>> stream
}

impl StreamStats {
    /// Whether every segment and every captured byte is in exactly one place.
    pub const fn balances(&self) -> bool {
        self.segments == self.segments_data + self.segments_empty
            && self.bytes_received
                == self.bytes_delivered
                    + self.bytes_duplicate
                    + self.bytes_skipped
                    + self.bytes_incomplete
                    + self.bytes_outside
                    + self.bytes_pending
    }
}
