//! PPP in its framings, and PPPoE.

use super::decoder::Decoder;
use super::packet::{Discard, Packet};
use super::rest::Rest;

/// Numbers of the registry "PPP DLL Protocol Numbers" that are told apart.
mod protocol {
    pub(super) const IPV4: u16 = 0x0021;
    pub(super) const IPV6: u16 = 0x0057;
    pub(super) const MPLS: u16 = 0x0281;
    pub(super) const MPLS_MULTICAST: u16 = 0x0283;
}

/// Length of PPPoE's header.
const PPPOE_HEADER: usize = 6;

impl Decoder {
    /// PPP in HDLC-like framing, or Cisco's HDLC, which its address field gives away: RFC 1547 section 4.3.1.
    pub(super) fn hdlc<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        match rest.byte(0)? {
            0x0f | 0x8f => self.cisco_hdlc(rest),
            _ => self.ppp(rest),
        }
    }

    /// Cisco HDLC: address, control, EtherType.
    pub(super) fn cisco_hdlc<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        self.network(rest.skip(4)?, rest.word(2)?)
    }

    /// A PPP frame, whose address and control field and first protocol byte may be compressed away: RFC 1661 section 6.
    pub(super) fn ppp<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let rest = if rest.data.starts_with(&[0xff, 0x03]) { rest.skip(2)? } else { rest };
        let first = rest.byte(0)?;
        // RFC 1661 section 2: only the last byte of a protocol number is odd.
        let (protocol, length) = if first & 1 != 0 { (u16::from(first), 1) } else { (rest.word(0)?, 2) };
        let rest = rest.skip(length)?;
        match protocol {
            protocol::IPV4 | protocol::IPV6 => self.ip(rest),
            protocol::MPLS | protocol::MPLS_MULTICAST => self.mpls(rest),
            _ => Err(Discard::NotIp),
        }
    }

    /// PPP over Ethernet, session stage: RFC 2516 section 4.
    pub(super) fn pppoe<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        if rest.bytes::<2>(0)? != [0x11, 0x00] {
            return Err(Discard::NotIp);
        }
        let length = usize::from(rest.word(4)?);
        self.ppp(rest.skip(PPPOE_HEADER)?.limit(length))
    }
}

#[cfg(test)]
mod tests {
    use super::super::link_type::LinkType;
    use super::super::samples::{IPV4, decode, hex, query};
    use super::*;

    #[test]
    fn control_protocols_are_not_ip() {
        assert_eq!(decode(LinkType::PPP, &hex("ff03 c021 0101 0004")), Err(Discard::NotIp));
        assert_eq!(decode(LinkType::PPP, &hex("ff03 2d")), Err(Discard::NotIp));
        assert_eq!(decode(LinkType::PPP, &hex("ff03 00")), Err(Discard::ShortFrame));
    }

    #[test]
    fn pppoe_says_how_long_its_payload_is() {
        let mut frame = hex(&format!("1100 0001 0023 0021 {IPV4}"));
        assert_eq!(query(LinkType::PPP_ETHER, &frame), Ok(vec![]));
        frame[5] = 0x21;
        let Ok(Packet::Udp { payload, missing, .. }) = decode(LinkType::PPP_ETHER, &frame) else { panic!() };
        assert_eq!((payload, missing), (&b"que"[..], 2));
        frame[1] = 0x09;
        assert_eq!(decode(LinkType::PPP_ETHER, &frame), Err(Discard::NotIp));
    }
}
