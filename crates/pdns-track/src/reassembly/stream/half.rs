//! One direction of a stream: sequence numbers to bytes, bytes to messages.

use std::collections::VecDeque;

use pdns_packet::dns::Header;
use pdns_packet::frame::Flow;
use pdns_packet::time::Timestamp;

use super::StreamMessage;
use super::credible::{self, PREFIX_LEN, Sender};
use super::stats::StreamStats;

/// How many chunks one direction may hold behind missing bytes: 128 KiB in segments of 512 bytes.
const MAX_CHUNKS: usize = 256;

/// A step back of more than this is no retransmission but another connection, whose SYN was not captured.
const MAX_STEP_BACK: i32 = 16 << 20;

/// A step ahead of more than the largest window there is (RFC 7323 section 2.3) is another connection, too.
const MAX_STEP_AHEAD: i32 = 1 << 30;

/// How many buffers are kept for the next use.
const MAX_SPARE: usize = 64;

/// Buffers larger than this are given back to the allocator.
const MAX_SPARE_LEN: usize = 16 << 10;

/// One direction of a stream.
#[derive(Debug)]
pub(super) struct Half {
    /// Sequence number of the first byte not yet read.
    next: u32,
    /// Sequence number of the SYN, if one was seen.
    isn: u32,
    /// Sequence number of the FIN, if one was seen.
    fin_at: u32,
    /// The highest acknowledgment number seen from the receiver, when it is beyond `next`.
    acked: u32,
    acked_at: Timestamp,
    mode: Mode,
    has_isn: bool,
    has_fin: bool,
    /// Bytes that cannot be delivered yet.
    pub(super) held: Option<Box<Held>>,
}

/// What the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Nothing is known about the direction.
    Unknown,
    /// A byte of the message whose beginning is held, or the first one of a message.
    Framed {
        /// Whether the message boundaries are beyond doubt.
        sure: bool,
    },
    /// Anything; a message start is searched for.
    Search {
        /// A message that was found by search has just ended, so the next one should start here.
        confirm: bool,
    },
    /// A byte of a message that is passed over.
    Skip { left: u32, lost: bool, sure: bool },
}

/// Bytes that cannot be delivered yet.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// The beginning of a message, its prefix included; or what a search could not decide on.
    head: Vec<u8>,
    /// Capture time of the packet that brought the last byte of `head`.
    head_time: Timestamp,
    /// What came behind missing bytes: in order, not overlapping, all beyond `next`.
    chunks: VecDeque<Chunk>,
    /// Bytes in all chunks.
    ahead: usize,
    /// When the first of the chunks came.
    since: Timestamp,
    /// When the receiver acknowledged the missing bytes before the first chunk.
    acknowledged: Option<Timestamp>,
    /// The timer that is set for the missing bytes.
    pub(super) timer: Option<Timestamp>,
}

/// Bytes behind missing ones; or bytes known to be lost, when the capture cut a segment.
#[derive(Debug)]
struct Chunk {
    start: u32,
    lost: u32,
    /// Capture time of its packet.
    time: Timestamp,
    /// When it came, by the clock of the timers.
    arrived: Timestamp,
    bytes: Vec<u8>,
}

/// What all directions of all streams share.
#[derive(Debug, Default)]
pub(super) struct Pool {
    #[expect(clippy::vec_box, reason = "the boxes go back into directions as they are")]
    held: Vec<Box<Held>>,
    buffers: Vec<Vec<u8>>,
    /// How many chunks there are.
    chunks: usize,
}

/// Where the messages of one direction go, and its account.
pub(super) struct Sink<'s, F> {
    pub(super) flow: &'s Flow,
    pub(super) sender: Sender,
    pub(super) stats: &'s mut StreamStats,
    pub(super) pool: &'s mut Pool,
    pub(super) out: &'s mut F,
}

/// A segment's payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Data<'a> {
    /// Sequence number of the first byte.
    pub(super) seq: u32,
    pub(super) bytes: &'a [u8],
    /// How many bytes after them the capture cut off.
    pub(super) missing: u32,
    /// The packet's own capture time.
    pub(super) time: Timestamp,
}

/// How far `to` is after `from`; negative when it is before.
const fn distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from) as i32
}

