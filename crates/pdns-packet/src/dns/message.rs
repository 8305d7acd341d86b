//! Whole messages: RFC 1035 section 4.1. One [walk](super::walk) finds where everything is; nothing is copied.

use std::fmt;

use super::codes::{Class, Opcode, Rcode, Rtype};
use super::edns::Opt;
use super::header::Header;
use super::name::{Name, NameError};
use super::question::Question;
use super::record::Record;
use super::walk::Walk;

/// The longest message in bytes, by its length over TCP: RFC 1035 section 4.2.2.
pub const MAX_MESSAGE_LEN: usize = 65_535;

/// A DNS message and the places of what is in it, as far as it could be read.
///
/// What a section claims to hold and does not is told by [`malformed`](Self::malformed); what stands before the first
/// damage is all there. Data inside a record, its RDATA, is looked at only when it is printed.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) outline: Outline,
}

/// The places of what is in a message, without the message: what somebody keeps who keeps the bytes elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Outline {
    len: u16,
    pub(super) header: Header,
    /// Type and class of the first question, whose name is the first thing after the header.
    pub(super) question: Option<(Rtype, Class)>,
    /// Length of the first question's name on the wire; 0 when it is compressed, or there is none.
    pub(super) question_name_len: u8,
    pub(super) spans: [Span; 4],
    pub(super) opt: Option<u16>,
    /// The upper eight bits of the response code, from OPT.
    pub(super) extended_rcode: u8,
    /// OPT holds more than its fixed fields.
    pub(super) has_options: bool,
    pub(super) end: u16,
    pub(super) malformed: Option<Malformed>,
}

impl<'a> Message<'a> {
    /// Reads the structure of a message; `None` when not even its header is there. Bytes after the 65,535th, which no
    /// transport can carry, are ignored. [`Walk`] reads it in two steps, and in place.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut walk = Walk::new(bytes);
        walk.questions()?;
        Some(*walk.records())
    }

    /// A message that nothing is known of.
    #[inline]
    pub(super) fn unread(bytes: &'a [u8]) -> Self {
        let bytes = bytes.get(..MAX_MESSAGE_LEN).unwrap_or(bytes);
        let outline = Outline {
            len: bytes.len() as u16,
            header: Header { id: 0, flags: 0, counts: [0; 4] },
            question: None,
            question_name_len: 0,
            spans: [Span::default(); 4],
            opt: None,
            extended_rcode: 0,
            has_options: false,
            end: Header::LEN as u16,
            malformed: None,
        };
        Self { bytes, outline }
    }

    /// Puts a message and its outline together again; `None` when they are not of the same length. An outline of other
    /// bytes gives wrong records, and does no harm beyond that.
    pub fn from_outline(bytes: &'a [u8], outline: Outline) -> Option<Self> {
        (bytes.len() == usize::from(outline.len)).then_some(Self { bytes, outline })
    }

    /// The places of what is in the message.
    pub const fn outline(&self) -> Outline {
        self.outline
    }

    /// The message as on the wire.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The header, with the counts it claims.
    pub const fn header(&self) -> &Header {
        &self.outline.header
    }

    /// What kind of request this is or responds to.
    pub const fn opcode(&self) -> Opcode {
        Opcode(self.outline.header.opcode())
    }

    /// The response code: four bits of the header and, with EDNS, eight more above them (RFC 6891 section 6.1.3).
    pub const fn rcode(&self) -> Rcode {
        Rcode((self.outline.extended_rcode as u16) << 4 | self.outline.header.rcode() as u16)
    }

    /// The first question.
    #[inline]
    pub fn question(&self) -> Option<Question<'a>> {
        let (qtype, qclass) = self.outline.question?;
        Some(Question { qname: Name::new(self.bytes, Header::LEN), qtype, qclass })
    }

    /// The first question as on the wire, name, type and class, when its name is not compressed.
    #[inline]
    pub fn uncompressed_question(&self) -> Option<&'a [u8]> {
        let name_len = usize::from(self.outline.question_name_len);
        if name_len == 0 { None } else { self.bytes.get(Header::LEN..Header::LEN + name_len + 4) }
    }

    /// All questions that could be read.
    pub fn questions(&self) -> Questions<'a> {
        let span = self.outline.spans[Section::Question as usize];
        Questions { message: self.bytes, at: usize::from(span.start), left: span.count }
    }

    /// The answers that could be read; the prerequisites of an UPDATE (RFC 2136 section 2).
    pub fn answers(&self) -> Records<'a> {
        self.records(Section::Answer)
    }

    /// The authority records that could be read; the updates of an UPDATE.
    pub fn authorities(&self) -> Records<'a> {
        self.records(Section::Authority)
    }

    /// The additional records that could be read, OPT and TSIG among them.
    pub fn additionals(&self) -> Records<'a> {
        self.records(Section::Additional)
    }

    /// The records of a section that could be read; none for [`Section::Question`].
    pub fn records(&self, section: Section) -> Records<'a> {
        let span = match section {
            Section::Question => Span::default(),
            _ => self.outline.spans[section as usize],
        };
        Records { message: self.bytes, at: span.start.into(), left: span.count }
    }

    /// Whether the message has OPT, and options in it, readable or not.
    pub const fn has_options(&self) -> bool {
        self.outline.has_options
    }

    /// Whether the additional section holds [OPT](Self::opt) and nothing else.
    #[inline]
    pub const fn has_only_opt(&self) -> bool {
        self.outline.opt.is_some() && self.outline.spans[Section::Additional as usize].count == 1
    }

    /// The first OPT record of the additional section: EDNS, RFC 6891.
    #[inline]
    pub fn opt(&self) -> Option<Opt<'a>> {
        let start = usize::from(self.outline.opt?);
        // RFC 6891 section 6.1.2: its owner must be the root.
        let owner_end = match self.bytes.get(start) {
            Some(0) => start + 1,
            _ => Name::new(self.bytes, start).end().ok()?,
        };
        Record::parse(self.bytes, start, owner_end).ok().map(|(record, _)| Opt::new(&record))
    }

    /// What broke the message off, if anything did.
    pub const fn malformed(&self) -> Option<&Malformed> {
        self.outline.malformed.as_ref()
    }

    /// Where reading ended: after the last record, or before the one that cannot be read.
    pub fn end(&self) -> usize {
        usize::from(self.outline.end)
    }

    /// The bytes after the last record; none when the message broke off.
    pub fn trailing(&self) -> &'a [u8] {
        match self.outline.malformed {
            None => self.bytes.get(self.end()..).unwrap_or_default(),
            Some(_) => &[],
        }
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("header", &self.outline.header)
            .field("questions", &self.questions().collect::<Vec<_>>())
            .field("answers", &self.answers().collect::<Vec<_>>())
            .field("authorities", &self.authorities().collect::<Vec<_>>())
            .field("additionals", &self.additionals().collect::<Vec<_>>())
            .field("malformed", &self.outline.malformed)
            .finish()
    }
}

