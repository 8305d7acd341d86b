//! The replies: which of them belong to a request, and what is in them.

use pdns_packet::dns::{self, MAX_NAME_LEN, Message, Opcode, Rcode, Rtype};

use super::message::canonical_question;

/// Why a message is no reply to what was asked. Nothing in it is believed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// Not even a header.
    #[error("a message of {len} bytes, which is no DNS message")]
    NoHeader {
        /// How long it is.
        len: usize,
    },
    /// A query, not a response.
    #[error("a message that is no response")]
    NoResponse,
    /// To another request.
    #[error("a response to another request: its id is {got}, not {sent}")]
    Id {
        /// The id of the request.
        sent: u16,
        /// The id of the response.
        got: u16,
    },
    /// To another kind of request.
    #[error("a response to another kind of request: its opcode is {got}, not {sent}")]
    Opcode {
        /// The opcode of the request.
        sent: u8,
        /// The opcode of the response.
        got: u8,
    },
    /// To another question.
    #[error("a response to another question")]
    Question,
    /// Cut off, which TCP never needs.
    #[error("a response that says to be truncated, over TCP")]
    Truncated,
    /// Broken off.
    #[error("a broken response: {problem}")]
    Malformed {
        /// Where and how.
        problem: String,
    },
    /// A TSIG that cannot be read, or not where it must be.
    #[error("a response whose TSIG record is broken or not the last")]
    Tsig,
}

/// What the reply must be a reply to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    id: u16,
    opcode: u8,
    question: Vec<u8>,
}

impl Asked {
    /// Reads what a request asks for.
    pub(crate) fn of(request: &[u8]) -> Option<Self> {
        let message = Message::parse(request)?;
        let question = canonical_question(&message)?;
        Some(Self { id: message.header().id, opcode: message.header().opcode(), question })
    }
}

/// A message that is a reply to what was asked. Whether it is signed rightly is another matter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reply<'a> {
    pub(crate) message: Message<'a>,
    pub(crate) rcode: Rcode,
    pub(crate) tsig: Option<Tsig<'a>>,
}

/// The fields of a TSIG record: RFC 8945 section 4.2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tsig<'a> {
    /// Where the record starts in its message.
    pub(crate) start: usize,
    /// Seconds since 1970.
    pub(crate) time: u64,
    pub(crate) fudge: u16,
    pub(crate) mac: &'a [u8],
    pub(crate) original_id: u16,
    pub(crate) error: u16,
    pub(crate) other: &'a [u8],
    key: dns::Name<'a>,
    algorithm: dns::Name<'a>,
}

/// The TSIG error codes: RFC 8945 section 3.
pub(crate) const BADSIG: u16 = 16;
pub(crate) const BADKEY: u16 = 17;
pub(crate) const BADTIME: u16 = 18;

impl<'a> Reply<'a> {
    /// Reads a message and says whether it is a reply to what was asked.
    pub(crate) fn parse(bytes: &'a [u8], asked: &Asked) -> Result<Self, ReplyError> {
        let message = Message::parse(bytes).ok_or(ReplyError::NoHeader { len: bytes.len() })?;
        let header = message.header();
        if !header.is_response() {
            return Err(ReplyError::NoResponse);
        }
        if header.id != asked.id {
            return Err(ReplyError::Id { sent: asked.id, got: header.id });
        }
        if header.opcode() != asked.opcode {
            return Err(ReplyError::Opcode { sent: asked.opcode, got: header.opcode() });
        }
        if let Some(malformed) = message.malformed() {
            return Err(ReplyError::Malformed { problem: malformed.to_string() });
        }
        if !message.trailing().is_empty() {
            let problem = format!("{} bytes follow the last record", message.trailing().len());
            return Err(ReplyError::Malformed { problem });
        }
        if header.tc() {
            return Err(ReplyError::Truncated);
        }
        match header.counts[0] {
            // RFC 2136 section 3.8 lets a server leave all sections away; so do errors of servers that read no further.
            0 if message.opcode() == Opcode::UPDATE || message.rcode() != Rcode::NOERROR => {}
            1 if canonical_question(&message).as_deref() == Some(&asked.question) => {}
            _ => return Err(ReplyError::Question),
        }
        Ok(Self { message, rcode: message.rcode(), tsig: Tsig::find(&message)? })
    }
}

impl<'a> Tsig<'a> {
    /// The TSIG record of a message, which may only be its last: RFC 8945 section 5.1.
    fn find(message: &Message<'a>) -> Result<Option<Self>, ReplyError> {
        let elsewhere = message.answers().chain(message.authorities()).any(|record| record.rtype == Rtype::TSIG);
        let mut additionals = message.additionals().skip_while(|record| record.rtype != Rtype::TSIG);
        let tsig = additionals.next();
        if elsewhere || additionals.next().is_some() {
            return Err(ReplyError::Tsig);
        }
        tsig.map(|record| Self::parse(message, &record).ok_or(ReplyError::Tsig)).transpose()
    }

