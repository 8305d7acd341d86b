//! Frames through [`Ingest`]: datagrams, segments, fragments within fragments, and the account of all of them.

use pdns_packet::frame::{Decoder, Discard, LinkType};
use pdns_packet::time::Timestamp;
use pdns_track::reassembly::FragmentConfig;
use pdns_track::{Body, Dissected, Ingest, SECOND};
use proptest::prelude::*;

const UDP: u8 = 17;
const TCP: u8 = 6;
const IP_IN_IP: u8 = 4;
const MORE: u16 = 0x2000;

/// An IPv4 packet between the two hosts of these tests.
fn ipv4(id: u16, flags_and_offset: u16, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend_from_slice(&(20 + payload.len() as u16).to_be_bytes());
    packet.extend_from_slice(&id.to_be_bytes());
    packet.extend_from_slice(&flags_and_offset.to_be_bytes());
    packet.extend_from_slice(&[64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 53]);
    packet.extend_from_slice(payload);
    packet
}

fn udp(payload: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0x9c, 0x40, 0, 53];
    datagram.extend_from_slice(&(8 + payload.len() as u16).to_be_bytes());
    datagram.extend_from_slice(&[0, 0]);
    datagram.extend_from_slice(payload);
    datagram
}

fn tcp(payload: &[u8]) -> Vec<u8> {
    let mut segment = vec![0x9c, 0x40, 0, 53, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 0, 0, 0, 0, 0, 0];
    segment.extend_from_slice(payload);
    segment
}

/// Two fragments of a packet with this payload, cut in the middle.
fn halves(id: u16, protocol: u8, payload: &[u8]) -> [Vec<u8>; 2] {
    let middle = (payload.len() / 2) & !7;
    let (first, second) = payload.split_at(middle);
    [ipv4(id, MORE, protocol, first), ipv4(id, (middle / 8) as u16, protocol, second)]
}

/// The frames of `datagram` in fragments, each of which travels in a tunnel in fragments, and so on: `depth` levels.
fn nested(depth: u16, datagram: &[u8]) -> Vec<Vec<u8>> {
    let mut packets = halves(0, UDP, datagram).to_vec();
    for level in 1..depth {
        let inner = std::mem::take(&mut packets);
        let outer =
            inner.iter().enumerate().map(|(number, packet)| halves(level << 8 | number as u16, IP_IN_IP, packet));
        packets.extend(outer.flatten());
    }
    packets
}

/// An [`Ingest`] with a clock that goes on by a millisecond a frame.
struct Front {
    ingest: Ingest,
    now: Timestamp,
}

impl Front {
    fn new() -> Self {
        let ingest = Ingest::new(Decoder::default(), FragmentConfig::default());
        Self { ingest, now: Timestamp::new(1, 0) }
    }

