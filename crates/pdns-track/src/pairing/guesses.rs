//! Where the entry of a flow may be.

use super::key::FlowKey;
use super::ring::NONE;

/// How many there are at first, and at most; both are powers of two.
const FEWEST: usize = 1 << 10;
const MOST: usize = 1 << 16;

/// The last entry of each flow, unless one of another flow took its place: right for nearly every response, and never to be
/// relied upon. Flows share places by a hash that anybody can compute. Whoever makes them meet makes guesses wrong, and what is
/// looked for is then searched for as if there were none.
#[derive(Debug)]
pub(super) struct Guesses {
    places: Vec<u32>,
}

impl Guesses {
    pub(super) fn new() -> Self {
        Self { places: vec![NONE; FEWEST] }
    }

    /// The entry that may be this flow's; it may be none at all.
    #[inline]
    pub(super) fn get(&self, key: &FlowKey) -> u32 {
        self.places.get(self.place(key)).copied().unwrap_or(NONE)
    }

    /// Says that this flow's last entry is at `index`.
    #[inline]
    pub(super) fn set(&mut self, key: &FlowKey, index: u32) {
        let place = self.place(key);
        if let Some(known) = self.places.get_mut(place) {
            *known = index;
        }
    }

    /// Makes room for so many entries, up to a limit. What was known is forgotten then.
    pub(super) fn make_room(&mut self, entries: usize) {
        if entries > self.places.len() / 2 && self.places.len() < MOST {
            self.places = vec![NONE; 2 * self.places.len()];
        }
    }

    #[inline]
    fn place(&self, key: &FlowKey) -> usize {
        // The upper bits depend on all of the key's.
        (key.rough_hash() >> (u64::BITS - MOST.ilog2())) as usize & (self.places.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use pdns_packet::dns::{Header, Message};
    use pdns_packet::frame::{Flow, VlanTags};
    use pdns_packet::time::Timestamp;

    use super::super::key::QuestionKey;
    use super::super::table::{State, Table};
    use super::*;
    use crate::transaction::{Observed, Transport};

    const QUESTIONS: [&[u8]; 3] = [b"\x01a\0\0\x01\0\x01", b"\x01A\0\0\x01\0\x01", b"\x01b\0\0\x01\0\x01"];

    fn key(client_port: u16) -> FlowKey {
        let (src, dst) = ([192, 0, 2, 1].into(), [192, 0, 2, 53].into());
        let flow = Flow { src, dst, src_port: client_port, dst_port: 53, vlan: VlanTags::NONE };
        FlowKey::new(&flow, Transport::Udp, &Header { id: 1, flags: 0, counts: [0; 4] }, false)
    }

    fn insert(table: &mut Table, port: u16, question: &[u8], state: State) {
        let bytes = [b"\0\0\0\0\0\x01\0\0\0\0\0\0", question].concat();
        let message = Message::parse(&bytes).unwrap();
        let observed = Observed { time: Timestamp::default(), message: &message, missing: 0, frame_len: 0 };
        let wanted = table.wanted(key(port), QuestionKey::of(&message).unwrap());
        table.insert(&wanted, state, VlanTags::NONE, Timestamp::MAX, &observed);
    }

    fn question(bytes: &[u8]) -> QuestionKey<'_> {
        QuestionKey { bytes, in_message: false }
    }

    #[test]
    fn the_last_query_of_a_flow_is_guessed_as_it_was_spelt() {
        let mut table = Table::new(100);
        insert(&mut table, 1, QUESTIONS[0], State::Outstanding);
        let guessed = |table: &Table, bytes| table.guess(key(1), question(bytes)).map(|(_, found)| found.index);
        assert_eq!(QUESTIONS.map(|bytes| guessed(&table, bytes)), [Some(0), None, None]);
        insert(&mut table, 1, QUESTIONS[2], State::Outstanding);
        assert_eq!(QUESTIONS.map(|bytes| guessed(&table, bytes)), [None, None, Some(1)]);
        table.remove(1);
        assert_eq!(QUESTIONS.map(|bytes| guessed(&table, bytes)), [None; 3]);
    }

    #[test]
    fn places_grow_with_the_entries_up_to_a_limit() {
        let mut guesses = Guesses::new();
        for entries in 1..=4 * MOST {
            guesses.make_room(entries);
            let len = guesses.places.len();
            assert!(len == MOST || (len >= 2 * entries && len <= FEWEST.max(4 * entries)), "{len} for {entries}");
        }
        guesses.set(&key(7), 9);
        assert_eq!(guesses.get(&key(7)), 9);
    }

    #[test]
    fn a_guess_is_never_wrong() {
        let mut state = 1_u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        let (mut table, mut guesses, mut found) = (Table::new(20_000), 0, 0);
        for round in 0..100_000 {
            // Few flows, and then so many that they share places and that tables grow.
            let flows = if round < 50_000 { 8 } else { 8192 };
            let (port, bytes) = (random(flows) as u16, QUESTIONS[random(QUESTIONS.len())]);
            let wanted = table.wanted(key(port), question(bytes));
            let sought = table.find(&wanted);
            found += u32::from(sought.is_some());
            if let Some((guessed, at)) = table.guess(key(port), question(bytes)) {
                guesses += 1;
                assert_eq!(Some(at), sought);
                assert_eq!((guessed.flow_hash, guessed.question_hash), (wanted.flow_hash, wanted.question_hash));
                // What was guessed can be removed as what was found.
                if random(2) == 0 {
                    table.remove_found(at);
                    assert!(table.find(&wanted).is_none_or(|next| next.index != at.index));
                }
                continue;
            }
            match sought.map(|sought| sought.state) {
                Some(State::Outstanding) => table.remove(sought.map_or(NONE, |sought| sought.index)),
                Some(State::Held) => insert(&mut table, port, bytes, State::Held),
                None => insert(&mut table, port, bytes, [State::Outstanding, State::Held][random(2)]),
            }
        }
        assert!(guesses > 5_000 && found > guesses, "{guesses} guesses, {found} found");
    }
}
