//! TCP streams.

use pdns_fuzz::{Input, Target, heap};
use pdns_packet::frame::{Flow, TcpFlags, TcpSegment, VlanTags};
use pdns_packet::time::Timestamp;
use pdns_track::reassembly::{StreamConfig, StreamTable};

/// Segments in any order: the messages found are some of those sent, in their order, and the bytes add up.
pub const STREAM: Target = Target { name: "stream", check, seeds, mutations: 50_000 };

const SYN: u8 = 2;
const FIN: u8 = 1;
const RST: u8 = 4;
const ACK: u8 = 16;

const MILLI: i64 = 1_000_000;

fn check(input: &[u8]) {
    let mut input = Input::new(input);
    match input.below(2) {
        0 => known_messages(&mut input),
        _ => any_segments(&mut input),
    }
}

/// Messages whose stream is cut into segments that overlap, come twice, late or never: none is found that was not sent.
fn known_messages(input: &mut Input<'_>) {
    let joined = input.byte() & 1 == 1;
    let isn = u32::from_be_bytes([input.byte(), input.byte(), 0xff, 0]);
    let count = 1 + input.below(12);
    let sent: Vec<Vec<u8>> =
        (0..count).map(|index| message(index as u16, SHORTEST + usize::from(input.word()) % 700)).collect();
    let bytes: Vec<u8> =
        sent.iter().flat_map(|message| [&(message.len() as u16).to_be_bytes(), &message[..]].concat()).collect();
    let mut table = Table::new(StreamConfig::default());
    if !joined {
        table.push(false, isn.wrapping_sub(1), 0, SYN, &[], 0);
    }
    let mut at = 0;
    let mut complete = !joined;
    while at < bytes.len() {
        // Where the segment begins and ends, seen from where the last one ended; after its bytes no more are made up.
        let (back, len, fate) = (usize::from(input.byte()), 1 + usize::from(input.word()) % 1500, input.byte());
        let start = at.saturating_sub(if fate & 1 == 0 { 0 } else { back });
        let end = (start + len).max(at + 1).min(bytes.len());
        at = end;
        // A time shorter than any after which a stream is forgotten.
        table.now += i64::from(fate >> 3) * MILLI;
        if fate & 6 == 6 {
            complete = false;
        } else {
            table.push(false, isn.wrapping_add(start as u32), 0, ACK, &bytes[start..end], 0);
        }
        if fate & 4 == 4 {
            table.push(true, 0, isn.wrapping_add(end as u32), ACK, &[], 0);
        }
    }
    table.finish();
    let mut rest = sent.iter();
    for found in &table.found {
        assert!(rest.any(|message| message == found), "a message that was not sent, or not then: {found:02x?}");
    }
    if complete {
        assert_eq!(table.found.len(), sent.len());
    }
}

/// Segments of two connections with any numbers and flags: account and bounds hold.
fn any_segments(input: &mut Input<'_>) {
    let config = StreamConfig { max_streams: 2, max_bytes: 4000, max_ahead: 200, ..StreamConfig::default() };
    // Two streams with two directions, each with a message of 64 KiB at most before it is known to be none.
    let limit = crate::EMPTY + 4 * config.max_bytes + 4 * (128 << 10);
    heap::bounded(limit, || {
        let mut table = Table::new(config);
        table.keep = false;
        while !input.is_empty() {
            let what = input.byte();
            table.port = 40_000 + u16::from(what >> 1 & 3);
            table.now += [0, MILLI, 200 * MILLI, 130_000 * MILLI][usize::from(what >> 3 & 3)];
            let seq = if what & 0xe0 == 0xe0 { u32::from(input.word()) << 16 } else { u32::from(input.word()) };
            let (ack, flags) = (u32::from(input.word()), input.byte());
            let (missing, len) = (if what & 0xe0 == 0x20 { input.byte() } else { 0 }, usize::from(input.byte()));
            table.push(
                what & 1 == 1,
                seq,
                ack,
                flags & (SYN | FIN | RST | ACK),
                input.bytes(len),
                usize::from(missing),
            );
        }
        table.finish();
    });
}

/// A table, its clock and what came out of it.
struct Table {
    streams: StreamTable,
    config: StreamConfig,
    now: i64,
    port: u16,
    /// Whether messages are kept.
    keep: bool,
    found: Vec<Vec<u8>>,
    messages: u64,
    bytes: u64,
}

