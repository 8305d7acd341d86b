//! Numbers of link-layer headers, as capture files carry them: <https://www.tcpdump.org/linktypes.html>.

use std::fmt;

/// A LINKTYPE_ value: how the frames of a file or interface begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkType(pub u16);

/// Declares the values that are decoded, and the list of them with their names.
macro_rules! link_types {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
        impl LinkType {
            $($(#[$doc])* pub const $name: Self = Self($number);)*

            /// The link types that [`Decoder`](super::Decoder) decodes, by their names in the registry.
            pub const SUPPORTED: &'static [(Self, &'static str)] = &[$((Self::$name, stringify!($name)),)*];
        }
    };
}

link_types! {
    /// BSD loopback: the address family in the byte order of the capturing machine.
    NULL = 0;
    /// Ethernet.
    ETHERNET = 1;
    /// Token Ring.
    IEEE802_5 = 6;
    /// ARCNET as BSD writes it.
    ARCNET_BSD = 7;
    /// PPP, with or without address and control field.
    PPP = 9;
    /// FDDI.
    FDDI = 10;
    /// Raw IP: what most systems call DLT_RAW.
    DLT_RAW = 12;
    /// Raw IP: what OpenBSD calls DLT_RAW.
    DLT_RAW_OPENBSD = 14;
    /// PPP in HDLC-like framing, or Cisco HDLC.
    PPP_HDLC = 50;
    /// PPPoE session header, then PPP.
    PPP_ETHER = 51;
    /// RFC 1483 LLC-encapsulated ATM.
    ATM_RFC1483 = 100;
    /// Raw IP.
    RAW = 101;
    /// Cisco HDLC.
    C_HDLC = 104;
    /// IEEE 802.11.
    IEEE802_11 = 105;
    /// OpenBSD loopback: the address family in network byte order.
    LOOP = 108;
    /// Linux cooked capture, version 1.
    LINUX_SLL = 113;
    /// OpenBSD's packet filter log.
    PFLOG = 117;
    /// IEEE 802.11 after a Prism monitor header.
    IEEE802_11_PRISM = 119;
    /// IEEE 802.11 after a radiotap header.
    IEEE802_11_RADIOTAP = 127;
    /// ARCNET as Linux writes it.
    ARCNET_LINUX = 129;
    /// IEEE 802.11 after an AVS header.
    IEEE802_11_AVS = 163;
    /// PPP after a byte that tells the direction.
    PPP_WITH_DIR = 166;
    /// Per-Packet Information, which names the link type of the frame behind it.
    PPI = 192;
    /// Raw IPv4.
    IPV4 = 228;
    /// Raw IPv6.
    IPV6 = 229;
    /// Linux netfilter log.
    NFLOG = 239;
    /// Apple's pktap, which names the link type of the frame behind it.
    PKTAP = 258;
    /// Linux cooked capture, version 2.
    LINUX_SLL2 = 276;
}

impl LinkType {
    /// Whether frames of this type are decoded.
    pub fn is_supported(self) -> bool {
        self.name().is_some()
    }

    /// The registry's name of a supported type.
    pub fn name(self) -> Option<&'static str> {
        Self::SUPPORTED.iter().find(|(link, _)| *link == self).map(|(_, name)| *name)
    }
}

impl fmt::Display for LinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "LINKTYPE {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_types_have_names_and_others_numbers() {
        assert_eq!(LinkType(276).to_string(), "LINUX_SLL2 (276)");
        assert_eq!(LinkType(195).to_string(), "LINKTYPE 195");
        assert!(LinkType(0).is_supported() && !LinkType(195).is_supported());
    }
}
