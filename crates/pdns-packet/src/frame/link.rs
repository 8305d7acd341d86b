//! Ethernet and what an EtherType or an LLC header announces; the choice among the link types.

use pnet_packet::ethernet::EthernetPacket;
use pnet_packet::vlan::VlanPacket;

use super::decoder::Decoder;
use super::link_type::LinkType;
use super::packet::{Discard, Packet};
use super::rest::Rest;

/// Numbers of the registry "IEEE 802 Numbers" that are told apart.
pub(super) mod ethertype {
    /// Smaller values are the length of an IEEE 802.3 frame.
    pub(in super::super) const SMALLEST: u16 = 0x0600;
    pub(in super::super) const IPV4: u16 = 0x0800;
    pub(in super::super) const TRANSPARENT_ETHERNET: u16 = 0x6558;
    pub(in super::super) const VLAN: u16 = 0x8100;
    pub(in super::super) const IPV6: u16 = 0x86dd;
    pub(in super::super) const PPP: u16 = 0x880b;
    pub(in super::super) const MPLS: u16 = 0x8847;
    pub(in super::super) const MPLS_UPSTREAM: u16 = 0x8848;
    pub(in super::super) const PPPOE_SESSION: u16 = 0x8864;
    pub(in super::super) const JUMBO_LLC: u16 = 0x8870;
    pub(in super::super) const QINQ: u16 = 0x88a8;
    pub(in super::super) const ERSPAN_II: u16 = 0x88be;
    pub(in super::super) const PROVIDER_BACKBONE: u16 = 0x88e7;
    pub(in super::super) const VN_TAG: u16 = 0x8926;
    pub(in super::super) const NSH: u16 = 0x894f;
    pub(in super::super) const QINQ_9100: u16 = 0x9100;
    pub(in super::super) const QINQ_9200: u16 = 0x9200;
    pub(in super::super) const ERSPAN_III: u16 = 0x22eb;
}

/// Length of Ethernet's header.
pub(super) const ETHERNET_HEADER: usize = 14;

/// Largest length in an IEEE 802.3 frame.
const LLC_MAX: u16 = 1500;

impl Decoder {
    /// A captured Ethernet frame: the common path.
    #[inline(always)]
    pub(super) fn ethernet_inline<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let header = EthernetPacket::new(rest.data).ok_or(Discard::ShortFrame)?;
        let ethertype = header.get_ethertype().0;
        let rest = rest.skip(ETHERNET_HEADER)?;
        match ethertype {
            ethertype::IPV4 | ethertype::IPV6 => self.ip_inline(rest),
            _ => self.tagged(rest, ethertype),
        }
    }

    /// An Ethernet frame inside something else.
    pub(super) fn ethernet<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        self.network(rest.skip(ETHERNET_HEADER)?, rest.word(ETHERNET_HEADER - 2)?)
    }

    /// What an EtherType announces.
    pub(super) fn network<'a>(&self, rest: Rest<'a>, ethertype: u16) -> Result<Packet<'a>, Discard> {
        match ethertype {
            ethertype::IPV4 | ethertype::IPV6 => self.ip(rest),
            _ => self.tagged(rest, ethertype),
        }
    }

    /// VLAN tags, and what comes after them.
    #[inline(never)]
    fn tagged<'a>(&self, mut rest: Rest<'a>, mut ethertype: u16) -> Result<Packet<'a>, Discard> {
        while is_vlan(ethertype) {
            let tag = VlanPacket::new(rest.data).ok_or(Discard::ShortFrame)?;
            ethertype = tag.get_ethertype().0;
            rest = rest.tag(tag.get_vlan_identifier())?.skip(VlanPacket::minimum_packet_size())?;
        }
        match ethertype {
            ethertype::IPV4 | ethertype::IPV6 => self.ip(rest),
            _ => self.layered(rest.enter()?, ethertype),
        }
    }

    /// Everything else that has an EtherType.
    fn layered<'a>(&self, rest: Rest<'a>, ethertype: u16) -> Result<Packet<'a>, Discard> {
        match ethertype {
            0..=LLC_MAX | ethertype::JUMBO_LLC => self.llc(rest),
            ethertype::MPLS | ethertype::MPLS_UPSTREAM => self.mpls(rest),
            ethertype::PPPOE_SESSION => self.pppoe(rest),
            ethertype::PPP => self.ppp(rest),
            ethertype::TRANSPARENT_ETHERNET => self.ethernet(rest),
            // IEEE 802.1ah: a service id of four bytes in front of the customer's frame.
            ethertype::PROVIDER_BACKBONE => self.ethernet(rest.skip(4)?),
            // Cisco's VN-Tag: four bytes, then the EtherType.
            ethertype::VN_TAG => self.network(rest.skip(6)?, rest.word(4)?),
            ethertype::NSH => self.nsh(rest),
            _ => Err(Discard::NotIp),
        }
    }

    /// IEEE 802.2 LLC, with SNAP (RFC 1042) or IP's own service access point.
    pub(super) fn llc<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        match rest.bytes::<3>(0)? {
            [0xaa, 0xaa, 0x03] => {}
            [0x06, 0x06, 0x03] => return self.ip(rest.skip(3)?),
            _ => return Err(Discard::NotIp),
        }
        let ethertype = rest.word(6)?;
        // RFC 1042 and IEEE 802.1H (bridge tunnel encapsulation): an EtherType follows these two organisations.
        let encapsulated = matches!(rest.bytes::<3>(3)?, [0, 0, 0] | [0, 0, 0xf8]);
        if !encapsulated || ethertype < ethertype::SMALLEST {
            return Err(Discard::NotIp);
        }
        self.network(rest.skip(8)?, ethertype)
    }

    /// A frame that begins as `link` says.
    #[inline(never)]
    pub(super) fn link<'a>(&self, rest: Rest<'a>, link: LinkType) -> Result<Packet<'a>, Discard> {
        match link {
            LinkType::ETHERNET => self.ethernet(rest),
            LinkType::DLT_RAW | LinkType::DLT_RAW_OPENBSD | LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 => {
                self.ip(rest)
            }
            LinkType::LINUX_SLL => self.linux_sll(rest),
            LinkType::LINUX_SLL2 => self.linux_sll2(rest),
            LinkType::NULL | LinkType::LOOP => self.bsd_loopback(rest),
            LinkType::PPP | LinkType::PPP_HDLC => self.hdlc(rest),
            LinkType::C_HDLC => self.cisco_hdlc(rest),
            LinkType::PPP_WITH_DIR => self.hdlc(rest.skip(1)?),
            LinkType::PPP_ETHER => self.pppoe(rest),
            LinkType::IEEE802_11 => self.ieee802_11(rest, false),
            LinkType::IEEE802_11_RADIOTAP => self.radiotap(rest),
            LinkType::IEEE802_11_PRISM | LinkType::IEEE802_11_AVS => self.prism(rest),
            LinkType::FDDI => self.fddi(rest),
            LinkType::IEEE802_5 => self.token_ring(rest),
            LinkType::ARCNET_BSD => self.arcnet_bsd(rest),
            LinkType::ARCNET_LINUX => self.arcnet_linux(rest),
            LinkType::ATM_RFC1483 => self.llc(rest),
            LinkType::PFLOG => self.pflog(rest),
            LinkType::NFLOG => self.nflog(rest),
            LinkType::PPI => self.ppi(rest),
            LinkType::PKTAP => self.pktap(rest),
            _ => Err(Discard::LinkType),
        }
    }
}

