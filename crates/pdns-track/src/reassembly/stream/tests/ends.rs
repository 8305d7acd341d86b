//! How streams begin and end, and which of two connections a segment belongs to.

use super::*;

#[test]
fn data_in_the_syn() {
    let mut harness = Harness::new();
    harness.raw(CLIENT, 1000, 0, SYN, &query(1), 0);
    harness.raw(SERVER, 70_000, 1033, SYN | ACK, &message(SERVER, 2, 40), 0);
    harness.data(CLIENT, 32, &query(3));
    assert_eq!(harness.order(), [1, 2, 3]);
}

#[test]
fn fin_with_data_and_data_after_it() {
    let mut harness = Harness::open();
    harness.flags(CLIENT, 0, FIN, &query(1));
    harness.data(CLIENT, 32, &query(2));
    assert_eq!((harness.order(), harness.stats().bytes_outside), (vec![1], 32));
}

#[test]
fn fin_before_the_data() {
    let mut harness = Harness::open();
    harness.flags(CLIENT, 64, FIN, b"").flags(SERVER, 0, FIN, b"");
    harness.data(CLIENT, 32, &query(2)).data(CLIENT, 0, &query(1));
    assert_eq!(harness.order(), [1, 2]);
    assert_eq!(harness.finish().stats().gaps, 0);
}

#[test]
fn reset_waits_for_reordered_packets_only() {
    let mut harness = Harness::open();
    harness.at(1).data(CLIENT, 32, &query(2));
    harness.at(2).flags(SERVER, 0, RST, b"");
    assert_eq!(harness.deadline(), Some(102));
    harness.at(3).data(CLIENT, 0, &query(1));
    assert_eq!(harness.order(), [1, 2]);
    assert_eq!((harness.stats().streams_closed, harness.deadline()), (1, Some(10_003)));
}

#[test]
fn a_reset_from_elsewhere_is_ignored() {
    let mut harness = Harness::open();
    harness.raw(SERVER, harness.seq(SERVER, 1 << 31), 0, RST, b"", 0);
    assert_eq!(harness.stats().streams_closed, 0);
}

#[test]
fn a_new_connection_on_the_same_ports() {
    let mut harness = Harness::open();
    harness.data(CLIENT, 0, &query(1)).data(CLIENT, 32, &query(2)[..10]);
    harness.raw(CLIENT, 1000, 0, SYN, b"", 0);
    assert_eq!(harness.stats().streams_opened, 1, "a repeated SYN");
    harness.isn = [500_000, 900_000];
    harness.handshake();
    harness.data(CLIENT, 0, &query(3)).data(SERVER, 0, &message(SERVER, 4, 30));
    assert_eq!(harness.order(), [1, 3, 4]);
    let stats = harness.finish().stats();
    assert_eq!((stats.streams_opened, stats.messages_incomplete, stats.bytes_incomplete), (2, 1, 10));
}

#[test]
fn the_answer_to_a_syn_tells_where_the_client_starts() {
    let mut harness = Harness::new();
    harness.raw(SERVER, 70_000, 1001, SYN | ACK, b"", 0);
    // Not credible, so only known framing can deliver it.
    let odd = [[0, 14].as_slice(), &[0xff; 14]].concat();
    harness.data(CLIENT, 0, &odd);
    assert_eq!((harness.found.len(), harness.stats().streams_opened), (1, 1));
}

#[test]
fn a_late_syn_belongs_to_the_stream_that_runs() {
    let mut harness = Harness::new();
    harness.data(CLIENT, 0, &query(1));
    harness.raw(CLIENT, 1000, 0, SYN, b"", 0);
    harness.data(CLIENT, 32, &query(2));
    assert_eq!(harness.order(), [1, 2]);
    assert_eq!((harness.stats().streams_joined, harness.stats().streams_opened), (1, 0));
}

