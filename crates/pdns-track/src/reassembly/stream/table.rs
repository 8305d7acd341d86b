//! All streams of a capture, their timers and bounds.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use pdns_packet::frame::{Flow, TcpSegment, VlanTags};
use pdns_packet::time::Timestamp;

use super::credible::Sender;
use super::half::{Data, Half, Pool, Sink};
use super::{StreamConfig, StreamMessage, StreamStats};
use crate::reassembly::slab::{Queue, Slab};
use crate::seed::Fast;

/// A stream moves up in its queue once in this fraction of [`StreamConfig::idle_timeout`], not with every packet.
const IDLE_STEPS: i64 = 64;

/// The streams of one capture.
#[derive(Debug)]
pub struct StreamTable {
    config: StreamConfig,
    index: HashMap<Key, u32, Fast>,
    entries: Slab<Entry>,
    /// The entries of each [`Class`], the least recently active first.
    queues: [Queue; Class::ALL.len()],
    /// When missing bytes are given up, and whose: twice the entry's number, plus one for its second direction.
    holes: BTreeSet<(Timestamp, u32)>,
    pool: Pool,
    now: Timestamp,
    /// No deadline is before this moment.
    soonest: Timestamp,
    stats: StreamStats,
}

/// Addresses and ports in an order that is the same for both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    low: u128,
    high: u128,
    /// Both ports, and whether the addresses are IPv6.
    ports: u64,
    vlan: u64,
}

/// One stream. Without held bytes this is all of it, beside its key in the index.
#[derive(Debug)]
struct Entry {
    /// The first direction.
    flow: Flow,
    /// The second direction's VLANs.
    back_vlan: VlanTags,
    halves: [Half; 2],
    /// When it was active last; when it was closed.
    touched: Timestamp,
    /// Which queue it is in.
    class: Class,
    reset: bool,
    closed: bool,
}

/// Every SYN of a flood costs an entry.
const _: () = assert!(size_of::<Entry>() <= 192, "a stream that holds nothing must stay small");

/// What a stream is worth when room is needed, and when it is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Class {
    /// FIN from both sides, or RST.
    Closed,
    /// It never carried data.
    Opening,
    /// It holds no bytes.
    Quiet,
    /// It holds bytes.
    Holding,
}

impl Class {
    /// All classes in the order of their numbers, which is the order in which they are evicted.
    const ALL: [Self; 4] = [Self::Closed, Self::Opening, Self::Quiet, Self::Holding];
}

/// What comes next.
enum Due {
    Hole(u32),
    Stream(u32),
}

impl StreamTable {
    /// An empty table.
    pub fn new(config: StreamConfig) -> Self {
        Self {
            config,
            index: HashMap::default(),
            entries: Slab::new(),
            queues: [const { Queue::new() }; Class::ALL.len()],
            holes: BTreeSet::new(),
            pool: Pool::default(),
            now: Timestamp::from_nanos(i64::MIN),
            soonest: Timestamp::MAX,
            stats: StreamStats::default(),
        }
    }

    /// Takes a segment that was captured at `time`, and hands all messages that it completes to `out`. The timers run by
    /// `now`, which does not run backwards: an earlier one than the last counts as the last.
    pub fn push<F: FnMut(StreamMessage<'_>)>(
        &mut self,
        now: Timestamp,
        time: Timestamp,
        flow: &Flow,
        segment: &TcpSegment<'_>,
        out: &mut F,
    ) {
        self.expire(now, out);
        let has_data = !segment.payload.is_empty() || segment.missing > 0;
        self.stats.segments += 1;
        self.stats.segments_data += u64::from(has_data);
        self.stats.segments_empty += u64::from(!has_data);
        self.stats.bytes_received += segment.payload.len() as u64;
        let (key, side) = Key::of(flow, self.config.ignore_vlan);
        let Some(index) = self.find(key, side, flow, segment, has_data, out) else {
            self.stats.bytes_outside += segment.payload.len() as u64;
            return;
        };
        self.apply(index, side, time, flow, segment, out);
        self.settle(index, has_data);
        while self.held_bytes() > self.config.max_bytes && self.evict(&[Class::Holding, Class::Closed], out) {}
        if self.now >= self.soonest {
            self.expire(self.now, out);
        }
    }

