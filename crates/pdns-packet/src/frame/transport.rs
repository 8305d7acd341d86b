//! UDP and TCP headers.

use std::net::IpAddr;

use pnet_packet::tcp::TcpPacket;

use super::decoder::Decoder;
use super::flow::Flow;
use super::packet::{Discard, Packet, TcpFlags, TcpSegment};
use super::rest::Rest;

/// Length of UDP's header.
const UDP_HEADER: usize = 8;

impl Decoder {
    /// A UDP datagram: RFC 768.
    #[inline(always)]
    pub(super) fn udp<'a, A: Into<IpAddr> + Copy>(
        &self,
        rest: Rest<'a>,
        src: A,
        dst: A,
    ) -> Result<Packet<'a>, Discard> {
        let header: &[u8; UDP_HEADER] = rest.data.first_chunk().ok_or(Discard::ShortFrame)?;
        let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let (src_port, dst_port) = (word(0), word(2));
        let mut body = rest.skip(UDP_HEADER)?;
        match usize::from(word(4)) {
            // RFC 2675 section 4, and frames captured before segmentation offload: the datagram ends with the packet.
            0 => {}
            length if length < UDP_HEADER => return Err(Discard::BadHeader),
            length => body = body.limit(length - UDP_HEADER),
        }
        let flow = || Flow { src: src.into(), dst: dst.into(), src_port, dst_port, vlan: body.vlan };
        if self.ports.names(src_port) || self.ports.names(dst_port) {
            return Ok(datagram(body, flow()));
        }
        self.udp_elsewhere(body, flow())
    }

    /// A datagram between ports that are not DNS by themselves: a tunnel, or nothing unless every port is DNS.
    #[inline(never)]
    fn udp_elsewhere<'a>(&self, body: Rest<'a>, flow: Flow) -> Result<Packet<'a>, Discard> {
        match self.udp_tunnel(body, &flow) {
            Some(inner) => inner,
            None if self.ports.is_any() => Ok(datagram(body, flow)),
            None => Err(Discard::NotDnsPort),
        }
    }

    /// A TCP segment: RFC 9293 section 3.1.
    #[inline(never)]
    pub(super) fn tcp<'a, A: Into<IpAddr> + Copy>(
        &self,
        rest: Rest<'a>,
        src: A,
        dst: A,
    ) -> Result<Packet<'a>, Discard> {
        let header = TcpPacket::new(rest.data).ok_or(Discard::ShortFrame)?;
        let (src_port, dst_port) = (header.get_source(), header.get_destination());
        if !self.ports.contains(src_port) && !self.ports.contains(dst_port) {
            return Err(Discard::NotDnsPort);
        }
        let header_len = 4 * usize::from(header.get_data_offset());
        if header_len < TcpPacket::minimum_packet_size() || header_len > rest.data.len() + rest.missing {
            return Err(Discard::BadHeader);
        }
        let Rest { data: payload, missing, vlan, .. } = rest.skip(header_len)?;
        let flow = Flow { src: src.into(), dst: dst.into(), src_port, dst_port, vlan };
        let (seq, ack) = (header.get_sequence(), header.get_acknowledgement());
        let flags = TcpFlags(header.get_flags());
        Ok(Packet::Tcp { flow, segment: TcpSegment { seq, ack, flags, payload, missing } })
    }
}

/// The datagram that carries `body`.
#[inline(always)]
const fn datagram(body: Rest<'_>, flow: Flow) -> Packet<'_> {
    Packet::Udp { flow, payload: body.data, missing: body.missing }
}

#[cfg(test)]
mod tests {
    use super::super::link_type::LinkType;
    use super::super::ports::Ports;
    use super::super::samples::{decode, hex, ipv4, udp};
    use super::*;

    /// The payload of an IPv4 packet with this UDP length in front of "query".
    fn with_length(length: u8) -> Result<(Vec<u8>, usize), Discard> {
        let mut datagram = udp(53, 9, b"query");
        datagram[5] = length;
        match decode(LinkType::RAW, &ipv4(17, &datagram))? {
            Packet::Udp { payload, missing, .. } => Ok((payload.to_vec(), missing)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_length_of_a_datagram_is_its_own() {
        assert_eq!(with_length(13), Ok((b"query".to_vec(), 0)));
        assert_eq!(with_length(0), Ok((b"query".to_vec(), 0)));
        assert_eq!(with_length(7), Err(Discard::BadHeader));
        assert_eq!(with_length(8), Ok((vec![], 0)));
        assert_eq!(with_length(10), Ok((b"qu".to_vec(), 0)));
        assert_eq!(with_length(20), Ok((b"query".to_vec(), 7)));
    }

    #[test]
    fn only_dns_ports_pass_unless_every_port_is_dns() {
        let packet = ipv4(17, &udp(1, 2, b"x"));
        assert_eq!(decode(LinkType::RAW, &packet), Err(Discard::NotDnsPort));
        for ports in [Ports::any(), Ports::of(&[1, 7]), Ports::of(&[2])] {
            assert!(Decoder::new(ports).decode(LinkType::RAW, &packet, packet.len()).is_ok());
        }
        let packet = ipv4(6, &hex("0001 0002 00000000 00000000 5002 0000 0000 0000"));
        assert_eq!(decode(LinkType::RAW, &packet), Err(Discard::NotDnsPort));
        assert!(Decoder::new(Ports::any()).decode(LinkType::RAW, &packet, packet.len()).is_ok());
    }

    /// A TCP packet to port 53 with this data offset, eight bytes of options or payload, and then "query".
    fn segment(offset: u8) -> Vec<u8> {
        let mut header = hex("04d2 0035 01020304 05060708 0018 0000 0000 0000 0101010101010101");
        header[12] = offset << 4;
        ipv4(6, &[&header[..], b"query"].concat())
    }

    #[test]
    fn a_segment_has_numbers_flags_and_payload_behind_its_options() {
        let packet = segment(7);
        let Ok(Packet::Tcp { flow, segment }) = decode(LinkType::RAW, &packet) else { panic!() };
        assert_eq!((flow.src_port, flow.dst_port), (1234, 53));
        assert_eq!((segment.seq, segment.ack, segment.flags), (0x01020304, 0x05060708, TcpFlags(0x18)));
        assert_eq!((segment.payload, segment.missing), (&b"query"[..], 0));
    }

    #[test]
    fn a_data_offset_is_checked_against_what_was_on_the_wire() {
        assert_eq!(decode(LinkType::RAW, &segment(4)), Err(Discard::BadHeader));
        assert_eq!(decode(LinkType::RAW, &segment(9)), Err(Discard::BadHeader));
        let packet = segment(7);
        let cut = |length| Decoder::default().decode(LinkType::RAW, &packet[..length], packet.len());
        assert_eq!(cut(41), Err(Discard::ShortFrame));
        let Ok(Packet::Tcp { segment, .. }) = cut(50) else { panic!() };
        assert_eq!((segment.payload, segment.missing), (&b"qu"[..], 3));
    }
}
