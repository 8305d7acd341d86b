//! The slab of messages that may still be paired, found by question, by flow and by age.

use foldhash::quality::RandomState;
use pdns_packet::dns::Message;
use pdns_packet::frame::VlanTags;
use pdns_packet::time::Timestamp;

use super::key::{FlowKey, QuestionKey};
use super::ring::{self, Linked, Links, NONE};
use crate::transaction::Observed;

/// What an entry waits for. Each state has a list in order of age, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A query, for its response.
    Outstanding,
    /// A response seen before its query, for the query.
    Held,
    /// A query that was answered, for further responses.
    Answered,
}

impl State {
    pub(super) const ALL: [Self; 3] = [Self::Outstanding, Self::Held, Self::Answered];
}

const BY_QUESTION: usize = 0;
const BY_FLOW: usize = 1;
const BY_AGE: usize = 2;

/// A buffer longer than this is given back when its entry is freed; nearly all queries are shorter.
const KEEP_BUFFER: usize = 512;

/// How many buckets a table starts with.
const FIRST_BUCKETS: usize = 1024;

#[derive(Debug)]
pub(super) struct Entry {
    pub key: FlowKey,
    pub state: State,
    pub vlan: VlanTags,
    pub time: Timestamp,
    pub deadline: Timestamp,
    pub frame_len: u32,
    pub missing: u32,
    pub retransmits: u32,
    question_hash: u64,
    flow_hash: u64,
    links: [Links; 3],
    /// The message, then its question in the form of [`QuestionKey`].
    data: Vec<u8>,
    message_len: u32,
}

impl Entry {
    pub(super) fn message(&self) -> Option<Message<'_>> {
        Message::parse(&self.data[..self.message_len as usize])
    }

    pub(super) fn observed(&self) -> Option<Observed<'_>> {
        let message = self.message()?;
        Some(Observed { time: self.time, message, missing: self.missing as usize, frame_len: self.frame_len })
    }

    fn question(&self) -> &[u8] {
        &self.data[self.message_len as usize..]
    }
}

impl Linked for Entry {
    fn links(&mut self, list: usize) -> &mut Links {
        &mut self.links[list]
    }
}

/// What is looked for: a key with its hashes.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub key: FlowKey,
    pub question: QuestionKey<'a>,
    flow_hash: u64,
    question_hash: u64,
}

