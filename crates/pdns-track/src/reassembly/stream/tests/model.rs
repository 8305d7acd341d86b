//! Random streams against what was put into them.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A segment on its way: where it starts and ends, how far it is delayed, and what happens to it.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: usize,
    end: usize,
    delay: usize,
    copies: usize,
    dropped: bool,
    cut: usize,
}

/// Cuts `total` bytes into pieces which may reach back and forward into their neighbours, and delays some.
fn pieces(total: usize, seeds: &[(usize, usize, usize, usize, usize)]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    for &(len, back, forth, delay, fate) in seeds.iter().cycle() {
        if at >= total {
            break;
        }
        let end = (at + len).min(total);
        let copies = 1 + usize::from(fate % 7 == 0);
        let start = at.saturating_sub(if fate % 3 == 0 { back } else { 0 });
        let reach = if fate % 5 == 0 { (end + forth).min(total) } else { end };
        pieces.push(Piece { start, end: reach, delay, copies, dropped: fate % 11 == 3, cut: back });
        at = end;
    }
    let mut order: Vec<(usize, Piece)> =
        pieces.into_iter().enumerate().map(|(index, piece)| (index + piece.delay, piece)).collect();
    order.sort_by_key(|&(index, _)| index);
    order.into_iter().flat_map(|(_, piece)| std::iter::repeat_n(piece, piece.copies)).collect()
}

fn stream(lens: &[usize]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let messages: Vec<Vec<u8>> =
        lens.iter().enumerate().map(|(index, &len)| message(CLIENT, index as u8, len)).collect();
    (messages.concat(), messages.iter().map(|message| message[2..].to_vec()).collect())
}

fn is_subsequence(found: &[Vec<u8>], sent: &[Vec<u8>]) -> bool {
    let mut sent = sent.iter();
    found.iter().all(|message| sent.any(|other| other == message))
}

fn bytes_of(harness: &Harness) -> Vec<Vec<u8>> {
    harness.found.iter().map(|(_, _, bytes)| bytes.clone()).collect()
}

fn seeds() -> impl Strategy<Value = Vec<(usize, usize, usize, usize, usize)>> {
    vec((1..400_usize, 0..60_usize, 0..60_usize, 0..4_usize, 0..1000_usize), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_way_the_segments_come_the_messages_are_the_same(
        lens in vec(19..900_usize, 1..20), seeds in seeds(), isn: u32, near_wrap: bool,
    ) {
        let (bytes, sent) = stream(&lens);
        let mut harness = Harness::new();
        harness.isn[CLIENT] = if near_wrap { (bytes.len() as u32 / 2).wrapping_neg() } else { isn };
        harness.handshake();
        for (index, piece) in pieces(bytes.len(), &seeds).into_iter().enumerate() {
            harness.at(index as i64).data(CLIENT, piece.start as u32, &bytes[piece.start..piece.end]);
        }
        prop_assert_eq!(bytes_of(&harness), sent);
        harness.finish();
        let stats = harness.stats();
        prop_assert_eq!((stats.gaps, stats.conflicts, stats.bytes_delivered), (0, 0, bytes.len() as u64));
    }

    #[test]
    fn with_segments_dropped_and_cut_no_wrong_message_appears(
        lens in vec(19..900_usize, 1..20), seeds in seeds(), syn: bool, cut: bool, acks: bool, step in 1..300_i64,
    ) {
        let (bytes, sent) = stream(&lens);
        let mut harness = Harness::new();
        if syn {
            harness.handshake();
        }
        for (index, piece) in pieces(bytes.len(), &seeds).into_iter().enumerate() {
            let missing = if cut { piece.cut.min(piece.end - piece.start) } else { 0 };
            let payload = &bytes[piece.start..piece.end - missing];
            harness.at(index as i64 * step);
            if !piece.dropped {
                harness.raw(CLIENT, harness.seq(CLIENT, piece.start as u32), 0, 0, payload, missing);
            }
            if acks {
                harness.ack(SERVER, piece.end as u32);
            }
        }
        harness.finish();
        prop_assert!(is_subsequence(&bytes_of(&harness), &sent));
    }

    #[test]
    fn a_stream_joined_anywhere_gives_all_messages_from_there_on(
        lens in vec(19..900_usize, 1..20), seeds in seeds(), from in 0..9000_usize,
    ) {
        let (bytes, sent) = stream(&lens);
        let from = from % bytes.len();
        let mut start = 0;
        let later: Vec<Vec<u8>> = sent.into_iter().filter(|message| {
            start += message.len() + 2;
            start - message.len() - 2 >= from
        }).collect();
        let mut harness = Harness::new();
        let mut in_order = pieces(bytes.len() - from, &seeds);
        in_order.sort_by_key(|piece| piece.start);
        for piece in in_order {
            harness.data(CLIENT, (from + piece.start) as u32, &bytes[from + piece.start..from + piece.end]);
        }
        harness.finish();
        prop_assert_eq!(bytes_of(&harness), later);
    }

    #[test]
    fn it_does_not_matter_who_calls_for_the_timers(
        lens in vec(19..900_usize, 1..20), seeds in seeds(), step in 1..3000_i64, acks: bool,
    ) {
        let (bytes, _) = stream(&lens);
        let run = |eager: bool| {
            let mut harness = Harness::open();
            for (index, piece) in pieces(bytes.len(), &seeds).into_iter().enumerate() {
                let now = index as i64 * step;
                while eager && let Some(deadline) = harness.deadline().filter(|&deadline| deadline <= now) {
                    harness.expire(deadline);
                }
                harness.at(now);
                if !piece.dropped {
                    harness.data(CLIENT, piece.start as u32, &bytes[piece.start..piece.end]);
                }
                if acks {
                    harness.ack(SERVER, piece.end as u32);
                }
            }
            harness.finish();
            (harness.ids(), harness.stats())
        };
        prop_assert_eq!(run(true), run(false));
    }

    #[test]
    fn any_segments_at_all_keep_the_account_and_the_bounds(
        segments in vec((0..2_usize, 0..3_u16, any::<u32>(), 0..300_u32, any::<u8>(), vec(0..4_u8, 0..80), 0..3_usize, 0..2000_i64), 1..120),
    ) {
        let config = StreamConfig { max_streams: 2, max_bytes: 4000, max_ahead: 200, ..StreamConfig::default() };
        let mut harness = Harness::with(config);
        for (side, port, far, near, flags, payload, missing, step) in segments {
            harness.flow = flow(port);
            harness.now += step;
            let seq = if far % 8 == 0 { far } else { near };
            harness.raw(side, seq, near, flags, &payload, missing);
            prop_assert!(harness.table.len() <= 2 && harness.table.held_bytes() <= 4000);
            prop_assert!(harness.deadline().is_none_or(|deadline| deadline >= harness.now));
        }
        harness.finish();
    }
}
