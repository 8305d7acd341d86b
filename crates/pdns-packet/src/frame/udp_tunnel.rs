//! Tunnels over UDP, known by their ports: VXLAN, Geneve, GTP, Teredo, L2TP, GRE and MPLS.

use super::decoder::Decoder;
use super::flow::Flow;
use super::link::ethertype;
use super::packet::{Discard, Packet};
use super::rest::Rest;

/// Numbers of the registry "Service Name and Transport Protocol Port Number" (and Linux's own for VXLAN).
mod port {
    pub(super) const L2TP: u16 = 1701;
    pub(super) const GTP_U: u16 = 2152;
    pub(super) const GTP_PRIME: u16 = 3386;
    pub(super) const TEREDO: u16 = 3544;
    pub(super) const GRE: u16 = 4754;
    pub(super) const VXLAN: u16 = 4789;
    pub(super) const VXLAN_GPE: u16 = 4790;
    pub(super) const GENEVE: u16 = 6081;
    pub(super) const MPLS: u16 = 6635;
    pub(super) const VXLAN_LINUX: u16 = 8472;
}

/// GTP's message type of user data: G-PDU in version 1, T-PDU in version 0.
const GTP_DATA: u8 = 255;

impl Decoder {
    /// What is inside the tunnel that the ports announce; `None` if they announce none, or if what is inside does not look
    /// as it should: ports are free for all.
    pub(super) fn udp_tunnel<'a>(&self, body: Rest<'a>, flow: &Flow) -> Option<Result<Packet<'a>, Discard>> {
        let inner = match flow.dst_port {
            port::VXLAN | port::VXLAN_LINUX => self.vxlan(body),
            port::VXLAN_GPE => self.vxlan_gpe(body),
            port::GENEVE => self.geneve(body),
            port::GRE => self.gre(body),
            port::MPLS => body.enter().and_then(|body| self.mpls(body)),
            // These tunnels answer from the port they are addressed at.
            port::GTP_U => self.gtp_u(body),
            port::GTP_PRIME => self.gtp_v0(body),
            port::TEREDO => self.teredo(body),
            port::L2TP => self.l2tp(body),
            _ => match flow.src_port {
                port::GTP_U => self.gtp_u(body),
                port::GTP_PRIME => self.gtp_v0(body),
                port::TEREDO => self.teredo(body),
                port::L2TP => self.l2tp(body),
                _ => return None,
            },
        };
        match inner {
            Err(Discard::NotIp | Discard::BadHeader) => None,
            Err(Discard::ShortFrame) if body.missing == 0 => None,
            inner => Some(inner),
        }
    }

    /// VXLAN: RFC 7348 section 5; other flags and reserved bytes are used by extensions.
    fn vxlan<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let [flags, .., reserved] = rest.bytes::<8>(0)?;
        if flags & 0x08 == 0 || reserved != 0 {
            return Err(Discard::BadHeader);
        }
        self.ethernet(rest.enter()?.skip(8)?)
    }

    /// VXLAN with a next protocol field: draft-ietf-nvo3-vxlan-gpe section 3.
    fn vxlan_gpe<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let [flags, _, _, next, ..] = rest.bytes::<8>(0)?;
        let (version, has_next) = (flags >> 4 & 3, flags & 0x04 != 0);
        if flags & 0x08 == 0 || version != 0 {
            return Err(Discard::BadHeader);
        }
        self.next_protocol(rest.enter()?.skip(8)?, if has_next { next } else { 3 })
    }

    /// Geneve: RFC 8926 section 3.4.
    fn geneve<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let first = rest.byte(0)?;
        let (version, options) = (first >> 6, 4 * usize::from(first & 0x3f));
        let ethertype = rest.word(2)?;
        if version != 0 || ethertype < ethertype::SMALLEST {
            return Err(Discard::BadHeader);
        }
        self.network(rest.enter()?.skip(8 + options)?, ethertype)
    }

    /// GTP-U: 3GPP TS 29.281 section 5.1 and 5.2.
    fn gtp_u<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let [flags, kind] = rest.bytes(0)?;
        if flags & 0xf0 != 0x30 || kind != GTP_DATA {
            return Err(Discard::BadHeader);
        }
        let mut inner = rest.skip(8)?;
        // Any of the three flags brings the four bytes that hold all three fields.
        if flags & 0x07 != 0 {
            let mut next = if flags & 0x04 != 0 { inner.byte(3)? } else { 0 };
            inner = inner.skip(4)?;
            while next != 0 {
                let length = 4 * usize::from(inner.byte(0)?);
                next = inner.byte(length.checked_sub(1).ok_or(Discard::BadHeader)?)?;
                inner = inner.skip(length)?;
            }
        }
        self.ip(inner.enter()?)
    }

    /// GTP version 0: 3GPP TS 09.60 section 6.
    fn gtp_v0<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let [flags, kind] = rest.bytes(0)?;
        if flags & 0xf0 != 0x10 || kind != GTP_DATA {
            return Err(Discard::BadHeader);
        }
        self.ip(rest.enter()?.skip(20)?)
    }

    /// Teredo: RFC 4380 section 5.1.1.
    fn teredo<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let mut rest = rest.enter()?;
        if rest.word(0)? == 0x0001 {
            let [id_len, auth_len] = rest.bytes(2)?;
            rest = rest.skip(13 + usize::from(id_len) + usize::from(auth_len))?;
        }
        if rest.word(0)? == 0x0000 {
            rest = rest.skip(8)?;
        }
        if rest.byte(0)? >> 4 != 6 {
            return Err(Discard::BadHeader);
        }
        self.ip(rest)
    }

    /// An L2TP data message: RFC 2661 section 3.1.
    fn l2tp<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let flags = rest.word(0)?;
        let bit = |bit: u16| usize::from(flags >> bit & 1);
        let (control, has_length, sequence, offset) = (bit(15), bit(14), bit(11), bit(9));
        if control != 0 || flags & 0x000f != 2 {
            return Err(Discard::BadHeader);
        }
        let length = 2 + 2 * has_length + 4 + 4 * sequence;
        let padding = if offset != 0 { 2 + usize::from(rest.word(length)?) } else { 0 };
        self.ppp(rest.enter()?.skip(length + padding)?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::link_type::LinkType;
    use super::super::ports::Ports;
    use super::super::samples::{ETHERNET, IPV4, decode, hex, ipv4, udp};
    use super::*;

    /// The ports of all tunnels.
    const TUNNELS: [u16; 10] = [1701, 2152, 3386, 3544, 4754, 4789, 4790, 6081, 6635, 8472];

    /// The ports and payload length of the datagram in `packet` when `ports` are DNS.
    fn found(ports: Ports, packet: &[u8]) -> Result<(u16, u16, usize), Discard> {
        match Decoder::new(ports).decode(LinkType::RAW, packet, packet.len())? {
            Packet::Udp { flow, payload, .. } => Ok((flow.src_port, flow.dst_port, payload.len())),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_dns_port_outweighs_a_tunnel() {
        let vxlan = hex(&format!("08 000000 000001 00 {ETHERNET} {IPV4}"));
        for port in TUNNELS {
            for ports in [Ports::default(), Ports::any()] {
                assert_eq!(found(ports.clone(), &ipv4(17, &udp(53, port, &vxlan))), Ok((53, port, vxlan.len())));
                assert_eq!(found(ports, &ipv4(17, &udp(port, 53, &vxlan))), Ok((port, 53, vxlan.len())));
            }
        }
        let packet = ipv4(17, &udp(9, 4789, &vxlan));
        assert_eq!(found(Ports::of(&[53, 4789]), &packet), Ok((9, 4789, vxlan.len())));
        assert_eq!(found(Ports::any(), &packet), Ok((1234, 53, 5)));
    }

    #[test]
    fn a_header_that_is_none_leaves_the_datagram() {
        // A response that a DNS server on an unusual port sent to a client on a tunnel's port.
        let message = hex("0801 8180 0001 0000 0000 0000 0161 00 0001 0001");
        for port in TUNNELS {
            for payload in [&message[..], &message[..3], &[]] {
                let packet = ipv4(17, &udp(5300, port, payload));
                assert_eq!(found(Ports::any(), &packet), Ok((5300, port, payload.len())), "{port}");
                assert_eq!(found(Ports::default(), &packet), Err(Discard::NotDnsPort), "{port}");
            }
        }
    }

    #[test]
    fn only_some_tunnels_answer_from_their_port() {
        let vxlan = hex(&format!("08 000000 000001 00 {ETHERNET} {IPV4}"));
        assert_eq!(found(Ports::default(), &ipv4(17, &udp(4789, 9, &vxlan))), Err(Discard::NotDnsPort));
        let gtp = hex(&format!("30 ff 0021 00000001 {IPV4}"));
        assert_eq!(found(Ports::default(), &ipv4(17, &udp(2152, 9, &gtp))), Ok((1234, 53, 5)));
    }

    #[test]
    fn what_is_inside_a_tunnel_is_judged_there() {
        let ping = ipv4(1, &hex("0800 0000 00000000"));
        let gtp = [hex("30 ff 0000 00000001"), ping].concat();
        assert_eq!(decode(LinkType::RAW, &ipv4(17, &udp(9, 2152, &gtp))), Err(Discard::NotTransport));
        let endless = hex("34 ff 0000 00000001 0000 00 85 00 000000");
        assert_eq!(decode(LinkType::RAW, &ipv4(17, &udp(9, 2152, &endless))), Err(Discard::NotDnsPort));
        let mut nested = hex(IPV4);
        for _ in 0..9 {
            nested = ipv4(17, &udp(9, 2152, &[hex("30 ff 0000 00000001"), nested].concat()));
        }
        assert_eq!(found(Ports::any(), &nested), Err(Discard::TooDeep));
    }
}
