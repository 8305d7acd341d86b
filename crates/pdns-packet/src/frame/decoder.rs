//! The entry points: a captured frame, and an IP payload put together from fragments.

use std::net::IpAddr;

use super::flow::VlanTags;
use super::link_type::LinkType;
use super::packet::{Discard, Packet};
use super::ports::Ports;
use super::rest::Rest;

/// Takes frames down to UDP, TCP and fragments; remembers nothing from one to the next.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    /// Which ports are DNS.
    pub(super) ports: Ports,
}

impl Decoder {
    /// A decoder that passes what travels from or to `ports`.
    pub const fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// Decodes `frame`, which was `wire_len` bytes long before the capture may have cut it.
    ///
    /// # Errors
    /// Why the frame carries nothing for us.
    #[inline]
    pub fn decode<'a>(&self, link: LinkType, frame: &'a [u8], wire_len: usize) -> Result<Packet<'a>, Discard> {
        let rest = Rest::new(frame, wire_len.saturating_sub(frame.len()), VlanTags::NONE);
        if link == LinkType::ETHERNET { self.ethernet_inline(rest) } else { self.link(rest, link) }
    }

    /// Continues with the payload of an IP packet that came in fragments: UDP, TCP, or a tunnel with whatever inside.
    ///
    /// # Errors
    /// Why the packet carries nothing for us.
    pub fn decode_payload<'a>(
        &self,
        src: IpAddr,
        dst: IpAddr,
        vlan: VlanTags,
        protocol: u8,
        payload: &'a [u8],
    ) -> Result<Packet<'a>, Discard> {
        self.transport(Rest::new(payload, 0, vlan), src, dst, protocol)
    }
}
