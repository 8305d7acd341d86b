//! Streams on virtual time: scenarios here and beside, random streams in `model`.

mod bounds;
mod ends;
mod holes;
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
