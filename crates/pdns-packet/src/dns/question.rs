//! Questions: RFC 1035 section 4.1.2.

use super::codes::{Class, Rtype};
use super::name::{Name, NameError};

/// One entry of the question section (the zone section of an UPDATE, RFC 2136 section 2.3).
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The name asked for.
    pub qname: Name<'a>,
    /// The type asked for.
    pub qtype: Rtype,
    /// The class asked for.
    pub qclass: Class,
}

impl<'a> Question<'a> {
    /// Reads the question at `start` of `message` and returns it with the offset after it. Its name is known to be
    /// readable, pointers included.
    ///
    /// # Errors
    /// The name cannot be read, or the message ends before type and class.
    pub fn parse(message: &'a [u8], start: usize) -> Result<(Self, usize), NameError> {
        let end = Name::new(message, start).follow()?.end;
        Self::parse_after_name(message, start, end).ok_or(NameError::Truncated { offset: message.len() })
    }

    /// Reads the question whose name starts at `start` and ends at `end`; `None` when the message ends before type and
    /// class.
    #[inline]
    pub(super) fn parse_after_name(message: &'a [u8], start: usize, end: usize) -> Option<(Self, usize)> {
        let &[t0, t1, c0, c1] = message.get(end..end + 4)?.first_chunk()?;
        let qtype = Rtype(u16::from_be_bytes([t0, t1]));
        let qclass = Class(u16::from_be_bytes([c0, c1]));
        Some((Self { qname: Name::new(message, start), qtype, qclass }, end + 4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_type_class_and_where_it_ends() {
        let (question, end) = Question::parse(b"\x01a\x00\x00\x1c\x00\x01rest", 0).unwrap();
        assert_eq!(
            (question.qname.to_string().as_str(), question.qtype, question.qclass, end),
            ("a", Rtype::AAAA, Class::IN, 7)
        );
    }

    #[test]
    fn a_cut_question_is_an_error() {
        assert_eq!(Question::parse(b"\x01a\x00\x00\x1c\x00", 0).unwrap_err(), NameError::Truncated { offset: 6 });
        assert!(Question::parse(b"\x01a\xc0\x02\x00\x1c\x00\x01", 0).is_err());
    }
}
