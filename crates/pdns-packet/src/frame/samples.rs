//! The same DNS datagram in every link type and tunnel: what the decoder's tests share.

use std::net::IpAddr;

use proptest::prelude::*;

use super::decoder::Decoder;
use super::flow::VlanTags;
use super::link_type::LinkType;
use super::packet::{Discard, Packet};
use super::ports::Ports;

/// 192.0.2.1 port 1234 to 192.0.2.53 port 53: "query".
pub(super) const IPV4: &str = "4500 0021 0001 0000 4011 0000 c0000201 c0000235  04d2 0035 000d 0000 7175657279";
/// 2001:db8::1 port 1234 to 2001:db8::53 port 53: "query".
pub(super) const IPV6: &str = "60000000 000d 11 40 20010db8000000000000000000000001 20010db8000000000000000000000053
    04d2 0035 000d 0000 7175657279";
/// Two addresses and an EtherType.
pub(super) const ETHERNET: &str = "020000000002 020000000001 0800";

/// The bytes that `text` shows in hexadecimal.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// An IPv4 packet from 198.51.100.1 to 198.51.100.2 around `payload`.
pub(super) fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = hex("4500 0000 0000 4000 40 00 0000 c6336401 c6336402");
    packet[2..4].copy_from_slice(&(20 + payload.len() as u16).to_be_bytes());
    packet[9] = protocol;
    [packet, payload.to_vec()].concat()
}

/// An IPv6 packet from 2001:db8:1::1 to 2001:db8:1::2 around `payload`.
pub(super) fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = hex("60000000 0000 00 40 20010db8000100000000000000000001 20010db8000100000000000000000002");
    packet[4..6].copy_from_slice(&(payload.len() as u16).to_be_bytes());
    packet[6] = next;
    [packet, payload.to_vec()].concat()
}

/// A datagram around `payload`.
pub(super) fn udp(src_port: u16, dst_port: u16, payload: &[u8]) -> Vec<u8> {
    let words = [src_port, dst_port, 8 + payload.len() as u16, 0];
    [words.iter().flat_map(|word| word.to_be_bytes()).collect(), payload.to_vec()].concat()
}

/// Decodes a whole frame with DNS on port 53.
pub(super) fn decode(link: LinkType, frame: &[u8]) -> Result<Packet<'_>, Discard> {
    Decoder::default().decode(link, frame, frame.len())
}

/// Whether `frame` is found to carry the sample's datagram, with which VLAN ids; panics when it is a datagram with
/// other addresses, ports or content.
pub(super) fn query(link: LinkType, frame: &[u8]) -> Result<Vec<u16>, Discard> {
    match decode(link, frame)? {
        Packet::Udp { flow, payload: b"query", missing: 0 } => {
            let ends = if flow.src.is_ipv4() { ["192.0.2.1", "192.0.2.53"] } else { ["2001:db8::1", "2001:db8::53"] };
            assert_eq!([flow.src, flow.dst], ends.map(|text| text.parse::<IpAddr>().unwrap()));
            assert_eq!((flow.src_port, flow.dst_port), (1234, 53));
            Ok(flow.vlan.iter().collect())
        }
        other => panic!("{other:?}"),
    }
}

/// [`query`] of an Ethernet frame with this EtherType and payload.
pub(super) fn query_in(ethertype: u16, payload: &[u8]) -> Result<Vec<u16>, Discard> {
    query(LinkType::ETHERNET, &[&hex(ETHERNET)[..12], &ethertype.to_be_bytes(), payload].concat())
}

