//! Capture file formats, link layers, IP, UDP, TCP and DNS messages: bytes to values.
//!
//! - [`mod@file`] frames pcap and pcapng out of a byte stream, whoever read it.
//! - [`frame`] takes one captured frame down to a UDP datagram, a TCP segment or an IP fragment.
//! - [`dns`] reads a DNS message and prints what it holds in presentation format.
//! - [`text`] and [`time`] are the byte writers and the timestamp that the other modules share.
//!
//! Nothing here remembers an earlier packet, reads a clock or does I/O. Every parser is total: no input makes it panic,
//! loop, or allocate by a length field.
//!
//! What is asked in a capture file, from its first byte to the name:
//!
//! ```
//! use pdns_packet::dns::Message;
//! use pdns_packet::file::{Framer, Step};
//! use pdns_packet::frame::{Decoder, LinkType, Packet, Ports};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let mut file = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x65\0\0\0".to_vec();
//! # file.extend(b"\x01\0\0\0\x02\0\0\0\x39\0\0\0\x39\0\0\0");
//! # file.extend(b"\x45\0\0\x39\0\0\0\0\x40\x11\0\0\xc0\0\x02\x01\xc0\0\x02\x35\x9c\x40\0\x35\0\x25\0\0");
//! # file.extend(b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07example\x03com\0\0\x0f\0\x01");
//! // let file = std::fs::read("capture.pcap")?;
//! let mut framer = Framer::new();
//! let decoder = Decoder::new(Ports::of(&[53]));
//! let mut asked = Vec::new();
//! let mut rest = &file[..];
//! loop {
//!     let consumed = match framer.next(rest)? {
//!         Step::Frame { wire_len, link, data, consumed, .. } => {
//!             let packet = decoder.decode(LinkType(link), &rest[data], wire_len as usize);
//!             if let Ok(Packet::Udp { flow, payload, .. }) = packet
//!                 && let Some(question) = Message::parse(payload).and_then(|message| message.question())
//!             {
//!                 asked.push(format!("{}: {} {}", flow.src, question.qname, question.qtype));
//!             }
//!             consumed
//!         }
//!         Step::Skip { consumed } => consumed,
//!         Step::Need { .. } => break framer.finish(rest)?,
//!     };
//!     rest = &rest[consumed..];
//! }
//! assert_eq!(asked, ["192.0.2.1: example.com MX"]);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

pub mod bytes;
pub mod dns;
pub mod file;
pub mod frame;
pub mod text;
pub mod time;
