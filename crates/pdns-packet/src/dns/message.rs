//! Whole messages: RFC 1035 section 4.1. One walk finds where everything is; nothing is copied.

use std::fmt;

use super::codes::{Opcode, Rcode, Rtype};
use super::edns::Opt;
use super::header::Header;
use super::name::{MAX_POINTERS, Name, NameError};
use super::question::Question;
use super::record::{Record, RecordError};

/// The longest message in bytes, by its length over TCP: RFC 1035 section 4.2.2.
pub const MAX_MESSAGE_LEN: usize = 65_535;

/// A DNS message and the places of what is in it, as far as it could be read.
///
/// What a section claims to hold and does not is told by [`malformed`](Self::malformed); what stands before the first
/// damage is all there. Data inside a record, its RDATA, is looked at only when it is printed.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    bytes: &'a [u8],
    header: Header,
    question: Option<Question<'a>>,
    spans: [Span; 4],
    opt: Option<u16>,
    end: u16,
    malformed: Option<Malformed>,
}

impl<'a> Message<'a> {
    /// Reads the structure of a message; `None` when not even its header is there. Bytes after the 65,535th, which no
    /// transport can carry, are ignored.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let bytes = bytes.get(..MAX_MESSAGE_LEN).unwrap_or(bytes);
        let header = Header::parse(bytes)?;
        let mut message = Self {
            bytes,
            header,
            question: None,
            spans: [Span::default(); 4],
            opt: None,
            end: Header::LEN as u16,
            malformed: None,
        };
        message.malformed = message.walk().err();
        Some(message)
    }

    /// The message as on the wire.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The header, with the counts it claims.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// What kind of request this is or responds to.
    pub const fn opcode(&self) -> Opcode {
        Opcode(self.header.opcode())
    }

    /// The response code: four bits of the header and, with EDNS, eight more above them (RFC 6891 section 6.1.3).
    pub fn rcode(&self) -> Rcode {
        let low = u16::from(self.header.rcode());
        match self.opt() {
            Some(opt) => Rcode(u16::from(opt.extended_rcode()) << 4 | low),
            None => Rcode(low),
        }
    }

    /// The first question.
    pub const fn question(&self) -> Option<&Question<'a>> {
        self.question.as_ref()
    }

    /// All questions that could be read.
    pub fn questions(&self) -> Questions<'a> {
        let span = self.spans[Section::Question as usize];
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
            _ => self.spans[section as usize],
        };
        Records { message: self.bytes, at: usize::from(span.start), left: span.count }
    }

    /// The first OPT record of the additional section: EDNS, RFC 6891.
    pub fn opt(&self) -> Option<Opt<'a>> {
        let at = usize::from(self.opt?);
        Records { message: self.bytes, at, left: 1 }.next().map(|record| Opt::new(&record))
    }

    /// What broke the message off, if anything did.
    pub const fn malformed(&self) -> Option<&Malformed> {
        self.malformed.as_ref()
    }

    /// Where reading ended: after the last record, or before the one that cannot be read.
    pub fn end(&self) -> usize {
        usize::from(self.end)
    }

    /// The bytes after the last record; none when the message broke off.
    pub fn trailing(&self) -> &'a [u8] {
        match self.malformed {
            None => self.bytes.get(self.end()..).unwrap_or_default(),
            Some(_) => &[],
        }
    }

    /// Reads one entry after the other and notes where the sections, the first question and OPT are.
    fn walk(&mut self) -> Result<(), Malformed> {
        let mut known = KnownTargets::default();
        let mut at = Header::LEN;
        for section in Section::ALL {
            let count = self.header.counts[section as usize];
            let start = at as u16;
            for index in 0..count {
                let read = match section {
                    Section::Question => self.walk_question(at, &mut known),
                    _ => self.walk_record(section, at, &mut known),
                };
                match read {
                    Ok(end) => at = end,
                    Err(kind) => {
                        self.spans[section as usize] = Span { start, count: index };
                        self.end = at as u16;
                        return Err(Malformed { kind, section, index, count });
                    }
                }
            }
            self.spans[section as usize] = Span { start, count };
        }
        self.end = at as u16;
        Ok(())
    }

    /// Reads the question at `start` and returns where it ends.
    fn walk_question(&mut self, start: usize, known: &mut KnownTargets) -> Result<usize, MalformedKind> {
        let name_end = known.skip_name(self.bytes, start).map_err(MalformedKind::Name)?;
        let Some((question, end)) = Question::parse_after_name(self.bytes, start, name_end) else {
            return Err(MalformedKind::Fields { offset: self.bytes.len() });
        };
        self.question.get_or_insert(question);
        Ok(end)
    }

    /// Reads the record at `start` and returns where it ends.
    #[inline]
    fn walk_record(
        &mut self,
        section: Section,
        start: usize,
        known: &mut KnownTargets,
    ) -> Result<usize, MalformedKind> {
        let owner_end = known.skip_name(self.bytes, start).map_err(MalformedKind::Name)?;
        match Record::parse(self.bytes, start, owner_end) {
            Ok((record, end)) => {
                if record.rtype == Rtype::OPT && section == Section::Additional && self.opt.is_none() {
                    self.opt = Some(start as u16);
                }
                Ok(end)
            }
            Err(RecordError::Fields) => Err(MalformedKind::Fields { offset: self.bytes.len() }),
            Err(RecordError::Rdata) => Err(MalformedKind::Rdata { offset: self.bytes.len() }),
        }
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("header", &self.header)
            .field("questions", &self.questions().collect::<Vec<_>>())
            .field("answers", &self.answers().collect::<Vec<_>>())
            .field("authorities", &self.authorities().collect::<Vec<_>>())
            .field("additionals", &self.additionals().collect::<Vec<_>>())
            .field("malformed", &self.malformed)
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
            MalformedKind::Fields { offset } | MalformedKind::Rdata { offset } => offset,
        }
    }
}

