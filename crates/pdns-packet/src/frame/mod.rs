//! One captured frame down to what DNS travels in: a UDP datagram, a TCP segment, or an IP fragment of either.
//!
//! A [`Decoder`] remembers nothing but which ports are DNS. Tunnels are opened on the way, and the innermost addresses
//! are the ones reported. The frame of a capture cut short by its snap length is decoded as far as it goes: what follows
//! the last captured byte is counted as `missing`.
//!
//! ```
//! use pdns_packet::frame::{Decoder, Discard, LinkType, Packet, Ports};
//!
//! let frame = b"\x45\0\0\x21\0\0\0\0\x40\x11\0\0\xc0\0\x02\x01\xc0\0\x02\x35\x04\xd2\0\x35\0\x0d\0\0query";
//! let decoder = Decoder::new(Ports::of(&[53]));
//! let Ok(Packet::Udp { flow, payload, missing }) = decoder.decode(LinkType::RAW, frame, frame.len()) else {
//!     panic!("a datagram");
//! };
//! assert_eq!((flow.src.to_string().as_str(), flow.dst_port), ("192.0.2.1", 53));
//! assert_eq!((payload, missing), (&b"query"[..], 0));
//!
//! assert_eq!(Decoder::new(Ports::of(&[5353])).decode(LinkType::RAW, frame, 33), Err(Discard::NotDnsPort));
//! ```

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