/// A frame for each link type.
fn links() -> Vec<(LinkType, Vec<u8>)> {
    let snap = "aaaa03 000000 0800";
    let wifi = format!("0802 0000 020000000002 020000000001 020000000003 3000 {snap}");
    let samples = [
        (LinkType::NULL, "02000000", IPV4),
        (LinkType::NULL, "0000001e", IPV6),
        (LinkType::NULL, "0f000800", IPV4),
        (LinkType::NULL, "ff030021", IPV4),
        (LinkType::ETHERNET, ETHERNET, IPV4),
        (LinkType::ETHERNET, "020000000002 020000000001 86dd", IPV6),
        (LinkType::ETHERNET, "020000000002 020000000001 0029 aaaa03 000000 0800", IPV4),
        (LinkType::ETHERNET, "020000000002 020000000001 0029 aaaa03 0000f8 86dd", IPV6),
        (LinkType::ETHERNET, "020000000002 020000000001 0024 060603", IPV4),
        (LinkType::ETHERNET, "020000000002 020000000001 8847 000100ff 000101ff", IPV4),
        (LinkType::ETHERNET, "020000000002 020000000001 8848 000101ff", IPV6),
        (LinkType::ETHERNET, "020000000002 020000000001 8847 000101ff 00000000 020000000004 020000000003 0800", IPV4),
        (LinkType::ETHERNET, "020000000002 020000000001 8847 000101ff 020000000004 020000000003 0800", IPV4),
        (LinkType::ETHERNET, "020000000002 020000000001 8864 1100 0001 0023 0021", IPV4),
        (LinkType::ETHERNET, "020000000002 020000000001 8864 1100 0001 0036 57", IPV6),
        (LinkType::ETHERNET, "020000000002 020000000001 88e7 00000001 020000000004 020000000003 86dd", IPV6),
        (LinkType::ETHERNET, "020000000002 020000000001 8926 80010002 0800", IPV4),
        (
            LinkType::ETHERNET,
            "020000000002 020000000001 894f 0fc6 0101 00000100 00000000000000000000000000000000",
            IPV4,
        ),
        (LinkType::IEEE802_5, "10 40 020000000002 820000000001 0630 0012 0020 aaaa03 000000 0800", IPV4),
        (LinkType::ARCNET_BSD, "01 02 d4 00 0007", IPV4),
        (LinkType::ARCNET_BSD, "01 02 f0", IPV4),
        (LinkType::ARCNET_BSD, "01 02 d4 ff ffff d4 00 0007", IPV4),
        (LinkType::PPP, "0021", IPV4),
        (LinkType::PPP, "ff03 21", IPV4),
        (LinkType::PPP, "ff03 0281 000101ff", IPV6),
        (LinkType::FDDI, "54 020000000002 020000000001 aaaa03 000000 0800", IPV4),
        (LinkType::DLT_RAW, "", IPV4),
        (LinkType::DLT_RAW_OPENBSD, "", IPV6),
        (LinkType::PPP_HDLC, "ff03 0057", IPV6),
        (LinkType::PPP_HDLC, "0f00 0800", IPV4),
        (LinkType::PPP_ETHER, "1100 0001 0023 0021", IPV4),
        (LinkType::ATM_RFC1483, snap, IPV4),
        (LinkType::RAW, "", IPV6),
        (LinkType::C_HDLC, "8f00 86dd", IPV6),
        (LinkType::IEEE802_11, &wifi, IPV4),
        (LinkType::LOOP, "00000018", IPV6),
        (LinkType::LINUX_SLL, "0000 0001 0006 0200000000010000 0800", IPV4),
        (LinkType::LINUX_SLL, "0000 0001 0006 0200000000010000 0004 aaaa03 000000 86dd", IPV6),
        (
            LinkType::PFLOG,
            "3d 18 0000 00000000000000000000000000000000000000000000000000000000
            00000000000000000000000000000000000000000000000000000000 00000000",
            IPV6,
        ),
        (LinkType::IEEE802_11_PRISM, &format!("44000000 0c000000 00000000 {wifi}"), IPV4),
        (LinkType::IEEE802_11_RADIOTAP, &format!("00 00 0800 00000000 {wifi}"), IPV4),
        (LinkType::ARCNET_LINUX, "01 02 0000 d4 01 0007", IPV4),
        (LinkType::ARCNET_LINUX, "01 02 0000 c4 00 0007", IPV6),
        (LinkType::IEEE802_11_AVS, &format!("80211001 0000000c 00000000 {wifi}"), IPV4),
        (LinkType::PPP_WITH_DIR, "01 ff03 0021", IPV4),
        (LinkType::PPI, &format!("00 00 0c00 69000000 00000000 {wifi}"), IPV4),
        (LinkType::PPI, "00 00 0800 01000000 020000000002 020000000001 86dd", IPV6),
        (LinkType::IPV4, "", IPV4),
        (LinkType::IPV6, "", IPV6),
        (LinkType::NFLOG, "02 00 0001 0800 0100 0800 0100 0500 0a00 61000000 2500 0900", IPV4),
        (LinkType::NFLOG, "0a 00 0001 0008 0001 08000100 0039 0009", IPV6),
        (LinkType::PKTAP, "10000000 01000000 0c000000 00000000", IPV4),
        (LinkType::LINUX_SLL2, "86dd 0000 00000002 0001 00 06 0200000000010000", IPV6),
    ];
    samples.map(|(link, header, packet)| (link, hex(&format!("{header} {packet}")))).into()
}

