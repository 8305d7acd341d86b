//! The walk over a message that finds where everything in it is.

use super::codes::Rtype;
use super::header::Header;
use super::message::{Malformed, MalformedKind, Message, Section, Span};
use super::names::Names;
use super::question::Question;
use super::record::{Record, RecordError};

/// A message that is being read in two steps: first the questions, which tell what a message is about, then the records.
///
/// Whoever has to look something up by the question can do so before the records are read: the processor waits for memory
/// and reads on at the same time.
///
/// ```
/// use pdns_packet::dns::{Rtype, Walk};
///
/// let mut walk = Walk::new(b"\0\x07\x80\0\0\x01\0\x01\0\0\0\0\x01a\0\0\x01\0\x01\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x7f\0\0\x01");
/// let message = walk.questions().ok_or("no header")?;
/// assert_eq!((message.header().id, message.question().map(|question| question.qtype)), (7, Some(Rtype::A)));
/// assert_eq!(message.answers().len(), 0);
/// assert_eq!(walk.records().answers().len(), 1);
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    // Filled in where it is: a copy would read whole what was just written in parts.
    message: Message<'a>,
    names: Names,
    /// Where the next section starts; `None` once nothing more can be read.
    next: Option<u16>,
}

impl<'a> Walk<'a> {
    /// At the beginning of a message. Bytes after the 65,535th, which no transport can carry, are ignored.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        let message = Message::unread(bytes);
        Self { names: Names::new(message.bytes), message, next: None }
    }

    /// Reads the header and the questions, and returns the message as if it had nothing else; `None` when not even its
    /// header is there.
    #[inline]
    pub fn questions(&mut self) -> Option<&Message<'a>> {
        self.message.outline.header = Header::parse(self.message.bytes)?;
        self.walk_questions();
        Some(&self.message)
    }

    /// Reads the records, and returns the whole message.
    #[inline]
    pub fn records(&mut self) -> &Message<'a> {
        if let Some(start) = self.next.take() {
            self.walk_records(start.into());
        }
        &self.message
    }

    /// Reads one question after the other. A call, so that what it works on is in memory where it stays.
    #[inline(never)]
    fn walk_questions(&mut self) {
        let count = self.message.outline.header.counts[Section::Question as usize];
        let mut at = Header::LEN;
        self.message.outline.spans[Section::Question as usize] = Span { start: at as u16, count };
        for index in 0..count {
            match self.walk_question(at) {
                Ok(end) => at = end,
                Err(kind) => {
                    self.broken(at, Malformed { kind, section: Section::Question, index, count });
                    return;
                }
            }
        }
        self.message.outline.end = at as u16;
        self.next = Some(at as u16);
    }

    /// Reads the records of all sections, the first of which starts at `at`.
    #[inline(never)]
    fn walk_records(&mut self, at: usize) {
        let end = self
            .walk_section(Section::Answer, at)
            .and_then(|at| self.walk_section(Section::Authority, at))
            .and_then(|at| self.walk_section(Section::Additional, at));
        if let Some(end) = end {
            self.message.outline.end = end as u16;
        }
    }

    /// Reads the records of a section from `at` on and returns where they end; `None` when one is broken.
    #[inline(always)]
    fn walk_section(&mut self, section: Section, mut at: usize) -> Option<usize> {
        let count = self.message.outline.header.counts[section as usize];
        self.message.outline.spans[section as usize] = Span { start: at as u16, count };
        for index in 0..count {
            match self.walk_record(section, at) {
                Ok(end) => at = end,
                Err(kind) => return self.broken(at, Malformed { kind, section, index, count }),
            }
        }
        Some(at)
    }

    /// Notes what is broken at `at`.
    #[cold]
    fn broken(&mut self, at: usize, malformed: Malformed) -> Option<usize> {
        let outline = &mut self.message.outline;
        outline.spans[malformed.section as usize].count = malformed.index;
        outline.end = at as u16;
        outline.malformed = Some(malformed);
        None
    }

    /// Reads the question at `start` and returns where it ends.
    #[inline]
    fn walk_question(&mut self, start: usize) -> Result<usize, MalformedKind> {
        let bytes = self.message.bytes;
        let name = self.names.follow(bytes, start, start)?;
        let Some((question, end)) = Question::parse_after_name(bytes, start, name.end) else {
            return Err(MalformedKind::Fields { offset: bytes.len() });
        };
        let outline = &mut self.message.outline;
        if outline.question.is_none() {
            outline.question = Some((question.qtype, question.qclass));
            // At most 255.
            outline.question_name_len = if name.pointers == 0 { (name.end - start) as u8 } else { 0 };
        }
        Ok(end)
    }

    /// Reads the record at `start` and returns where it ends.
    #[inline(always)]
    fn walk_record(&mut self, section: Section, start: usize) -> Result<usize, MalformedKind> {
        let bytes = self.message.bytes;
        let owner_end = self.names.skip(bytes, start)?;
        match Record::parse(bytes, start, owner_end) {
            Ok((record, end)) => {
                let outline = &mut self.message.outline;
                if record.rtype == Rtype::OPT && section == Section::Additional && outline.opt.is_none() {
                    outline.opt = Some(start as u16);
                    // RFC 6891 section 6.1.3: the first byte of what would be the TTL.
                    outline.extended_rcode = (record.ttl >> 24) as u8;
                    outline.has_options = !record.rdata.bytes().is_empty();
                }
                Ok(end)
            }
            Err(RecordError::Fields) => Err(MalformedKind::Fields { offset: bytes.len() }),
            Err(RecordError::Rdata) => Err(MalformedKind::Rdata { offset: bytes.len() }),
        }
    }
}
