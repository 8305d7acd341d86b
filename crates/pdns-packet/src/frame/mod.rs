//! One captured frame down to what DNS travels in: a UDP datagram, a TCP segment, or an IP fragment of either.

mod flow;
mod packet;

pub use flow::{Flow, MAX_VLANS, VlanTags};
pub use packet::{Discard, Fragment, Packet, TcpFlags, TcpSegment};
