//! The bytes of one direction, in order, to messages.

use pdns_packet::dns::Header;
use pdns_packet::time::Timestamp;

use super::StreamMessage;
use super::credible::{self, PREFIX_LEN};
use super::half::{Half, Mode, Sink};
use super::stats::StreamStats;

impl Half {
    /// Reads bytes that follow those read before.
    pub(super) fn parse<F: FnMut(StreamMessage<'_>)>(&mut self, bytes: &[u8], time: Timestamp, sink: &mut Sink<'_, F>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match self.mode {
                Mode::Framed { sure } if self.head_len() == 0 => self.parse_whole(rest, sure, time, sink),
                Mode::Framed { sure } => self.parse_rest(rest, sure, time, sink),
                Mode::Search { confirm } => self.search(rest, confirm, time, sink),
                Mode::Skip { left, lost, sure } => self.skip(rest, left, lost, sure, sink.stats),
                // A direction is opened or joined before anything is read of it.
                Mode::Unknown => return,
            };
        }
    }

    /// Reads messages straight from the packet; keeps the beginning of one that is not whole.
    fn parse_whole<'a, F: FnMut(StreamMessage<'_>)>(
        &mut self,
        mut rest: &'a [u8],
        sure: bool,
        time: Timestamp,
        sink: &mut Sink<'_, F>,
    ) -> &'a [u8] {
        while let Some((prefix, after)) = rest.split_first_chunk::<PREFIX_LEN>() {
            let len = usize::from(u16::from_be_bytes(*prefix));
            if len < Header::LEN {
                self.mode = short(len, PREFIX_LEN, sure, sink.stats);
                return rest;
            }
            let Some((message, after)) = after.split_at_checked(len) else { break };
            sink.deliver(message, time);
            rest = after;
            if !sure {
                self.mode = Mode::Search { confirm: true };
                return rest;
            }
        }
        self.keep(rest, time, sink);
        &[]
    }

    /// Reads on in the message whose beginning is held.
    fn parse_rest<'a, F: FnMut(StreamMessage<'_>)>(
        &mut self,
        rest: &'a [u8],
        sure: bool,
        time: Timestamp,
        sink: &mut Sink<'_, F>,
    ) -> &'a [u8] {
        let Some(held) = &mut self.held else { return rest };
        held.head_time = time;
        let have = held.head.len();
        let Some(prefix) = held.head.first_chunk::<PREFIX_LEN>() else {
            let (first, after) = rest.split_at(rest.len().min(PREFIX_LEN - have));
            held.head.extend_from_slice(first);
            sink.stats.bytes_pending += first.len() as u64;
            if let Some(prefix) = held.head.first_chunk::<PREFIX_LEN>() {
                let len = usize::from(u16::from_be_bytes(*prefix));
                if len < Header::LEN {
                    sink.stats.bytes_skipped += self.clear_head(sink.stats);
                    self.mode = short(len, 0, sure, sink.stats);
                    self.leave_empty_skip();
                }
            }
            return after;
        };
        let total = PREFIX_LEN + usize::from(u16::from_be_bytes(*prefix));
        let (more, after) = rest.split_at(rest.len().min(total - have));
        held.head.extend_from_slice(more);
        sink.stats.bytes_pending += more.len() as u64;
        if held.head.len() == total {
            sink.stats.bytes_pending -= total as u64;
            sink.deliver(&held.head[PREFIX_LEN..], time);
            held.head.clear();
            if !sure {
                self.mode = Mode::Search { confirm: true };
            }
        }
        after
    }

    /// Looks for a message start; keeps the bytes that may be one.
    fn search<'a, F: FnMut(StreamMessage<'_>)>(
        &mut self,
        rest: &'a [u8],
        confirm: bool,
        time: Timestamp,
        sink: &mut Sink<'_, F>,
    ) -> &'a [u8] {
        if self.head_len() == 0 {
            let found = credible::find(rest, sink.sender, false);
            sink.stats.bytes_skipped += found.at as u64;
            self.found(found, confirm, sink.stats);
            let rest = &rest[found.at..];
            if found.credible {
                return rest;
            }
            self.keep(rest, time, sink);
            return &[];
        }
        self.keep(rest, time, sink);
        self.search_head(confirm, false, time, sink);
        &[]
    }

    /// Looks for a message start in the bytes held.
    fn search_head<F: FnMut(StreamMessage<'_>)>(
        &mut self,
        confirm: bool,
        last: bool,
        time: Timestamp,
        sink: &mut Sink<'_, F>,
    ) {
        let Some(held) = &mut self.held else { return };
        let found = credible::find(&held.head, sink.sender, last);
        sink.stats.bytes_skipped += found.at as u64;
        sink.stats.bytes_pending -= found.at as u64;
        if !found.credible {
            held.head.drain(..found.at);
            self.found(found, confirm, sink.stats);
            return;
        }
        let head = std::mem::replace(&mut held.head, sink.pool.buffers.pop().unwrap_or_default());
        sink.stats.bytes_pending -= (head.len() - found.at) as u64;
        self.found(found, confirm, sink.stats);
        self.parse(&head[found.at..], time, sink);
        sink.pool.recycle(head);
    }

    fn found(&mut self, found: credible::Found, confirm: bool, stats: &mut StreamStats) {
        let confirmed = confirm && found.at == 0;
        self.mode = if found.credible { Mode::Framed { sure: confirmed } } else { Mode::Search { confirm: confirmed } };
        stats.resyncs += u64::from(found.credible && !confirmed);
    }

    /// No more bytes follow those held: what was undecided is decided.
    pub(super) fn end_search<F: FnMut(StreamMessage<'_>)>(&mut self, sink: &mut Sink<'_, F>) {
        // Every round passes over a byte at least, or leaves the search.
        while let Mode::Search { confirm } = self.mode
            && let Some(held) = self.held.as_ref().filter(|held| !held.head.is_empty())
        {
            self.search_head(confirm, true, held.head_time, sink);
        }
    }

    fn skip<'a>(&mut self, rest: &'a [u8], left: u32, lost: bool, sure: bool, stats: &mut StreamStats) -> &'a [u8] {
        let (over, after) = rest.split_at(rest.len().min(left as usize));
        let account = if lost { &mut stats.bytes_incomplete } else { &mut stats.bytes_skipped };
        *account += over.len() as u64;
        self.mode = Mode::Skip { left: left - over.len() as u32, lost, sure };
        self.leave_empty_skip();
        after
    }

    fn leave_empty_skip(&mut self) {
        if let Mode::Skip { left: 0, sure, .. } = self.mode {
            self.mode = if sure { Mode::Framed { sure } } else { Mode::Search { confirm: true } };
        }
    }

    /// The next `len` bytes will never come. A gap inside one message leaves the framing as it was.
    pub(super) fn lose<F: FnMut(StreamMessage<'_>)>(&mut self, len: u32, sink: &mut Sink<'_, F>) {
        self.end_search(sink);
        self.next = self.next.wrapping_add(len);
        sink.stats.gaps += 1;
        sink.stats.bytes_lost += u64::from(len);
        let (left, sure) = match self.mode {
            Mode::Skip { left, sure, .. } => (left, sure),
            Mode::Framed { sure } => (self.left_of_message(), sure),
            Mode::Search { .. } | Mode::Unknown => (0, false),
        };
        let dropped = self.clear_head(sink.stats);
        if dropped > 0 {
            sink.stats.messages_lost += 1;
            sink.stats.bytes_incomplete += dropped;
        }
        let lost = !matches!(self.mode, Mode::Skip { lost: false, .. });
        self.mode = match left.checked_sub(len) {
            Some(rest) if left > 0 => Mode::Skip { left: rest, lost, sure },
            _ => Mode::Search { confirm: false },
        };
        self.leave_empty_skip();
    }

    /// How many bytes the message whose beginning is held still needs; 0 when that is not known.
    fn left_of_message(&self) -> u32 {
        let Some(head) = self.held.as_ref().map(|held| &held.head) else { return 0 };
        let Some(prefix) = head.first_chunk::<PREFIX_LEN>() else { return 0 };
        (PREFIX_LEN + usize::from(u16::from_be_bytes(*prefix))).saturating_sub(head.len()) as u32
    }

    fn head_len(&self) -> usize {
        self.held.as_ref().map_or(0, |held| held.head.len())
    }

    pub(super) fn clear_head(&mut self, stats: &mut StreamStats) -> u64 {
        let Some(held) = &mut self.held else { return 0 };
        let len = held.head.len() as u64;
        stats.bytes_pending -= len;
        held.head.clear();
        len
    }

    fn keep<F>(&mut self, bytes: &[u8], time: Timestamp, sink: &mut Sink<'_, F>) {
        if bytes.is_empty() {
            return;
        }
        let held = self.held.get_or_insert_with(|| sink.pool.held.pop().unwrap_or_default());
        held.head.extend_from_slice(bytes);
        held.head_time = time;
        sink.stats.bytes_pending += bytes.len() as u64;
    }
}

/// A message without room for a header: its `len` bytes and `before` of its prefix are passed over.
fn short(len: usize, before: usize, sure: bool, stats: &mut StreamStats) -> Mode {
    stats.messages_short += 1;
    Mode::Skip { left: (before + len) as u32, lost: false, sure }
}

impl<F: FnMut(StreamMessage<'_>)> Sink<'_, F> {
    fn deliver(&mut self, bytes: &[u8], time: Timestamp) {
        self.stats.messages += 1;
        self.stats.bytes_delivered += (PREFIX_LEN + bytes.len()) as u64;
        (self.out)(StreamMessage { flow: *self.flow, time, bytes });
    }
}
