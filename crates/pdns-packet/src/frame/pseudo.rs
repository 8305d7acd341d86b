//! Headers that the capturing system put there, and the lesser links.

use super::decoder::Decoder;
use super::link::ethertype;
use super::link_type::LinkType;
use super::packet::{Discard, Packet};
use super::rest::Rest;

/// How Linux marks an 802.3 frame with an LLC header where otherwise an EtherType stands: `ETH_P_802_3`, `ETH_P_802_2`.
const LINUX_LLC: [u16; 2] = [0x0001, 0x0004];

impl Decoder {
    /// Linux cooked capture, version 1: <https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html>.
    pub(super) fn linux_sll<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        self.linux_protocol(rest.skip(16)?, rest.word(14)?)
    }

    /// Linux cooked capture, version 2: <https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html>.
    pub(super) fn linux_sll2<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        self.linux_protocol(rest.skip(20)?, rest.word(0)?)
    }

    /// What the protocol field of a cooked header announces.
    fn linux_protocol<'a>(&self, rest: Rest<'a>, protocol: u16) -> Result<Packet<'a>, Discard> {
        match protocol {
            _ if LINUX_LLC.contains(&protocol) => self.llc(rest),
            0..ethertype::SMALLEST => Err(Discard::NotIp),
            _ => self.network(rest, protocol),
        }
    }

    /// BSD loopback: <https://www.tcpdump.org/linktypes/LINKTYPE_NULL.html>. The capturing machine's byte order is not
    /// known, but address families are small numbers. Some systems call PPP and Cisco HDLC by this link type too.
    pub(super) fn bsd_loopback<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        match rest.bytes(0)? {
            [family, 0, 0, 0] | [0, 0, 0, family] => self.family(rest.skip(4)?, family),
            [0xff, 0x03, ..] | [0x0f | 0x8f, 0x00, ..] => self.hdlc(rest),
            _ => Err(Discard::NotIp),
        }
    }

    /// OpenBSD's packet filter log: the length of the header, which is padded to four bytes, and the address family.
    pub(super) fn pflog<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let [length, family] = rest.bytes(0)?;
        self.family(rest.skip(usize::from(length).next_multiple_of(4))?, family)
    }

    /// What an address family announces: 2 is IPv4 everywhere; IPv6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on
    /// FreeBSD, 30 on macOS.
    fn family<'a>(&self, rest: Rest<'a>, family: u8) -> Result<Packet<'a>, Discard> {
        match family {
            2 | 10 | 24 | 28 | 30 => self.ip(rest),
            _ => Err(Discard::NotIp),
        }
    }

    /// FDDI: frame control, two addresses, LLC.
    pub(super) fn fddi<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        // Of either class and any priority, but with addresses of 48 bits and an LLC header.
        if rest.byte(0)? & 0x70 != 0x50 {
            return Err(Discard::NotIp);
        }
        self.llc(rest.skip(13)?)
    }

    /// Token Ring: access control, frame control, two addresses, a source route if the source address says so, LLC.
    pub(super) fn token_ring<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let routed = rest.byte(8)? & 0x80 != 0;
        let route = if routed { usize::from(rest.byte(14)? & 0x1f) } else { 0 };
        self.llc(rest.skip(14 + route)?)
    }

    /// ARCNET with the header as it was on the wire: source, destination, protocol, and the fragmentation of RFC 1201.
    pub(super) fn arcnet_bsd<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        // RFC 1201 section 3.2: an exception frame repeats the header after four bytes of padding.
        let at = if rest.byte(2)? != ARCNET_OLD_IP && rest.byte(3)? == 0xff { 6 } else { 2 };
        self.arcnet(rest.skip(at)?)
    }

    /// ARCNET as Linux writes it: source, destination, two bytes of offset, then as on the wire.
    pub(super) fn arcnet_linux<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        self.arcnet(rest.skip(4)?)
    }

    /// ARCNET from the protocol on: RFC 1051 and RFC 1201 section 3.
    fn arcnet<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        match rest.byte(0)? {
            ARCNET_OLD_IP => self.ip(rest.skip(1)?),
            ARCNET_IP | ARCNET_IPV6 => {
                // RFC 1201 section 3.2: even split flags other than 0 belong to later fragments.
                let split = rest.byte(1)?;
                if split != 0 && split & 1 == 0 {
                    return Err(Discard::NotIp);
                }
                self.ip(rest.skip(4)?)
            }
            _ => Err(Discard::NotIp),
        }
    }

    /// Linux netfilter log: <https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html>. The attributes are in the byte order
    /// of the capturing machine, which is not known: it is the one in which a payload is found.
    pub(super) fn nflog<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let [_, version] = rest.bytes(0)?;
        if version != 0 {
            return Err(Discard::BadHeader);
        }
        let attributes = rest.skip(4)?;
        match nflog_payload(attributes, u16::from_le_bytes) {
            Ok(packet) => self.ip(packet),
            Err(discard) => self.ip(nflog_payload(attributes, u16::from_be_bytes).map_err(|_| discard)?),
        }
    }

    /// Per-Packet Information: version, flags, length of all of it, link type of what follows; the rest is for radios.
    pub(super) fn ppi<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let [version, _, l0, l1, link @ ..] = rest.bytes::<8>(0)?;
        let length = usize::from(u16::from_le_bytes([l0, l1]));
        if version != 0 || length < 8 {
            return Err(Discard::BadHeader);
        }
        self.inner_link(rest.skip(length)?, u32::from_le_bytes(link))
    }

    /// Apple's pktap: length of the header, a type, link type of what follows; written on little-endian machines.
    pub(super) fn pktap<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let length = u32::from_le_bytes(rest.bytes(0)?) as usize;
        if length < 12 {
            return Err(Discard::BadHeader);
        }
        self.inner_link(rest.skip(length)?, u32::from_le_bytes(rest.bytes(8)?))
    }

    /// A frame of the link type that the header in front of it named.
    fn inner_link<'a>(&self, rest: Rest<'a>, link: u32) -> Result<Packet<'a>, Discard> {
        let link = u16::try_from(link).map_err(|_| Discard::LinkType)?;
        self.link(rest.enter()?, LinkType(link))
    }
}

