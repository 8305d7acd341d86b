//! Streams on virtual time: scenarios here, random streams in `model`.

mod model;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pdns_packet::frame::{Flow, TcpFlags, TcpSegment, VlanTags};
use pdns_packet::time::Timestamp;

use super::{StreamConfig, StreamStats, StreamTable};

const SYN: u8 = 2;
const ACK: u8 = 16;
const FIN: u8 = 17;
const RST: u8 = 4;

/// The sides of the connection.
const CLIENT: usize = 0;
const SERVER: usize = 1;

const MILLI: i64 = 1_000_000;

/// A table, a clock, one connection and what came out of it.
struct Harness {
    table: StreamTable,
    now: i64,
    flow: Flow,
    isn: [u32; 2],
    /// Sender, milliseconds and bytes of each message.
    found: Vec<(usize, i64, Vec<u8>)>,
}

impl Harness {
    fn new() -> Self {
        Self::with(StreamConfig::default())
    }

    fn with(config: StreamConfig) -> Self {
        Self { table: StreamTable::new(config), now: 0, flow: flow(40_000), isn: [1000, 70_000], found: Vec::new() }
    }

    /// A harness behind a handshake.
    fn open() -> Self {
        let mut harness = Self::new();
        harness.handshake();
        harness
    }

    fn handshake(&mut self) {
        self.raw(CLIENT, self.isn[CLIENT], 0, SYN, b"", 0);
        self.raw(SERVER, self.isn[SERVER], self.isn[CLIENT].wrapping_add(1), SYN | ACK, b"", 0);
        self.ack(CLIENT, 0);
    }

    fn at(&mut self, millis: i64) -> &mut Self {
        self.now = millis;
        self
    }

    /// Sends payload at an offset in the side's stream.
    fn data(&mut self, side: usize, offset: u32, bytes: &[u8]) -> &mut Self {
        self.raw(side, self.seq(side, offset), 0, 0, bytes, 0)
    }

    fn flags(&mut self, side: usize, offset: u32, flags: u8, bytes: &[u8]) -> &mut Self {
        self.raw(side, self.seq(side, offset), 0, flags, bytes, 0)
    }

    /// The side acknowledges the other's bytes before `offset`.
    fn ack(&mut self, side: usize, offset: u32) -> &mut Self {
        self.raw(side, self.seq(side, 0), self.seq(1 - side, offset), ACK, b"", 0)
    }

    fn seq(&self, side: usize, offset: u32) -> u32 {
        self.isn[side].wrapping_add(1).wrapping_add(offset)
    }

    fn raw(&mut self, side: usize, seq: u32, ack: u32, flags: u8, payload: &[u8], missing: usize) -> &mut Self {
        let Flow { src, dst, src_port, dst_port, vlan } = self.flow;
        let flow = match side {
            CLIENT => self.flow,
            _ => Flow { src: dst, dst: src, src_port: dst_port, dst_port: src_port, vlan },
        };
        let segment = TcpSegment { seq, ack, flags: TcpFlags(flags), payload, missing };
        let (time, found) = (Timestamp::from_nanos(self.now * MILLI), &mut self.found);
        self.table.push(time, time, &flow, &segment, &mut |message| {
            found.push((
                usize::from(message.flow.src_port == 53),
                message.time.nanos() / MILLI,
                message.bytes.to_vec(),
            ));
        });
        assert!(self.stats().balances(), "{:?}", self.stats());
        self
    }

    fn expire(&mut self, millis: i64) -> &mut Self {
        self.now = millis;
        let (time, found) = (Timestamp::from_nanos(millis * MILLI), &mut self.found);
        self.table.expire(time, &mut |message| {
            found.push((
                usize::from(message.flow.src_port == 53),
                message.time.nanos() / MILLI,
                message.bytes.to_vec(),
            ));
        });
        self
    }