/// The four parts of a message after its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    /// What is asked; the zone of an UPDATE.
    Question,
    /// What is answered; the prerequisites of an UPDATE.
    Answer,
    /// Who is responsible; the updates of an UPDATE.
    Authority,
    /// What may help, and the pseudo-records OPT, TSIG and SIG(0).
    Additional,
}

impl Section {
    /// All sections in the order of the wire.
    pub const ALL: [Self; 4] = [Self::Question, Self::Answer, Self::Authority, Self::Additional];
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Question => "question",
            Self::Answer => "answer",
            Self::Authority => "authority record",
            Self::Additional => "additional record",
        })
    }
}

/// Where and why a message broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{section} {} of {count}: {kind}", u32::from(*index) + 1)]
pub struct Malformed {
    /// What is wrong.
    pub kind: MalformedKind,
    /// The section of the entry that cannot be read.
    pub section: Section,
    /// Its index in the section, from 0: how many were read before it.
    pub index: u16,
    /// How many entries the header claims for the section.
    pub count: u16,
}

impl Malformed {
    /// The offset in the message at which reading failed.
    pub const fn offset(&self) -> usize {
        match self.kind {
            MalformedKind::Name(error) => error.offset(),
            MalformedKind::Pointers { offset } | MalformedKind::Fields { offset } | MalformedKind::Rdata { offset } => {
                offset
            }
        }
    }
}

/// What is wrong with an entry of a section. The offset counts from the start of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedKind {
    /// The name it begins with cannot be read.
    #[error(transparent)]
    Name(NameError),
    /// The names up to here follow more pointers than the message has bytes: made to keep readers busy.
    #[error("names follow too many compression pointers at offset {offset}")]
    Pointers {
        /// Where the name starts.
        offset: usize,
    },
    /// The message ends between the name and the data.
    #[error("fixed fields run past the end of the message at offset {offset}")]
    Fields {
        /// Where the missing byte would be.
        offset: usize,
    },
    /// The message ends before the data does.
    #[error("rdata runs past the end of the message at offset {offset}")]
    Rdata {
        /// Where the missing byte would be.
        offset: usize,
    },
}

/// The questions of a [`Message`].
#[derive(Clone, Debug)]
pub struct Questions<'a> {
    message: &'a [u8],
    at: usize,
    left: u16,
}

impl Questions<'_> {
    /// The first `most` of them, or all when there are fewer.
    #[inline]
    pub fn at_most(mut self, most: u16) -> Self {
        self.left = self.left.min(most);
        self
    }
}

impl<'a> Iterator for Questions<'a> {
    type Item = Question<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let name_end = Name::new(self.message, self.at).end().ok()?;
        let (question, end) = Question::parse_after_name(self.message, self.at, name_end)?;
        self.at = end;
        Some(question)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.left), Some(usize::from(self.left)))
    }
}

impl ExactSizeIterator for Questions<'_> {}

/// The records of one section of a [`Message`].
#[derive(Clone, Debug)]
pub struct Records<'a> {
    message: &'a [u8],
    at: u32,
    left: u16,
}

impl Records<'_> {
    /// The first `most` of them, or all when there are fewer.
    #[inline]
    pub fn at_most(mut self, most: u16) -> Self {
        self.left = self.left.min(most);
        self
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let at = self.at as usize;
        let owner_end = Name::new(self.message, at).end().ok()?;
        let (record, end) = Record::parse(self.message, at, owner_end).ok()?;
        // At most 65,535.
        self.at = end as u32;
        Some(record)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.left), Some(usize::from(self.left)))
    }
}

impl ExactSizeIterator for Records<'_> {}

/// Where a section starts and how many of its entries can be read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    pub(super) start: u16,
    pub(super) count: u16,
}

#[cfg(test)]
mod tests;