impl Half {
    pub(super) const fn new() -> Self {
        Self {
            next: 0,
            isn: 0,
            fin_at: 0,
            acked: 0,
            acked_at: Timestamp::from_nanos(0),
            mode: Mode::Unknown,
            has_isn: false,
            has_fin: false,
            held: None,
        }
    }

    /// Whether it is known where the direction stands.
    pub(super) fn is_known(&self) -> bool {
        self.mode != Mode::Unknown
    }

    /// Whether its FIN was seen.
    pub(super) const fn has_fin(&self) -> bool {
        self.has_fin
    }

    /// The sequence number that its SYN had.
    pub(super) fn isn(&self) -> Option<u32> {
        self.has_isn.then_some(self.isn)
    }

    /// Whether bytes are missing before others.
    pub(super) fn has_hole(&self) -> bool {
        self.held.as_ref().is_some_and(|held| !held.chunks.is_empty())
    }

    /// The first byte is the one after the SYN, RFC 9293 section 3.4, and starts a message.
    pub(super) fn open(&mut self, isn: u32) {
        let held = self.held.take();
        *self = Self { isn, has_isn: true, held, mode: Mode::Framed { sure: true }, ..Self::new() };
        self.next = isn.wrapping_add(1);
        self.acked = self.next;
    }

    /// Nothing is known about the direction any more; what it held was finished before.
    pub(super) fn reset(&mut self) {
        let held = self.held.take();
        *self = Self { held, ..Self::new() };
    }

    /// The first byte seen is `seq`; where a message starts is not known.
    pub(super) fn join(&mut self, seq: u32) {
        self.next = seq;
        self.acked = seq;
        self.mode = Mode::Search { confirm: false };
    }

    /// A SYN came after the data that follow it: whether it can be theirs.
    pub(super) fn adopt_syn(&mut self, isn: u32) -> bool {
        let fits =
            self.is_known() && !self.has_isn && (0..MAX_STEP_BACK).contains(&distance(isn.wrapping_add(1), self.next));
        if fits {
            self.isn = isn;
            self.has_isn = true;
        }
        fits
    }

    /// Whether a segment at `seq` can belong to the connection as it stands.
    pub(super) fn is_near(&self, seq: u32) -> bool {
        !self.is_known() || (-MAX_STEP_BACK..MAX_STEP_AHEAD).contains(&distance(self.next, seq))
    }

    /// The receiver has everything before `ack`.
    pub(super) fn acknowledge(&mut self, ack: u32, now: Timestamp) {
        let ahead = distance(self.next, ack);
        if !self.is_known() || !(1..MAX_STEP_AHEAD).contains(&ahead) {
            return;
        }
        if ahead > distance(self.next, self.acked) {
            self.acked = ack;
            self.acked_at = now;
        }
        self.note_acknowledged();
    }

    /// Nothing that is missing will be sent again: the connection was reset.
    pub(super) fn hasten(&mut self, now: Timestamp) {
        if let Some(held) = self.held.as_mut().filter(|held| !held.chunks.is_empty()) {
            held.acknowledged.get_or_insert(now);
        }
    }

    /// The sender says that its last byte is before `seq`.
    pub(super) fn end_at(&mut self, seq: u32) {
        if !self.is_known() {
            self.join(seq);
        }
        if !self.has_fin && (0..MAX_STEP_AHEAD).contains(&distance(self.next, seq)) {
            self.has_fin = true;
            self.fin_at = seq;
        }
    }

    /// When the missing bytes are given up.
    pub(super) fn deadline(&self, reorder_wait: i64, gap_timeout: i64) -> Option<Timestamp> {
        let held = self.held.as_ref()?;
        held.chunks.front()?;
        let late = held.since.plus(gap_timeout);
        Some(held.acknowledged.map_or(late, |at| late.min(at.plus(reorder_wait))))
    }

    /// Takes a segment's payload. Returns whether it belongs to another connection than what came before, which is over.
    pub(super) fn receive<F: FnMut(StreamMessage<'_>)>(
        &mut self,
        data: Data<'_>,
        now: Timestamp,
        max_ahead: usize,
        sink: &mut Sink<'_, F>,
    ) -> bool {
        if data.seq == self.next && self.is_known() && !self.has_fin && !self.has_hole() {
            self.read(data.bytes, data.time, sink);
            if data.missing > 0 {
                self.lose(data.missing, sink);
            }
            return false;
        }
        let is_other = !self.is_near(data.seq);
        if !self.is_known() {
            self.join(data.seq);
        } else if is_other {
            self.finish(sink);
            self.has_fin = false;
            self.has_isn = false;
            self.join(data.seq);
        }
        let Some(data) = self.trim(data, sink.stats) else { return is_other };
        self.store(data, now, sink);
        self.drain(Some(data.time), sink);
        while self.is_over(max_ahead) {
            self.give_up(sink);
        }
        self.note_acknowledged();
        is_other
    }