#[derive(Debug)]
pub(super) struct Table {
    entries: Vec<Entry>,
    free: Vec<u32>,
    by_question: Vec<u32>,
    by_flow: Vec<u32>,
    by_age: [u32; 3],
    /// Bytes of the messages held.
    bytes: usize,
    state: RandomState,
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
            by_question: vec![NONE; FIRST_BUCKETS],
            by_flow: vec![NONE; FIRST_BUCKETS],
            by_age: [NONE; 3],
            bytes: 0,
            state: RandomState::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn wanted<'a>(&self, key: FlowKey, question: QuestionKey<'a>) -> Wanted<'a> {
        let flow_hash = key.hash(&self.state);
        let question_hash = question.hash(flow_hash, &self.state);
        Wanted { key, question, flow_hash, question_hash }
    }

    pub(super) fn entry(&self, index: u32) -> &Entry {
        &self.entries[index as usize]
    }

    pub(super) fn entry_mut(&mut self, index: u32) -> &mut Entry {
        &mut self.entries[index as usize]
    }

    /// The oldest entry in `state`.
    pub(super) fn oldest(&self, state: State) -> Option<u32> {
        let index = self.by_age[state as usize];
        (index != NONE).then_some(index)
    }

    /// The oldest entry in `state` with this flow and this very question.
    pub(super) fn find(&mut self, wanted: &Wanted<'_>, state: State) -> Option<u32> {
        let head = self.by_question[bucket(wanted.question_hash, state, &self.by_question)];
        let mut at = head;
        while at != NONE {
            let entry = &self.entries[at as usize];
            if entry.question_hash == wanted.question_hash
                && entry.state == state
                && entry.key == wanted.key
                && wanted.question.same(entry.question())
            {
                return Some(at);
            }
            at = ring::next(&mut self.entries, BY_QUESTION, head, at);
        }
        None
    }

    /// The oldest entry in `state` with this flow, whatever its question.
    pub(super) fn find_flow(&mut self, wanted: &Wanted<'_>, state: State) -> Option<u32> {
        let head = self.by_flow[bucket(wanted.flow_hash, state, &self.by_flow)];
        let mut at = head;
        while at != NONE {
            let entry = &self.entries[at as usize];
            if entry.flow_hash == wanted.flow_hash && entry.state == state && entry.key == wanted.key {
                return Some(at);
            }
            at = ring::next(&mut self.entries, BY_FLOW, head, at);
        }
        None
    }

    /// The oldest held response without a question in this flow: an empty question is in the table under its own hash.
    pub(super) fn find_without_question(&mut self, wanted: &Wanted<'_>, state: State) -> Option<u32> {
        let question = QuestionKey(&[]);
        let question_hash = question.hash(wanted.flow_hash, &self.state);
        self.find(&Wanted { question, question_hash, ..*wanted }, state)
    }

    /// Copies a message in.
    pub(super) fn insert(
        &mut self,
        wanted: &Wanted<'_>,
        state: State,
        vlan: VlanTags,
        deadline: Timestamp,
        observed: &Observed<'_>,
    ) {
        let message = observed.message.bytes();
        let index = self.free.pop().unwrap_or(self.entries.len() as u32);
        let mut data = match self.entries.get_mut(index as usize) {
            Some(entry) => std::mem::take(&mut entry.data),
            None => Vec::with_capacity(message.len() + wanted.question.0.len()),
        };
        data.clear();
        data.extend_from_slice(message);
        data.extend_from_slice(wanted.question.0);
        self.bytes += data.len();
        let entry = Entry {
            key: wanted.key,
            state,
            vlan,
            time: observed.time,
            deadline,
            frame_len: observed.frame_len,
            missing: observed.missing as u32,
            retransmits: 0,
            question_hash: wanted.question_hash,
            flow_hash: wanted.flow_hash,
            links: [Links::ALONE; 3],
            data,
            message_len: message.len() as u32,
        };
        match self.entries.get_mut(index as usize) {
            Some(slot) => *slot = entry,
            None => self.entries.push(entry),
        }
        if self.len() > self.by_question.len() {
            self.grow();
        }
        self.link(index);
        ring::append(&mut self.entries, BY_AGE, &mut self.by_age[state as usize], index);
    }

    /// Moves an entry to another state, as its youngest.
    pub(super) fn change(&mut self, index: u32, state: State, deadline: Timestamp) {
        self.unlink(index);
        let entry = self.entry_mut(index);
        entry.state = state;
        entry.deadline = deadline;
        self.link(index);
        ring::append(&mut self.entries, BY_AGE, &mut self.by_age[state as usize], index);
    }

    pub(super) fn remove(&mut self, index: u32) {
        self.unlink(index);
        let entry = &mut self.entries[index as usize];
        self.bytes -= entry.data.len();
        if entry.data.capacity() > KEEP_BUFFER {
            entry.data = Vec::new();
        }
        self.free.push(index);
    }

    fn link(&mut self, index: u32) {
        let entry = &self.entries[index as usize];
        let by_question = bucket(entry.question_hash, entry.state, &self.by_question);
        let by_flow = bucket(entry.flow_hash, entry.state, &self.by_flow);
        ring::append(&mut self.entries, BY_QUESTION, &mut self.by_question[by_question], index);
        ring::append(&mut self.entries, BY_FLOW, &mut self.by_flow[by_flow], index);
    }

    fn unlink(&mut self, index: u32) {
        let entry = &self.entries[index as usize];
        let state = entry.state;
        let by_question = bucket(entry.question_hash, state, &self.by_question);
        let by_flow = bucket(entry.flow_hash, state, &self.by_flow);
        ring::remove(&mut self.entries, BY_QUESTION, &mut self.by_question[by_question], index);
        ring::remove(&mut self.entries, BY_FLOW, &mut self.by_flow[by_flow], index);
        ring::remove(&mut self.entries, BY_AGE, &mut self.by_age[state as usize], index);
    }

    /// Doubles the buckets. Each state's entries are linked anew in order of age, so that equal keys stay oldest first.
    fn grow(&mut self) {
        let buckets = self.by_question.len() * 2;
        self.by_question = vec![NONE; buckets];
        self.by_flow = vec![NONE; buckets];
        for state in State::ALL {
            let head = self.by_age[state as usize];
            let mut at = head;
            while at != NONE {
                self.link(at);
                at = ring::next(&mut self.entries, BY_AGE, head, at);
            }
        }
    }
}

/// The bucket of a hash among a power of two of them. Each state has buckets of its own, as it were: a flood of equal
/// responses without queries must not make those longer in which queries are looked for.
fn bucket(hash: u64, state: State, buckets: &[u32]) -> usize {
    hash.rotate_right(16 * state as u32) as usize & (buckets.len() - 1)
}
