//! What one frame carries, and the reasons why it may carry nothing for us.

use std::net::IpAddr;

use super::flow::{Flow, VlanTags};

/// What one captured frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// A whole UDP datagram.
    Udp {
        /// Addresses, ports, VLANs.
        flow: Flow,
        /// The datagram's payload, without padding that follows it in the frame.
        payload: &'a [u8],
        /// How many bytes of the payload the capture cut off.
        missing: usize,
    },
    /// A TCP segment, with or without payload.
    Tcp {
        /// Addresses, ports, VLANs.
        flow: Flow,
        /// What the segment says and carries.
        segment: TcpSegment<'a>,
    },
    /// A fragment of an IP packet, of any transport; its ports are known once the packet is whole.
    Fragment(Fragment<'a>),
}

/// TCP's control bits, RFC 9293 section 3.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    pub const fn fin(self) -> bool {
        self.0 & 0x01 != 0
    }

    /// Start of a connection; takes one sequence number.
    pub const fn syn(self) -> bool {
        self.0 & 0x02 != 0
    }

    /// The connection is reset.
    pub const fn rst(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// The acknowledgment number counts.
    pub const fn ack(self) -> bool {
        self.0 & 0x10 != 0
    }
}

/// A TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpSegment<'a> {
    /// Sequence number of the first payload byte, or of the SYN.
    pub seq: u32,
    /// Acknowledgment number; counts only with the ACK flag.
    pub ack: u32,
    /// Control bits.
    pub flags: TcpFlags,
    /// The payload, as far as it was captured.
    pub payload: &'a [u8],
    /// How many bytes of the payload the capture cut off.
    pub missing: usize,
}

/// A fragment of an IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// VLAN ids, outermost first.
    pub vlan: VlanTags,
    /// Identification: 16 bits in IPv4, 32 in IPv6.
    pub id: u32,
    /// Protocol (IPv4), or the Next Header value of the Fragment header (IPv6).
    pub protocol: u8,
    /// Where the payload belongs in the whole packet's payload, in bytes; a multiple of eight below 65,536.
    pub offset: u16,
    /// More fragments follow.
    pub more: bool,
    /// The fragment's part of the packet's payload, as far as it was captured.
    pub payload: &'a [u8],
    /// How many bytes of the payload the capture cut off.
    pub missing: usize,
}

/// Why a frame carries nothing for us. Every discarded frame is counted under one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Discard {
    /// The frame ends inside a header, as sent or as captured.
    ShortFrame,
    /// A header contradicts itself: a version, a length or an offset that cannot be.
    BadHeader,
    /// Not IP: ARP, STP, an 802.11 beacon, an encrypted frame.
    NotIp,
    /// IP, but neither UDP nor TCP nor a tunnel this crate opens: ICMP, OSPF, ESP.
    NotTransport,
    /// UDP or TCP between ports that are not DNS.
    NotDnsPort,
    /// More VLAN tags than [`MAX_VLANS`](super::MAX_VLANS), or tunnels nested too deeply.
    TooDeep,
    /// The capture filter did not pass it.
    Filtered,
    /// Its link type is not one this crate decodes: pcapng interfaces may differ within a file.
    LinkType,
}

impl Discard {
    /// All reasons, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::ShortFrame,
        Self::BadHeader,
        Self::NotIp,
        Self::NotTransport,
        Self::NotDnsPort,
        Self::TooDeep,
        Self::Filtered,
        Self::LinkType,
    ];

    /// The reason as metrics and statistics name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ShortFrame => "short_frame",
            Self::BadHeader => "bad_header",
            Self::NotIp => "not_ip",
            Self::NotTransport => "not_transport",
            Self::NotDnsPort => "not_dns_port",
            Self::TooDeep => "too_deep",
            Self::Filtered => "filtered",
            Self::LinkType => "link_type",
        }
    }
}
