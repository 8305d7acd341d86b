//! Where every segment, byte and message of the streams went.

use crate::stats::counters;

counters! {
    /// The account of a [`StreamTable`](super::StreamTable). Every payload byte captured is in exactly one place:
    /// `bytes_received = bytes_delivered + bytes_duplicate + bytes_skipped + bytes_incomplete + bytes_outside + bytes_pending`.
    /// When the table is empty, `streams_opened + streams_joined = streams_closed + streams_unfinished + streams_evicted`.
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