/// An IP packet for each tunnel.
pub(super) fn tunnels() -> Vec<Vec<u8>> {
    let gre = |header: &str| hex(&format!("{header} {IPV4}"));
    let over_udp = |src_port, dst_port, header: &str| ipv4(17, &udp(src_port, dst_port, &hex(header)));
    let frame = format!("{ETHERNET} {IPV4}");
    vec![
        ipv4(4, &hex(IPV4)),
        ipv4(41, &hex(IPV6)),
        ipv6(4, &hex(IPV4)),
        ipv6(41, &hex(IPV6)),
        ipv4(47, &gre("0000 0800")),
        ipv4(47, &gre("b000 0800 00000000 00000001 00000002")),
        ipv4(47, &gre("4000 0800 00000000 0800 00 04 c0000201 0000 00 00")),
        ipv4(47, &gre("0000 8847 000101ff")),
        ipv4(47, &gre(&format!("0000 6558 {ETHERNET}"))),
        ipv4(47, &gre(&format!("0000 88be {ETHERNET}"))),
        ipv4(47, &gre(&format!("1000 88be 00000001 1001 0001 00000000 {ETHERNET}"))),
        ipv4(47, &gre(&format!("1000 22eb 00000001 2001 0001 00000000 0000 0000 {ETHERNET}"))),
        ipv4(47, &gre(&format!("1000 22eb 00000001 2001 0001 00000000 0000 0001 0000000000000000 {ETHERNET}"))),
        ipv4(47, &gre("3081 880b 0025 0001 00000001 00000002 ff03 0021")),
        ipv6(97, &hex(&format!("3000 {frame}"))),
        ipv4(137, &hex(&format!("000101ff {IPV6}"))),
        over_udp(9, 4789, &format!("08 000000 000001 00 {frame}")),
        over_udp(9, 8472, &format!("08 000000 000001 00 {frame}")),
        over_udp(9, 4790, &format!("0c 000002 000001 00 {IPV6}")),
        over_udp(9, 4790, &format!("08 000000 000001 00 {frame}")),
        over_udp(9, 6081, &format!("02 00 6558 000001 00 0000000000000000 {frame}")),
        over_udp(9, 6081, &format!("00 00 86dd 000001 00 {IPV6}")),
        over_udp(9, 4754, &format!("0000 0800 {IPV4}")),
        over_udp(9, 6635, &format!("000101ff {IPV4}")),
        over_udp(9, 2152, &format!("30 ff 0021 00000001 {IPV4}")),
        over_udp(2152, 9, &format!("34 ff 0029 00000001 0000 00 85 01 0000 c0 01 0000 00 {IPV4}")),
        over_udp(9, 2152, &format!("32 ff 0025 00000001 0001 00 85 {IPV4}")),
        over_udp(9, 3386, &format!("1e ff 0021 0000 0000 00 ffffff 0000000000000000 {IPV4}")),
        over_udp(9, 3544, IPV6),
        over_udp(3544, 9, &format!("0001 02 01 6162 63 0000000000000000 00 0000 0000 00000000 {IPV6}")),
        over_udp(9, 1701, &format!("0002 0001 0001 ff03 0021 {IPV4}")),
        over_udp(9, 1701, &format!("4a02 0000 0001 0001 0000 0000 0002 0000 0021 {IPV4}")),
    ]
}

