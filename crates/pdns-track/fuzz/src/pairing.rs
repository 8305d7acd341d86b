//! Queries and responses.

use std::collections::HashMap;

use pdns_fuzz::{Input, Target, heap};
use pdns_packet::frame::{Flow, VlanTags};
use pdns_packet::time::Timestamp;
use pdns_track::{
    Body, Consumer, Dissected, Observed, PairingConfig, SECOND, Status, Tracker, TrackerConfig, Transaction,
};

/// Messages in any order, few of them alike: each ends in exactly one transaction, and the account balances.
pub const PAIRING: Target = Target { name: "pairing", check, seeds, mutations: 100_000 };

/// What one message takes of an input.
const ACTION: usize = 3;

fn check(input: &[u8]) {
    let messages = input.len() / ACTION + 1;
    heap::bounded(crate::EMPTY + 2048 * messages, || {
        let patient = run(&mut Input::new(input), false);
        // When somebody else asks for what is due, the same comes out.
        assert_eq!(run(&mut Input::new(input), true), patient);
    });
}

/// A transaction: the number of its query, or of the response where there is none, and how it ended.
type Fate = (u32, bool, Status);

fn run(input: &mut Input<'_>, asks: bool) -> Vec<Fate> {
    let default = PairingConfig::default();
    let pairing = input
        .pick(&[
            default.clone(),
            PairingConfig { max_messages: 3, ..default.clone() },
            PairingConfig { max_bytes: 200, ..default.clone() },
            PairingConfig { duplicate_window: 0, skew_timeout: 0, ..default.clone() },
            PairingConfig { ignore_vlan: true, ..default },
        ])
        .clone();
    let mut tracker = Tracker::new(TrackerConfig { pairing, ..TrackerConfig::default() });
    let mut seen = Seen::default();
    let (mut now, mut serial) = (0, 0);
    let mut responses = 0;
    while !input.is_empty() {
        let (when, what, who) = (input.byte(), input.byte(), input.byte());
        // Steps on both sides of every time-out.
        now += [0, 1, SECOND / 10, SECOND / 10 + 1, SECOND, 2 * SECOND, 2 * SECOND + 1, 60 * SECOND]
            [usize::from(when & 7)];
        let time = Timestamp::from_nanos(now);
        if asks {
            for part in [3, 2, 1] {
                tracker.advance(Timestamp::from_nanos(now - part), &mut seen);
            }
        }
        let is_response = what & 1 == 1;
        responses += u64::from(is_response);
        let payload = message(serial, is_response, what, who);
        let body = Body::Udp { payload: &payload, missing: 0, frame_len: payload.len() as u32 + 42 };
        let packet = Dissected { now: time, time, flow: &flow(is_response, who), body };
        tracker.packet(&packet, &mut seen);
        serial += 1;
    }
    tracker.finish(Timestamp::from_nanos(now), &mut seen);
    let stats = tracker.stats().pairing;
    assert_eq!((stats.responses, stats.queries), (responses, u64::from(serial) - responses));
    assert_eq!(stats.queries, stats.answered + stats.unanswered + stats.retransmissions);
    assert_eq!(stats.responses, stats.answered + stats.orphan + stats.duplicate);
    assert_eq!(Status::ALL.map(|status| stats.transactions(status)), Status::ALL.map(|status| seen.count(status)));
    assert_eq!(seen.retransmits, stats.retransmissions);
    seen.fates
}

/// The transactions that came.
#[derive(Default)]
struct Seen {
    fates: Vec<Fate>,
    by_message: HashMap<(u32, bool), Status>,
    retransmits: u64,
}

impl Consumer for Seen {
    fn transaction(&mut self, transaction: &Transaction<'_>) {
        let status = transaction.status;
        let part = |observed: &Observed<'_>| {
            let bytes = observed.message.bytes();
            (u32::from_be_bytes(*bytes.last_chunk().unwrap()), observed.message.header().is_response())
        };
        let (query, response) = (transaction.query.map(part), transaction.response.map(part));
        let is_there = match status {
            Status::Answered | Status::Duplicate => (true, true),
            Status::Unanswered => (true, false),
            Status::Orphan => (false, true),
        };
        assert_eq!((query.is_some(), response.is_some()), is_there);
        if let Some((serial, is_response)) = query {
            assert!(!is_response);
            // A duplicate shows the query that was answered before.
            let before = self
                .by_message
                .insert((serial, false), if status == Status::Duplicate { Status::Answered } else { status });
            assert_eq!(before, (status == Status::Duplicate).then_some(Status::Answered), "query {serial}");
            self.retransmits += if status == Status::Duplicate { 0 } else { u64::from(transaction.retransmits) };
        }
        if let Some((serial, is_response)) = response {
            assert!(is_response);
            assert_eq!(self.by_message.insert((serial, true), status), None, "response {serial}");
        }
        if let (Some(query), Some(response)) = (transaction.query, transaction.response) {
            let [query, response] = [query, response].map(|observed| observed.message);
            assert_eq!(query.header().id, response.header().id);
            assert!(response.question().is_none() || question(query.bytes()) == question(response.bytes()));
        }
        let (serial, is_response) = query.or(response).unwrap();
        self.fates.push((serial, is_response, status));
    }
}

impl Seen {
    fn count(&self, status: Status) -> u64 {
        self.fates.iter().filter(|(.., of)| *of == status).count() as u64
    }
}

/// A message with its number at its end.
fn message(serial: u32, is_response: bool, what: u8, who: u8) -> Vec<u8> {
    let flags = if is_response { 0x81 } else { 0x01 };
    let has_question = what & 0xe0 != 0xe0;
    let mut message = vec![0, who & 1, flags, 0, 0, u8::from(has_question), 0, 0, 0, 0, 0, 0];
    if has_question {
        // Case does not matter, and the type does.
        let letter = if what & 4 == 0 { b'a' } else { b'A' } + (what >> 1 & 1);
        message.extend([1, letter, 0, 0, 1 + (what >> 3 & 1), 0, 1]);
    }
    message.extend(serial.to_be_bytes());
    message
}

/// The question, without case, of a message that has one.
fn question(message: &[u8]) -> Vec<u8> {
    message[12..message.len() - 4].to_ascii_lowercase()
}

fn flow(is_response: bool, who: u8) -> Flow {
    let vlan = if who & 8 == 0 { VlanTags::NONE } else { VlanTags::NONE.push(7).unwrap() };
    let (client, server) =
        (([192, 0, 2, who >> 1 & 1].into(), 40_000 + u16::from(who >> 2 & 1)), ([192, 0, 2, 53].into(), 53));
    let ((src, src_port), (dst, dst_port)) = if is_response { (server, client) } else { (client, server) };
    Flow { src, dst, src_port, dst_port, vlan }
}

fn seeds() -> Vec<Vec<u8>> {
    let [query, response, bare, late] = [[0, 0, 0], [2, 1, 0], [0, 0xe1, 0], [7, 1, 0]];
    let other = [1, 2, 3];
    let sequences: [&[[u8; 3]]; 6] = [
        &[query, response, response, late],
        &[query, query, other, bare, response],
        &[response, query, query, response],
        &[query, late, query, late, bare],
        &[query, other, [0, 4, 1], [0, 8, 2], [0, 0, 4], [0, 0, 8], response],
        &[response, bare, [0, 3, 3], [0, 5, 1], [3, 0, 0]],
    ];
    (0..5).flat_map(|config| sequences.map(|sequence| [vec![config], sequence.concat()].concat())).collect()
}