    fn parse(message: &Message<'a>, record: &dns::Record<'a>) -> Option<Self> {
        // RFC 8945 section 4.2. They are signed as these values, so others would pass unnoticed.
        if record.class != dns::Class::ANY || record.ttl != 0 {
            return None;
        }
        let rdata = record.rdata.bytes();
        let start = record.rdata.start();
        let algorithm = dns::Name::new(message.bytes(), start);
        algorithm.check().ok()?;
        let rest = rdata.get(algorithm.end().ok()?.checked_sub(start)?..)?;
        let (time, rest) = rest.split_first_chunk::<6>()?;
        let (&fudge, rest) = rest.split_first_chunk()?;
        let (mac, rest) = counted(rest)?;
        let (&original_id, rest) = rest.split_first_chunk()?;
        let (&error, rest) = rest.split_first_chunk()?;
        let (other, rest) = counted(rest)?;
        rest.is_empty().then_some(Self {
            start: record.owner.start(),
            time: number(time),
            fudge: u16::from_be_bytes(fudge),
            mac,
            original_id: u16::from_be_bytes(original_id),
            error: u16::from_be_bytes(error),
            other,
            key: record.owner,
            algorithm,
        })
    }

    /// Whether it names this key and algorithm, each as its lower-case wire form.
    pub(crate) fn is_of(&self, key: &[u8], algorithm: &[u8]) -> bool {
        let same = |name: dns::Name<'_>, wire: &[u8]| {
            let mut buffer = [0; MAX_NAME_LEN];
            name.canonical(&mut buffer).is_ok_and(|name| name == wire)
        };
        same(self.key, key) && same(self.algorithm, algorithm)
    }

    /// The server's time in a BADTIME error: RFC 8945 section 5.2.3.
    pub(crate) fn other_time(&self) -> Option<u64> {
        (self.other.len() == 6).then(|| number(self.other))
    }
}

/// What a TKEY record says: RFC 2930 section 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tkey<'a> {
    /// Zero, or why there is no session.
    pub(crate) error: u16,
    /// The other side's token.
    pub(crate) token: &'a [u8],
}

impl<'a> Tkey<'a> {
    /// The TKEY record of a key in the answers of a message.
    pub(crate) fn find(message: &Message<'a>, key_name: &[u8]) -> Option<Self> {
        let record = message.answers().find(|record| record.rtype == Rtype::TKEY)?;
        let mut buffer = [0; MAX_NAME_LEN];
        if record.owner.canonical(&mut buffer).ok()? != key_name {
            return None;
        }
        let rdata = record.rdata.bytes();
        let algorithm_len = dns::Name::new(message.bytes(), record.rdata.start()).end().ok()? - record.rdata.start();
        // Inception, expiration and mode.
        let rest = rdata.get(algorithm_len + 10..)?;
        let (&error, rest) = rest.split_first_chunk()?;
        let (token, _) = counted(rest)?;
        Some(Self { error: u16::from_be_bytes(error), token })
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// Bytes behind their number.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&len, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(len)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::message::{self, wire_name};
    use super::*;

    /// A reply to a query for the key, with a TKEY and a TSIG record in it.
    fn reply() -> Vec<u8> {
        let name = wire_name(&"k.lan".parse().unwrap());
        let mut reply = message::tkey(7, &name, b"token", 0).unwrap().finish();
        // A response, with the TKEY among the answers.
        reply[2] |= 0x80;
        (reply[7], reply[11]) = (1, 1);
        reply.extend(b"\x01k\x03lan\0\0\xfa\0\xff\0\0\0\0\0\x1d");
        reply.extend(b"\x08gss-tsig\0\0\0\x5e\x87\x4d\xa1\x01\x2c\0\x03mac\x12\x34\0\0\0\0");
        reply
    }

    fn asked() -> Asked {
        let name = wire_name(&"k.lan".parse().unwrap());
        Asked::of(&message::tkey(7, &name, b"token", 0).unwrap().finish()).unwrap()
    }

    #[test]
    fn the_fields_of_tkey_and_tsig_are_read() {
        let bytes = reply();
        let reply = Reply::parse(&bytes, &asked()).unwrap();
        let tsig = reply.tsig.unwrap();
        assert_eq!((tsig.time, tsig.fudge, tsig.mac, tsig.original_id), (0x5e87_4da1, 300, &b"mac"[..], 0x1234));
        assert_eq!((tsig.error, tsig.other, tsig.other_time()), (0, &b""[..], None));
        assert!(tsig.is_of(b"\x01k\x03lan\0", b"\x08gss-tsig\0"));
        assert!(!tsig.is_of(b"\x01j\x03lan\0", b"\x08gss-tsig\0"));
        assert!(!tsig.is_of(b"\x01k\x03lan\0", b"\x0bhmac-sha256\0"));
        let tkey = Tkey::find(&reply.message, b"\x01k\x03lan\0").unwrap();
        assert_eq!(tkey, Tkey { error: 0, token: b"token" });
        assert_eq!(Tkey::find(&reply.message, b"\x01j\x03lan\0"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..6),
            cut in any::<proptest::sample::Index>(),
        ) {
            let mut changed = reply();
            for (at, byte) in changes {
                let at = at.index(changed.len());
                changed[at] = byte;
            }
            let cut = cut.index(changed.len());
            for bytes in [&bytes[..], &changed, &changed[..cut]] {
                if let Ok(reply) = Reply::parse(bytes, &asked()) {
                    if let Some(tsig) = reply.tsig {
                        prop_assert!(tsig.start < bytes.len() && tsig.mac.len() < bytes.len());
                    }
                    Tkey::find(&reply.message, b"\x01k\x03lan\0");
                }
            }
        }
    }
}
