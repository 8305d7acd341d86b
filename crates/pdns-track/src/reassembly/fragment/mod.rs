//! IP packets put together from their fragments: RFC 791 section 3.2 and RFC 8200 section 4.5.
//!
//! - **Time**: a datagram has [`FragmentConfig::timeout`] of capture time from its first fragment. RFC 791 suggests 15 s
//!   and RFC 8200 sets 60 s; a DNS client gives up long before.
//! - **Overlaps**: a datagram with overlapping fragments is dropped as RFC 5722 section 4 has it, in IPv4 too; what else
//!   arrives of it until its time is over is dropped with it. An exact copy of a fragment is no overlap.
//! - **Bounds**: when there are too many datagrams or bytes, the oldest datagram goes.
//! - **Account**: every fragment pushed is in exactly one place of [`FragmentStats`].

use std::collections::HashMap;
use std::net::IpAddr;

use pdns_packet::frame::{Fragment, VlanTags};
use pdns_packet::time::Timestamp;

use super::slab::{Queue, Slab};
use crate::seed::Fast;
use crate::stats::add_each;

/// The longest payload an IP packet can have: both versions count it in sixteen bits.
const MAX_DATAGRAM: usize = 65_535;

/// What a piece costs beside its bytes, in the account of memory.
const PIECE_COST: usize = size_of::<Piece>();

/// How many buffers of finished datagrams are kept for the next ones.
const MAX_SPARE: usize = 16;

/// The limits of a [`FragmentTable`].
#[derive(Clone, Copy, Debug)]
pub struct FragmentConfig {
    /// How long a datagram may take, in nanoseconds of capture time.
    pub timeout: i64,
    /// How many datagrams may be incomplete at a time.
    pub max_datagrams: usize,
    /// How many bytes all incomplete datagrams may hold.
    pub max_bytes: usize,
    /// How many fragments a datagram may have. The default is what the longest datagram needs on the narrowest link of
    /// RFC 791 section 3.2 (68 bytes, 48 of them payload).
    pub max_fragments: usize,
}

impl Default for FragmentConfig {
    fn default() -> Self {
        Self { timeout: 30_000_000_000, max_datagrams: 4096, max_bytes: 8 << 20, max_fragments: 1366 }
    }
}

/// What became of a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// It is kept until the others arrive.
    Stored,
    /// It was the last one missing.
    Complete(Datagram<'a>),
    /// It was dropped, and its datagram too unless it is a [`FragmentDrop::Duplicate`] or a [`FragmentDrop::BadLength`]
    /// by itself.
    Refused(FragmentDrop),
}

/// An IP packet's payload, put together from fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// VLAN ids, outermost first.
    pub vlan: VlanTags,
    /// Protocol (IPv4), or the Next Header value of the Fragment header (IPv6).
    pub protocol: u8,
    /// The whole payload.
    pub payload: &'a [u8],
    /// Length of all its fragments' frames on the wire.
    pub wire_len: u32,
    /// How many bytes of the payload's end the capture cut off: not 0 only for a packet that is its only fragment.
    pub missing: usize,
}

/// Why a fragment was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum FragmentDrop {
    /// The same fragment once more, byte for byte.
    Duplicate,
    /// It overlaps another fragment of its datagram.
    Overlap,
    /// Its datagram was not complete in time, or when the capture ended.
    Expired,
    /// The table was full and its datagram the oldest.
    Evicted,
    /// An impossible length: empty, not a multiple of eight before the end, beyond 65,535, or beyond its datagram's end.
    BadLength,
    /// The capture cut it off, so its datagram cannot be completed.
    Cut,
    /// Its datagram came in more than [`FragmentConfig::max_fragments`] fragments.
    TooMany,
}

impl FragmentDrop {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Self; 7] =
        [Self::Duplicate, Self::Overlap, Self::Expired, Self::Evicted, Self::BadLength, Self::Cut, Self::TooMany];

    /// The reason as metrics and statistics name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Overlap => "overlap",
            Self::Expired => "expired",
            Self::Evicted => "evicted",
            Self::BadLength => "bad_length",
            Self::Cut => "cut",
            Self::TooMany => "too_many",
        }
    }
}

