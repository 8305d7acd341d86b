//! One direction of a stream: segments to bytes in order. What the bytes say is [`parse`](super::parse)'s matter.

use std::collections::VecDeque;

use pdns_packet::frame::Flow;
use pdns_packet::time::Timestamp;

use super::StreamMessage;
use super::credible::Sender;
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
    pub(super) next: u32,
    /// Sequence number of the SYN, if one was seen.
    isn: u32,
    /// Sequence number of the FIN, if one was seen.
    fin_at: u32,
    /// The highest acknowledgment number seen from the receiver, when it is beyond `next`.
    acked: u32,
    acked_at: Timestamp,
    pub(super) mode: Mode,
    has_isn: bool,
    has_fin: bool,
    /// Bytes that cannot be delivered yet.
    pub(super) held: Option<Box<Held>>,
}

/// What the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
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
    pub(super) head: Vec<u8>,
    /// Capture time of the packet that brought the last byte of `head`.
    pub(super) head_time: Timestamp,
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
    pub(super) held: Vec<Box<Held>>,
    pub(super) buffers: Vec<Vec<u8>>,
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

    pub(super) fn recycle(&mut self, mut buffer: Vec<u8>) {
        if self.buffers.len() < MAX_SPARE && (1..=MAX_SPARE_LEN).contains(&buffer.capacity()) {
            buffer.clear();
            self.buffers.push(buffer);
        }
    }
}