    fn finish(&mut self) -> &mut Self {
        let found = &mut self.found;
        self.table.finish(&mut |message| {
            found.push((
                usize::from(message.flow.src_port == 53),
                message.time.nanos() / MILLI,
                message.bytes.to_vec(),
            ));
        });
        assert!(self.stats().balances(), "{:?}", self.stats());
        assert_eq!((self.stats().bytes_pending, self.table.held_bytes(), self.table.len()), (0, 0, 0));
        assert_eq!(self.table.next_deadline(), None);
        let stats = self.stats();
        let ended = stats.streams_closed + stats.streams_unfinished + stats.streams_evicted;
        assert_eq!(stats.streams_opened + stats.streams_joined, ended);
        self
    }

    fn stats(&self) -> StreamStats {
        *self.table.stats()
    }

    fn deadline(&self) -> Option<i64> {
        self.table.next_deadline().map(|at| at.nanos() / MILLI)
    }

    /// Sender, time and id of the messages found.
    fn ids(&self) -> Vec<(usize, i64, u8)> {
        self.found.iter().map(|(side, at, bytes)| (*side, *at, bytes[1])).collect()
    }

    /// Ids of the messages found.
    fn order(&self) -> Vec<u8> {
        self.found.iter().map(|(_, _, bytes)| bytes[1]).collect()
    }
}

fn flow(port: u16) -> Flow {
    let [src, dst] = [1, 2].map(|last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)));
    Flow { src, dst, src_port: port, dst_port: 53, vlan: VlanTags::NONE }
}

/// A message with its prefix, `len` bytes long without it; the filling cannot be taken for a message.
fn message(side: usize, id: u8, len: usize) -> Vec<u8> {
    let flags = [0x01, 0x81][side];
    let mut bytes = (len as u16).to_be_bytes().to_vec();
    bytes.extend_from_slice(&[0xee, id, flags, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'a', 0, 0, 1, 0, 1]);
    assert!(len + 2 >= bytes.len());
    bytes.resize(len + 2, 0xff);
    bytes
}

fn query(id: u8) -> Vec<u8> {
    message(CLIENT, id, 30)
}

/// Queries 1 to `count`, of 32 bytes each.
fn queries(count: u8) -> Vec<u8> {
    (1..=count).flat_map(query).collect()
}

#[test]
fn a_connection_from_start_to_end() {
    let mut harness = Harness::open();
    harness.at(5).data(CLIENT, 0, &query(1));
    harness.at(9).data(SERVER, 0, &message(SERVER, 2, 100)).ack(CLIENT, 102);
    harness.at(10).flags(CLIENT, 32, FIN, b"").flags(SERVER, 102, FIN, b"").ack(CLIENT, 103);
    assert_eq!(harness.ids(), [(CLIENT, 5, 1), (SERVER, 9, 2)]);
    assert_eq!(harness.found[0].2, query(1)[2..]);
    assert_eq!((harness.table.len(), harness.deadline()), (1, Some(10_010)));
    // A late repetition is not the middle of a new stream.
    harness.at(500).data(CLIENT, 0, &query(1));
    harness.expire(10_009);
    assert_eq!(harness.table.len(), 1);
    harness.expire(10_010);
    assert_eq!((harness.table.len(), harness.found.len()), (0, 2));
    let stats = harness.finish().stats();
    assert_eq!((stats.streams_opened, stats.streams_closed, stats.streams_joined), (1, 1, 0));
    assert_eq!((stats.bytes_delivered, stats.bytes_duplicate), (134, 32));
}

#[test]
fn several_messages_in_a_segment_and_several_segments_a_message() {
    let mut harness = Harness::open();
    harness.at(1).data(CLIENT, 0, &queries(3));
    let rest = query(4);
    for (at, byte) in rest.iter().enumerate() {
        harness.at(2 + at as i64).data(CLIENT, 96 + at as u32, &[*byte]);
    }
    assert_eq!(harness.ids(), [(CLIENT, 1, 1), (CLIENT, 1, 2), (CLIENT, 1, 3), (CLIENT, 33, 4)]);
    assert_eq!(harness.table.held_bytes(), 0);
}