/// Whether a VLAN tag follows: IEEE 802.1Q, 802.1ad, and what switches used before the latter.
const fn is_vlan(ethertype: u16) -> bool {
    matches!(ethertype, ethertype::VLAN | ethertype::QINQ | ethertype::QINQ_9100 | ethertype::QINQ_9200)
}

/// Whether `ethertype` is one that a frame found by guessing may have: then the guess was right.
pub(super) const fn is_credible(ethertype: u16) -> bool {
    matches!(
        ethertype,
        ethertype::IPV4 | ethertype::IPV6 | ethertype::MPLS | ethertype::MPLS_UPSTREAM | ethertype::PPPOE_SESSION
    ) || is_vlan(ethertype)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ETHERNET, IPV4, decode, hex, query, query_in};
    use super::*;

    #[test]
    fn tags_of_every_kind_are_kept_outermost_first() {
        let tags = "0fff 88a8 e001 9100 0002 9200 2003 8100 0005 0800";
        assert_eq!(query_in(ethertype::VLAN, &hex(&format!("{tags} {IPV4}"))), Ok(vec![4095, 1, 2, 3, 5]));
        let six = format!("0006 8100 {tags} {IPV4}");
        assert_eq!(query_in(ethertype::VLAN, &hex(&six)), Err(Discard::TooDeep));
        assert_eq!(query_in(ethertype::VLAN, &hex("0001 8100")), Err(Discard::ShortFrame));
    }

    #[test]
    fn a_tag_for_the_priority_alone_names_no_vlan() {
        assert_eq!(query_in(ethertype::VLAN, &hex(&format!("e000 0800 {IPV4}"))), Ok(vec![]));
        assert_eq!(query_in(ethertype::VLAN, &hex(&format!("0007 8100 2000 0800 {IPV4}"))), Ok(vec![7]));
    }

    #[test]
    fn tags_in_cooked_headers_and_inside_tunnels_count_too() {
        let cooked = hex(&format!("0000 0001 0006 0200000000010000 8100 0007 0800 {IPV4}"));
        assert_eq!(query(LinkType::LINUX_SLL, &cooked), Ok(vec![7]));
        let inner = format!("0002 8847 000101ff 00000000 020000000004 020000000003 8100 0003 0800 {IPV4}");
        assert_eq!(query_in(ethertype::QINQ, &hex(&inner)), Ok(vec![2, 3]));
    }

    #[test]
    fn what_is_not_ip_is_told_so() {
        for (ethertype, payload) in [
            (0x0806, "0001 0800 0604"),
            (0x0026, "424203 0000000000"),
            (0x0026, "aaaa03 00000c 2000 0000"),
            (0x0026, "aaaa03 000000 0026 aaaa03 000000 0800"),
            (0x8863, "1109 0000 0000"),
            (0x8864, "1100 0001 0004 c021 0901"),
            (0x8847, "000101ff 10000021 0000"),
        ] {
            assert_eq!(query_in(ethertype, &hex(payload)), Err(Discard::NotIp), "{ethertype:x} {payload}");
        }
        assert_eq!(query_in(0x0800, &hex("55")), Err(Discard::BadHeader));
        assert_eq!(decode(LinkType::ETHERNET, &[0; 13]), Err(Discard::ShortFrame));
    }

    #[test]
    fn carriers_inside_carriers_are_bounded() {
        let wire = hex("020000000002 020000000001 8847 000101ff 00000000");
        let frame = hex(&format!("{ETHERNET} {IPV4}"));
        // The labels are one layer, the frame below them another.
        assert_eq!(query(LinkType::ETHERNET, &[wire.repeat(4), frame.clone()].concat()), Ok(vec![]));
        assert_eq!(query(LinkType::ETHERNET, &[wire.repeat(5), frame].concat()), Err(Discard::TooDeep));
        let tagged = hex("0001 0010 aaaa03 000000 8100").repeat(5000);
        assert_eq!(query_in(ethertype::VLAN, &tagged), Err(Discard::TooDeep));
    }
}
