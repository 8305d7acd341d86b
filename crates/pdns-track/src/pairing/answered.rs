//! Queries answered a short while ago, kept to tell duplicate responses from orphans.
//!
//! Every query passes through here, and hardly any is ever looked for, so what counts is what an entry costs to write
//! and to forget. Entries lie in a ring in order of age and their messages in chunks in the same order: both are written
//! and given up front to back, which caches foresee. A bucket leads to its youngest entry and each entry to the next
//! older one in its bucket, so nothing needs unlinking: a search ends where it meets an entry that was given up.

use std::collections::VecDeque;

use pdns_packet::time::Timestamp;

use super::kept::Kept;
use super::table::Wanted;

/// The number that stands for no entry: more than can ever be counted.
const NONE: u64 = u64::MAX;

/// How many entries the ring has room for at first.
const FIRST_CAPACITY: usize = 256;

/// How many bytes of messages a chunk holds. A longer message has a chunk of its own.
const CHUNK: usize = 64 * 1024;

/// How many empty chunks are kept for the next messages.
const SPARE_CHUNKS: usize = 2;

/// The answered queries, oldest first. Entries are numbered from 0 without end.
#[derive(Debug)]
pub(super) struct Answered {
    /// Entry `number` is at `number` modulo the length, a power of two.
    ring: Vec<Option<Entry>>,
    oldest: u64,
    next: u64,
    /// The youngest entry of each bucket; as many buckets as the ring has room for entries.
    by_question: Vec<u64>,
    by_flow: Vec<u64>,
    chunks: VecDeque<Vec<u8>>,
    /// The number of the first chunk; chunks are numbered like entries.
    first_chunk: u64,
    spare: Vec<Vec<u8>>,
    bytes: usize,
    /// How many entries were looked at in searches.
    #[cfg(test)]
    pub steps: std::cell::Cell<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    kept: Kept,
    /// The next older entries of its buckets.
    older_by_question: u64,
    older_by_flow: u64,
    chunk: u64,
    start: u32,
    len: u32,
}

impl Answered {
    pub(super) fn new() -> Self {
        Self {
            ring: vec![None; FIRST_CAPACITY],
            oldest: 0,
            next: 0,
            by_question: vec![NONE; FIRST_CAPACITY],
            by_flow: vec![NONE; FIRST_CAPACITY],
            chunks: VecDeque::new(),
            first_chunk: 0,
            spare: Vec::new(),
            bytes: 0,
            #[cfg(test)]
            steps: std::cell::Cell::default(),
        }
    }

    pub(super) const fn len(&self) -> usize {
        (self.next - self.oldest) as usize
    }