/// Where all fragments went: `received = reassembled + pending + the sum of dropped`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FragmentStats {
    /// Fragments pushed.
    pub received: u64,
    /// Fragments that are part of a completed datagram.
    pub reassembled: u64,
    /// Fragments kept for a datagram still incomplete.
    pub pending: u64,
    /// Fragments dropped, by the number of their [`FragmentDrop`].
    pub dropped: [u64; FragmentDrop::ALL.len()],
    /// Datagrams completed.
    pub datagrams_completed: u64,
    /// Datagrams dropped, each once, by the number of their [`FragmentDrop`].
    pub datagrams_dropped: [u64; FragmentDrop::ALL.len()],
}

impl FragmentStats {
    /// Fragments dropped for `reason`.
    pub const fn dropped(&self, reason: FragmentDrop) -> u64 {
        self.dropped[reason as usize]
    }

    /// Adds another table's counters.
    pub fn add(&mut self, other: &Self) {
        self.received += other.received;
        self.reassembled += other.reassembled;
        self.pending += other.pending;
        add_each(&mut self.dropped, &other.dropped);
        self.datagrams_completed += other.datagrams_completed;
        add_each(&mut self.datagrams_dropped, &other.datagrams_dropped);
    }

    /// Whether every fragment is in exactly one place.
    pub fn balances(&self) -> bool {
        self.received == self.reassembled + self.pending + self.dropped.iter().sum::<u64>()
    }
}

/// The incomplete datagrams of one capture.
#[derive(Debug)]
pub struct FragmentTable {
    config: FragmentConfig,
    index: HashMap<Key, u32, Fast>,
    entries: Slab<Entry>,
    /// All entries, by the time of their first fragment.
    queue: Queue,
    bytes: usize,
    now: Timestamp,
    spare: Vec<Parts>,
    /// The datagram completed last, for as long as the caller looks at it.
    whole: Vec<u8>,
    stats: FragmentStats,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    src: IpAddr,
    dst: IpAddr,
    vlan: VlanTags,
    id: u32,
    protocol: u8,
}

/// One datagram: what has arrived of it, or why nothing more of it is wanted.
#[derive(Debug)]
struct Entry {
    key: Key,
    first: Timestamp,
    state: State,
}

#[derive(Debug)]
enum State {
    Collecting(Parts),
    /// A tombstone: the reason goes for all fragments that still come.
    Dropped(FragmentDrop),
}

/// The fragments of a datagram. Their bytes are in `bytes` in the order in which they came, and `pieces` is sorted.
#[derive(Debug, Default)]
struct Parts {
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
    /// Length of the datagram, once its last fragment is there.
    end: Option<u32>,
    wire_len: u32,
}

/// A fragment's place in the datagram and in [`Parts::bytes`].
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: u32,
    end: u32,
    at: u32,
}

impl FragmentTable {
    /// An empty table.
    pub fn new(config: FragmentConfig) -> Self {
        Self {
            config,
            index: HashMap::default(),
            entries: Slab::new(),
            queue: Queue::new(),
            bytes: 0,
            now: Timestamp::from_nanos(i64::MIN),
            spare: Vec::new(),
            whole: Vec::new(),
            stats: FragmentStats::default(),
        }
    }

    /// Takes a fragment whose frame was `wire_len` bytes long. Time does not run backwards: an earlier `now` than the
    /// last counts as the last.
    pub fn push<'a>(&'a mut self, now: Timestamp, wire_len: u32, fragment: &Fragment<'a>) -> Outcome<'a> {
        self.now = self.now.max(now);
        self.expire(self.now);
        self.stats.received += 1;
        // RFC 6946 section 4: a packet that is its only fragment has nothing to do with any other fragment.
        if fragment.offset == 0 && !fragment.more {
            return self.atomic(wire_len, fragment);
        }
        if !fits(fragment) {
            return self.refuse(FragmentDrop::BadLength);
        }
        let Some(index) = self.entry(fragment) else { return self.refuse(FragmentDrop::Evicted) };
        match self.store(index, wire_len, fragment) {
            Ok(Verdict::Incomplete) => Outcome::Stored,
            Ok(Verdict::Duplicate) => self.refuse(FragmentDrop::Duplicate),
            Ok(Verdict::Complete) => self.complete(index),
            Err(reason) => {
                self.bury(index, reason);
                self.refuse(reason)
            }
        }
    }

    /// Drops the datagrams whose time is over at `now`.
    pub fn expire(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        while let Some(deadline) = self.next_deadline()
            && deadline <= now
        {
            self.drop_oldest(FragmentDrop::Expired);
        }
    }