    /// Gives up what is overdue at `now`, and forgets the streams whose time is over, in the order of their deadlines.
    pub fn expire<F: FnMut(StreamMessage<'_>)>(&mut self, now: Timestamp, out: &mut F) {
        let now = self.now.max(now);
        if now >= self.soonest {
            // Each event happens at its own time, so it does not matter which packet brings it about.
            while let Some((deadline, due)) = self.next_due().filter(|&(deadline, _)| deadline <= now) {
                self.now = self.now.max(deadline);
                match due {
                    Due::Hole(timer) => {
                        self.holes.remove(&(deadline, timer));
                        self.give_up(timer, out);
                    }
                    Due::Stream(index) => self.remove(index, false, out),
                }
            }
            self.soonest = self.next_deadline().unwrap_or(Timestamp::MAX);
        }
        self.now = now;
    }

    /// When [`expire`](Self::expire) has something to do next.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        Some(self.next_due()?.0)
    }

    /// A time before which [`expire`](Self::expire) has nothing to do. Afterwards it may have nothing to do either.
    pub const fn soonest(&self) -> Timestamp {
        self.soonest
    }

    /// The capture is over: reads what can be read behind gaps, and forgets all streams.
    pub fn finish<F: FnMut(StreamMessage<'_>)>(&mut self, out: &mut F) {
        while let Some(index) = self.queues.iter().find_map(Queue::first) {
            self.remove(index, false, out);
        }
    }

    /// Where every segment, byte and message went.
    pub const fn stats(&self) -> &StreamStats {
        &self.stats
    }

    /// How many streams there are, closed ones that are still remembered included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no streams.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes all streams hold.
    pub fn held_bytes(&self) -> usize {
        self.stats.bytes_pending as usize + self.pool.overhead()
    }

    fn next_due(&self) -> Option<(Timestamp, Due)> {
        let hole = self.holes.first().map(|&(deadline, timer)| (deadline, Due::Hole(timer)));
        let streams = self.queues.iter().filter_map(|queue| {
            let index = queue.first()?;
            Some((self.deadline(self.entries.get(index)?), Due::Stream(index)))
        });
        hole.into_iter().chain(streams).min_by_key(|&(deadline, _)| deadline)
    }

    fn deadline(&self, entry: &Entry) -> Timestamp {
        entry.touched.plus(match entry.class {
            Class::Closed => self.config.linger,
            Class::Opening | Class::Quiet | Class::Holding => self.config.idle_timeout,
        })
    }

    /// The stream's entry; a new one when the segment is worth it.
    fn find<F: FnMut(StreamMessage<'_>)>(
        &mut self,
        key: Key,
        side: usize,
        flow: &Flow,
        segment: &TcpSegment<'_>,
        has_data: bool,
        out: &mut F,
    ) -> Option<u32> {
        if let Some(&index) = self.index.get(&key) {
            return Some(index);
        }
        let opens = segment.flags.syn();
        if segment.flags.rst() || !(opens || has_data) || self.config.max_streams == 0 {
            return None;
        }
        while self.entries.len() >= self.config.max_streams && self.evict(&Class::ALL, out) {}
        self.stats.streams_opened += u64::from(opens);
        self.stats.streams_joined += u64::from(!opens);
        let flow = if side == 0 { *flow } else { reversed(flow) };
        let entry = Entry {
            flow,
            back_vlan: flow.vlan,
            halves: [Half::new(), Half::new()],
            touched: self.now,
            class: Class::Opening,
            reset: false,
            closed: false,
        };
        let index = self.entries.insert(&mut self.queues[Class::Opening as usize], entry);
        self.index.insert(key, index);
        self.soonest = self.soonest.min(self.now.plus(self.config.idle_timeout));
        Some(index)
    }

    fn apply<F: FnMut(StreamMessage<'_>)>(
        &mut self,
        index: u32,
        side: usize,
        time: Timestamp,
        flow: &Flow,
        segment: &TcpSegment<'_>,
        out: &mut F,
    ) {
        let Some(entry) = self.entries.get_mut(index) else { return };
        match side {
            0 => entry.flow.vlan = flow.vlan,
            _ => entry.back_vlan = flow.vlan,
        }
        let sender = sender(flow, self.config.server_port);
        let mut sink = Sink { flow, sender, stats: &mut self.stats, pool: &mut self.pool, out };
        if segment.flags.syn() {
            entry.open(side, segment, self.config.server_port, &mut sink);
        }
        let [first, second] = &mut entry.halves;
        let (half, other) = if side == 0 { (first, second) } else { (second, first) };
        if segment.flags.ack() {
            other.acknowledge(segment.ack, self.now);
        }
        if segment.flags.rst() {
            sink.stats.bytes_outside += segment.payload.len() as u64;
            if half.is_near(segment.seq) {
                entry.reset = true;
                half.hasten(self.now);
                other.hasten(self.now);
            }
            return;
        }
        // RFC 9293 section 3.4: the SYN takes the sequence number before the first byte.
        let seq = segment.seq.wrapping_add(u32::from(segment.flags.syn()));
        let missing = u32::try_from(segment.missing).unwrap_or(u32::MAX);
        if !segment.payload.is_empty() || missing > 0 {
            let data = Data { seq, bytes: segment.payload, missing, time };
            if half.receive(data, self.now, self.config.max_ahead, &mut sink) {
                sink.stats.streams_joined += 1;
                sink.stats.streams_unfinished += u64::from(!entry.closed);
                entry.closed = false;
                entry.reset = false;
            }
        }
        if segment.flags.fin() {
            half.end_at(seq.wrapping_add(segment.payload.len() as u32).wrapping_add(missing));
        }
    }

    /// Sets the entry's timers, and puts it where it now belongs.
    fn settle(&mut self, index: u32, has_data: bool) {
        self.set_timers(index);
        let Some(entry) = self.entries.get_mut(index) else { return };
        if !entry.closed && entry.is_over() {
            entry.closed = true;
            self.stats.streams_closed += 1;
        }
        let class = entry.class_now(has_data);
        let from = std::mem::replace(&mut entry.class, class);
        let is_fresh = self.now.since(entry.touched) < self.config.idle_timeout / IDLE_STEPS;
        if class == from && (class == Class::Closed || is_fresh) {
            return;
        }
        entry.touched = self.now;
        let wait = if class == Class::Closed { self.config.linger } else { self.config.idle_timeout };
        self.soonest = self.soonest.min(self.now.plus(wait));
        match self.queues.get_disjoint_mut([from as usize, class as usize]) {
            Ok([from, to]) => self.entries.transfer(from, to, index),
            // It stays in the same queue.
            Err(_) => self.entries.renew(&mut self.queues[class as usize], index),
        }
    }

    fn set_timers(&mut self, index: u32) {
        let Some(entry) = self.entries.get_mut(index) else { return };
        for (side, half) in entry.halves.iter_mut().enumerate() {
            let deadline = half.deadline(self.config.reorder_wait, self.config.gap_timeout);
            let Some(held) = &mut half.held else { continue };
            if held.timer != deadline {
                let timer = 2 * index + side as u32;
                if let Some(old) = std::mem::replace(&mut held.timer, deadline) {
                    self.holes.remove(&(old, timer));
                }
                if let Some(deadline) = deadline {
                    self.holes.insert((deadline, timer));
                    self.soonest = self.soonest.min(deadline);
                }
            }
            if held.is_empty()
                && let Some(held) = half.held.take()
            {
                self.pool.release(held);
            }
        }
    }

    fn give_up<F: FnMut(StreamMessage<'_>)>(&mut self, timer: u32, out: &mut F) {
        let (index, side) = (timer / 2, (timer % 2) as usize);
        let Some(entry) = self.entries.get_mut(index) else { return };
        let flow = entry.flow_of(side);
        let sender = sender(&flow, self.config.server_port);
        let mut sink = Sink { flow: &flow, sender, stats: &mut self.stats, pool: &mut self.pool, out };
        let half = &mut entry.halves[side];
        if let Some(held) = &mut half.held {
            held.timer = None;
        }
        half.give_up(&mut sink);
        self.settle(index, false);
    }

    /// Makes room by removing the first stream of the first class that has one; returns whether there was any.
    fn evict<F: FnMut(StreamMessage<'_>)>(&mut self, classes: &[Class], out: &mut F) -> bool {
        let Some(index) = classes.iter().find_map(|&class| self.queues[class as usize].first()) else { return false };
        self.remove(index, true, out);
        true
    }

    /// Reads what can be read of a stream, and forgets it.
    fn remove<F: FnMut(StreamMessage<'_>)>(&mut self, index: u32, evicted: bool, out: &mut F) {
        let Some(class) = self.entries.get(index).map(|entry| entry.class) else { return };
        let Some(mut entry) = self.entries.remove(&mut self.queues[class as usize], index) else { return };
        self.index.remove(&Key::of(&entry.flow, self.config.ignore_vlan).0);
        match (entry.closed, evicted) {
            (true, _) => {}
            (false, true) => self.stats.streams_evicted += 1,
            (false, false) => self.stats.streams_unfinished += 1,
        }
        for side in 0..2 {
            let flow = entry.flow_of(side);
            let sender = sender(&flow, self.config.server_port);
            let mut sink = Sink { flow: &flow, sender, stats: &mut self.stats, pool: &mut self.pool, out };
            let half = &mut entry.halves[side];
            half.finish(&mut sink);
            if let Some(held) = half.held.take() {
                if let Some(timer) = held.timer {
                    self.holes.remove(&(timer, 2 * index + side as u32));
                }
                self.pool.release(held);
            }
        }
    }
}