#[test]
fn joined_at_a_message_and_inside_one() {
    let bytes = queries(4);
    let mut harness = Harness::new();
    harness.data(CLIENT, 32, &bytes[32..64]);
    assert_eq!((harness.order(), harness.stats().bytes_skipped), (vec![2], 0));
    let mut harness = Harness::new();
    harness.data(CLIENT, 10, &bytes[10..36]).data(CLIENT, 36, &bytes[36..70]).data(CLIENT, 70, &bytes[70..]);
    assert_eq!((harness.order(), harness.stats().bytes_skipped), (vec![2, 3, 4], 22));
    assert_eq!((harness.stats().streams_joined, harness.stats().resyncs), (1, 1));
}

#[test]
fn joined_in_what_is_no_dns() {
    let mut harness = Harness::new();
    harness.data(CLIENT, 0, &[b'x'; 3000]).data(CLIENT, 3000, &[0; 3000]).data(CLIENT, 6000, &query(1));
    assert_eq!(harness.order(), [1]);
    assert_eq!(harness.finish().stats().bytes_skipped, 6000);
}

#[test]
fn a_found_message_start_must_be_followed_by_another() {
    let mut harness = Harness::new();
    harness.data(CLIENT, 0, &query(1)).data(CLIENT, 32, b"\0\x0c this is no message").data(CLIENT, 53, &query(2));
    assert_eq!((harness.order(), harness.stats().resyncs), (vec![1, 2], 2));
    assert_eq!(harness.stats().bytes_skipped, 21);
}

#[test]
fn vlan_ids_separate_streams_unless_ignored() {
    for (ignore_vlan, expected) in [(false, 2), (true, 1)] {
        let mut harness = Harness::with(StreamConfig { ignore_vlan, ..StreamConfig::default() });
        harness.handshake();
        harness.data(CLIENT, 0, &query(1)[..20]);
        harness.flow.vlan = VlanTags::NONE.push(7).unwrap();
        harness.data(CLIENT, 20, &query(1)[20..]);
        assert_eq!((harness.table.len(), harness.found.len()), (expected, 2 - expected));
    }
}

#[test]
fn addresses_of_both_versions_do_not_mix() {
    let mut harness = Harness::open();
    harness.flow.src = IpAddr::V6(Ipv6Addr::from_bits(0xc000_0201));
    harness.flow.dst = IpAddr::V6(Ipv6Addr::from_bits(0xc000_0202));
    harness.data(CLIENT, 0, &query(1));
    assert_eq!(harness.table.len(), 2);
}

#[test]
fn another_connection_whose_syn_was_not_captured() {
    let mut harness = Harness::open();
    harness.data(CLIENT, 0, &query(1)).flags(CLIENT, 32, FIN, b"").flags(SERVER, 0, FIN, b"");
    harness.data(CLIENT, 3 << 30, &query(2)).data(CLIENT, (3 << 30) + 32, &query(3));
    assert_eq!(harness.order(), [1, 2, 3]);
    assert_eq!((harness.stats().streams_joined, harness.stats().streams_closed), (1, 1));
    harness.finish();
}

#[test]
fn another_connection_ends_the_message_of_the_last_one() {
    let mut harness = Harness::open();
    harness.data(CLIENT, 0, &query(1)[..20]).data(CLIENT, 3 << 30, &query(2));
    assert_eq!((harness.order(), harness.stats().messages_incomplete), (vec![2], 1));
}

#[test]
fn a_second_answer_to_the_syn_replaces_the_first() {
    let mut harness = Harness::open();
    harness.data(CLIENT, 0, &query(1)[..20]);
    harness.isn[SERVER] = 80_000;
    harness.raw(SERVER, 80_000, 1001, SYN | ACK, b"", 0);
    harness.data(CLIENT, 20, &query(1)[20..]).data(SERVER, 0, &message(SERVER, 2, 40));
    assert_eq!(harness.order(), [1, 2]);
}