    /// Bytes of the messages held.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// When the oldest entry is to be forgotten.
    #[inline]
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.entry(self.oldest).map(|entry| entry.kept.deadline)
    }

    /// Copies a query in, as the youngest.
    pub(super) fn push(&mut self, kept: Kept, data: [&[u8]; 2]) {
        if self.len() == self.ring.len() {
            self.grow();
        }
        let len = data[0].len() + data[1].len();
        let (chunk, start) = self.store(data, len);
        let number = self.next;
        self.next += 1;
        self.bytes += len;
        let (start, len) = (start as u32, len as u32);
        self.link(number, Entry { kept, older_by_question: NONE, older_by_flow: NONE, chunk, start, len });
    }

    /// Forgets the oldest entry.
    pub(super) fn pop(&mut self) {
        let Some(Entry { len, .. }) = self.entry(self.oldest) else { return };
        self.bytes -= *len as usize;
        self.oldest += 1;
        let first_needed = self.entry(self.oldest).map_or(self.first_chunk + self.chunks.len() as u64, |it| it.chunk);
        while self.first_chunk < first_needed {
            self.first_chunk += 1;
            let Some(mut chunk) = self.chunks.pop_front() else { break };
            if chunk.capacity() == CHUNK && self.spare.len() < SPARE_CHUNKS {
                chunk.clear();
                self.spare.push(chunk);
            }
        }
    }

    /// The youngest entry with this flow and this very question, with its data.
    pub(super) fn find(&self, wanted: &Wanted<'_>) -> Option<(&Kept, &[u8])> {
        let youngest = self.by_question[self.bucket(wanted.question_hash)];
        self.search(youngest, |entry| entry.older_by_question, |entry| entry.kept.is(wanted, self.data(entry)))
    }

    /// The youngest entry with this flow, whatever its question, with its data.
    pub(super) fn find_flow(&self, wanted: &Wanted<'_>) -> Option<(&Kept, &[u8])> {
        let youngest = self.by_flow[self.bucket(wanted.flow_hash)];
        self.search(youngest, |entry| entry.older_by_flow, |entry| entry.kept.is_in_flow(wanted))
    }

    fn search(
        &self,
        youngest: u64,
        older: impl Fn(&Entry) -> u64,
        is_it: impl Fn(&Entry) -> bool,
    ) -> Option<(&Kept, &[u8])> {
        let mut number = youngest;
        while let Some(entry) = self.entry(number) {
            #[cfg(test)]
            self.steps.set(self.steps.get() + 1);
            if is_it(entry) {
                return Some((&entry.kept, self.data(entry)));
            }
            number = older(entry);
        }
        None
    }

    /// The entry with this number, unless it was given up or never was.
    #[inline]
    fn entry(&self, number: u64) -> Option<&Entry> {
        if number < self.oldest || number >= self.next {
            return None;
        }
        self.ring[self.slot(number)].as_ref()
    }

    fn data(&self, entry: &Entry) -> &[u8] {
        let chunk = self.chunks.get((entry.chunk - self.first_chunk) as usize);
        let start = entry.start as usize;
        chunk.and_then(|chunk| chunk.get(start..start + entry.len as usize)).unwrap_or_default()
    }

    /// Puts an entry at its place and makes it the youngest of its buckets.
    #[inline]
    fn link(&mut self, number: u64, mut entry: Entry) {
        let by_question = self.bucket(entry.kept.question_hash);
        let by_flow = self.bucket(entry.kept.flow_hash);
        entry.older_by_question = std::mem::replace(&mut self.by_question[by_question], number);
        entry.older_by_flow = std::mem::replace(&mut self.by_flow[by_flow], number);
        let slot = self.slot(number);
        self.ring[slot] = Some(entry);
    }

    /// Copies data behind the last, and returns the number of its chunk and its place there.
    #[inline]
    fn store(&mut self, data: [&[u8]; 2], len: usize) -> (u64, usize) {
        if self.chunks.back().is_none_or(|last| last.len() + len > last.capacity()) {
            let spare = if len <= CHUNK { self.spare.pop() } else { None };
            self.chunks.push_back(spare.unwrap_or_else(|| Vec::with_capacity(len.max(CHUNK))));
        }
        let number = self.first_chunk + self.chunks.len() as u64 - 1;
        let Some(chunk) = self.chunks.back_mut() else { return (number, 0) };
        let start = chunk.len();
        data.iter().for_each(|part| chunk.extend_from_slice(part));
        (number, start)
    }

    #[inline]
    fn slot(&self, number: u64) -> usize {
        number as usize & (self.ring.len() - 1)
    }

    #[inline]
    fn bucket(&self, hash: u64) -> usize {
        hash as usize & (self.by_question.len() - 1)
    }

    /// Doubles ring and buckets.
    #[cold]
    fn grow(&mut self) {
        let capacity = self.ring.len() * 2;
        let old = std::mem::replace(&mut self.ring, vec![None; capacity]);
        self.by_question = vec![NONE; capacity];
        self.by_flow = vec![NONE; capacity];
        for number in self.oldest..self.next {
            if let Some(entry) = old[number as usize & (old.len() - 1)] {
                self.link(number, entry);
            }
        }
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
        let hash = u64::from(number % 7);
        let key = FlowKey::new(&flow, Transport::Udp, &header, false);
        Wanted { key, question: QuestionKey::NONE, flow_hash: hash, question_hash: hash }
    }

    fn push(answered: &mut Answered, number: u16, len: usize) {
        let mut bytes = vec![0; len.max(12)];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        let message = Message::parse(&bytes).unwrap();
        let observed = Observed { time: Timestamp::default(), message, missing: 0, frame_len: 0 };
        let deadline = Timestamp::from_nanos(number.into());
        answered.push(wanted(number).kept(VlanTags::NONE, deadline, &observed), [&bytes, &[]]);
    }

    fn has(answered: &Answered, number: u16) -> bool {
        let by_flow = answered.find_flow(&wanted(number)).map(|(kept, _)| kept.deadline.nanos());
        let found = answered.find(&wanted(number));
        assert_eq!(by_flow, found.map(|(kept, _)| kept.deadline.nanos()));
        found.is_some_and(|(_, data)| data[..2] == number.to_be_bytes())
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
                assert_eq!(has(&answered, number), (first..next).contains(&number), "{number}");
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
        assert!((4_700..5_000).all(|number| has(&answered, number)));
        assert_eq!(answered.bytes(), 300 * 400 - 3 * 400 + 3 * (CHUNK + 1));
    }
}
