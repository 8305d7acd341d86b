//! Bytes that were not captured, or come late.

use super::*;

#[test]
fn an_acknowledged_hole_is_given_up_after_the_reorder_wait() {
    let bytes = queries(4);
    let mut harness = Harness::open();
    harness.at(10).data(CLIENT, 0, &bytes[..32]);
    harness.at(20).data(CLIENT, 64, &bytes[64..96]);
    harness.at(30).ack(SERVER, 96);
    harness.at(50).ack(SERVER, 96).data(CLIENT, 96, &bytes[96..]);
    assert_eq!(harness.deadline(), Some(130));
    harness.expire(129);
    assert_eq!(harness.order(), [1]);
    harness.expire(130);
    assert_eq!(harness.ids(), [(CLIENT, 10, 1), (CLIENT, 20, 3), (CLIENT, 50, 4)]);
    let stats = harness.stats();
    assert_eq!((stats.gaps, stats.bytes_lost, stats.resyncs, stats.messages_lost), (1, 32, 1, 0));
}

#[test]
fn an_acknowledgment_may_come_before_the_data() {
    let bytes = queries(2);
    let mut harness = Harness::open();
    harness.at(10).ack(SERVER, 64);
    harness.at(20).data(CLIENT, 32, &bytes[32..]);
    assert_eq!(harness.deadline(), Some(110));
    harness.at(30).data(CLIENT, 0, &bytes[..32]);
    assert_eq!((harness.order(), harness.stats().gaps), (vec![1, 2], 0));
}

#[test]
fn an_unacknowledged_hole_is_given_up_in_the_end() {
    let bytes = queries(3);
    let mut harness = Harness::open();
    harness.at(10).ack(SERVER, 16).data(CLIENT, 32, &bytes[32..64]);
    harness.at(900).data(CLIENT, 64, &bytes[64..]);
    assert_eq!(harness.deadline(), Some(5010));
    // The next packet, whenever it comes, finds the hole given up at its own time.
    harness.at(9000).data(CLIENT, 0, &bytes[..32]);
    assert_eq!(harness.ids(), [(CLIENT, 10, 2), (CLIENT, 900, 3)]);
    assert_eq!(harness.stats().bytes_duplicate, 32);
}

#[test]
fn a_second_hole_has_its_own_time() {
    let bytes = queries(5);
    let mut harness = Harness::open();
    harness.at(0).data(CLIENT, 32, &bytes[32..64]);
    harness.at(1000).data(CLIENT, 128, &bytes[128..]);
    harness.at(2000).data(CLIENT, 0, &bytes[..32]);
    assert_eq!((harness.order(), harness.deadline()), (vec![1, 2], Some(6000)));
}

#[test]
fn a_hole_inside_a_message_loses_that_message_only() {
    let bytes = [message(CLIENT, 1, 300), query(2)].concat();
    let mut harness = Harness::open();
    harness.data(CLIENT, 0, &bytes[..100]).data(CLIENT, 200, &bytes[200..]);
    harness.finish();
    let stats = harness.stats();
    assert_eq!(harness.order(), [2]);
    assert_eq!((stats.messages_lost, stats.resyncs, stats.bytes_incomplete), (1, 0, 202));
}

#[test]
fn a_hole_that_ends_with_its_message_keeps_the_framing() {
    // What follows is not credible, so only known framing can deliver it.
    let odd = [[0, 14].as_slice(), &[0xff; 14]].concat();
    let bytes = [query(1), odd].concat();
    let mut harness = Harness::open();
    harness.data(CLIENT, 0, &bytes[..10]).data(CLIENT, 32, &bytes[32..]);
    harness.finish();
    assert_eq!((harness.order(), harness.stats().resyncs), (vec![0xff], 0));
}

#[test]
fn a_hole_over_a_message_start_needs_a_search() {
    let bytes = queries(5);
    let mut harness = Harness::open();
    harness.data(CLIENT, 0, &bytes[..40]).data(CLIENT, 80, &bytes[80..]);
    harness.finish();
    let stats = harness.stats();
    assert_eq!((harness.order(), stats.resyncs, stats.messages_lost), (vec![1, 4, 5], 1, 1));
    assert_eq!((stats.bytes_incomplete, stats.bytes_skipped, stats.bytes_lost), (8, 16, 40));
}

#[test]
fn a_segment_cut_by_the_capture_leaves_a_hole_that_nobody_waits_for() {
    let bytes = [message(CLIENT, 1, 300), query(2)].concat();
    let mut harness = Harness::open();
    let seq = harness.seq(CLIENT, 0);
    harness.raw(CLIENT, seq, 0, 0, &bytes[..60], 200).data(CLIENT, 260, &bytes[260..]);
    assert_eq!((harness.order(), harness.stats().bytes_lost, harness.stats().gaps), (vec![2], 200, 1));
}

