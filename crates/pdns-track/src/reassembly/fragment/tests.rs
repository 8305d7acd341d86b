//! Fragments on literal bytes, on virtual time, and at random.

use std::net::Ipv4Addr;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const SECOND: i64 = 1_000_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::new(seconds, 0)
}

fn fragment(id: u32, offset: u16, more: bool, payload: &[u8]) -> Fragment<'_> {
    let [src, dst] = [1, 2].map(|last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)));
    Fragment { src, dst, vlan: VlanTags::NONE, id, protocol: 17, offset, more, payload, missing: 0 }
}

fn table() -> FragmentTable {
    FragmentTable::new(FragmentConfig::default())
}

/// Pushes and returns the completed payload, or why there is none.
fn push(table: &mut FragmentTable, seconds: i64, fragment: &Fragment<'_>) -> Result<Vec<u8>, Option<FragmentDrop>> {
    let result = match table.push(at(seconds), 100, fragment) {
        Outcome::Complete(datagram) => Ok(datagram.payload.to_vec()),
        Outcome::Stored => Err(None),
        Outcome::Refused(reason) => Err(Some(reason)),
    };
    assert!(table.stats().balances(), "{:?}", table.stats());
    result
}

#[test]
fn two_fragments_in_either_order() {
    let mut table = table();
    let (first, last) = (fragment(7, 0, true, b"01234567"), fragment(7, 8, false, b"89"));
    assert_eq!(push(&mut table, 0, &first), Err(None));
    assert_eq!(push(&mut table, 0, &last), Ok(b"0123456789".to_vec()));
    assert_eq!(push(&mut table, 0, &last), Err(None));
    let Outcome::Complete(datagram) = table.push(at(0), 60, &first) else { panic!("not complete") };
    assert_eq!((datagram.payload, datagram.wire_len, datagram.missing), (&b"0123456789"[..], 160, 0));
    let stats = *table.stats();
    assert_eq!((stats.datagrams_completed, stats.reassembled, table.held_bytes()), (2, 4, 0));
}

#[test]
fn a_packet_that_is_its_only_fragment_stands_alone() {
    let mut table = table();
    assert_eq!(push(&mut table, 0, &fragment(7, 0, true, b"01234567")), Err(None));
    let whole = Fragment { missing: 3, ..fragment(7, 0, false, b"abc") };
    let Outcome::Complete(datagram) = table.push(at(0), 60, &whole) else { panic!("not complete") };
    assert_eq!((datagram.payload, datagram.wire_len, datagram.missing), (&b"abc"[..], 60, 3));
    assert_eq!(push(&mut table, 0, &fragment(7, 8, false, b"8")), Ok(b"012345678".to_vec()));
}

#[test]
fn all_parts_of_the_key_count() {
    let mut table = table();
    let first = fragment(7, 0, true, b"01234567");
    let vlan = VlanTags::NONE.push(1).unwrap();
    assert_eq!(push(&mut table, 0, &first), Err(None));
    for other in [
        Fragment { id: 8, ..fragment(7, 8, false, b"8") },
        Fragment { protocol: 6, ..fragment(7, 8, false, b"8") },
        Fragment { vlan, ..fragment(7, 8, false, b"8") },
        Fragment { src: first.dst, dst: first.src, ..fragment(7, 8, false, b"8") },
    ] {
        assert_eq!(push(&mut table, 0, &other), Err(None));
    }
    assert_eq!(table.stats().pending, 5);
}

#[test]
fn copies_are_ignored_and_overlaps_drop_the_datagram() {
    let mut table = table();
    let first = fragment(7, 0, true, b"0123456789abcdef");
    assert_eq!(push(&mut table, 0, &first), Err(None));
    assert_eq!(push(&mut table, 0, &first), Err(Some(FragmentDrop::Duplicate)));
    assert_eq!(push(&mut table, 0, &fragment(7, 8, true, b"89abcdef")), Err(Some(FragmentDrop::Overlap)));
    // The tombstone takes what would otherwise look like a datagram of its own.
    assert_eq!(push(&mut table, 1, &first), Err(Some(FragmentDrop::Overlap)));
    assert_eq!(push(&mut table, 1, &fragment(7, 16, false, b"g")), Err(Some(FragmentDrop::Overlap)));
    assert_eq!((table.stats().dropped(FragmentDrop::Overlap), table.stats().pending), (4, 0));
    assert_eq!(table.stats().datagrams_dropped[FragmentDrop::Overlap as usize], 1);
    // It is gone after the datagram's time.
    assert_eq!(push(&mut table, 30, &first), Err(None));
    assert_eq!(push(&mut table, 30, &fragment(7, 16, false, b"g")), Ok(b"0123456789abcdefg".to_vec()));
}

