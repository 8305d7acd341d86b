//! Queries answered a short while ago, kept to tell duplicate responses from orphans.
//!
//! Every query passes through here, and hardly any is ever looked for, so what counts is what an entry costs to write
//! and to forget. Entries, a cache line each, lie in a ring in order of age and their messages in chunks in the same
//! order: both are written and given up front to back, which caches foresee. Entries get into their buckets only when one
//! is looked for, all new ones at once: that is rare, and a bucket is far from any other in memory. A bucket leads to its
//! youngest entry and each entry to the next older one in its bucket, so nothing needs unlinking: a search ends where it
//! meets an entry that was given up.

use std::collections::VecDeque;

use pdns_packet::dns::Message;
use pdns_packet::frame::VlanTags;
use pdns_packet::time::Timestamp;

use super::kept::Kept;
use super::table::Wanted;
use crate::transaction::Observed;

/// How many entries the ring has room for at first.
const FIRST_CAPACITY: usize = 256;

/// How many bytes of messages a chunk holds. A longer message has a chunk of its own.
const CHUNK: usize = 64 * 1024;

/// How many empty chunks are kept for the next messages.
const SPARE_CHUNKS: usize = 2;

/// How many entries a search looks at. Only the queries of one flow with one message id share a bucket for long, and
/// whoever has more than this answered within the duplicate window finds a duplicate of an earlier one an orphan.
const MAX_STEPS: usize = 128;

/// The answered queries, oldest first. Entries are numbered as they come, from 0 and after `u32::MAX` from 0 again;
/// there are never so many that this could mistake one for another.
#[derive(Debug)]
pub(super) struct Answered {
    /// Entry `number` is at `number` modulo the length, a power of two.
    ring: Vec<Entry>,
    next: u32,
    len: u32,
    /// The first entry that is not in its bucket yet.
    unlinked: u32,
    /// The youngest entry of each bucket, by flow; as many buckets as the ring has room for entries. What was never set
    /// leads to an entry that is not in its bucket, or to none.
    buckets: Vec<u32>,
    chunks: VecDeque<Vec<u8>>,
    /// The number of the first chunk; chunks are numbered like entries.
    first_chunk: u32,
    spare: Vec<Vec<u8>>,
    bytes: usize,
    /// How many entries were looked at in searches.
    #[cfg(test)]
    pub steps: std::cell::Cell<usize>,
}

/// An answered query. Its flow is told by the seeded hash of all 64 bits, its question by its bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    flow_hash: u64,
    deadline: Timestamp,
    time: Timestamp,
    vlan: VlanTags,
    /// The next older entry of its bucket.
    older: u32,
    chunk: u32,
    start: u32,
    frame_len: u32,
    missing: u32,
    message_len: u16,
    /// How many bytes of the question follow the message, when it is not in the message as it is.
    question_behind: u16,
    question_at: u16,
    question_len: u16,
}

/// A query found among the answered ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    pub vlan: VlanTags,
    message: Message<'a>,
    time: Timestamp,
    missing: usize,
    frame_len: u32,
}

impl Found<'_> {
    pub(super) const fn observed(&self) -> Observed<'_> {
        Observed { time: self.time, message: &self.message, missing: self.missing, frame_len: self.frame_len }
    }
}

impl Answered {
    pub(super) fn new() -> Self {
        Self {
            ring: vec![Entry::default(); FIRST_CAPACITY],
            next: 0,
            len: 0,
            unlinked: 0,
            buckets: vec![0; FIRST_CAPACITY],
            chunks: VecDeque::new(),
            first_chunk: 0,
            spare: Vec::new(),
            bytes: 0,
            #[cfg(test)]
            steps: std::cell::Cell::default(),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len as usize
    }

    /// Bytes of the messages held.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// When the oldest entry is to be forgotten.
    #[inline]
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.entry(self.oldest()).map(|entry| entry.deadline)
    }

    /// Copies a query in, as the youngest.
    #[inline(always)]
    pub(super) fn push(&mut self, kept: &Kept, deadline: Timestamp, data: [&[u8]; 2]) {
        if self.len() == self.ring.len() {
            self.grow();
        }
        let (chunk, start) = self.store(data);
        self.bytes += data[0].len() + data[1].len();
        let entry = Entry {
            flow_hash: kept.flow_hash,
            deadline,
            time: kept.time,
            vlan: kept.vlan,
            older: 0,
            chunk,
            start,
            frame_len: kept.frame_len,
            missing: kept.missing,
            message_len: kept.message_len as u16,
            question_behind: (data[0].len() + data[1].len() - kept.message_len as usize) as u16,
            question_at: kept.question_at as u16,
            question_len: kept.question_len,
        };
        let slot = self.slot(self.next);
        self.ring[slot] = entry;
        self.next = self.next.wrapping_add(1);
        self.len += 1;
    }

    /// Forgets the oldest entry.
    pub(super) fn pop(&mut self) {
        self.take_oldest(|_| true);
        self.give_back();
    }

    /// Forgets the entries whose deadline has come at `now`.
    pub(super) fn expire(&mut self, now: Timestamp) {
        while self.take_oldest(|entry| entry.deadline <= now) {}
        self.give_back();
    }