    /// When [`expire`](Self::expire) has something to do next.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let oldest = self.entries.get(self.queue.first()?)?;
        Some(oldest.first.plus(self.config.timeout))
    }

    /// The capture is over: what is incomplete stays so.
    pub fn finish(&mut self) {
        while self.queue.first().is_some() {
            self.drop_oldest(FragmentDrop::Expired);
        }
    }

    /// Where all fragments went.
    pub const fn stats(&self) -> &FragmentStats {
        &self.stats
    }

    /// How many bytes the incomplete datagrams hold.
    pub const fn held_bytes(&self) -> usize {
        self.bytes
    }

    fn refuse(&mut self, reason: FragmentDrop) -> Outcome<'_> {
        self.stats.dropped[reason as usize] += 1;
        Outcome::Refused(reason)
    }

    fn atomic<'a>(&mut self, wire_len: u32, fragment: &Fragment<'a>) -> Outcome<'a> {
        self.stats.reassembled += 1;
        self.stats.datagrams_completed += 1;
        let Fragment { src, dst, vlan, protocol, payload, missing, .. } = *fragment;
        Outcome::Complete(Datagram { src, dst, vlan, protocol, payload, wire_len, missing })
    }

    /// The entry of the fragment's datagram, a new one if need be; `None` when the table may hold none.
    fn entry(&mut self, fragment: &Fragment<'_>) -> Option<u32> {
        let Fragment { src, dst, vlan, id, protocol, .. } = *fragment;
        let key = Key { src, dst, vlan, id, protocol };
        if let Some(&index) = self.index.get(&key) {
            return Some(index);
        }
        if self.config.max_datagrams == 0 {
            return None;
        }
        while self.entries.len() >= self.config.max_datagrams {
            self.drop_oldest(FragmentDrop::Evicted);
        }
        let state = State::Collecting(self.spare.pop().unwrap_or_default());
        let index = self.entries.insert(&mut self.queue, Entry { key, first: self.now, state });
        self.index.insert(key, index);
        Some(index)
    }

    fn store(&mut self, index: u32, wire_len: u32, fragment: &Fragment<'_>) -> Result<Verdict, FragmentDrop> {
        let place = match self.entries.get(index) {
            Some(Entry { state: State::Collecting(parts), .. }) => parts.place(fragment, self.config.max_fragments)?,
            Some(Entry { state: State::Dropped(reason), .. }) => return Err(*reason),
            None => return Err(FragmentDrop::Evicted),
        };
        let Some(place) = place else { return Ok(Verdict::Duplicate) };
        let cost = fragment.payload.len() + PIECE_COST;
        while self.bytes + cost > self.config.max_bytes {
            if self.queue.first() == Some(index) {
                return Err(FragmentDrop::Evicted);
            }
            self.drop_oldest(FragmentDrop::Evicted);
        }
        let Some(Entry { state: State::Collecting(parts), .. }) = self.entries.get_mut(index) else {
            return Err(FragmentDrop::Evicted);
        };
        parts.insert(place, wire_len, fragment);
        self.bytes += cost;
        self.stats.pending += 1;
        Ok(if parts.is_complete() { Verdict::Complete } else { Verdict::Incomplete })
    }

    fn complete(&mut self, index: u32) -> Outcome<'_> {
        let Some(Entry { key, state: State::Collecting(parts), .. }) = self.take(index) else {
            return Outcome::Stored;
        };
        let count = parts.pieces.len() as u64;
        self.stats.pending -= count;
        self.stats.reassembled += count;
        self.stats.datagrams_completed += 1;
        self.bytes -= parts.cost();
        self.whole.clear();
        for piece in &parts.pieces {
            self.whole.extend_from_slice(parts.bytes_of(piece));
        }
        let wire_len = parts.wire_len;
        self.keep_spare(parts);
        let Key { src, dst, vlan, protocol, .. } = key;
        Outcome::Complete(Datagram { src, dst, vlan, protocol, payload: &self.whole, wire_len, missing: 0 })
    }

    /// Drops what has come of a datagram and leaves a tombstone in its place.
    fn bury(&mut self, index: u32, reason: FragmentDrop) {
        let Some(entry) = self.entries.get_mut(index) else { return };
        if let State::Collecting(parts) = std::mem::replace(&mut entry.state, State::Dropped(reason)) {
            self.discard(parts, reason);
        }
    }

    fn drop_oldest(&mut self, reason: FragmentDrop) {
        let Some(index) = self.queue.first() else { return };
        if let Some(Entry { state: State::Collecting(parts), .. }) = self.take(index) {
            self.discard(parts, reason);
        }
    }

    fn take(&mut self, index: u32) -> Option<Entry> {
        let entry = self.entries.remove(&mut self.queue, index)?;
        self.index.remove(&entry.key);
        Some(entry)
    }

    fn discard(&mut self, parts: Parts, reason: FragmentDrop) {
        let count = parts.pieces.len() as u64;
        self.stats.pending -= count;
        self.stats.dropped[reason as usize] += count;
        self.stats.datagrams_dropped[reason as usize] += 1;
        self.bytes -= parts.cost();
        self.keep_spare(parts);
    }

    fn keep_spare(&mut self, mut parts: Parts) {
        if self.spare.len() < MAX_SPARE {
            parts.clear();
            self.spare.push(parts);
        }
    }
}