/// ARCNET's protocol number of IP without fragmentation, RFC 1051.
const ARCNET_OLD_IP: u8 = 240;
/// ARCNET's protocol number of IP, RFC 1201.
const ARCNET_IP: u8 = 212;
/// ARCNET's protocol number of IPv6, RFC 2497.
const ARCNET_IPV6: u8 = 196;

/// The payload among NFLOG's attributes, whose numbers `number` reads.
fn nflog_payload(mut rest: Rest<'_>, number: fn([u8; 2]) -> u16) -> Result<Rest<'_>, Discard> {
    /// `NFULA_PAYLOAD`: the packet.
    const PAYLOAD: u16 = 9;
    loop {
        let length = usize::from(number(rest.bytes(0)?));
        let kind = number(rest.bytes(2)?);
        if length < 4 {
            return Err(Discard::BadHeader);
        }
        // The high bits say how an attribute is coded.
        if kind & 0x3fff == PAYLOAD {
            return Ok(rest.skip(4)?.limit(length - 4));
        }
        rest = rest.skip(length.next_multiple_of(4))?;
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{IPV4, decode, hex};
    use super::*;

    #[test]
    fn other_families_and_protocols_are_not_ip() {
        for (link, frame) in [
            (LinkType::NULL, "07000000"),
            (LinkType::NULL, "02010000"),
            (LinkType::LINUX_SLL, "0000 0338 0000 0000000000000000 0000 4500"),
            (LinkType::LINUX_SLL, "0000 0001 0006 0200000000010000 0806 0001"),
            (LinkType::FDDI, "41 020000000002 020000000001 aaaa03 000000 0800"),
            (LinkType::ARCNET_BSD, "01 02 d4 02 0007"),
            (LinkType::ARCNET_LINUX, "01 02 0000 d5 00 0007"),
            (LinkType::PFLOG, "04 12 0000"),
        ] {
            assert_eq!(decode(link, &hex(&format!("{frame} {IPV4}"))), Err(Discard::NotIp), "{link} {frame}");
        }
    }

    #[test]
    fn headers_that_cannot_be_are_refused() {
        for (link, frame, discard) in [
            (LinkType::NFLOG, "02 01 0001 2500 0900", Discard::BadHeader),
            (LinkType::NFLOG, "02 00 0001 0000 0000", Discard::BadHeader),
            (LinkType::NFLOG, "02 00 0001 0800 0100 00000000", Discard::ShortFrame),
            (LinkType::PPI, "00 00 0700 01000000", Discard::BadHeader),
            (LinkType::PPI, "00 00 0800 c3000000", Discard::LinkType),
            (LinkType::PPI, "00 00 0800 01000100", Discard::LinkType),
            (LinkType::PKTAP, "ffffffff 01000000 0c000000", Discard::ShortFrame),
            (LinkType::PKTAP, "00000000 01000000 0c000000", Discard::BadHeader),
            (LinkType::PFLOG, "ff 02 0000", Discard::ShortFrame),
        ] {
            assert_eq!(decode(link, &hex(frame)), Err(discard), "{link} {frame}");
        }
    }

    #[test]
    fn headers_that_name_themselves_are_bounded() {
        let frame = hex("00 00 0800 c0000000").repeat(5000);
        assert_eq!(decode(LinkType::PPI, &frame), Err(Discard::TooDeep));
    }
}