#[test]
fn segments_out_of_order_bear_the_time_of_the_one_that_was_missing() {
    let bytes = queries(3);
    let mut harness = Harness::open();
    harness.at(1).data(CLIENT, 40, &bytes[40..96]);
    harness.at(2).data(CLIENT, 20, &bytes[20..40]);
    harness.at(3).data(CLIENT, 0, &bytes[..20]);
    assert_eq!(harness.ids(), [(CLIENT, 3, 1), (CLIENT, 3, 2), (CLIENT, 3, 3)]);
    assert_eq!(harness.stats().gaps, 0);
}

#[test]
fn of_overlapping_segments_the_first_copy_counts() {
    let bytes = queries(2);
    let mut other = bytes.clone();
    other[45] ^= 1;
    let mut harness = Harness::open();
    harness.data(CLIENT, 40, &bytes[40..50]).data(CLIENT, 30, &other[30..60]);
    assert_eq!((harness.stats().conflicts, harness.stats().bytes_duplicate), (1, 10));
    harness.data(CLIENT, 0, &bytes[..40]).data(CLIENT, 50, &bytes[50..]);
    assert_eq!(harness.order(), [1, 2]);
    assert_eq!(harness.found[1].2, bytes[34..]);
    assert_eq!(harness.stats().conflicts, 1);
}

#[test]
fn sequence_numbers_wrap() {
    let bytes = queries(4);
    let mut harness = Harness::new();
    harness.isn = [u32::MAX - 50, u32::MAX];
    harness.handshake();
    harness.data(CLIENT, 70, &bytes[70..]).data(CLIENT, 0, &bytes[..40]).data(CLIENT, 40, &bytes[40..70]);
    harness.data(SERVER, 0, &message(SERVER, 5, 40));
    assert_eq!(harness.order(), [1, 2, 3, 4, 5]);
    assert_eq!(harness.stats().streams_joined, 0);
}

#[test]
fn data_in_the_syn() {
    let mut harness = Harness::new();
    harness.raw(CLIENT, 1000, 0, SYN, &query(1), 0);
    harness.raw(SERVER, 70_000, 1033, SYN | ACK, &message(SERVER, 2, 40), 0);
    harness.data(CLIENT, 32, &query(3));
    assert_eq!(harness.order(), [1, 2, 3]);
}

#[test]
fn keep_alive_and_zero_window_probes_change_nothing() {
    let mut harness = Harness::open();
    harness.data(CLIENT, 0, &query(1)).data(CLIENT, 31, &[0]);
    harness.data(CLIENT, 31, b"");
    // A zero-window probe is the next byte alone, sent again with the rest.
    let second = query(2);
    harness.data(CLIENT, 32, &second[..1]).data(CLIENT, 32, &second);
    assert_eq!(harness.order(), [1, 2]);
    assert_eq!(harness.stats().bytes_duplicate, 2);
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
fn messages_without_room_for_a_header_are_passed_over() {
    let bytes = [b"\0\x03abc\0\0".to_vec(), query(1), b"\0\x0bhello worl\x0a".to_vec(), query(2)].concat();
    let mut harness = Harness::open();
    harness.data(CLIENT, 0, &bytes);
    let mut slow = Harness::open();
    for (at, byte) in bytes.iter().enumerate() {
        slow.data(CLIENT, at as u32, &[*byte]);
    }
    for stats in [harness.stats(), slow.stats()] {
        assert_eq!((stats.messages_short, stats.bytes_skipped, stats.messages), (3, 20, 2));
    }
}

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
fn another_connection_ends_the_message_of_the_last_one() {
    let mut harness = Harness::open();
    harness.data(CLIENT, 0, &query(1)[..20]).data(CLIENT, 3 << 30, &query(2));
    assert_eq!((harness.order(), harness.stats().messages_incomplete), (vec![2], 1));
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

#[test]
fn a_second_answer_to_the_syn_replaces_the_first() {
    let mut harness = Harness::open();
    harness.data(CLIENT, 0, &query(1)[..20]);
    harness.isn[SERVER] = 80_000;
    harness.raw(SERVER, 80_000, 1001, SYN | ACK, b"", 0);
    harness.data(CLIENT, 20, &query(1)[20..]).data(SERVER, 0, &message(SERVER, 2, 40));
    assert_eq!(harness.order(), [1, 2]);
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