    /// Gives up the missing bytes before the first chunk, and reads on behind them.
    pub(super) fn give_up<F: FnMut(StreamMessage<'_>)>(&mut self, sink: &mut Sink<'_, F>) {
        let Some(start) = self.held.as_ref().and_then(|held| held.chunks.front()).map(|chunk| chunk.start) else {
            return;
        };
        self.lose(start.wrapping_sub(self.next), sink);
        self.drain(None, sink);
        self.note_acknowledged();
    }

    /// The stream is over: reads what is behind gaps, and counts what stays incomplete.
    pub(super) fn finish<F: FnMut(StreamMessage<'_>)>(&mut self, sink: &mut Sink<'_, F>) {
        while self.has_hole() {
            self.give_up(sink);
        }
        self.end_search(sink);
        let len = self.clear_head(sink.stats);
        if len == 0 {
            return;
        }
        if matches!(self.mode, Mode::Framed { .. }) {
            sink.stats.messages_incomplete += 1;
            sink.stats.bytes_incomplete += len;
        } else {
            sink.stats.bytes_skipped += len;
        }
    }

    /// Cuts off what was read before and what is beyond the FIN; `None` when nothing is left.
    fn trim<'a>(&self, mut data: Data<'a>, stats: &mut StreamStats) -> Option<Data<'a>> {
        let old = distance(data.seq, self.next).max(0) as usize;
        let known = old.min(data.bytes.len());
        stats.bytes_duplicate += known as u64;
        data.bytes = data.bytes.get(known..)?;
        data.missing = data.missing.saturating_sub((old - known) as u32);
        data.seq = data.seq.wrapping_add(old as u32);
        if self.has_fin {
            let room = distance(data.seq, self.fin_at).max(0) as usize;
            let inside = room.min(data.bytes.len());
            stats.bytes_outside += (data.bytes.len() - inside) as u64;
            data.bytes = data.bytes.get(..inside)?;
            data.missing = data.missing.min((room - inside) as u32);
        }
        (!data.bytes.is_empty() || data.missing > 0).then_some(data)
    }

    /// Puts what is new of `data` among the chunks. Where bytes came before, those count.
    fn store<F>(&mut self, data: Data<'_>, now: Timestamp, sink: &mut Sink<'_, F>) {
        let base = self.next;
        let held = self.held.get_or_insert_with(|| sink.pool.held.pop().unwrap_or_default());
        if held.chunks.is_empty() {
            held.since = now;
        }
        let place = |seq: u32| seq.wrapping_sub(base) as usize;
        let start = place(data.seq);
        let data_end = start + data.bytes.len();
        let end = data_end + data.missing as usize;
        let mut index = held.chunks.partition_point(|chunk| place(chunk.start) + chunk.len() <= start);
        let mut conflict = false;
        let mut at = start;
        while at < end {
            let (from, to) = match held.chunks.get(index) {
                Some(chunk) => (place(chunk.start), place(chunk.start) + chunk.len()),
                None => (end, end),
            };
            if at < from {
                let until = from.min(end);
                let bytes = data.bytes.get(at - start..until.min(data_end) - start).unwrap_or_default();
                let lost = until - at - bytes.len();
                for (bytes, lost) in [(bytes, 0), (&[][..], lost)] {
                    if bytes.is_empty() && lost == 0 {
                        continue;
                    }
                    let seq = base.wrapping_add(at as u32);
                    let chunk = sink.pool.chunk(seq, bytes, lost as u32, data.time, now);
                    held.chunks.insert(index, chunk);
                    held.ahead += bytes.len();
                    sink.stats.bytes_pending += bytes.len() as u64;
                    at += bytes.len() + lost;
                    index += 1;
                }
                continue;
            }
            let until = to.min(end);
            let again = data.bytes.get(at - start..until.min(data_end).max(at) - start).unwrap_or_default();
            sink.stats.bytes_duplicate += again.len() as u64;
            if let Some(chunk) = held.chunks.get(index).filter(|chunk| chunk.lost == 0) {
                conflict |= chunk.bytes.get(at - from..at - from + again.len()) != Some(again);
            }
            at = until;
            index += 1;
        }
        sink.stats.conflicts += u64::from(conflict);
    }

    /// Reads the chunks that are next. Their messages bear `time`, or that of the chunk that ends them.
    fn drain<F: FnMut(StreamMessage<'_>)>(&mut self, time: Option<Timestamp>, sink: &mut Sink<'_, F>) {
        let mut drained = false;
        while let Some(held) = &mut self.held
            && let Some(chunk) = held.chunks.pop_front_if(|chunk| chunk.start == self.next)
        {
            held.ahead -= chunk.bytes.len();
            held.acknowledged = None;
            sink.stats.bytes_pending -= chunk.bytes.len() as u64;
            if chunk.lost > 0 {
                self.lose(chunk.lost, sink);
            } else {
                self.read(&chunk.bytes, time.unwrap_or(chunk.time), sink);
            }
            sink.pool.recycle_chunk(chunk);
            drained = true;
        }
        if drained && let Some(held) = &mut self.held {
            held.since = held.chunks.iter().map(|chunk| chunk.arrived).min().unwrap_or_default();
        }
    }

    fn is_over(&self, max_ahead: usize) -> bool {
        self.held
            .as_ref()
            .is_some_and(|held| !held.chunks.is_empty() && (held.ahead > max_ahead || held.chunks.len() > MAX_CHUNKS))
    }

    fn note_acknowledged(&mut self) {
        let Some(held) = &mut self.held else { return };
        let Some(chunk) = held.chunks.front() else { return };
        if distance(chunk.start, self.acked) >= 0 && distance(self.next, self.acked) > 0 {
            held.acknowledged.get_or_insert(self.acked_at);
        }
    }

    /// Reads the bytes at `next`.
    fn read<F: FnMut(StreamMessage<'_>)>(&mut self, bytes: &[u8], time: Timestamp, sink: &mut Sink<'_, F>) {
        self.next = self.next.wrapping_add(bytes.len() as u32);
        self.parse(bytes, time, sink);
    }

    fn parse<F: FnMut(StreamMessage<'_>)>(&mut self, bytes: &[u8], time: Timestamp, sink: &mut Sink<'_, F>) {
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
    fn end_search<F: FnMut(StreamMessage<'_>)>(&mut self, sink: &mut Sink<'_, F>) {
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
    fn lose<F: FnMut(StreamMessage<'_>)>(&mut self, len: u32, sink: &mut Sink<'_, F>) {
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

    fn clear_head(&mut self, stats: &mut StreamStats) -> u64 {
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

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.head.is_empty() && self.chunks.is_empty()
    }
}

impl Chunk {
    fn len(&self) -> usize {
        self.bytes.len() + self.lost as usize
    }
}

impl Pool {
    /// What the chunks cost beside their bytes.
    pub(super) const fn overhead(&self) -> usize {
        self.chunks * size_of::<Chunk>()
    }

    /// Takes back what a direction no longer needs.
    pub(super) fn release(&mut self, mut held: Box<Held>) {
        if self.held.len() >= MAX_SPARE {
            return;
        }
        if held.head.capacity() > MAX_SPARE_LEN {
            held.head = Vec::new();
        }
        held.acknowledged = None;
        held.timer = None;
        self.held.push(held);
    }

    fn chunk(&mut self, start: u32, bytes: &[u8], lost: u32, time: Timestamp, arrived: Timestamp) -> Chunk {
        self.chunks += 1;
        let mut buffer = if bytes.is_empty() { Vec::new() } else { self.buffers.pop().unwrap_or_default() };
        buffer.extend_from_slice(bytes);
        Chunk { start, lost, time, arrived, bytes: buffer }
    }

    fn recycle_chunk(&mut self, chunk: Chunk) {
        self.chunks -= 1;
        self.recycle(chunk.bytes);
    }

    fn recycle(&mut self, mut buffer: Vec<u8>) {
        if self.buffers.len() < MAX_SPARE && (1..=MAX_SPARE_LEN).contains(&buffer.capacity()) {
            buffer.clear();
            self.buffers.push(buffer);
        }
    }
}
