//! The slab of messages that may still be paired, found by question, by flow and by age.

use hashbrown::HashTable;
use pdns_packet::dns::{Header, Message, Outline};
use pdns_packet::frame::VlanTags;
use pdns_packet::time::Timestamp;

use super::guesses::Guesses;
use super::kept::Kept;
use super::key::{FlowKey, QuestionKey};
use super::ring::{self, Linked, Links, NONE};
use crate::seed::Quality;
use crate::transaction::Observed;

/// What an entry waits for. Each state has a list in order of age, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A query, for its response.
    Outstanding,
    /// A response seen before its query, for the query.
    Held,
}

impl State {
    pub(super) const ALL: [Self; 2] = [Self::Outstanding, Self::Held];
}

const BY_QUESTION: usize = 0;
const BY_FLOW: usize = 1;
const BY_AGE: usize = 2;

/// How many bytes a buffer has room for. Nearly all queries are shorter. One that had to be longer is given back when its
/// entry is freed, so that all that entries keep has one length: buffers that grow would make the memory of a table that is full
/// now and then creep for hours. What freed entries keep is not in the account of bytes, so it must stay small beside the entry.
const BUFFER: usize = 88;

/// A message that waits.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Entry {
    pub kept: Kept,
    links: [Links; 3],
    pub state: State,
    /// It is in the list of its flow.
    is_in_flow: bool,
    /// The bucket that led to it by question when it came in, if it was the oldest with its flow and question.
    bucket: u32,
    /// The message and its question, as [`Kept`] describes them.
    data: Vec<u8>,
    pub outline: Outline,
}

impl Entry {
    #[inline]
    pub(super) fn message(&self) -> Option<Message<'_>> {
        self.kept.message(&self.data, self.outline)
    }

    #[inline]
    pub(super) fn data(&self) -> &[u8] {
        &self.data
    }
}

impl Linked for Entry {
    fn links(&self, list: usize) -> &Links {
        &self.links[list]
    }

    fn links_mut(&mut self, list: usize) -> &mut Links {
        &mut self.links[list]
    }
}

/// What is looked for: a key with its hashes.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub key: FlowKey,
    pub question: QuestionKey<'a>,
    pub flow_hash: u64,
    pub question_hash: u64,
}

impl<'a> Wanted<'a> {
    /// What is stored of a message with this key.
    #[inline]
    pub(super) const fn data(&self, message: &Message<'a>) -> [&'a [u8]; 2] {
        [message.bytes(), if self.question.in_message { &[] } else { self.question.bytes }]
    }

    /// What is kept beside that.
    #[inline]
    pub(super) fn kept(&self, vlan: VlanTags, deadline: Timestamp, observed: &Observed<'_>) -> Kept {
        let message_len = observed.message.bytes().len() as u32;
        Kept {
            key: self.key,
            vlan,
            time: observed.time,
            deadline,
            question_hash: self.question_hash,
            flow_hash: self.flow_hash,
            frame_len: observed.frame_len,
            missing: observed.missing as u32,
            retransmits: 0,
            message_len,
            question_at: if self.question.in_message { Header::LEN as u32 } else { message_len },
            // A name of 255 bytes, its type and its class.
            question_len: self.question.bytes.len() as u16,
        }
    }
}

/// An entry that was found, and where: known again as long as nothing comes in or leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub index: u32,
    pub state: State,
    /// Its bucket by question; none when it was found by its flow.
    bucket: Option<usize>,
}

/// All queries that wait for their response, and responses that wait for their query.
///
/// Entries that share flow and question share their state, and only [`State::Held`] ones are ever more than one: a
/// repeated query never becomes an entry, and a response is held only while its query is not here. So one search by
/// question finds whatever there is.
///
/// Searches stay short whatever is sent: equal entries follow each other oldest first and the oldest is what is looked
/// for, so a search passes only entries of other keys in its bucket, and which keys share a bucket is a secret. Hardly any
/// search looks at an entry that is not what it looks for: most that wait long wait in vain, and are in no cache.
#[derive(Debug)]
pub(super) struct Table {
    entries: Vec<Entry>,
    /// How many entries there will be at most.
    most: usize,
    free: Vec<u32>,
    /// The oldest of the entries with each flow and question.
    by_question: HashTable<u32>,
    guesses: Guesses,
    /// The oldest of the outstanding queries of each flow. The youngest of all get in only when a flow is looked for, which
    /// is when a response has no question.
    by_flow: HashTable<u32>,
    by_age: [u32; State::ALL.len()],
    /// Bytes of the messages held.
    bytes: usize,
    hashes: Quality,
    /// How many entries were looked at in searches.
    #[cfg(test)]
    pub steps: std::cell::Cell<usize>,
}

