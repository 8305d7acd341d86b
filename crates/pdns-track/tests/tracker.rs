//! Streams, datagrams and pairing together: what becomes of a flow depends on its own packets only.

mod common;

use common::{Ask, MS, Seen, waiting};
use pdns_packet::frame::{TcpFlags, TcpSegment};
use pdns_packet::time::Timestamp;
use pdns_track::{Body, Clock, Dissected, SECOND, Shards, Tracker, TrackerConfig, Transaction};
use proptest::prelude::*;

const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
const FIN: u8 = 0x01;

/// A packet of one of two clients.
#[derive(Clone, Debug)]
struct Packet {
    client: u8,
    is_response: bool,
    content: Content,
    /// How much later than the packet before; earlier when negative.
    step: i64,
}

#[derive(Clone, Debug)]
enum Content {
    Datagram {
        id: u16,
    },
    Short,
    /// A part of the stream's bytes, from and to.
    Segment {
        from: usize,
        to: usize,
        flags: u8,
        acknowledged: usize,
    },
}

/// All messages that one direction of a stream carries, with their lengths.
fn stream(is_response: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    for id in 0..8 {
        let message = Ask { id, ..Ask::named("www.example.of.some.length") }.message(is_response);
        bytes.extend_from_slice(&(message.len() as u16).to_be_bytes());
        bytes.extend_from_slice(&message);
    }
    bytes
}

impl Packet {
    fn ask(&self) -> Ask {
        Ask { client: [10, 0, 0, self.client].into(), ..Ask::named("www.example.of.some.length") }
    }