/// All frames of both kinds.
fn samples() -> Vec<(LinkType, Vec<u8>)> {
    links().into_iter().chain(tunnels().into_iter().map(|packet| (LinkType::RAW, packet))).collect()
}

/// Whether what was found lies within `frame` and is consistent.
fn assert_sound(packet: &Packet<'_>, frame: &[u8]) {
    let payload = match packet {
        Packet::Udp { payload, .. } => *payload,
        Packet::Tcp { segment, .. } => segment.payload,
        Packet::Fragment(fragment) => {
            assert!(fragment.offset % 8 == 0 && (fragment.more || fragment.offset > 0));
            fragment.payload
        }
    };
    let (whole, part) = (frame.as_ptr_range(), payload.as_ptr_range());
    assert!(whole.start <= part.start && part.end <= whole.end);
}

#[test]
fn every_link_type_has_a_sample_and_every_sample_is_found() {
    for (link, frame) in samples() {
        assert_eq!(query(link, &frame), Ok(vec![]), "{link} {frame:x?}");
        let padded = [&frame[..], &[0xee; 9]].concat();
        assert_eq!(query(link, &padded), Ok(vec![]), "{link} {frame:x?} padded");
    }
    for (link, name) in LinkType::SUPPORTED {
        assert!(links().iter().any(|(sample, _)| sample == link), "{name}");
    }
}

#[test]
fn a_link_type_is_decoded_exactly_if_it_is_supported() {
    for link in (0..=u16::MAX).map(LinkType) {
        assert_eq!(decode(link, &[]) == Err(Discard::LinkType), !link.is_supported(), "{link}");
    }
}

#[test]
fn a_cut_frame_misses_what_was_cut_or_has_no_header() {
    for (link, frame) in samples() {
        for length in 0..frame.len() {
            match Decoder::default().decode(link, &frame[..length], frame.len()) {
                Ok(Packet::Udp { payload, missing, .. }) => {
                    assert_eq!((payload, missing), (&b"query"[..payload.len()], frame.len() - length), "{link}");
                }
                Err(Discard::ShortFrame | Discard::NotIp | Discard::NotDnsPort) => {}
                other => panic!("{link} {frame:x?} cut at {length}: {other:?}"),
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_decoded_within_the_frame(frame in prop::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>()) {
        let (link, _) = LinkType::SUPPORTED[at.index(LinkType::SUPPORTED.len())];
        for ports in [Ports::default(), Ports::any()] {
            if let Ok(packet) = Decoder::new(ports).decode(link, &frame, 200) {
                assert_sound(&packet, &frame);
            }
        }
    }

    #[test]
    fn a_sample_with_wrong_bytes_is_decoded_within_the_frame(
        at in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        length in any::<prop::sample::Index>(),
    ) {
        let samples = samples();
        let (link, mut frame) = samples[at.index(samples.len())].clone();
        for (at, byte) in changes {
            let at = at.index(frame.len());
            frame[at] = byte;
        }
        let frame = &frame[..=length.index(frame.len())];
        for ports in [Ports::default(), Ports::any()] {
            if let Ok(packet) = Decoder::new(ports).decode(link, frame, frame.len()) {
                assert_sound(&packet, frame);
            }
        }
    }

    #[test]
    fn any_payload_of_fragments_is_decoded_within_it(payload in prop::collection::vec(any::<u8>(), 0..100), protocol in any::<u8>()) {
        for address in ["192.0.2.1", "2001:db8::1"].map(|text| text.parse().unwrap()) {
            let found = Decoder::new(Ports::any()).decode_payload(address, address, VlanTags::NONE, protocol, &payload);
            if let Ok(packet) = found {
                assert_sound(&packet, &payload);
            }
        }
    }
}