impl Entry {
    /// Takes a SYN of one direction. One with another sequence number than the last is another connection.
    fn open<F: FnMut(StreamMessage<'_>)>(
        &mut self,
        side: usize,
        segment: &TcpSegment<'_>,
        server_port: Option<u16>,
        sink: &mut Sink<'_, F>,
    ) {
        let isn = segment.seq;
        // What the other side's SYN must have been when this one answers it.
        let other_isn = segment.flags.ack().then(|| segment.ack.wrapping_sub(1));
        let [first, second] = &mut self.halves;
        let (half, other) = if side == 0 { (first, second) } else { (second, first) };
        if half.isn() == Some(isn) || half.adopt_syn(isn) {
            return;
        }
        let replaces_own = half.is_known();
        let replaces_both = match other_isn {
            None => replaces_own,
            // TCP Fast Open (RFC 7413): the answer acknowledges the data in the SYN, too.
            Some(_) => replaces_own && other.isn() != other_isn,
        };
        if replaces_own {
            half.finish(sink);
        }
        if replaces_both {
            let flow = reversed(sink.flow);
            let sender = sender(&flow, server_port);
            let out = &mut *sink.out;
            other.finish(&mut Sink { flow: &flow, sender, stats: sink.stats, pool: sink.pool, out });
            other.reset();
        }
        if replaces_own {
            sink.stats.streams_opened += 1;
            sink.stats.streams_unfinished += u64::from(!self.closed);
            self.closed = false;
            self.reset = false;
        }
        half.open(isn);
        if let Some(other_isn) = other_isn
            && !other.is_known()
        {
            other.open(other_isn);
        }
    }