    /// Takes a frame that carries something, and shows it.
    #[track_caller]
    fn frame(&mut self, frame: &[u8], look: impl FnOnce(&Dissected<'_>)) {
        self.cut_frame(frame, frame.len() as u32, look);
    }

    #[track_caller]
    fn cut_frame(&mut self, frame: &[u8], wire_len: u32, look: impl FnOnce(&Dissected<'_>)) {
        assert!(self.carries(frame, wire_len, look), "nothing came of it");
    }

    /// Takes a frame that carries nothing, or completes nothing.
    #[track_caller]
    fn nothing(&mut self, frame: &[u8]) {
        assert!(!self.carries(frame, frame.len() as u32, |packet| panic!("{packet:?}")));
    }

    fn carries(&mut self, frame: &[u8], wire_len: u32, look: impl FnOnce(&Dissected<'_>)) -> bool {
        self.now = self.now.plus(SECOND / 1000);
        let mut came = false;
        self.ingest.frame(self.now, LinkType::RAW, frame, wire_len, |packet| {
            came = true;
            look(packet);
        });
        came
    }

    fn check(&self) {
        let stats = self.ingest.stats();
        let accepted = stats.fragments + stats.tcp_segments + stats.udp_datagrams;
        assert_eq!(stats.received, accepted + stats.discarded.iter().sum::<u64>());
        let fragments = self.ingest.fragment_stats();
        assert_eq!(fragments.received, stats.fragments + stats.reassembled_fragments);
        let completed = stats.reassembled_tcp
            + stats.reassembled_udp
            + stats.reassembled_fragments
            + stats.reassembled_discarded.iter().sum::<u64>();
        assert_eq!(fragments.datagrams_completed, completed);
    }
}

#[test]
fn a_datagram_and_a_segment_come_out_as_they_are() {
    let mut front = Front::new();
    let frame = ipv4(1, 0, UDP, &udp(b"query"));
    front.cut_frame(&frame, 60, |packet| {
        assert_eq!(packet.body, Body::Udp { payload: b"query", missing: 0, frame_len: 60 });
        assert_eq!((packet.now, packet.time), (Timestamp::new(1, 1_000_000), Timestamp::new(1, 1_000_000)));
        assert_eq!((packet.flow.src_port, packet.flow.dst_port), (40_000, 53));
    });
    front.frame(&ipv4(1, 0, TCP, &tcp(b"data")), |packet| {
        let Body::Tcp(segment) = packet.body else { panic!() };
        assert_eq!((segment.seq, segment.payload), (1, &b"data"[..]));
    });
    let stats = front.ingest.stats();
    assert_eq!((stats.received, stats.udp_datagrams, stats.tcp_segments), (2, 1, 1));
    front.check();
}

#[test]
fn every_discard_is_counted_under_its_reason() {
    let mut front = Front::new();
    let mut other_ports = udp(b"query");
    other_ports[2..4].copy_from_slice(&[0x1f, 0x90]);
    for frame in [&ipv4(1, 0, UDP, &other_ports)[..], &ipv4(1, 0, 1, b"icmp"), &[0x45, 0], &[]] {
        front.nothing(frame);
    }
    front.ingest.discard(Timestamp::new(9, 0), Discard::Filtered);
    assert_eq!(front.ingest.clock().now(), Timestamp::new(9, 0));
    let stats = front.ingest.stats();
    let mut expected = [0; Discard::ALL.len()];
    expected[Discard::NotDnsPort as usize] = 1;
    expected[Discard::NotTransport as usize] = 1;
    expected[Discard::ShortFrame as usize] = 2;
    expected[Discard::Filtered as usize] = 1;
    assert_eq!((stats.discarded, stats.received), (expected, 5));
    front.check();
}

#[test]
fn fragments_become_a_datagram_with_the_time_of_the_last_and_the_length_of_all() {
    let datagram = udp(&[b'x'; 100]);
    for order in [[0, 1], [1, 0]] {
        let mut front = Front::new();
        let frames = halves(1, UDP, &datagram);
        front.nothing(&frames[order[0]]);
        let frame_len = 200 + frames[order[0]].len() as u32;
        front.cut_frame(&frames[order[1]], 200, |packet| {
            assert_eq!(packet.body, Body::Udp { payload: &[b'x'; 100], missing: 0, frame_len });
            assert_eq!(packet.time, Timestamp::new(1, 2_000_000));
        });
        assert_eq!((front.ingest.stats().fragments, front.ingest.stats().reassembled_udp), (2, 1));
        front.check();
    }
}

#[test]
fn fragments_of_segments_and_of_nothing_for_us_are_counted_too() {
    let mut front = Front::new();
    let [first, second] = halves(1, TCP, &tcp(b"some data"));
    front.nothing(&first);
    front.frame(&second, |packet| {
        let Body::Tcp(segment) = packet.body else { panic!() };
        assert_eq!(segment.payload, b"some data");
    });
    let mut other_ports = udp(b"some data that is long enough");
    other_ports[2..4].copy_from_slice(&[0x1f, 0x90]);
    for frame in halves(2, UDP, &other_ports) {
        front.nothing(&frame);
    }
    let stats = front.ingest.stats();
    assert_eq!(stats.reassembled_tcp, 1);
    assert_eq!(stats.reassembled_discarded[Discard::NotDnsPort as usize], 1);
    front.check();
}

#[test]
fn fragments_in_fragments_in_tunnels_are_put_together() {
    let datagram = udp(&[b'x'; 200]);
    for depth in 1..=5 {
        let mut front = Front::new();
        let frames = nested(depth, &datagram);
        let (last, others) = frames.split_last().unwrap();
        for frame in others {
            front.nothing(frame);
        }
        let frame_len = frames.iter().map(|frame| frame.len() as u32).sum();
        front.frame(last, |packet| {
            assert_eq!(packet.body, Body::Udp { payload: &[b'x'; 200], missing: 0, frame_len }, "{depth} levels");
        });
        let stats = front.ingest.stats();
        assert_eq!((stats.fragments, stats.reassembled_udp), (1 << depth, 1));
        // Of the fragments of all levels, those of the outermost came in frames of their own.
        assert_eq!(stats.reassembled_fragments, (1 << depth) - 2);
        front.check();
    }
}

#[test]
fn fragments_nested_too_deeply_are_given_up() {
    let mut front = Front::new();
    for frame in nested(6, &udp(&[b'x'; 400])) {
        front.nothing(&frame);
    }
    assert_eq!(front.ingest.stats().reassembled_discarded[Discard::TooDeep as usize], 2);
    front.check();
}

#[test]
fn a_datagram_after_a_nested_one_is_its_own() {
    let mut front = Front::new();
    for (letter, id) in [(b'a', 0), (b'b', 1)] {
        let payload = [letter; 100];
        let mut frames = halves(id, IP_IN_IP, &ipv4(9, 0, UDP, &udp(&payload)));
        frames.reverse();
        front.nothing(&frames[0]);
        let frame_len = (frames[0].len() + frames[1].len()) as u32;
        front.frame(&frames[1], |packet| {
            assert_eq!(packet.body, Body::Udp { payload: &payload, missing: 0, frame_len });
        });
    }
}

#[test]
fn the_end_of_the_capture_ends_incomplete_packets() {
    let mut front = Front::new();
    let [first, _] = halves(1, UDP, &udp(&[b'x'; 100]));
    front.nothing(&first);
    assert_eq!(front.ingest.fragment_stats().pending, 1);
    front.ingest.finish();
    assert_eq!(front.ingest.fragment_stats().pending, 0);
    front.check();
}

proptest! {
    #[test]
    fn the_account_adds_up_whatever_comes(
        frames in prop::collection::vec((0..3u16, 0..6usize, any::<prop::sample::Index>(), any::<u8>(), any::<prop::sample::Index>()), 1..60),
    ) {
        let mut front = Front::new();
        for (depth, kind, place, byte, end) in frames {
            let datagram = udp(&[b'x'; 64]);
            let all = if depth == 0 { vec![ipv4(7, 0, UDP, &datagram)] } else { nested(depth, &datagram) };
            let mut frame = place.get(&all).clone();
            if kind == 0 {
                let at = place.index(frame.len());
                frame[at] = byte;
            }
            let wire_len = frame.len() as u32;
            if kind == 1 {
                frame.truncate(end.index(frame.len() + 1));
            }
            front.carries(&frame, wire_len, |_| ());
            front.check();
        }
        front.ingest.finish();
        front.check();
        prop_assert_eq!(front.ingest.fragment_stats().pending, 0);
    }
}