/// What became of a fragment that fits its datagram.
enum Verdict {
    Incomplete,
    Duplicate,
    Complete,
}

impl Parts {
    /// Where in `pieces` the fragment belongs; `None` when it is there already.
    fn place(&self, fragment: &Fragment<'_>, max_fragments: usize) -> Result<Option<usize>, FragmentDrop> {
        if fragment.missing > 0 {
            return Err(FragmentDrop::Cut);
        }
        let start = u32::from(fragment.offset);
        let end = start + fragment.payload.len() as u32;
        let place = self.pieces.partition_point(|piece| piece.start < start);
        if let Some(piece) = self.pieces.get(place)
            && (piece.start, piece.end) == (start, end)
            && self.bytes_of(piece) == fragment.payload
            && fragment.more == (self.end != Some(end))
        {
            return Ok(None);
        }
        let highest = self.pieces.last().map_or(0, |piece| piece.end);
        let contradicts = match (self.end, fragment.more) {
            (Some(known), true) => end >= known,
            (Some(known), false) => end != known,
            (None, true) => false,
            (None, false) => highest > end,
        };
        if contradicts {
            return Err(FragmentDrop::BadLength);
        }
        let before = place.checked_sub(1).and_then(|place| self.pieces.get(place));
        // RFC 5722 section 4: a datagram with overlapping fragments is dropped with all its fragments.
        if before.is_some_and(|piece| piece.end > start)
            || self.pieces.get(place).is_some_and(|piece| piece.start < end)
        {
            return Err(FragmentDrop::Overlap);
        }
        if self.pieces.len() >= max_fragments { Err(FragmentDrop::TooMany) } else { Ok(Some(place)) }
    }

    fn insert(&mut self, place: usize, wire_len: u32, fragment: &Fragment<'_>) {
        let start = u32::from(fragment.offset);
        let end = start + fragment.payload.len() as u32;
        self.pieces.insert(place, Piece { start, end, at: self.bytes.len() as u32 });
        self.bytes.extend_from_slice(fragment.payload);
        self.wire_len = self.wire_len.saturating_add(wire_len);
        if !fragment.more {
            self.end = Some(end);
        }
    }

    /// Pieces never overlap and never pass the end, so as many bytes as the end says are all of them.
    fn is_complete(&self) -> bool {
        self.end.is_some_and(|end| self.bytes.len() == end as usize)
    }

    fn bytes_of(&self, piece: &Piece) -> &[u8] {
        let start = piece.at as usize;
        self.bytes.get(start..start + (piece.end - piece.start) as usize).unwrap_or_default()
    }

    fn cost(&self) -> usize {
        self.bytes.len() + self.pieces.len() * PIECE_COST
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.pieces.clear();
        self.end = None;
        self.wire_len = 0;
    }
}

/// Whether the fragment can be a part of any datagram. All but the last carry a multiple of eight bytes: RFC 791 section
/// 3.2, RFC 8200 section 4.5.
fn fits(fragment: &Fragment<'_>) -> bool {
    let len = fragment.payload.len() + fragment.missing;
    let end = usize::from(fragment.offset) + len;
    len > 0 && end <= MAX_DATAGRAM && (!fragment.more || len.is_multiple_of(8))
}

#[cfg(test)]
mod tests;