#[test]
fn a_cut_segment_out_of_order() {
    let bytes = [query(1), message(CLIENT, 2, 300), query(3)].concat();
    let mut harness = Harness::open();
    let seq = harness.seq(CLIENT, 32);
    harness.raw(CLIENT, seq, 0, 0, &bytes[32..92], 200).data(CLIENT, 292, &bytes[292..]);
    harness.data(CLIENT, 0, &bytes[..32]);
    assert_eq!((harness.order(), harness.stats().bytes_lost, harness.stats().messages_lost), (vec![1, 3], 200, 1));
}

#[test]
fn too_much_behind_a_hole_gives_it_up() {
    let config = StreamConfig { max_ahead: 100, ..StreamConfig::default() };
    let bytes = queries(5);
    let mut harness = Harness::with(config);
    harness.handshake();
    harness.data(CLIENT, 32, &bytes[32..128]);
    assert!(harness.found.is_empty());
    harness.data(CLIENT, 128, &bytes[128..]);
    assert_eq!(harness.order(), [2, 3, 4, 5]);
    // Many small pieces are too much, too.
    let mut harness = Harness::open();
    for at in 0..300 {
        harness.data(CLIENT, 1000 + 2 * at, b"\xff");
    }
    assert!(harness.table.held_bytes() < 300 * 64, "{}", harness.table.held_bytes());
    assert!(harness.stats().gaps >= 43);
}

#[test]
fn what_waits_behind_a_second_hole_keeps_its_age() {
    let bytes = queries(5);
    let mut harness = Harness::open();
    harness.at(0).data(CLIENT, 96, &bytes[96..128]);
    harness.at(500).data(CLIENT, 32, &bytes[32..64]);
    harness.at(1000).data(CLIENT, 128, &bytes[128..]);
    harness.at(2000).data(CLIENT, 0, &bytes[..32]);
    assert_eq!(harness.deadline(), Some(5000));
}

#[test]
fn an_acknowledgment_goes_for_its_own_hole_only() {
    let bytes = queries(4);
    let mut harness = Harness::open();
    harness.at(0).data(CLIENT, 32, &bytes[32..64]).data(CLIENT, 96, &bytes[96..]);
    harness.at(10).ack(SERVER, 64);
    assert_eq!(harness.deadline(), Some(110));
    harness.at(20).data(CLIENT, 0, &bytes[..32]);
    assert_eq!(harness.deadline(), Some(5000));
}

#[test]
fn a_hole_in_a_message_without_header() {
    let bytes = [b"\0\x0bhello world".to_vec(), query(1)].concat();
    let mut harness = Harness::open();
    harness.data(CLIENT, 0, &bytes[..5]).data(CLIENT, 9, &bytes[9..]);
    let stats = harness.finish().stats();
    assert_eq!((harness.order(), stats.bytes_skipped, stats.bytes_incomplete), (vec![1], 9, 0));
    assert_eq!((stats.messages_short, stats.messages_lost), (1, 0));
}

#[test]
fn a_hole_ends_the_doubt_about_what_came_before_it() {
    // A header whose first label reaches beyond the bytes there are, over a whole query.
    let doubtful = [b"\xff\0\0\x01\x01\0\0\x01\0\0\0\0\0\0\x3f".to_vec(), query(1)].concat();
    let mut harness = Harness::new();
    harness.at(1).data(CLIENT, 0, &doubtful);
    assert_eq!(harness.stats().bytes_pending, doubtful.len() as u64);
    harness.at(2).data(CLIENT, 100, &query(2)).finish();
    assert_eq!(harness.ids(), [(CLIENT, 1, 1), (CLIENT, 2, 2)]);
}

#[test]
fn a_cut_segment_sent_again_loses_nothing_more() {
    let bytes = [message(CLIENT, 1, 300), query(2)].concat();
    let mut harness = Harness::open();
    let seq = harness.seq(CLIENT, 0);
    for _ in 0..3 {
        harness.raw(CLIENT, seq, 0, 0, &bytes[..60], 200);
    }
    harness.data(CLIENT, 260, &bytes[260..]);
    assert_eq!((harness.order(), harness.stats().bytes_lost, harness.stats().gaps), (vec![2], 200, 1));
}

#[test]
fn a_stream_closes_at_the_deadline_of_its_hole_whoever_looks() {
    let mut harness = Harness::open();
    harness.at(1).data(CLIENT, 32, &query(2));
    harness.at(2).flags(SERVER, 0, RST, b"");
    harness.expire(5000);
    assert_eq!((harness.order(), harness.deadline()), (vec![2], Some(10_102)));
}
