//! The front of the pipeline: frames in, whole datagrams and segments out, in one place for all workers.

use std::net::IpAddr;

use pdns_packet::frame::{Decoder, Discard, Flow, Fragment, LinkType, Packet, TcpSegment, VlanTags};
use pdns_packet::time::Timestamp;

use crate::clock::Clock;
use crate::reassembly::{FragmentConfig, FragmentStats, FragmentTable, Outcome};
use crate::stats::add_each;

/// How often a reassembled packet may turn out to be a fragment of another, inside a tunnel.
const MAX_NESTED_FRAGMENTS: usize = 4;

/// A UDP datagram or a TCP segment on its way to a [`Tracker`](crate::Tracker).
///
/// It is lent from where it was made: who has just made a flow wrote it in parts, and a copy of whole words would have to
/// wait until all of them are in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dissected<'a> {
    /// The clock when it came: what timers see.
    pub now: Timestamp,
    /// Its own capture time: what records show.
    pub time: Timestamp,
    /// From whom to whom.
    pub flow: &'a Flow,
    /// What it carries.
    pub body: Body<'a>,
}

/// What a [`Dissected`] packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// A whole UDP datagram.
    Udp {
        /// Its payload, as far as it was captured.
        payload: &'a [u8],
        /// How many bytes of the payload the capture cut off.
        missing: usize,
        /// Length on the wire, in bytes, of the frame that carried it, or of all its fragments' frames.
        frame_len: u32,
    },
    /// A TCP segment.
    Tcp(TcpSegment<'a>),
}

/// Where all frames went: `received = accepted + the sum of discarded`, and
/// `accepted = fragments + tcp_segments + udp_datagrams`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IngestStats {
    /// Frames taken.
    pub received: u64,
    /// Frames that carry nothing for us, by the number of their [`Discard`].
    pub discarded: [u64; Discard::ALL.len()],
    /// Frames with a fragment.
    pub fragments: u64,
    /// Frames with a TCP segment.
    pub tcp_segments: u64,
    /// Frames with a UDP datagram.
    pub udp_datagrams: u64,
    /// Reassembled packets that were a TCP segment.
    pub reassembled_tcp: u64,
    /// Reassembled packets that were a UDP datagram.
    pub reassembled_udp: u64,
    /// Reassembled packets that were a fragment of another packet.
    pub reassembled_fragments: u64,
    /// Reassembled packets that carry nothing for us, by the number of their [`Discard`].
    pub reassembled_discarded: [u64; Discard::ALL.len()],
}

impl IngestStats {
    /// Adds another thread's counters.
    pub fn add(&mut self, other: &Self) {
        self.received += other.received;
        add_each(&mut self.discarded, &other.discarded);
        self.fragments += other.fragments;
        self.tcp_segments += other.tcp_segments;
        self.udp_datagrams += other.udp_datagrams;
        self.reassembled_tcp += other.reassembled_tcp;
        self.reassembled_udp += other.reassembled_udp;
        self.reassembled_fragments += other.reassembled_fragments;
        add_each(&mut self.reassembled_discarded, &other.reassembled_discarded);
    }
}

/// Decodes frames, puts fragments together and keeps the clock.
///
/// ```
/// use pdns_packet::frame::{Decoder, LinkType, Ports};
/// use pdns_packet::time::Timestamp;
/// use pdns_track::reassembly::FragmentConfig;
/// use pdns_track::{Body, Ingest};
///
/// let frame = b"\x45\0\0\x21\0\0\0\0\x40\x11\0\0\xc0\0\x02\x01\xc0\0\x02\x35\x04\xd2\0\x35\0\x0d\0\0query";
/// let mut ingest = Ingest::new(Decoder::new(Ports::of(&[53])), FragmentConfig::default());
/// ingest.frame(Timestamp::new(1, 0), LinkType::RAW, frame, 33, |packet| {
///     assert_eq!(packet.body, Body::Udp { payload: b"query", missing: 0, frame_len: 33 });
/// });
/// assert_eq!(ingest.stats().udp_datagrams, 1);
/// ```
#[derive(Debug)]
pub struct Ingest {
    decoder: Decoder,
    fragments: FragmentTable,
    clock: Clock,
    stats: IngestStats,
    /// A reassembled packet's payload, for as long as the caller looks at it.
    whole: Vec<u8>,
    /// A fragment found inside a reassembled packet.
    inner: Vec<u8>,
}

impl Ingest {
    /// Starts with nothing seen.
    pub fn new(decoder: Decoder, fragments: FragmentConfig) -> Self {
        Self {
            decoder,
            fragments: FragmentTable::new(fragments),
            clock: Clock::default(),
            stats: IngestStats::default(),
            whole: Vec::new(),
            inner: Vec::new(),
        }
    }

