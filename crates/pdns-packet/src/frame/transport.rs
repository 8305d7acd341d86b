//! UDP and TCP headers.

use std::net::IpAddr;

use pnet_packet::tcp::TcpPacket;
use pnet_packet::udp::UdpPacket;

use super::decoder::Decoder;
use super::flow::Flow;
use super::packet::{Discard, Packet, TcpFlags, TcpSegment};
use super::rest::Rest;

/// Length of UDP's header.
const UDP_HEADER: usize = 8;

impl Decoder {
    /// A UDP datagram: RFC 768.
    #[inline]
    pub(super) fn udp<'a>(&self, rest: Rest<'a>, src: IpAddr, dst: IpAddr) -> Result<Packet<'a>, Discard> {
        let header = UdpPacket::new(rest.data).ok_or(Discard::ShortFrame)?;
        let (src_port, dst_port) = (header.get_source(), header.get_destination());
        let mut body = rest.skip(UDP_HEADER)?;
        match usize::from(header.get_length()) {
            // RFC 2675 section 4, and frames captured before segmentation offload: the datagram ends with the packet.
            0 => {}
            length if length < UDP_HEADER => return Err(Discard::BadHeader),
            length => body = body.limit(length - UDP_HEADER),
        }
        let flow = Flow { src, dst, src_port, dst_port, vlan: body.vlan };
        if self.ports.names(src_port) || self.ports.names(dst_port) {
            return Ok(datagram(body, flow));
        }
        self.udp_elsewhere(body, flow)
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
    #[inline]
    pub(super) fn tcp<'a>(&self, rest: Rest<'a>, src: IpAddr, dst: IpAddr) -> Result<Packet<'a>, Discard> {
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
        let flow = Flow { src, dst, src_port, dst_port, vlan };
        let (seq, ack) = (header.get_sequence(), header.get_acknowledgement());
        let flags = TcpFlags(header.get_flags() as u8);
        Ok(Packet::Tcp { flow, segment: TcpSegment { seq, ack, flags, payload, missing } })
    }
}

/// The datagram that carries `body`.
#[inline]
const fn datagram(body: Rest<'_>, flow: Flow) -> Packet<'_> {
    Packet::Udp { flow, payload: body.data, missing: body.missing }
}