#[test]
fn the_same_place_with_other_bytes_is_an_overlap() {
    let mut table = table();
    assert_eq!(push(&mut table, 0, &fragment(7, 8, true, b"01234567")), Err(None));
    assert_eq!(push(&mut table, 0, &fragment(7, 8, true, b"0123456x")), Err(Some(FragmentDrop::Overlap)));
}

#[test]
fn impossible_lengths() {
    let mut table = table();
    let zeros = [0; 65_535];
    for bad in [
        fragment(1, 0, true, b"0123456"),
        fragment(1, 0, true, b""),
        fragment(1, 8, false, b""),
        fragment(1, 65_528, false, &zeros[..8]),
        Fragment { missing: 1, ..fragment(1, 8, true, b"01234567") },
    ] {
        assert_eq!(push(&mut table, 0, &bad), Err(Some(FragmentDrop::BadLength)));
    }
    assert_eq!(table.next_deadline(), None);
    assert_eq!(push(&mut table, 0, &fragment(2, 65_528, false, &zeros[..7])), Err(None));
    assert_eq!(push(&mut table, 0, &fragment(2, 0, true, &zeros[..65_528])), Ok(zeros.to_vec()));
}

#[test]
fn a_datagram_has_one_end() {
    for (id, wrong) in [(1, fragment(1, 24, false, b"x")), (2, fragment(2, 16, true, b"01234567"))] {
        let mut table = table();
        assert_eq!(push(&mut table, 0, &fragment(id, 16, false, b"x")), Err(None));
        assert_eq!(push(&mut table, 0, &wrong), Err(Some(FragmentDrop::BadLength)));
    }
    let mut table = table();
    assert_eq!(push(&mut table, 0, &fragment(4, 16, false, b"01234567")), Err(None));
    assert_eq!(push(&mut table, 0, &fragment(4, 16, true, b"01234567")), Err(Some(FragmentDrop::BadLength)));
    assert_eq!(push(&mut table, 0, &fragment(3, 16, true, b"01234567")), Err(None));
    assert_eq!(push(&mut table, 0, &fragment(3, 8, false, b"x")), Err(Some(FragmentDrop::BadLength)));
}

#[test]
fn a_cut_fragment_drops_its_datagram() {
    let mut table = table();
    assert_eq!(push(&mut table, 0, &fragment(7, 8, false, b"89")), Err(None));
    let cut = Fragment { missing: 4, ..fragment(7, 0, true, b"0123") };
    assert_eq!(push(&mut table, 0, &cut), Err(Some(FragmentDrop::Cut)));
    assert_eq!(table.stats().dropped(FragmentDrop::Cut), 2);
}

#[test]
fn time_runs_from_the_first_fragment() {
    let mut table = table();
    assert_eq!(push(&mut table, 10, &fragment(7, 0, true, b"01234567")), Err(None));
    assert_eq!(push(&mut table, 20, &fragment(7, 16, true, b"01234567")), Err(None));
    assert_eq!(table.next_deadline(), Some(at(40)));
    table.expire(Timestamp::from_nanos(40 * SECOND - 1));
    assert_eq!(table.stats().pending, 2);
    table.expire(at(40));
    assert_eq!((table.stats().pending, table.stats().dropped(FragmentDrop::Expired)), (0, 2));
    assert_eq!((table.next_deadline(), table.held_bytes()), (None, 0));
    // A step back of the clock changes no deadline.
    assert_eq!(push(&mut table, 5, &fragment(8, 0, true, b"01234567")), Err(None));
    assert_eq!(table.next_deadline(), Some(at(70)));
    table.finish();
    assert_eq!(table.stats().dropped(FragmentDrop::Expired), 3);
}