    /// Forgets the oldest entry if there is one and it `may_go`, but for its place in a chunk.
    #[inline]
    fn take_oldest(&mut self, may_go: impl FnOnce(&Entry) -> bool) -> bool {
        let Some(entry) = self.entry(self.oldest()).filter(|entry| may_go(entry)) else { return false };
        self.bytes -= entry.data_len();
        self.len -= 1;
        true
    }

    /// Gives back what only forgotten entries needed.
    fn give_back(&mut self) {
        if self.age(self.unlinked) > self.len {
            self.unlinked = self.oldest();
        }
        let end = self.first_chunk.wrapping_add(self.chunks.len() as u32);
        let first_needed = self.entry(self.oldest()).map_or(end, |entry| entry.chunk);
        while self.first_chunk != first_needed {
            self.first_chunk = self.first_chunk.wrapping_add(1);
            let Some(mut chunk) = self.chunks.pop_front() else { break };
            if chunk.capacity() == CHUNK && self.spare.len() < SPARE_CHUNKS {
                chunk.clear();
                self.spare.push(chunk);
            }
        }
    }

    /// The youngest entry with this flow and, unless the message has none, this very question, whose deadline has not come
    /// at `now`.
    pub(super) fn find(&mut self, wanted: &Wanted<'_>, now: Timestamp) -> Option<Found<'_>> {
        self.link();
        let mut number = self.buckets[self.bucket(wanted.flow_hash)];
        for _ in 0..MAX_STEPS {
            // Older ones have no later deadline.
            let entry = self.entry(number).filter(|entry| entry.deadline > now)?;
            #[cfg(test)]
            self.steps.set(self.steps.get() + 1);
            if entry.flow_hash == wanted.flow_hash
                && (wanted.question.is_empty() || wanted.question.same(self.question(entry)))
            {
                return self.found(entry);
            }
            // A bucket that was never set may lead into another one; none leads back to younger entries.
            if self.age(entry.older) <= self.age(number) {
                return None;
            }
            number = entry.older;
        }
        None
    }

    fn found(&self, entry: &Entry) -> Option<Found<'_>> {
        let message = Message::parse(self.data(entry).get(..usize::from(entry.message_len))?)?;
        let &Entry { vlan, time, missing, frame_len, .. } = entry;
        Some(Found { vlan, message, time, missing: missing as usize, frame_len })
    }

    const fn oldest(&self) -> u32 {
        self.next.wrapping_sub(self.len)
    }

    /// 1 for the youngest entry, more for older ones.
    #[inline]
    const fn age(&self, number: u32) -> u32 {
        self.next.wrapping_sub(number)
    }

    /// The entry with this number, unless it was given up or never was.
    #[inline]
    fn entry(&self, number: u32) -> Option<&Entry> {
        let age = self.age(number);
        (age > 0 && age <= self.len).then(|| &self.ring[self.slot(number)])
    }

    fn data(&self, entry: &Entry) -> &[u8] {
        let chunk = self.chunks.get(entry.chunk.wrapping_sub(self.first_chunk) as usize);
        let start = entry.start as usize;
        chunk.and_then(|chunk| chunk.get(start..start + entry.data_len())).unwrap_or_default()
    }

    fn question(&self, entry: &Entry) -> &[u8] {
        let start = usize::from(entry.question_at);
        self.data(entry).get(start..start + usize::from(entry.question_len)).unwrap_or_default()
    }

    /// Makes each entry that is not in its bucket yet the youngest there.
    fn link(&mut self) {
        while self.unlinked != self.next {
            let slot = self.slot(self.unlinked);
            let bucket = self.bucket(self.ring[slot].flow_hash);
            self.ring[slot].older = std::mem::replace(&mut self.buckets[bucket], self.unlinked);
            self.unlinked = self.unlinked.wrapping_add(1);
        }
    }

    /// Copies data behind the last, and returns the number of its chunk and its place there.
    #[inline]
    fn store(&mut self, data: [&[u8]; 2]) -> (u32, u32) {
        let len = data[0].len() + data[1].len();
        if self.chunks.back().is_none_or(|last| last.len() + len > last.capacity()) {
            let spare = if len <= CHUNK { self.spare.pop() } else { None };
            self.chunks.push_back(spare.unwrap_or_else(|| Vec::with_capacity(len.max(CHUNK))));
        }
        let number = self.first_chunk.wrapping_add(self.chunks.len() as u32 - 1);
        let Some(chunk) = self.chunks.back_mut() else { return (number, 0) };
        let start = chunk.len() as u32;
        data.iter().for_each(|part| chunk.extend_from_slice(part));
        (number, start)
    }

    #[inline]
    fn slot(&self, number: u32) -> usize {
        number as usize & (self.ring.len() - 1)
    }

    #[inline]
    fn bucket(&self, hash: u64) -> usize {
        hash as usize & (self.buckets.len() - 1)
    }

