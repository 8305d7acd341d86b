//! IPv4 and IPv6 headers, extension headers and fragments.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pnet_packet::ipv6::Ipv6Packet;

use super::decoder::Decoder;
use super::packet::{Discard, Fragment, Packet};
use super::rest::Rest;

/// Numbers of the registry "Assigned Internet Protocol Numbers" that are told apart.
pub(super) mod protocol {
    pub(in super::super) const HOP_BY_HOP: u8 = 0;
    pub(in super::super) const IPV4: u8 = 4;
    pub(in super::super) const TCP: u8 = 6;
    pub(in super::super) const UDP: u8 = 17;
    pub(in super::super) const IPV6: u8 = 41;
    pub(in super::super) const ROUTING: u8 = 43;
    pub(in super::super) const FRAGMENT: u8 = 44;
    pub(in super::super) const GRE: u8 = 47;
    pub(in super::super) const AUTHENTICATION: u8 = 51;
    pub(in super::super) const DESTINATION_OPTIONS: u8 = 60;
    pub(in super::super) const ETHERIP: u8 = 97;
    pub(in super::super) const MOBILITY: u8 = 135;
    pub(in super::super) const MPLS: u8 = 137;
    pub(in super::super) const HIP: u8 = 139;
    pub(in super::super) const SHIM6: u8 = 140;
}

/// Length of IPv4's header without options.
const IPV4_HEADER: usize = 20;

/// Length of IPv6's fixed header.
const IPV6_HEADER: usize = 40;

impl Decoder {
    /// An IP packet inside any carrier but plain Ethernet: out of line, so that the code of the common path is there once.
    #[inline(never)]
    pub(super) fn ip<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        self.ip_inline(rest)
    }

    /// An IP packet of whichever version its first four bits tell, which weighs more than what the layer below announced.
    #[inline(always)]
    pub(super) fn ip_inline<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        match rest.byte(0)? >> 4 {
            4 => self.ipv4(rest),
            6 => self.ipv6(rest),
            _ => Err(Discard::BadHeader),
        }
    }

    /// An IPv4 packet: RFC 791 section 3.1. This header and UDP's are read by hand, because `pnet_packet`'s methods for them
    /// stay calls: with those the way to a datagram takes 23 ns, without them 14 to 16.
    #[inline(always)]
    fn ipv4<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let header: &[u8; IPV4_HEADER] = rest.data.first_chunk().ok_or(Discard::ShortFrame)?;
        let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let address = |at: usize| Ipv4Addr::new(header[at], header[at + 1], header[at + 2], header[at + 3]);
        let header_len = 4 * usize::from(header[0] & 0x0f);
        // Zero is what a frame captured before segmentation offload holds: the packet then ends with the frame.
        let total_len = usize::from(word(2));
        if header_len < IPV4_HEADER || (total_len < header_len && total_len != 0) {
            return Err(Discard::BadHeader);
        }
        let mut body = rest.skip(header_len)?;
        if total_len != 0 {
            body = body.limit(total_len - header_len);
        }
        let (src, dst, protocol) = (address(12), address(16), header[9]);
        let place = word(6);
        // RFC 791 section 3.1: the lowest flag says that more fragments follow, then comes the offset in units of eight.
        if place & 0x3fff != 0 {
            let place = Place { id: word(4).into(), protocol, offset: place << 3, more: place & 0x2000 != 0 };
            return fragment(body, place, src.into(), dst.into());
        }
        self.transport(body, src, dst, protocol)
    }

    /// An IPv6 packet: RFC 8200 section 3.
    #[inline(always)]
    fn ipv6<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let header = Ipv6Packet::new(rest.data).ok_or(Discard::ShortFrame)?;
        let src = Ipv6Addr::from(rest.bytes::<16>(8)?);
        let dst = Ipv6Addr::from(rest.bytes::<16>(24)?);
        let mut body = rest.skip(IPV6_HEADER)?;
        // Zero in a jumbogram (RFC 2675 section 3) and before segmentation offload: the packet then ends with the frame.
        let payload_len = usize::from(header.get_payload_length());
        if payload_len != 0 {
            body = body.limit(payload_len);
        }
        self.transport(body, src, dst, header.get_next_header().0)
    }

    /// What an IP header announces as `protocol`. The addresses become [`IpAddr`] as late as can be: those live in memory.
    #[inline(always)]
    pub(super) fn transport<'a, A: Into<IpAddr> + Copy>(
        &self,
        rest: Rest<'a>,
        src: A,
        dst: A,
        protocol: u8,
    ) -> Result<Packet<'a>, Discard> {
        match protocol {
            protocol::UDP => self.udp(rest, src, dst),
            protocol::TCP => self.tcp(rest, src, dst),
            _ => self.extension(rest, src.into(), dst.into(), protocol),
        }
    }

    /// Extension headers up to the transport or tunnel behind them: RFC 8200 section 4, and RFC 4302 for both versions.
    #[inline(never)]
    fn extension<'a>(
        &self,
        mut rest: Rest<'a>,
        src: IpAddr,
        dst: IpAddr,
        mut protocol: u8,
    ) -> Result<Packet<'a>, Discard> {
        loop {
            let length = match protocol {
                protocol::UDP => return self.udp(rest, src, dst),
                protocol::TCP => return self.tcp(rest, src, dst),
                protocol::FRAGMENT if src.is_ipv6() => {
                    let [next, _, high, low, id @ ..] = rest.bytes::<8>(0)?;
                    let word = u16::from_be_bytes([high, low]);
                    let (offset, more) = (word & !7, word & 1 != 0);
                    let body = rest.skip(8)?;
                    if more || offset != 0 {
                        let id = u32::from_be_bytes(id);
                        return fragment(body, Place { id, protocol: next, offset, more }, src, dst);
                    }
                    // RFC 6946: an atomic fragment is a whole packet.
                    8
                }
                // RFC 4302 section 2.2 counts AH in words of four bytes, minus two.
                protocol::AUTHENTICATION => 4 * (usize::from(rest.byte(1)?) + 2),
                _ if src.is_ipv6() && is_extension(protocol) => 8 * (usize::from(rest.byte(1)?) + 1),
                _ => return self.ip_tunnel(rest, protocol),
            };
            protocol = rest.byte(0)?;
            rest = rest.skip(length)?;
        }
    }
}

