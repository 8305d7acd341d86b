//! One captured frame down to what DNS travels in: a UDP datagram, a TCP segment, or an IP fragment of either.
//!
//! A [`Decoder`] remembers nothing but which ports are DNS. Tunnels are opened on the way, and the innermost addresses
//! are the ones reported. The frame of a capture cut short by its snap length is decoded as far as it goes: what follows
//! the last captured byte is counted as `missing`.

mod decoder;
mod flow;
mod ip;
mod link;
mod link_type;
mod packet;
mod ports;
mod ppp;
mod pseudo;
mod rest;
#[cfg(test)]
mod samples;
mod transport;
mod tunnel;
mod udp_tunnel;
mod wifi;

pub use decoder::Decoder;
pub use flow::{Flow, MAX_VLANS, VlanTags};
pub use link_type::LinkType;
pub use packet::{Discard, Fragment, Packet, TcpFlags, TcpSegment};
pub use ports::Ports;