impl Table {
    fn new(config: StreamConfig) -> Self {
        let streams = StreamTable::new(config);
        Self { streams, config, now: 0, port: 40_000, keep: true, found: Vec::new(), messages: 0, bytes: 0 }
    }

    fn push(&mut self, back: bool, seq: u32, ack: u32, flags: u8, payload: &[u8], missing: usize) {
        let there = Flow {
            src: [192, 0, 2, 1].into(),
            dst: [192, 0, 2, 53].into(),
            src_port: self.port,
            dst_port: 53,
            vlan: VlanTags::NONE,
        };
        let flow = if back {
            Flow { src: there.dst, dst: there.src, src_port: 53, dst_port: self.port, ..there }
        } else {
            there
        };
        let segment = TcpSegment { seq, ack, flags: TcpFlags(flags), payload, missing };
        let now = Timestamp::from_nanos(self.now);
        let Self { streams, keep, found, messages, bytes, .. } = self;
        streams.push(now, now, &flow, &segment, &mut |message| {
            *messages += 1;
            *bytes += 2 + message.bytes.len() as u64;
            if *keep {
                found.push(message.bytes.to_vec());
            }
        });
        self.examine();
        assert!(self.streams.len() <= self.config.max_streams);
        assert!(self.streams.held_bytes() <= self.config.max_bytes);
        assert!(self.streams.next_deadline().is_none_or(|deadline| deadline >= now));
    }

    fn finish(&mut self) {
        let Self { streams, keep, found, messages, bytes, .. } = self;
        streams.finish(&mut |message| {
            *messages += 1;
            *bytes += 2 + message.bytes.len() as u64;
            if *keep {
                found.push(message.bytes.to_vec());
            }
        });
        self.examine();
        let stats = self.streams.stats();
        assert_eq!((stats.bytes_pending, self.streams.held_bytes(), self.streams.len()), (0, 0, 0));
        let ended = stats.streams_closed + stats.streams_unfinished + stats.streams_evicted;
        assert_eq!(stats.streams_opened + stats.streams_joined, ended);
    }

    fn examine(&self) {
        let stats = self.streams.stats();
        assert!(stats.balances(), "{stats:?}");
        assert_eq!((stats.messages, stats.bytes_delivered), (self.messages, self.bytes));
        assert!(stats.bytes_pending <= self.streams.held_bytes() as u64);
    }
}

/// The length of the shortest [`message`].
const SHORTEST: usize = 38;

/// A query of this number and length. Its id and its name keep every other place in it from looking like a beginning, which
/// is all that a search behind a gap can go by.
fn message(number: u16, len: usize) -> Vec<u8> {
    let mut message = vec![b'x'; len];
    message[..2].copy_from_slice(&(0x8100 | number).to_be_bytes());
    message[2..12].copy_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    message[12] = 20;
    message[33..SHORTEST].copy_from_slice(&[0, 0, 1, 0, 1]);
    message
}

fn seeds() -> Vec<Vec<u8>> {
    let known = |joined: u8, segments: &[[u8; 4]]| {
        let messages = [3, 0, 10, 1, 0, 2, 0, 0, 100];
        [&[0, joined, 0xff, 0xff][..], &messages[..], &segments.concat()].concat()
    };
    let any = |segments: &[&[u8]]| [&[1][..], &segments.concat()].concat();
    let data = b"\x00\x00\x00\x00\x00\x10\x20\x00\x1b\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01xxxxxxx";
    vec![
        known(0, &[[0, 0, 30, 8], [0, 1, 0, 8], [9, 0, 90, 9], [0, 4, 0, 8]]),
        known(0, &[[0, 0, 30, 14], [0, 1, 0, 12], [9, 0, 90, 9], [0, 4, 0, 8]]),
        known(1, &[[0, 0, 30, 6], [200, 1, 0, 1], [9, 0, 90, 9], [0, 4, 0, 8]]),
        any(&[&[0, 0, 0, 0, 0, SYN, 0], data, &[1, 0, 5, 0, 9, ACK, 0], &[0, 0, 30, 0, 0, FIN | ACK, 0]]),
        any(&[data, &[0x22, 0, 0, 0, 0, ACK, 50, 3, 1, 2, 3], &[0, 0, 30, 0, 0, RST, 0], data]),
    ]
}