    /// Hands the packet to `take`.
    fn dissect(&self, now: Timestamp, time: Timestamp, take: impl FnOnce(&Dissected<'_>)) {
        let flow = self.ask().flow(self.is_response);
        let bytes = match self.content {
            Content::Datagram { id } => Ask { id, ..self.ask() }.message(self.is_response),
            Content::Short => b"too short".to_vec(),
            Content::Segment { from, to, .. } => stream(self.is_response)[from..to].to_vec(),
        };
        let payload = &bytes[..];
        let body = match self.content {
            Content::Datagram { .. } | Content::Short => Body::Udp { payload, missing: 0, frame_len: 99 },
            Content::Segment { from, flags, acknowledged, .. } => {
                let seq = 1000 + from as u32 + u32::from(flags & SYN == 0);
                let flags = TcpFlags(flags);
                Body::Tcp(TcpSegment { seq, ack: 1001 + acknowledged as u32, flags, payload, missing: 0 })
            }
        };
        take(&Dissected { now, time, flow: &flow, body });
    }
}

fn packets() -> impl Strategy<Value = Vec<Packet>> {
    let len = stream(false).len();
    // Parts of messages, and whole ones.
    let message = len / 8;
    let range = prop_oneof![
        (0..len, 0..120usize).prop_map(move |(from, size)| (from, (from + size).min(len))),
        (0..8usize, 1..3usize).prop_map(move |(from, count)| (message * from, message * (from + count).min(8))),
    ];
    let segment = (range, prop::sample::select(vec![ACK, ACK, ACK, ACK | FIN]), 0..len)
        .prop_map(|((from, to), flags, acknowledged)| Content::Segment { from, to, flags, acknowledged });
    let open = prop::sample::select(vec![SYN, SYN | ACK]).prop_map(|flags| Content::Segment {
        from: 0,
        to: 0,
        flags,
        acknowledged: 0,
    });
    let content = prop_oneof![
        4 => (0..4u16).prop_map(|id| Content::Datagram { id }),
        1 => Just(Content::Short),
        8 => segment,
        1 => open,
    ];
    let steps = vec![
        0,
        0,
        MS,
        30 * MS,
        100 * MS,
        101 * MS,
        SECOND,
        3 * SECOND,
        5 * SECOND,
        30 * SECOND,
        -20 * MS,
        -20 * SECOND,
    ];
    let packet = (1..=2u8, any::<bool>(), content, prop::sample::select(steps))
        .prop_map(|(client, is_response, content, step)| Packet { client, is_response, content, step });
    prop::collection::vec(packet, 1..80)
}

/// Runs the packets through `trackers`, each of which gets those that `place` gives it; returns what came out, sorted.
fn run(packets: &[Packet], trackers: usize, place: impl Fn(&Dissected<'_>) -> usize) -> Vec<Seen> {
    let mut seen: Vec<Seen> = Vec::new();
    let mut take = |transaction: &Transaction<'_>| seen.push(transaction.into());
    let mut trackers: Vec<_> = (0..trackers).map(|_| Tracker::new(TrackerConfig::default())).collect();
    let mut clock = Clock::default();
    let mut time = Timestamp::new(1000, 0);
    for packet in packets {
        time = time.plus(packet.step);
        packet.dissect(clock.tick(time), time, |packet| trackers[place(packet)].packet(packet, &mut take));
    }
    for tracker in &mut trackers {
        tracker.finish(clock.now(), &mut take);
        let stats = tracker.stats();
        assert_eq!(waiting(&stats.pairing), (0, 0));
        assert!(stats.streams.balances());
        assert_eq!(stats.streams.bytes_pending, 0);
    }
    seen.sort();
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn flows_do_not_depend_on_each_other(packets in packets()) {
        let together = run(&packets, 1, |_| 0);
        let client = |packet: &Dissected<'_>| {
            let ends = [packet.flow.src, packet.flow.dst];
            usize::from(ends.contains(&[10, 0, 0, 2].into()))
        };
        prop_assert_eq!(&run(&packets, 2, client), &together);
        let shards = Shards::new(3);
        prop_assert_eq!(&run(&packets, 3, |packet| shards.of(packet.flow)), &together);
    }
}

fn datagram(client: u8, is_response: bool, id: u16) -> Packet {
    Packet { client, is_response, content: Content::Datagram { id }, step: 0 }
}

fn segment(client: u8, is_response: bool, from: usize, to: usize, flags: u8) -> Packet {
    Packet { client, is_response, content: Content::Segment { from, to, flags, acknowledged: 0 }, step: 0 }
}

#[test]
fn what_a_stream_gives_up_late_is_paired_at_the_time_it_gave_up() {
    // The first query is lost; the response to the second comes at once, but the second waits behind the gap for 5 s.
    let len = stream(false).len() / 8;
    let mut packets =
        vec![segment(1, false, 0, 0, SYN), segment(1, false, len, 2 * len, ACK), segment(1, true, 0, 2 * len, ACK)];
    let mut end = datagram(1, false, 9);
    end.step = 100 * SECOND;
    packets.push(end);
    let seen = run(&packets, 1, |_| 0);
    let statuses: Vec<_> = seen.iter().map(|seen| (seen.status, seen.transport)).collect();
    // By then the response had been an orphan for long, and the query waits on in vain.
    assert_eq!(statuses, [("orphan", "tcp"), ("orphan", "tcp"), ("unanswered", "tcp"), ("unanswered", "udp")]);
}

#[test]
fn short_messages_are_counted_and_change_nothing() {
    let mut tracker = Tracker::new(TrackerConfig::default());
    let mut none = |_: &Transaction<'_>| panic!("there is no message");
    let short = Packet { content: Content::Short, ..datagram(1, false, 1) };
    short.dissect(Timestamp::default(), Timestamp::default(), |packet| tracker.packet(packet, &mut none));
    tracker.finish(Timestamp::default(), &mut none);
    assert_eq!(tracker.stats().short_messages, 1);
    assert_eq!(tracker.stats().pairing.queries, 0);
}

#[test]
fn messages_of_streams_and_datagrams_do_not_meet() {
    let len = stream(false).len() / 8;
    let packets = [
        segment(1, false, 0, 0, SYN),
        segment(1, false, 0, len, ACK),
        datagram(1, true, 0),
        segment(1, true, 0, 0, SYN | ACK),
        segment(1, true, 0, len, ACK),
    ];
    let statuses: Vec<_> = run(&packets, 1, |_| 0).iter().map(|seen| (seen.status, seen.transport)).collect();
    assert_eq!(statuses, [("answered", "tcp"), ("orphan", "udp")]);
}

#[test]
fn counters_of_workers_add_up() {
    let mut sum = pdns_track::TrackerStats::default();
    for id in 0..3 {
        let mut tracker = Tracker::new(TrackerConfig::default());
        for packet in [
            datagram(1, false, id),
            segment(1, true, 0, 0, SYN),
            Packet { content: Content::Short, ..datagram(1, false, 1) },
        ] {
            packet.dissect(Timestamp::default(), Timestamp::default(), |packet| {
                tracker.packet(packet, &mut |_: &Transaction<'_>| {});
            });
        }
        sum.add(&tracker.stats());
    }
    assert_eq!((sum.pairing.queries, sum.streams.segments, sum.short_messages), (3, 3, 3));
    assert!(sum.pairing.named().any(|counter| counter == ("queries", 3)));
}
