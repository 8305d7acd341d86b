//! Silent streams and full tables.

use super::*;

#[test]
fn packets_that_carry_nothing_make_no_stream() {
    let mut harness = Harness::new();
    harness.ack(CLIENT, 0).flags(CLIENT, 0, FIN, b"").flags(CLIENT, 0, RST, b"reason");
    assert_eq!((harness.table.len(), harness.stats().bytes_outside), (0, 6));
    assert_eq!((harness.stats().segments_empty, harness.stats().segments_data), (2, 1));
}

#[test]
fn silent_streams_are_forgotten_at_their_time() {
    let mut harness = Harness::open();
    harness.at(1000).data(CLIENT, 0, &query(1)[..20]);
    assert_eq!(harness.deadline(), Some(121_000));
    harness.expire(120_999);
    assert_eq!(harness.table.len(), 1);
    harness.expire(121_000);
    assert_eq!((harness.table.len(), harness.stats().messages_incomplete), (0, 1));
    assert_eq!(harness.stats().streams_unfinished, 1);
}

#[test]
fn a_full_table_evicts_closed_then_unused_then_idle_streams() {
    let mut harness = Harness::with(StreamConfig { max_streams: 3, ..StreamConfig::default() });
    let open = |harness: &mut Harness, port: u16| {
        harness.flow = flow(port);
        harness.flags(CLIENT, u32::MAX, SYN, b"");
    };
    open(&mut harness, 1);
    harness.data(CLIENT, 32, &query(2));
    open(&mut harness, 2);
    open(&mut harness, 3);
    harness.raw(SERVER, 0, 0, RST, b"", 0);
    open(&mut harness, 4);
    assert_eq!((harness.stats().streams_closed, harness.stats().streams_evicted), (1, 0));
    open(&mut harness, 5);
    assert_eq!((harness.stats().streams_evicted, harness.found.len()), (1, 0));
    harness.data(CLIENT, 0, &query(5)).at(1);
    harness.flow = flow(4);
    harness.data(CLIENT, 0, &query(6));
    open(&mut harness, 6);
    assert_eq!((harness.order(), harness.stats().streams_evicted), (vec![5, 6], 2));
    harness.finish();
    assert_eq!(harness.order(), [5, 6, 2]);
}

#[test]
fn too_many_bytes_evict_the_stream_that_was_silent_longest() {
    let mut harness = Harness::with(StreamConfig { max_bytes: 1000, ..StreamConfig::default() });
    for port in 1..=4 {
        harness.flow = flow(port);
        harness.handshake();
        harness.data(CLIENT, 0, &message(CLIENT, port as u8, 600)[..300]);
        assert!(harness.table.held_bytes() <= 1000);
    }
    assert_eq!((harness.stats().streams_evicted, harness.stats().messages_incomplete), (1, 1));
    harness.flow = flow(2);
    harness.data(CLIENT, 300, &message(CLIENT, 2, 600)[300..]);
    assert_eq!(harness.order(), [2]);
}

#[test]
fn what_was_read_no_longer_counts_against_the_bound() {
    let mut harness = Harness::with(StreamConfig { max_ahead: 100, ..StreamConfig::default() });
    harness.handshake();
    let bytes = queries(40);
    for at in (0..bytes.len()).step_by(64) {
        let [first, second] = [at, at + 32].map(|at| (at as u32, &bytes[at..at + 32]));
        harness.data(CLIENT, second.0, second.1).data(CLIENT, first.0, first.1);
    }
    assert_eq!((harness.found.len(), harness.stats().gaps), (40, 0));
}
