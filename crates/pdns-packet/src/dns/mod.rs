//! DNS messages: read without copying, printed in presentation format.
//!
//! [`Message::parse`] walks over a message once and finds where everything is. [`Question`], [`Record`], [`Name`] and
//! [`Rdata`] are then places in it, looked at when they are used, and each prints itself to a
//! [`Text`](crate::text::Text).
//!
//! ```
//! use pdns_packet::dns::{Message, Rcode, Rtype};
//!
//! let bytes = b"\x12\x34\x81\x80\x00\x01\x00\x02\x00\x00\x00\x00\
//!     \x07example\x03com\x00\x00\x0f\x00\x01\
//!     \xc0\x0c\x00\x0f\x00\x01\x00\x00\x0e\x10\x00\x09\x00\x0a\x04mail\xc0\x0c\
//!     \xc0\x0c\x00\x0f\x00\x01\x00\x00\x0e\x10\x00\x09\x00";
//! let message = Message::parse(bytes).ok_or("no header")?;
//! assert_eq!(message.rcode(), Rcode::NOERROR);
//! assert_eq!(message.question().map(|question| question.qtype), Some(Rtype::MX));
//!
//! let mut text = Vec::new();
//! for answer in message.answers() {
//!     answer.owner.write(&mut text)?;
//!     text.push(b' ');
//!     answer.rdata.write(&mut text);
//! }
//! assert_eq!(text, b"example.com 10 mail.example.com");
//!
//! // The second answer is cut off; the first is there all the same.
//! let malformed = message.malformed().ok_or("nothing wrong")?;
//! assert_eq!(malformed.to_string(), "answer 2 of 2: rdata runs past the end of the message at offset 63");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod codes;
mod edns;
mod header;
mod message;
mod name;
mod names;
mod question;
mod rdata;
mod record;
mod scan;
mod walk;

pub use codes::{Class, EdeCode, Opcode, OptionCode, Rcode, Rtype};
pub use edns::{ClientSubnet, Cookie, EdnsOption, ExtendedError, Opt, OptionData, OptionError, Options};
pub use header::Header;
pub use message::{MAX_MESSAGE_LEN, Malformed, MalformedKind, Message, Outline, Questions, Records, Section};
pub use name::{Labels, MAX_NAME_LEN, MAX_POINTERS, Name, NameError};
pub use question::Question;
pub use rdata::Rdata;
pub use record::Record;
pub use walk::Walk;