    /// Whether both sides have ended and nothing is waited for.
    fn is_over(&self) -> bool {
        (self.reset || self.halves.iter().all(Half::has_fin)) && !self.halves.iter().any(Half::has_hole)
    }

    fn class_now(&self, has_data: bool) -> Class {
        if self.closed {
            Class::Closed
        } else if self.halves.iter().any(|half| half.held.is_some()) {
            Class::Holding
        } else if has_data || matches!(self.class, Class::Quiet | Class::Holding) {
            Class::Quiet
        } else {
            Class::Opening
        }
    }

    /// The flow of one direction.
    fn flow_of(&self, side: usize) -> Flow {
        match side {
            0 => self.flow,
            _ => Flow { vlan: self.back_vlan, ..reversed(&self.flow) },
        }
    }
}

impl Key {
    /// The stream's key, and which of its directions the packet goes.
    fn of(flow: &Flow, ignore_vlan: bool) -> (Self, usize) {
        let (src, src_is_v6) = number(flow.src);
        let (dst, dst_is_v6) = number(flow.dst);
        let (from, to) = ((src, flow.src_port), (dst, flow.dst_port));
        let side = usize::from(from > to);
        let ((low, low_port), (high, high_port)) = if side == 0 { (from, to) } else { (to, from) };
        let is_v6 = u64::from(src_is_v6 || dst_is_v6);
        let ports = is_v6 << 32 | u64::from(low_port) << 16 | u64::from(high_port);
        let vlan = if ignore_vlan { 0 } else { flow.vlan.bits() };
        (Self { low, high, ports, vlan }, side)
    }
}

fn number(address: IpAddr) -> (u128, bool) {
    match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), false),
        IpAddr::V6(address) => (address.to_bits(), true),
    }
}

fn reversed(flow: &Flow) -> Flow {
    Flow { src: flow.dst, dst: flow.src, src_port: flow.dst_port, dst_port: flow.src_port, vlan: flow.vlan }
}

/// Who sends in this direction, if the ports tell.
fn sender(flow: &Flow, server_port: Option<u16>) -> Sender {
    match server_port.map(|port| (flow.src_port == port, flow.dst_port == port)) {
        Some((true, false)) => Sender::Server,
        Some((false, true)) => Sender::Client,
        _ => Sender::Unknown,
    }
}
