//! Capture file formats, link layers, IP, UDP, TCP and DNS messages: bytes to values.
//!
//! - [`mod@file`] frames pcap and pcapng out of a byte stream, whoever read it.
//! - [`frame`] takes one captured frame down to a UDP datagram, a TCP segment or an IP fragment.
//! - [`dns`] reads a DNS message and prints what it holds in presentation format.
//! - [`text`] and [`time`] are the byte writers and the timestamp that the other modules share.
//!
//! Nothing here remembers an earlier packet, reads a clock or does I/O. Every parser is total: no input makes it panic,
//! loop, or allocate by a length field.
#![forbid(unsafe_code)]

pub mod dns;
pub mod file;
pub mod frame;
pub mod text;
pub mod time;