    /// Takes one frame as captured, with its length on the wire, and lends to `take` what it carries, or what it
    /// completes, if that is anything.
    #[inline]
    pub fn frame(
        &mut self,
        time: Timestamp,
        link: LinkType,
        frame: &[u8],
        wire_len: u32,
        take: impl FnOnce(&Dissected<'_>),
    ) {
        self.stats.received += 1;
        let now = self.clock.tick(time);
        match &self.decoder.decode(link, frame, wire_len as usize) {
            &Ok(Packet::Udp { ref flow, payload, missing }) => {
                self.stats.udp_datagrams += 1;
                take(&Dissected { now, time, flow, body: Body::Udp { payload, missing, frame_len: wire_len } });
            }
            &Ok(Packet::Tcp { ref flow, segment }) => {
                self.stats.tcp_segments += 1;
                take(&Dissected { now, time, flow, body: Body::Tcp(segment) });
            }
            Ok(Packet::Fragment(fragment)) => {
                self.stats.fragments += 1;
                self.fragment(now, time, wire_len, fragment, take);
            }
            &Err(reason) => self.stats.discarded[reason as usize] += 1,
        }
    }

    /// Counts a frame that was discarded before it came here, and lets the clock see its time.
    pub fn discard(&mut self, time: Timestamp, reason: Discard) {
        self.clock.tick(time);
        self.stats.received += 1;
        self.stats.discarded[reason as usize] += 1;
    }

    /// Lets time pass without a frame, up to `time`, and returns the time that timers see.
    pub fn pass(&mut self, time: Timestamp) -> Timestamp {
        let now = self.clock.pass(time);
        self.fragments.expire(now);
        now
    }

    /// The end of the capture: fragments that still wait will wait in vain.
    pub fn finish(&mut self) {
        self.fragments.finish();
    }

    /// The clock.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Counters since the start.
    pub const fn stats(&self) -> &IngestStats {
        &self.stats
    }

    /// Counters of fragments since the start.
    pub const fn fragment_stats(&self) -> &FragmentStats {
        self.fragments.stats()
    }

    fn fragment(
        &mut self,
        now: Timestamp,
        time: Timestamp,
        wire_len: u32,
        fragment: &Fragment<'_>,
        take: impl FnOnce(&Dissected<'_>),
    ) {
        let Some(whole) = self.whole(now, wire_len, fragment) else { return };
        let frame_len = whole.wire_len;
        match &self.decoder.decode_payload(whole.src, whole.dst, whole.vlan, whole.protocol, &self.whole) {
            &Ok(Packet::Udp { ref flow, payload, missing }) => {
                self.stats.reassembled_udp += 1;
                take(&Dissected { now, time, flow, body: Body::Udp { payload, missing, frame_len } });
            }
            &Ok(Packet::Tcp { ref flow, segment }) => {
                self.stats.reassembled_tcp += 1;
                take(&Dissected { now, time, flow, body: Body::Tcp(segment) });
            }
            Ok(Packet::Fragment(_)) => self.stats.reassembled_discarded[Discard::TooDeep as usize] += 1,
            &Err(reason) => self.stats.reassembled_discarded[reason as usize] += 1,
        }
    }

    /// Gives a fragment to the table, and what that completes too as long as it is a fragment of another packet.
    fn whole(&mut self, now: Timestamp, wire_len: u32, fragment: &Fragment<'_>) -> Option<Whole> {
        let mut whole = self.push(now, wire_len, fragment)?;
        for _ in 0..MAX_NESTED_FRAGMENTS {
            let packet = self.decoder.decode_payload(whole.src, whole.dst, whole.vlan, whole.protocol, &self.whole);
            let Ok(Packet::Fragment(nested)) = packet else { break };
            self.stats.reassembled_fragments += 1;
            self.inner.clear();
            self.inner.extend_from_slice(nested.payload);
            // The payload lies in `self.whole`, which the next packet is about to take.
            let nested = Fragment { payload: &[], ..nested };
            let payload = std::mem::take(&mut self.inner);
            let completed = self.push(now, whole.wire_len, &Fragment { payload: &payload, ..nested });
            self.inner = payload;
            whole = completed?;
        }
        Some(whole)
    }

    /// Gives a fragment to the table. When that completes a packet, its payload is in `self.whole`.
    fn push(&mut self, now: Timestamp, wire_len: u32, fragment: &Fragment<'_>) -> Option<Whole> {
        let Outcome::Complete(datagram) = self.fragments.push(now, wire_len, fragment) else { return None };
        self.whole.clear();
        self.whole.extend_from_slice(datagram.payload);
        Some(Whole {
            src: datagram.src,
            dst: datagram.dst,
            vlan: datagram.vlan,
            protocol: datagram.protocol,
            wire_len: datagram.wire_len,
        })
    }
}

/// A reassembled packet but for its payload.
struct Whole {
    src: IpAddr,
    dst: IpAddr,
    vlan: VlanTags,
    protocol: u8,
    wire_len: u32,
}