#[test]
fn a_full_table_drops_the_oldest() {
    let config = FragmentConfig { max_datagrams: 2, ..FragmentConfig::default() };
    let mut table = FragmentTable::new(config);
    for id in 1..=3 {
        assert_eq!(push(&mut table, 0, &fragment(id, 0, true, b"01234567")), Err(None));
    }
    assert_eq!(table.stats().dropped(FragmentDrop::Evicted), 1);
    assert_eq!(push(&mut table, 0, &fragment(2, 8, false, b"8")), Ok(b"012345678".to_vec()));
    assert_eq!(push(&mut table, 0, &fragment(1, 8, false, b"8")), Err(None));
}

#[test]
fn too_many_bytes_and_too_many_fragments() {
    let config = FragmentConfig { max_bytes: 3000, max_fragments: 3, ..FragmentConfig::default() };
    let mut table = FragmentTable::new(config);
    for id in 1..=3 {
        assert_eq!(push(&mut table, 0, &fragment(id, 0, true, &[1; 1400])), Err(None));
        assert!(table.held_bytes() <= 3000);
    }
    assert_eq!(table.stats().dropped(FragmentDrop::Evicted), 1);
    assert_eq!(push(&mut table, 0, &fragment(4, 0, true, &[1; 4000])), Err(Some(FragmentDrop::Evicted)));
    for offset in [0, 16, 32] {
        assert_eq!(push(&mut table, 0, &fragment(5, offset, true, b"01234567")), Err(None));
    }
    assert_eq!(push(&mut table, 0, &fragment(5, 48, true, b"01234567")), Err(Some(FragmentDrop::TooMany)));
}

proptest! {
    #[test]
    fn random_fragmentations_give_back_the_datagrams(
        lens in vec(1..3000_usize, 1..8),
        cuts in vec(1..60_usize, 1..40),
        order in vec(any::<u32>(), 400),
        fates in vec(0..40_u8, 50),
    ) {
        let mut table = table();
        let payload = |id: usize| -> Vec<u8> { (0..lens[id]).map(|at| (at * 7 + at / 256 + id * 31) as u8).collect() };
        let payloads: Vec<Vec<u8>> = (0..lens.len()).map(payload).collect();
        let mut sent = Vec::new();
        let mut whole: Vec<bool> = vec![true; lens.len()];
        for (id, payload) in payloads.iter().enumerate() {
            let mut start = 0;
            for cut in cuts.iter().cycle() {
                let end = (start + cut * 8).min(payload.len());
                let more = end < payload.len();
                match fates[sent.len() % fates.len()] {
                    0 => whole[id] = false,
                    1 if more || start > 0 => sent.extend([(id, start, end, more); 2]),
                    _ => sent.push((id, start, end, more)),
                }
                start = end;
                if !more {
                    break;
                }
            }
        }
        let mut shuffled: Vec<(u32, (usize, usize, usize, bool))> =
            sent.iter().enumerate().map(|(index, &piece)| (order[index % order.len()], piece)).collect();
        shuffled.sort_by_key(|&(key, _)| key);
        let mut found = vec![0; lens.len()];
        for (_, (id, start, end, more)) in shuffled {
            let piece = fragment(id as u32, start as u16, more, &payloads[id][start..end]);
            if let Ok(payload) = push(&mut table, 0, &piece) {
                prop_assert_eq!(&payload, &payloads[id]);
                found[id] += 1;
            }
        }
        for (id, &count) in found.iter().enumerate() {
            prop_assert!(if whole[id] { count >= 1 } else { count == 0 }, "datagram {} came {} times", id, count);
        }
        table.finish();
        prop_assert_eq!((table.stats().pending, table.held_bytes()), (0, 0));
    }

    #[test]
    fn any_fragments_at_all_keep_the_account_and_the_bounds(
        fragments in vec((0..3_u32, 0..6_u16, any::<bool>(), vec(0..2_u8, 0..40), 0..10_usize, 0..9_i64), 1..80),
    ) {
        let config = FragmentConfig { max_datagrams: 2, max_bytes: 150, max_fragments: 4, ..FragmentConfig::default() };
        let mut table = FragmentTable::new(config);
        let mut now = 0;
        for (id, offset, more, payload, missing, step) in fragments {
            now += step;
            let missing = missing.saturating_sub(8);
            push(&mut table, now, &Fragment { missing, ..fragment(id, offset * 8, more, &payload) }).ok();
            prop_assert!(table.held_bytes() <= 150);
            prop_assert!(table.next_deadline().is_none_or(|deadline| deadline > at(now)));
        }
        table.finish();
        prop_assert_eq!((table.stats().pending, table.held_bytes()), (0, 0));
    }
}
