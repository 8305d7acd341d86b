//! IP fragments.

use std::net::{IpAddr, Ipv4Addr};

use pdns_fuzz::{Input, Target, heap};
use pdns_packet::frame::{Fragment, VlanTags};
use pdns_packet::time::Timestamp;
use pdns_track::reassembly::{FragmentConfig, FragmentDrop, FragmentTable, Outcome};

/// Fragments in any order: whole packets consist of bytes that were sent, each at its place, and the account balances.
pub const FRAGMENT: Target = Target { name: "fragment", check, seeds, mutations: 40_000 };

/// What one action takes of an input.
const ACTION: usize = 7;

fn check(input: &[u8]) {
    let actions = input.len() / ACTION + 1;
    // Each fragment is at most 255 bytes long, and is kept here, in a packet, in a spare buffer and in a whole one.
    heap::bounded(crate::EMPTY + actions * 2560, || run(&mut Input::new(input)));
}

fn run(input: &mut Input<'_>) {
    let mut sent = Sent::default();
    let config = *input.pick(&[
        FragmentConfig::default(),
        FragmentConfig { max_datagrams: 2, ..FragmentConfig::default() },
        FragmentConfig { max_bytes: 300, ..FragmentConfig::default() },
        FragmentConfig { max_fragments: 3, ..FragmentConfig::default() },
        FragmentConfig { max_datagrams: 0, max_bytes: 0, ..FragmentConfig::default() },
    ]);
    let mut table = FragmentTable::new(config);
    let mut now = 0;
    while !input.is_empty() {
        now += i64::from(input.byte()) * config.timeout / 100;
        let [source, id] = input.bytes(2) else { break };
        let payload: Vec<u8> = payload(input.byte(), input.byte());
        let offset = u16::from(input.byte()) * 8;
        let last = input.byte();
        let fragment = Fragment {
            src: Ipv4Addr::new(192, 0, 2, *source % 3).into(),
            dst: Ipv4Addr::new(192, 0, 2, 53).into(),
            vlan: VlanTags::NONE,
            id: u32::from(*id % 4),
            protocol: 17,
            // Both ends of the range.
            offset: if last & 2 == 0 { offset } else { 0xfff8 - offset },
            more: last & 1 == 0,
            payload: &payload,
            missing: if last & 0xf0 == 0xf0 { 9 } else { 0 },
        };
        sent.note(&fragment);
        match table.push(Timestamp::from_nanos(now), 100, &fragment) {
            Outcome::Complete(whole) => {
                assert_eq!((whole.src, whole.dst, whole.protocol), (fragment.src, fragment.dst, 17));
                sent.assert_sent(&fragment, whole.payload);
                let is_only_one = fragment.offset == 0 && !fragment.more;
                assert!(whole.missing == 0 || is_only_one && whole.missing == fragment.missing);
                assert!(is_only_one || usize::from(fragment.offset) + payload.len() <= whole.payload.len());
                assert!(whole.wire_len >= 100 && whole.wire_len.is_multiple_of(100));
            }
            Outcome::Stored => assert!(fragment.missing == 0 && !payload.is_empty()),
            Outcome::Refused(reason) => assert!(reason != FragmentDrop::TooMany || config.max_fragments == 3),
        }
        let stats = table.stats();
        assert!(stats.balances(), "{stats:?}");
        assert!(table.held_bytes() <= config.max_bytes);
        assert!(table.next_deadline().is_none_or(|deadline| deadline.nanos() > now));
    }
    table.finish();
    let stats = table.stats();
    assert!(stats.balances() && stats.pending == 0 && table.held_bytes() == 0, "{stats:?}");
}

/// What was sent: source, identification, place and bytes of each fragment.
#[derive(Default)]
struct Sent(Vec<(IpAddr, u32, usize, Vec<u8>)>);

impl Sent {
    fn note(&mut self, fragment: &Fragment<'_>) {
        let place = usize::from(fragment.offset);
        self.0.push((fragment.src, fragment.id, place, fragment.payload.to_vec()));
    }

    /// Fails unless each byte of a packet was sent for its place.
    fn assert_sent(&self, fragment: &Fragment<'_>, whole: &[u8]) {
        let mut is_sent = vec![false; whole.len()];
        for (_, _, place, bytes) in self.0.iter().filter(|(src, id, ..)| (*src, *id) == (fragment.src, fragment.id)) {
            for (at, byte) in (*place..whole.len()).zip(bytes) {
                is_sent[at] |= whole[at] == *byte;
            }
        }
        assert_eq!(is_sent.iter().position(|is_sent| !is_sent), None, "a byte that was not sent: {whole:02x?}");
    }
}

/// Bytes that tell where in the payload they are, but for one that may be another.
fn payload(len: u8, odd: u8) -> Vec<u8> {
    let mut payload: Vec<u8> = (0..len).map(|at| at.wrapping_mul(7)).collect();
    if let Some(byte) = payload.get_mut(usize::from(odd)) {
        *byte = 0xff;
    }
    payload
}

fn seeds() -> Vec<Vec<u8>> {
    let fragment = |id: u8, offset: u8, len: u8, more: bool| [0, 0, id, len, 0xff, offset, u8::from(!more)];
    let three = [fragment(1, 0, 16, true), fragment(1, 2, 24, true), fragment(1, 5, 9, false)];
    let orders = [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 1, 0]];
    let mut seeds: Vec<Vec<u8>> =
        orders.iter().map(|order| [vec![0], order.map(|at| three[at]).concat()].concat()).collect();
    // Two packets at a time, one overlapping, one of a single fragment.
    for config in 0..5 {
        let mixed =
            [three[0], fragment(2, 0, 8, true), three[2], fragment(2, 1, 7, false), three[1], fragment(3, 0, 9, false)];
        seeds.push([vec![config], mixed.concat()].concat());
        seeds.push([vec![config], [three[0], fragment(1, 1, 24, true), three[2], three[1]].concat()].concat());
    }
    seeds
}
