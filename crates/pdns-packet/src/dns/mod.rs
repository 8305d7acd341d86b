//! DNS messages: read without copying, printed in presentation format.

mod codes;
mod edns;
mod header;
mod message;
mod name;
mod question;
mod rdata;
mod record;
mod scan;

pub use codes::{Class, EdeCode, Opcode, OptionCode, Rcode, Rtype};
pub use edns::{ClientSubnet, Cookie, EdnsOption, ExtendedError, Opt, OptionData, OptionError, Options};
pub use header::Header;
pub use message::{MAX_MESSAGE_LEN, Malformed, MalformedKind, Message, Questions, Records, Section};
pub use name::{Labels, MAX_NAME_LEN, MAX_POINTERS, Name, NameError};
pub use question::Question;
pub use rdata::Rdata;
pub use record::Record;