impl Table {
    /// For so many entries at most.
    pub(super) fn new(most: usize) -> Self {
        Self {
            entries: Vec::new(),
            most,
            free: Vec::new(),
            by_question: HashTable::new(),
            guesses: Guesses::new(),
            by_flow: HashTable::new(),
            by_age: [NONE; State::ALL.len()],
            bytes: 0,
            hashes: Quality::default(),
            #[cfg(test)]
            steps: std::cell::Cell::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    #[inline]
    pub(super) fn wanted<'a>(&self, key: FlowKey, question: QuestionKey<'a>) -> Wanted<'a> {
        let flow_hash = key.hash(&self.hashes);
        let question_hash = question.hash(flow_hash, &self.hashes);
        Wanted { key, question, flow_hash, question_hash }
    }

    #[inline]
    pub(super) fn entry(&self, index: u32) -> &Entry {
        &self.entries[index as usize]
    }

    #[inline]
    pub(super) fn entry_mut(&mut self, index: u32) -> &mut Entry {
        &mut self.entries[index as usize]
    }

    /// The oldest entry in `state`.
    #[inline]
    pub(super) fn oldest(&self, state: State) -> Option<u32> {
        let index = self.by_age[state as usize];
        (index != NONE).then_some(index)
    }

    /// The oldest entry with this flow and this very question, spelt alike, if it is where the last query of the flow went. Takes
    /// no hash and no search, so that nothing is waited for when a response comes as it should.
    #[inline]
    pub(super) fn guess<'a>(&self, key: FlowKey, question: QuestionKey<'a>) -> Option<(Wanted<'a>, Found)> {
        let index = self.guesses.get(&key);
        let Entry { kept, state, bucket, data, .. } = self.entries.get(index as usize)?;
        let bucket = *bucket as usize;
        // That the bucket leads there says that the entry is in use, and the oldest of its kind.
        if kept.key != key || !kept.spells(&question, data) || self.by_question.get_bucket(bucket) != Some(&index) {
            return None;
        }
        let wanted = Wanted { key, question, flow_hash: kept.flow_hash, question_hash: kept.question_hash };
        Some((wanted, Found { index, state: *state, bucket: Some(bucket) }))
    }

    /// The oldest entry with this flow and this very question.
    #[inline]
    pub(super) fn find(&self, wanted: &Wanted<'_>) -> Option<Found> {
        let bucket = self.by_question.find_bucket_index(wanted.question_hash, |&index| {
            let entry = self.look_at(index);
            entry.kept.is(wanted, &entry.data)
        })?;
        let &index = self.by_question.get_bucket(bucket)?;
        Some(Found { index, state: self.entry(index).state, bucket: Some(bucket) })
    }

    /// The oldest outstanding query with this flow, whatever its question.
    pub(super) fn find_flow(&mut self, wanted: &Wanted<'_>) -> Option<Found> {
        self.link_flows();
        let found = self.by_flow.find(wanted.flow_hash, |&index| self.look_at(index).kept.is_in_flow(wanted));
        found.map(|&index| Found { index, state: State::Outstanding, bucket: None })
    }

    /// The oldest entry without a question in this flow: an empty question is in the table under its own hash.
    pub(super) fn find_without_question(&self, wanted: &Wanted<'_>) -> Option<Found> {
        let question = QuestionKey::NONE;
        let question_hash = question.hash(wanted.flow_hash, &self.hashes);
        self.find(&Wanted { question, question_hash, ..*wanted })
    }

    /// Copies a message in.
    #[inline(always)]
    pub(super) fn insert(
        &mut self,
        wanted: &Wanted<'_>,
        state: State,
        vlan: VlanTags,
        deadline: Timestamp,
        observed: &Observed<'_>,
    ) {
        let data = wanted.data(observed.message);
        let len = data[0].len() + data[1].len();
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                let data = Vec::with_capacity(len.max(BUFFER));
                let kept = wanted.kept(vlan, deadline, observed);
                let outline = observed.message.outline();
                if self.entries.len() == self.entries.capacity() {
                    self.make_room();
                }
                let links = [Links::ALONE; 3];
                self.entries.push(Entry { kept, links, state, is_in_flow: false, bucket: NONE, data, outline });
                self.guesses.make_room(self.entries.len());
                self.entries.len() as u32 - 1
            }
        };
        let entry = &mut self.entries[index as usize];
        entry.data.clear();
        if entry.data.capacity() < len {
            entry.data = Vec::with_capacity(len.max(BUFFER));
        }
        data.iter().for_each(|part| entry.data.extend_from_slice(part));
        entry.state = state;
        entry.kept = wanted.kept(vlan, deadline, observed);
        entry.outline = observed.message.outline();
        self.bytes += entry.data.len();
        // A query is outstanding only where nothing with its question is.
        let head = if state == State::Held { self.find(wanted).map(|head| head.index) } else { None };
        let hash = |entry: &Entry| entry.kept.question_hash;
        let bucket = enlist(&mut self.entries, &mut self.by_question, BY_QUESTION, hash, head, index);
        self.entries[index as usize].bucket = bucket.map_or(NONE, |bucket| bucket as u32);
        self.guesses.set(&wanted.key, index);
        ring::append(&mut self.entries, BY_AGE, &mut self.by_age[state as usize], index);
    }

    /// Makes room for more entries. A large table has room for all that there may be at once, which is no memory before it
    /// is used: to copy it once more would take half as much again.
    #[cold]
    fn make_room(&mut self) {
        const LARGE: usize = 1 << 17;
        let len = self.entries.len();
        let is_large = (LARGE..self.most).contains(&len);
        if !is_large || self.entries.try_reserve_exact(self.most - len).is_err() {
            self.entries.reserve(1);
        }
    }

    pub(super) fn remove(&mut self, index: u32) {
        let hash = self.entry(index).kept.question_hash;
        let bucket = self.by_question.find_bucket_index(hash, |&head| head == index);
        self.remove_at(index, bucket);
    }

    /// Removes what was just found.
    #[inline]
    pub(super) fn remove_found(&mut self, found: Found) {
        match found.bucket {
            Some(_) => self.remove_at(found.index, found.bucket),
            None => self.remove(found.index),
        }
    }

    /// Removes an entry; `bucket` is the one that leads to it by question, if one does.
    #[inline(always)]
    fn remove_at(&mut self, index: u32, bucket: Option<usize>) {
        let Entry { state, is_in_flow, kept: Kept { flow_hash, .. }, .. } = *self.entry(index);
        delist(&mut self.entries, &mut self.by_question, BY_QUESTION, bucket, index);
        if is_in_flow {
            let bucket = self.by_flow.find_bucket_index(flow_hash, |&head| head == index);
            delist(&mut self.entries, &mut self.by_flow, BY_FLOW, bucket, index);
        }
        ring::remove(&mut self.entries, BY_AGE, &mut self.by_age[state as usize], index);
        let entry = &mut self.entries[index as usize];
        entry.is_in_flow = false;
        self.bytes -= entry.data.len();
        if entry.data.capacity() > BUFFER {
            entry.data = Vec::new();
        }
        self.free.push(index);
    }

    /// An entry that a search meets.
    #[inline]
    fn look_at(&self, index: u32) -> &Entry {
        #[cfg(test)]
        self.steps.set(self.steps.get() + 1);
        self.entry(index)
    }

    /// Puts the outstanding queries that are not in their flow's list there, oldest first. They are the youngest ones.
    fn link_flows(&mut self) {
        let head = self.by_age[State::Outstanding as usize];
        let mut first = NONE;
        let mut at = head;
        while at != NONE {
            at = self.entry(at).links(BY_AGE).previous;
            if self.entry(at).is_in_flow {
                break;
            }
            first = at;
            if at == head {
                break;
            }
        }
        while first != NONE {
            let Kept { key, flow_hash, .. } = self.entry(first).kept;
            let oldest = self.by_flow.find(flow_hash, |&index| self.look_at(index).kept.key == key).copied();
            let hash = |entry: &Entry| entry.kept.flow_hash;
            enlist(&mut self.entries, &mut self.by_flow, BY_FLOW, hash, oldest, first);
            self.entry_mut(first).is_in_flow = true;
            first = ring::next(&self.entries, BY_AGE, head, first);
        }
    }
}