    /// Doubles ring and buckets.
    #[cold]
    fn grow(&mut self) {
        let capacity = self.ring.len() * 2;
        let old = std::mem::replace(&mut self.ring, vec![Entry::default(); capacity]);
        // A number that is no entry's.
        self.buckets = vec![self.next; capacity];
        self.unlinked = self.oldest();
        for back in 1..=self.len {
            let number = self.next.wrapping_sub(back);
            let slot = self.slot(number);
            self.ring[slot] = old[number as usize & (old.len() - 1)];
        }
    }
}

impl Entry {
    const fn data_len(&self) -> usize {
        self.message_len as usize + self.question_behind as usize
    }
}

#[cfg(test)]
mod tests {
    use super::super::key::{FlowKey, QuestionKey};
    use super::*;
    use crate::transaction::{Observed, Transport};
    use pdns_packet::dns::{Header, Message};
    use pdns_packet::frame::{Flow, VlanTags};

    /// A query numbered by its client's port, with hashes that share few buckets.
    fn wanted(number: u16) -> Wanted<'static> {
        let flow = Flow {
            src: [192, 0, 2, 1].into(),
            dst: [192, 0, 2, 53].into(),
            src_port: number,
            dst_port: 53,
            vlan: VlanTags::NONE,
        };
        let header = Header { id: 1, flags: 0, counts: [0; 4] };
        let hash = u64::from(number) << 32 | u64::from(number % 97);
        let key = FlowKey::new(&flow, Transport::Udp, &header, false);
        Wanted { key, question: QuestionKey::NONE, flow_hash: hash, question_hash: hash }
    }

    fn push(answered: &mut Answered, number: u16, len: usize) {
        let mut bytes = vec![0; len.max(12)];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        let message = Message::parse(&bytes).unwrap();
        let observed = Observed { time: Timestamp::default(), message: &message, missing: 0, frame_len: 0 };
        let deadline = Timestamp::from_nanos(number.into());
        answered.push(&wanted(number).kept(VlanTags::NONE, deadline, &observed), deadline, [&bytes, &[]]);
    }

    fn has(answered: &mut Answered, number: u16) -> bool {
        let found = answered.find(&wanted(number), Timestamp::from_nanos(-1));
        found.is_some_and(|found| found.message.header().id == number)
    }

    #[test]
    fn entries_are_found_until_they_are_forgotten_across_growth_and_wrapping() {
        let mut answered = Answered::new();
        let (mut first, mut next) = (0, 0);
        for round in 0..40_u16 {
            for _ in 0..(round % 5) * 100 {
                push(&mut answered, next, 20 + usize::from(next % 50));
                next += 1;
            }
            for _ in 0..(round % 3) * 90 {
                if answered.len() > 0 {
                    assert_eq!(answered.deadline(), Some(Timestamp::from_nanos(first.into())));
                    answered.pop();
                    first += 1;
                }
            }
            assert_eq!(answered.len(), usize::from(next - first));
            for number in (first.saturating_sub(3)..next + 3).step_by(17) {
                assert_eq!(has(&mut answered, number), (first..next).contains(&number), "{number}");
            }
        }
        while answered.len() > 0 {
            answered.pop();
        }
        assert_eq!((answered.bytes(), answered.deadline(), answered.chunks.len()), (0, None, 0));
    }

    #[test]
    fn memory_goes_round_and_long_messages_have_their_own() {
        let mut answered = Answered::new();
        for number in 0..5_000 {
            push(&mut answered, number, if number % 100 == 0 { CHUNK + 1 } else { 400 });
            if number >= 300 {
                answered.pop();
            }
            assert!(answered.chunks.len() + answered.spare.len() <= 16, "{}", answered.chunks.len());
        }
        assert!((4_700..5_000).all(|number| has(&mut answered, number)));
        assert_eq!(answered.bytes(), 300 * 400 - 3 * 400 + 3 * (CHUNK + 1));
    }

    #[test]
    fn a_search_gives_up_after_its_steps() {
        let mut answered = Answered::new();
        let one_flow = |number| Wanted { flow_hash: 5, ..wanted(number) };
        let message = Message::parse(&[0; 12]).unwrap();
        let observed = Observed { time: Timestamp::default(), message: &message, missing: 0, frame_len: 0 };
        let question = |number: u16| QuestionKey { bytes: &[[1, 2], [3, 4]][usize::from(number)], in_message: false };
        for number in [0].into_iter().chain(std::iter::repeat_n(1, MAX_STEPS - 1)) {
            let wanted = Wanted { question: question(number), ..one_flow(number) };
            let kept = wanted.kept(VlanTags::NONE, Timestamp::MAX, &observed);
            answered.push(&kept, Timestamp::MAX, wanted.data(&message));
        }
        let first = Wanted { question: question(0), ..one_flow(0) };
        assert!(answered.find(&first, Timestamp::default()).is_some());
        let kept = Wanted { question: question(1), ..one_flow(1) }.kept(VlanTags::NONE, Timestamp::MAX, &observed);
        answered.push(&kept, Timestamp::MAX, [&[0; 12], question(1).bytes]);
        answered.steps.set(0);
        assert!(answered.find(&first, Timestamp::default()).is_none());
        assert_eq!(answered.steps.get(), MAX_STEPS);
    }
}
