//! Frames to send over the wires of `pdns_rigs`, and what comes out of a ring.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use pdns_capture::Frame;
use pdns_capture::live::{LiveEvent, LiveRing, Wake};

/// A captured frame to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) nanos: i64,
    pub(crate) wire_len: u32,
    pub(crate) link: u16,
    pub(crate) data: Vec<u8>,
}

impl From<Frame<'_>> for Kept {
    fn from(frame: Frame<'_>) -> Self {
        Self { nanos: frame.time.nanos(), wire_len: frame.wire_len, link: frame.link, data: frame.data.to_vec() }
    }
}

/// Takes frames until nothing has come for a while, and fails when something happens to an interface.
pub(crate) fn take(ring: &mut LiveRing) -> Vec<Kept> {
    let mut frames = Vec::new();
    take_each(ring, |frame| frames.push(frame.into()));
    frames
}

/// As [`take`], without keeping them.
pub(crate) fn take_each(ring: &mut LiveRing, mut each: impl FnMut(Frame<'_>)) {
    loop {
        match ring.poll(Duration::from_millis(300)).unwrap() {
            Wake::Frames => {
                while let Some(frame) = ring.next() {
                    each(frame);
                }
            }
            Wake::Event(event) => panic!("{event}"),
            Wake::Timeout => return,
        }
    }
}

/// Waits for the next event, passing over frames; `None` when there is none for 3 s.
pub(crate) fn event(ring: &mut LiveRing) -> Option<LiveEvent> {
    let end = Instant::now() + Duration::from_secs(3);
    while Instant::now() < end {
        match ring.poll(Duration::from_millis(100)).unwrap() {
            Wake::Frames => while ring.next().is_some() {},
            Wake::Event(event) => return Some(event),
            Wake::Timeout => {}
        }
    }
    None
}

/// An IP packet of protocol 17, from these to those.
pub(crate) fn udp(source: (IpAddr, u16), destination: (IpAddr, u16), payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len()) as u16;
    let header = [source.1, destination.1, length, 0].map(u16::to_be_bytes).concat();
    packet(source.0, destination.0, 17, &[&header, payload].concat())
}

/// An IP packet.
pub(crate) fn packet(source: IpAddr, destination: IpAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => v4(source, destination, protocol, 0, payload),
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let [high, low] = (payload.len() as u16).to_be_bytes();
            let header = [0x60, 0, 0, 0, high, low, protocol, 64];
            [&header[..], &source.octets(), &destination.octets(), payload].concat()
        }
        _ => unreachable!("a packet has one version"),
    }
}

/// An IPv4 packet with these flags and this fragment offset.
pub(crate) fn v4(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (20 + payload.len() as u16).to_be_bytes();
    let [flags, offset] = fragment.to_be_bytes();
    let mut header = [&[0x45, 0, high, low, 0, 9, flags, offset, 64, protocol, 0, 0][..], &source.octets()].concat();
    header.extend(destination.octets());
    let sum: u32 = header.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    [header, payload.to_vec()].concat()
}

/// An Ethernet frame with these tags, by their EtherTypes, around an IP packet.
pub(crate) fn ethernet(tags: &[u16], ip: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    for (number, tag) in tags.iter().enumerate() {
        frame.extend(tag.to_be_bytes());
        frame.extend([0, 5 + number as u8]);
    }
    frame.extend(if ip[0] >> 4 == 4 { [8, 0] } else { [0x86, 0xdd] });
    [frame, ip.to_vec()].concat()
}

/// A host of the test networks.
pub(crate) fn host4(number: u16) -> IpAddr {
    let [high, low] = number.to_be_bytes();
    Ipv4Addr::new(198, 18, high, low).into()
}

/// A host of the documentation's network.
pub(crate) fn host6(number: u16) -> IpAddr {
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number).into()
}
