//! That no sender can make searches long: counted in entries looked at, not in time.

use pdns_packet::dns::Message;
use pdns_packet::frame::VlanTags;

use super::*;

/// How many messages each flood has.
const FLOOD: usize = 10_000;

/// A table under attack, and how many entries it looked at for how many messages.
struct Attack {
    pairing: Pairing,
    messages: usize,
    transactions: usize,
}

impl Attack {
    fn new() -> Self {
        Self { pairing: Pairing::new(PairingConfig::default()), messages: 0, transactions: 0 }
    }

    fn send(&mut self, client_port: u16, id: u16, is_response: bool, question: &[u8]) {
        let [id_high, id_low] = id.to_be_bytes();
        let flags = if is_response { 0x80 } else { 0 };
        let mut bytes = vec![id_high, id_low, flags, 0, 0, u8::from(!question.is_empty()), 0, 0, 0, 0, 0, 0];
        bytes.extend_from_slice(question);
        let ends = [([10, 0, 0, 1], client_port), ([10, 0, 0, 53], 53)];
        let [(src, src_port), (dst, dst_port)] = if is_response { [ends[1], ends[0]] } else { ends };
        let flow = Flow { src: src.into(), dst: dst.into(), src_port, dst_port, vlan: VlanTags::NONE };
        let now = Timestamp::new(1, 0);
        let message = Message::parse(&bytes).unwrap();
        let observed = Observed { time: now, message: &message, missing: 0, frame_len: 0 };
        let arrival = Arrival { flow: &flow, transport: Transport::Udp, observed };
        self.pairing.message(now, &arrival, &mut |_: &Transaction<'_>| self.transactions += 1);
        self.messages += 1;
    }

    /// Half the buckets are empty on average, so a search looks at about one entry; a message takes two at most.
    #[track_caller]
    fn assert_cheap(&self) {
        let steps = self.pairing.table.steps.get();
        assert!(steps < 4 * (self.messages + self.transactions), "{steps} steps for {} messages", self.messages);
    }
}

/// A question that differs from those of other numbers in letters and digits.
fn plain(number: usize) -> Vec<u8> {
    [format!("\x0fnumber{number:09}").as_bytes(), b"\0\0\x01\0\x01"].concat()
}

/// A question that differs from those of other numbers only in the bits by which small letters differ from capitals,
/// but in bytes that are no letters.
fn bits_of_case(number: usize) -> Vec<u8> {
    let label = (0..16).map(|bit| if number >> bit & 1 == 1 { b'@' } else { b'`' });
    [16].into_iter().chain(label).chain(*b"\0\0\x01\0\x01").collect()
}

#[test]
fn equal_responses_are_held_and_then_taken_cheaply() {
    for question in [&plain(1)[..], &[]] {
        let mut attack = Attack::new();
        for _ in 0..FLOOD {
            attack.send(1, 1, true, question);
        }
        for number in 0..FLOOD {
            attack.send(2, number as u16, true, &plain(number));
        }
        attack.send(1, 1, false, &plain(1));
        assert_eq!(attack.pairing.stats().duplicate, FLOOD as u64 - 1);
        attack.assert_cheap();
    }
}

#[test]
fn equal_queries_are_found_cheaply() {
    let mut attack = Attack::new();
    for _ in 0..FLOOD {
        attack.send(1, 1, false, &plain(1));
    }
    assert_eq!(attack.pairing.stats().retransmissions, FLOOD as u64 - 1);
    attack.assert_cheap();
}

#[test]
fn many_questions_under_one_id_are_answered_cheaply() {
    for question in [plain, bits_of_case] {
        let mut attack = Attack::new();
        for number in 0..FLOOD {
            attack.send(1, 1, false, &question(number));
        }
        for number in 0..FLOOD / 2 {
            attack.send(1, 1, true, &question(number));
        }
        // The other half without a question, and duplicates without one.
        for _ in 0..FLOOD {
            attack.send(1, 1, true, &[]);
        }
        let stats = attack.pairing.stats();
        assert_eq!((stats.answered, stats.duplicate), (FLOOD as u64, FLOOD as u64 / 2));
        attack.assert_cheap();
    }
}

#[test]
fn many_flows_with_one_question_are_answered_cheaply() {
    let mut attack = Attack::new();
    for is_response in [false, true, true] {
        for number in 0..FLOOD {
            attack.send((number / 100) as u16, (number % 100) as u16, is_response, &plain(1));
        }
    }
    assert_eq!(attack.pairing.stats().duplicate, FLOOD as u64);
    attack.assert_cheap();
}