/// What is wrong with an entry of a section. The offset counts from the start of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedKind {
    /// The name it begins with cannot be read.
    #[error(transparent)]
    Name(NameError),
    /// The message ends between the name and the data.
    #[error("type and class run past the end of the message at offset {offset}")]
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
    at: usize,
    left: u16,
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let owner_end = Name::new(self.message, self.at).end().ok()?;
        let (record, end) = Record::parse(self.message, self.at, owner_end).ok()?;
        self.at = end;
        Some(record)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.left), Some(usize::from(self.left)))
    }
}

impl ExactSizeIterator for Records<'_> {}

/// Where a section starts and how many of its entries can be read.
#[derive(Clone, Copy, Default)]
struct Span {
    start: u16,
    count: u16,
}

/// The last few offsets to which a pointer is known to lead to a readable name. Most owners of a response are one
/// pointer, and nearly all of them point to the same few places.
struct KnownTargets {
    targets: [u16; 4],
    next: usize,
}

impl Default for KnownTargets {
    fn default() -> Self {
        // A pointer holds fourteen bits, so none leads here.
        Self { targets: [u16::MAX; 4], next: 0 }
    }
}

impl KnownTargets {
    /// Where the name at `start` ends; the whole name is then known to be readable.
    #[inline]
    fn skip_name(&mut self, message: &[u8], start: usize) -> Result<usize, NameError> {
        let name = Name::new(message, start);
        let pointer = message.get(start..).and_then(<[u8]>::first_chunk).filter(|&&[high, _]| high >= 0xc0);
        let Some(&[high, low]) = pointer else {
            let followed = name.follow()?;
            // A pointer to this name is one hop more than the name.
            if followed.pointers < MAX_POINTERS {
                self.insert(start as u16);
            }
            return Ok(followed.end);
        };
        let target = u16::from_be_bytes([high & 0x3f, low]);
        if !self.targets.contains(&target) {
            name.follow()?;
            self.insert(target);
        }
        Ok(start + 2)
    }

    fn insert(&mut self, target: u16) {
        self.targets[self.next] = target;
        self.next = (self.next + 1) % self.targets.len();
    }
}