/// Puts an entry at the end of the list that starts at `head`, or of a new one, which `heads` then leads to from the bucket
/// returned.
#[inline]
fn enlist(
    entries: &mut [Entry],
    heads: &mut HashTable<u32>,
    list: usize,
    hash: impl Fn(&Entry) -> u64,
    head: Option<u32>,
    index: u32,
) -> Option<usize> {
    ring::append(entries, list, &mut head.unwrap_or(NONE), index);
    if head.is_some() {
        return None;
    }
    let entry = heads.insert_unique(hash(&entries[index as usize]), index, |&head| hash(&entries[head as usize]));
    Some(entry.bucket_index())
}

/// Takes an entry out of its list; the `bucket` of `heads` that led to it, if one did, then leads to the next one.
#[inline]
fn delist(entries: &mut [Entry], heads: &mut HashTable<u32>, list: usize, bucket: Option<usize>, index: u32) {
    let mut next = index;
    ring::remove(entries, list, &mut next, index);
    let Some(Ok(mut head)) = bucket.map(|bucket| heads.get_bucket_entry(bucket)) else { return };
    if next == NONE {
        head.remove();
    } else {
        *head.get_mut() = next;
    }
}

#[cfg(test)]
mod tests {
    use super::super::answered::Answered;
    use super::*;
    use crate::transaction::Transport;
    use pdns_packet::frame::Flow;

