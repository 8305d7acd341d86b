//! Tunnels straight over IP: IP in IP, GRE, ERSPAN, EtherIP, MPLS.

use super::decoder::Decoder;
use super::ip::protocol;
use super::link::{ETHERNET_HEADER, ethertype, is_credible};
use super::packet::{Discard, Packet};
use super::rest::Rest;

/// Length of an MPLS label, and of a pseudowire's control word.
const WORD: usize = 4;

impl Decoder {
    /// What an IP header announces, if it is a tunnel.
    pub(super) fn ip_tunnel<'a>(&self, rest: Rest<'a>, protocol: u8) -> Result<Packet<'a>, Discard> {
        match protocol {
            protocol::IPV4 | protocol::IPV6 => self.ip(rest.enter()?),
            protocol::GRE => self.gre(rest),
            protocol::MPLS => self.mpls(rest.enter()?),
            protocol::ETHERIP => self.etherip(rest),
            _ => Err(Discard::NotTransport),
        }
    }

    /// GRE: RFC 2784 and RFC 2890, with RFC 1701's routing; version 1 is PPTP's, RFC 2637 section 4.1.
    pub(super) fn gre<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let rest = rest.enter()?;
        let (flags, protocol) = (rest.word(0)?, rest.word(2)?);
        let bit = |bit: u16| usize::from(flags >> bit & 1);
        let (checksum, routing, key, sequence) = (bit(15), bit(14), bit(13), bit(12));
        match flags & 7 {
            0 => {
                let mut rest = rest.skip(4 * (1 + (checksum | routing) + key + sequence))?;
                if routing != 0 {
                    rest = behind_routing(rest)?;
                }
                self.gre_payload(rest, protocol, sequence != 0)
            }
            1 if protocol == ethertype::PPP => {
                let acknowledgment = bit(7);
                let payload_len = usize::from(rest.word(4)?);
                let rest = rest.skip(4 * (2 + sequence + acknowledgment))?.limit(payload_len);
                if payload_len == 0 { Err(Discard::NotIp) } else { self.ppp(rest) }
            }
            _ => Err(Discard::BadHeader),
        }
    }

    /// What GRE's protocol field announces. ERSPAN has none, eight or twelve bytes of header of its own; the first form is
    /// known by GRE's missing sequence number: draft-foschiano-erspan section 4.
    fn gre_payload<'a>(&self, rest: Rest<'a>, protocol: u16, sequenced: bool) -> Result<Packet<'a>, Discard> {
        match protocol {
            ethertype::ERSPAN_II if sequenced => self.ethernet(rest.skip(8)?),
            ethertype::ERSPAN_II => self.ethernet(rest),
            ethertype::ERSPAN_III => {
                // The last bit of the header tells of a platform-specific subheader.
                let subheader = if rest.byte(11)? & 1 != 0 { 8 } else { 0 };
                self.ethernet(rest.skip(12 + subheader)?)
            }
            0..ethertype::SMALLEST => Err(Discard::NotIp),
            _ => self.network(rest, protocol),
        }
    }

    /// Ethernet in IP: RFC 3378 section 3.
    fn etherip<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        if rest.byte(0)? >> 4 != 3 {
            return Err(Discard::BadHeader);
        }
        self.ethernet(rest.enter()?.skip(2)?)
    }

    /// A stack of MPLS labels (RFC 3032 section 2.1) and what is below it: IP by its version, or Ethernet over a
    /// pseudowire (RFC 4448 section 4.6) with or without control word, where its EtherType gives it away.
    pub(super) fn mpls<'a>(&self, mut rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let mut bottom = false;
        while !bottom {
            bottom = rest.byte(2)? & 1 != 0;
            rest = rest.skip(WORD)?;
        }
        let nibble = rest.byte(0)? >> 4;
        for (length, possible) in [(WORD, nibble == 0), (0, true)] {
            let ethertype = rest.word(length + ETHERNET_HEADER - 2).unwrap_or(0);
            if possible && nibble != 4 && nibble != 6 && is_credible(ethertype) {
                return self.ethernet(rest.enter()?.skip(length)?);
            }
        }
        if matches!(nibble, 4 | 6) { self.ip(rest) } else { Err(Discard::NotIp) }
    }

    /// A network service header: RFC 8300 section 2.2.
    pub(super) fn nsh<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let [_, length, _, next] = rest.bytes(0)?;
        let length = 4 * usize::from(length & 0x3f);
        if length < 8 {
            return Err(Discard::BadHeader);
        }
        self.next_protocol(rest.enter()?.skip(length)?, next)
    }

    /// What the next protocol field of NSH and of VXLAN-GPE announces.
    pub(super) fn next_protocol<'a>(&self, rest: Rest<'a>, next: u8) -> Result<Packet<'a>, Discard> {
        match next {
            1 | 2 => self.ip(rest),
            3 => self.ethernet(rest),
            4 => self.nsh(rest),
            5 => self.mpls(rest),
            _ => Err(Discard::NotIp),
        }
    }
}

/// What follows GRE's source route entries, the last of which has neither family nor length: RFC 1701.
fn behind_routing(mut rest: Rest<'_>) -> Result<Rest<'_>, Discard> {
    loop {
        let [f0, f1, _, length] = rest.bytes(0)?;
        rest = rest.skip(4 + usize::from(length))?;
        if (f0, f1, length) == (0, 0, 0) {
            return Ok(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::link_type::LinkType;
    use super::super::samples::{ETHERNET, IPV4, decode, hex, ipv4, query, query_in, tunnels};
    use super::*;

    #[test]
    fn tunnels_nest_and_are_bounded() {
        let mut packet = hex(IPV4);
        for _ in 0..8 {
            packet = ipv4(4, &packet);
        }
        assert_eq!(query(LinkType::RAW, &packet), Ok(vec![]));
        assert_eq!(query(LinkType::RAW, &ipv4(4, &packet)), Err(Discard::TooDeep));
    }

    #[test]
    fn every_tunnel_is_opened_inside_every_carrier_tag() {
        for packet in tunnels() {
            let ethertype = if packet[0] >> 4 == 4 { "0800" } else { "86dd" };
            let tagged = [hex(&format!("0064 {ethertype}")), packet].concat();
            assert_eq!(query_in(ethertype::VLAN, &tagged), Ok(vec![100]));
        }
    }

    #[test]
    fn headers_that_cannot_be_are_refused() {
        for (protocol, header, discard) in [
            (47, "0002 0800", Discard::BadHeader),
            (47, "3001 880b 0000 0001 00000001", Discard::NotIp),
            (47, "2001 0800 0025 0001", Discard::BadHeader),
            (47, "0000 0026 aaaa03 000000 0800", Discard::NotIp),
            (47, "4000 0800 00000000 0800 00 ff", Discard::ShortFrame),
            (97, "2000 020000000002 020000000001 0800", Discard::BadHeader),
            (137, "000100ff 000100ff", Discard::ShortFrame),
        ] {
            let packet = ipv4(protocol, &hex(header));
            assert_eq!(decode(LinkType::RAW, &packet), Err(discard), "{protocol} {header}");
        }
    }

    #[test]
    fn a_label_stack_over_a_frame_whose_address_looks_like_ip_is_no_frame() {
        let frame = hex(&format!("000101ff 4{} {IPV4}", &ETHERNET[1..]));
        assert!(query_in(ethertype::MPLS, &frame).is_err());
    }
}