/// Whether `protocol` is an extension header of the form that RFC 6564 section 4 fixes.
const fn is_extension(protocol: u8) -> bool {
    matches!(
        protocol,
        protocol::HOP_BY_HOP
            | protocol::ROUTING
            | protocol::DESTINATION_OPTIONS
            | protocol::MOBILITY
            | protocol::HIP
            | protocol::SHIM6
    )
}

/// Whether the fragments of such a packet are worth keeping: something may come of it once it is whole.
fn leads_on(protocol: u8, v6: bool) -> bool {
    match protocol {
        protocol::UDP
        | protocol::TCP
        | protocol::AUTHENTICATION
        | protocol::IPV4
        | protocol::IPV6
        | protocol::GRE
        | protocol::ETHERIP
        | protocol::MPLS => true,
        _ => v6 && is_extension(protocol),
    }
}

/// What a header says about a fragment.
struct Place {
    /// Identification.
    id: u32,
    /// Protocol of the whole packet.
    protocol: u8,
    /// Offset in bytes.
    offset: u16,
    /// More fragments follow.
    more: bool,
}

/// The fragment that `body` is.
#[cold]
fn fragment(body: Rest<'_>, place: Place, src: IpAddr, dst: IpAddr) -> Result<Packet<'_>, Discard> {
    let Place { id, protocol, offset, more } = place;
    if !leads_on(protocol, src.is_ipv6()) {
        return Err(Discard::NotTransport);
    }
    let Rest { data: payload, missing, vlan, .. } = body;
    Ok(Packet::Fragment(Fragment { src, dst, vlan, id, protocol, offset, more, payload, missing }))
}

#[cfg(test)]
mod tests {
    use super::super::link_type::LinkType;
    use super::super::samples::{IPV4, IPV6, decode, hex, ipv4, ipv6, query, udp};
    use super::*;

    /// The sample datagram without its IP header.
    fn datagram() -> Vec<u8> {
        udp(1234, 53, b"query")
    }

    /// The payload of a datagram between the outer addresses.
    fn payload(packet: &[u8]) -> Result<(&[u8], usize), Discard> {
        match decode(LinkType::RAW, packet)? {
            Packet::Udp { payload, missing, .. } => Ok((payload, missing)),
            other => panic!("{other:?}"),
        }
    }

    /// An IPv4 sample with `bytes` written at `at`.
    fn patched(at: usize, bytes: &[u8]) -> Vec<u8> {
        let mut packet = hex(IPV4);
        packet[at..at + bytes.len()].copy_from_slice(bytes);
        packet
    }

    #[test]
    fn options_are_skipped_and_their_length_is_checked() {
        let packet = hex("4600 0025 0001 0000 4011 0000 c0000201 c0000235 94040000 04d2 0035 000d 0000 7175657279");
        assert_eq!(query(LinkType::RAW, &packet), Ok(vec![]));
        assert_eq!(payload(&patched(0, &[0x44])), Err(Discard::BadHeader));
        assert_eq!(payload(&patched(0, &[0x4f])), Err(Discard::BadHeader));
        assert_eq!(payload(&patched(0, &hex("4f00 003c"))), Err(Discard::ShortFrame));
        assert_eq!(payload(&patched(0, &[0x55])), Err(Discard::BadHeader));
    }

    #[test]
    fn total_length_may_be_absent_or_too_large_but_not_too_small() {
        assert_eq!(payload(&patched(2, &[0, 0])), Ok((&b"query"[..], 0)));
        assert_eq!(payload(&patched(2, &[0, 0x22])), Ok((&b"query"[..], 0)));
        assert_eq!(payload(&patched(2, &[0, 19])), Err(Discard::BadHeader));
        assert_eq!(payload(&patched(2, &[0, 27])), Err(Discard::ShortFrame));
        assert_eq!(payload(&patched(2, &[0, 30])), Ok((&b"qu"[..], 3)));
    }

    #[test]
    fn ipv4_fragments_of_what_is_opened_are_passed_on() {
        let first = patched(6, &[0x20, 0]);
        let Ok(Packet::Fragment(part)) = decode(LinkType::RAW, &first) else { panic!() };
        assert_eq!((part.id, part.protocol, part.offset, part.more), (1, 17, 0, true));
        let last = patched(6, &[0x1f, 0xff]);
        let Ok(Packet::Fragment(part)) = decode(LinkType::RAW, &last) else { panic!() };
        assert_eq!((part.offset, part.more, part.payload, part.missing), (65528, false, &last[20..], 0));
        for (protocol, kept) in [(6, true), (4, true), (47, true), (51, true), (1, false), (50, false), (60, false)] {
            let mut packet = last.clone();
            packet[9] = protocol;
            assert_eq!(decode(LinkType::RAW, &packet).is_ok(), kept, "{protocol}");
        }
        // Don't-fragment is no fragment.
        assert_eq!(query(LinkType::RAW, &patched(6, &[0x40, 0])), Ok(vec![]));
    }

    #[test]
    fn extension_headers_are_walked_in_any_order() {
        // Hop-by-hop, destination options, routing, mobility, HIP, Shim6, AH: each names the next.
        let chain = hex("3c00 050200000000 2b00 010400000000 8700 000000000000 8b01 0000000000000000000000000000
            8c00 000000000000 3300 000000000000 1104 0000 00000001 00000001 000000000000000000000000");
        let packet = ipv6(0, &[chain, datagram()].concat());
        assert_eq!(payload(&packet), Ok((&b"query"[..], 0)));
    }

    #[test]
    fn an_authentication_header_counts_in_words_of_four() {
        let header = hex("1104 0000 00000001 00000001 000000000000000000000000");
        assert_eq!(payload(&ipv4(51, &[&header[..], &datagram()].concat())), Ok((&b"query"[..], 0)));
        assert_eq!(payload(&ipv6(51, &[&header[..], &datagram()].concat())), Ok((&b"query"[..], 0)));
        // IPv4 has no other extension headers.
        assert_eq!(payload(&ipv4(60, &[hex("1100 000000000000"), datagram()].concat())), Err(Discard::NotTransport));
    }

    #[test]
    fn ipv6_fragments_are_passed_on_unless_they_are_whole() {
        let atomic = ipv6(44, &[hex("1100 0000 00000007"), datagram()].concat());
        assert_eq!(payload(&atomic), Ok((&b"query"[..], 0)));
        let packet = ipv6(60, &[hex("2c00 000000000000 1100 05a9 00010007"), datagram()].concat());
        let Ok(Packet::Fragment(part)) = decode(LinkType::RAW, &packet) else { panic!() };
        assert_eq!((part.id, part.protocol, part.offset, part.more), (0x10007, 17, 0x05a8, true));
        assert_eq!((part.payload, part.missing), (&datagram()[..], 0));
        let icmp = ipv6(44, &[hex("3a00 0001 00000007"), datagram()].concat());
        assert_eq!(decode(LinkType::RAW, &icmp), Err(Discard::NotTransport));
    }

    #[test]
    fn what_fragments_made_whole_goes_on_like_a_packet() {
        let [src, dst] = ["2001:db8::1", "2001:db8::53"].map(|text| text.parse().unwrap());
        let decoder = Decoder::default();
        let tags = super::super::VlanTags::NONE.push(7).unwrap();
        let whole = [hex("1100 000000000000"), datagram()].concat();
        let Ok(Packet::Udp { flow, payload, .. }) = decoder.decode_payload(src, dst, tags, 60, &whole) else {
            panic!()
        };
        assert_eq!((flow.src, flow.dst, flow.vlan, payload), (src, dst, tags, &b"query"[..]));
        let inner = hex(IPV4);
        let Ok(Packet::Udp { flow, .. }) = decoder.decode_payload(src, dst, tags, 4, &inner) else { panic!() };
        assert_eq!((flow.src.to_string().as_str(), flow.vlan), ("192.0.2.1", tags));
    }

    #[test]
    fn an_ipv6_packet_without_length_ends_with_the_frame() {
        let mut packet = hex(IPV6);
        packet[4..6].copy_from_slice(&[0, 0]);
        assert_eq!(query(LinkType::RAW, &packet), Ok(vec![]));
        packet[0] = 0x50;
        assert_eq!(query(LinkType::RAW, &packet), Err(Discard::BadHeader));
    }

    #[test]
    fn other_protocols_are_none_of_ours() {
        // An ICMP error that quotes a query.
        let quoting = ipv4(1, &[hex("0303 0000 00000000"), hex(IPV4)].concat());
        assert_eq!(payload(&quoting), Err(Discard::NotTransport));
        assert_eq!(payload(&ipv6(59, &[])), Err(Discard::NotTransport));
        assert_eq!(payload(&ipv6(0, &hex("1100 0000"))), Err(Discard::ShortFrame));
    }
}