    fn key(client_port: u16) -> FlowKey {
        let (src, dst) = ([192, 0, 2, 1].into(), [192, 0, 2, 53].into());
        let flow = Flow { src, dst, src_port: client_port, dst_port: 53, vlan: VlanTags::NONE };
        FlowKey::new(&flow, Transport::Udp, &Header { id: 1, flags: 0, counts: [0; 4] }, false)
    }

    #[test]
    fn what_entries_keep_does_not_grow_with_the_messages_that_come() {
        let mut table = Table::new(10);
        let sum = |table: &Table| table.entries.iter().map(|entry| entry.data.capacity()).sum::<usize>();
        for len in (12..200).chain([12, 65_535, 12]) {
            let bytes = vec![0; len];
            let message = Message::parse(&bytes).unwrap();
            let observed = Observed { time: Timestamp::default(), message: &message, missing: 0, frame_len: 0 };
            for port in 0..10 {
                let question = QuestionKey { bytes: b"", in_message: true };
                let wanted = Wanted { key: key(port), question, flow_hash: port.into(), question_hash: port.into() };
                table.insert(&wanted, State::Outstanding, VlanTags::NONE, Timestamp::MAX, &observed);
                assert_eq!(table.entry(u32::from(port)).message().unwrap().bytes(), bytes);
            }
            let held = sum(&table);
            assert!((10 * len.max(BUFFER)..11 * len.max(BUFFER)).contains(&held), "{held} bytes for ten of {len}");
            // The latest first, so that each gets its entry again.
            (0..10).rev().for_each(|index| table.remove(index));
            assert!(sum(&table) <= 10 * BUFFER, "{} bytes after ten of {len}", sum(&table));
        }
    }

    #[test]
    fn equal_hashes_do_not_make_equal_entries() {
        let (mut table, mut answered) = (Table::new(100), Answered::new());
        let message = Message::parse(&[0; 12]).unwrap();
        let observed = Observed { time: Timestamp::default(), message: &message, missing: 0, frame_len: 0 };
        let questions = [&b"\x01a\0\0\x01\0\x01"[..], b"\x01b\0\0\x01\0\x01", b"\x01a\0\0\x02\0\x01"];
        let wanted = |port, bytes| Wanted {
            key: key(port),
            question: QuestionKey { bytes, in_message: false },
            flow_hash: 5,
            question_hash: 5,
        };
        let all: Vec<_> = questions.iter().flat_map(|bytes| [wanted(1, bytes), wanted(2, bytes)]).collect();
        for (number, wanted) in all.iter().enumerate() {
            assert_eq!(table.find(wanted), None);
            let kept = wanted.kept(VlanTags::NONE, Timestamp::MAX, &observed);
            table.insert(wanted, State::Outstanding, VlanTags::NONE, Timestamp::MAX, &observed);
            answered.push(&kept, Timestamp::MAX, wanted.data(&message));
            assert_eq!(table.find(wanted).unwrap().index, number as u32);
        }
        let oldest = |table: &mut Table, port| table.find_flow(&wanted(port, &[])).map(|found| found.index);
        assert_eq!(oldest(&mut table, 1), Some(0));
        assert_eq!(oldest(&mut table, 2), Some(1));
        assert_eq!(oldest(&mut table, 3), None);
        table.remove(0);
        assert_eq!(table.find(&all[0]), None);
        assert_eq!(table.find(&all[1]).unwrap().index, 1);
        assert_eq!(oldest(&mut table, 1), Some(2));
        assert_eq!(table.len(), 5);

        // A flow is told by its hash alone there, so the question decides.
        assert!(all.iter().all(|wanted| answered.find(wanted, Timestamp::default()).is_some()));
        assert!(answered.find(&wanted(1, b"\x01c\0\0\x01\0\x01"), Timestamp::default()).is_none());
        assert!(answered.find(&Wanted { flow_hash: 6, ..wanted(1, &[]) }, Timestamp::default()).is_none());
    }
}
