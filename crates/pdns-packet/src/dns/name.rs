//! Domain names: RFC 1035 section 3.1, compressed as in section 4.1.4.

use std::fmt;

use crate::text::Text;

/// The longest name, in bytes on the wire with its final zero: RFC 1035 section 3.1.
pub const MAX_NAME_LEN: usize = 255;

/// How many compression pointers one name may follow. A name has at most 127 labels, so a sender that puts a pointer
/// after each still fits; a longer chain only costs the reader time.
pub const MAX_POINTERS: usize = 127;

/// Why a name cannot be read. The offset counts from the start of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The message ends inside the name.
    #[error("name runs past the end of the message at offset {offset}")]
    Truncated {
        /// Where the missing byte would be.
        offset: usize,
    },
    /// More than [`MAX_POINTERS`] compression pointers: a circle, or as good as one.
    #[error("compression pointers go in circles at offset {offset}")]
    PointerLoop {
        /// The pointer that was one too many.
        offset: usize,
    },
    /// Longer than [`MAX_NAME_LEN`] once its pointers are followed.
    #[error("name is longer than 255 bytes at offset {offset}")]
    TooLong {
        /// The label that was one too many.
        offset: usize,
    },
    /// A label type other than 00 and 11: RFC 6891 section 5 retired the others.
    #[error("unknown label type at offset {offset}")]
    LabelType {
        /// The label's first byte.
        offset: usize,
    },
}

impl NameError {
    /// The offset in the message where reading stopped.
    pub const fn offset(&self) -> usize {
        match *self {
            Self::Truncated { offset }
            | Self::PointerLoop { offset }
            | Self::TooLong { offset }
            | Self::LabelType { offset } => offset,
        }
    }
}

/// A name in a message, by its place there; pointers are followed when it is used, backwards or forwards.
#[derive(Clone, Copy)]
pub struct Name<'a> {
    message: &'a [u8],
    start: usize,
}

impl<'a> Name<'a> {
    /// The name at `start` of `message`, not yet looked at.
    pub const fn new(message: &'a [u8], start: usize) -> Self {
        Self { message, start }
    }

    /// Where the name starts in its message.
    pub const fn start(&self) -> usize {
        self.start
    }

    /// The offset just after the name's own bytes: after its final zero or after its first pointer, which is not
    /// followed.
    ///
    /// # Errors
    /// The name runs past the message, or holds a label of unknown type before its end.
    pub fn end(&self) -> Result<usize, NameError> {
        let mut at = self.start;
        loop {
            let Some(&length) = self.message.get(at) else { return Err(NameError::Truncated { offset: at }) };
            match length {
                0 => return Ok(at + 1),
                1..=63 => at += 1 + usize::from(length),
                0xc0.. if at + 2 <= self.message.len() => return Ok(at + 2),
                0xc0.. => return Err(NameError::Truncated { offset: at + 1 }),
                _ => return Err(NameError::LabelType { offset: at }),
            }
        }
    }

    /// Follows the whole name, as [`check`](Self::check) does, and says where its own bytes end.
    pub(super) fn skip(&self) -> Result<Skipped, NameError> {
        let mut labels = self.labels();
        let mut end = self.start;
        while let Some(label) = labels.step()? {
            if labels.pointers == 0 {
                end += 1 + label.len();
            }
        }
        let last_own = if labels.pointers == 0 { 1 } else { 2 };
        Ok(Skipped { end: end + last_own, pointers: labels.pointers })
    }

    /// The labels from left to right, each without its length byte. After an error the iterator ends.
    pub const fn labels(&self) -> Labels<'a> {
        Labels { message: self.message, at: self.start, wire_len: 1, pointers: 0, done: false }
    }

    /// Follows the whole name and says whether it can be read.
    ///
    /// # Errors
    /// See [`NameError`].
    pub fn check(&self) -> Result<(), NameError> {
        self.labels().try_for_each(|label| label.map(drop))
    }

    /// Appends the name in presentation format: no trailing dot, the root as `.`, case as on the wire, and the escapes
    /// `\.`, `\\` and `\DDD` (RFC 1035 section 5.1, RFC 4343 section 2.1).
    ///
    /// # Errors
    /// See [`NameError`]; `out` is then as before the call.
    pub fn write(&self, out: &mut impl Text) -> Result<(), NameError> {
        let start = out.position();
        let mut first = true;
        for label in self.labels() {
            match label {
                Ok(label) => {
                    if !first {
                        out.plain(b".");
                    }
                    first = false;
                    write_label(label, out);
                }
                Err(error) => {
                    out.rewind(start);
                    return Err(error);
                }
            }
        }
        if first {
            out.plain(b".");
        }
        Ok(())
    }

    /// Copies the name into `buffer` without compression and in lower case, and returns its bytes: the form in which
    /// equal names are equal bytes (RFC 4343 section 3).
    ///
    /// # Errors
    /// See [`NameError`].
    pub fn canonical<'b>(&self, buffer: &'b mut [u8; MAX_NAME_LEN]) -> Result<&'b [u8], NameError> {
        let mut at = 0;
        for label in self.labels() {
            let label = label?;
            buffer[at] = label.len() as u8;
            buffer[at + 1..at + 1 + label.len()].copy_from_slice(label);
            buffer[at + 1..at + 1 + label.len()].make_ascii_lowercase();
            at += 1 + label.len();
        }
        buffer[at] = 0;
        Ok(&buffer[..=at])
    }
}

/// What following a name to its end tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Skipped {
    /// The offset just after the name's own bytes.
    pub(super) end: usize,
    /// How many pointers were followed.
    pub(super) pointers: usize,
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(MAX_NAME_LEN);
        match self.write(&mut text) {
            Ok(()) => f.write_str(&String::from_utf8_lossy(&text)),
            Err(error) => write!(f, "<{error}>"),
        }
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

/// The labels of a [`Name`], from left to right.
#[derive(Clone, Debug)]
pub struct Labels<'a> {
    message: &'a [u8],
    at: usize,
    wire_len: usize,
    pointers: usize,
    done: bool,
}

impl<'a> Labels<'a> {
    fn step(&mut self) -> Result<Option<&'a [u8]>, NameError> {
        loop {
            let Some(&length) = self.message.get(self.at) else { return Err(NameError::Truncated { offset: self.at }) };
            match length {
                0 => return Ok(None),
                1..=63 => {
                    let start = self.at + 1;
                    let end = start + usize::from(length);
                    let Some(label) = self.message.get(start..end) else {
                        return Err(NameError::Truncated { offset: self.message.len() });
                    };
                    self.wire_len += 1 + label.len();
                    if self.wire_len > MAX_NAME_LEN {
                        return Err(NameError::TooLong { offset: self.at });
                    }
                    self.at = end;
                    return Ok(Some(label));
                }
                0xc0.. => {
                    let Some(&low) = self.message.get(self.at + 1) else {
                        return Err(NameError::Truncated { offset: self.at + 1 });
                    };
                    self.pointers += 1;
                    if self.pointers > MAX_POINTERS {
                        return Err(NameError::PointerLoop { offset: self.at });
                    }
                    self.at = usize::from(length & 0x3f) << 8 | usize::from(low);
                }
                _ => return Err(NameError::LabelType { offset: self.at }),
            }
        }
    }
}

impl<'a> Iterator for Labels<'a> {
    type Item = Result<&'a [u8], NameError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = self.step();
        self.done = !matches!(step, Ok(Some(_)));
        step.transpose()
    }
}

/// Whether a byte of a label stands for itself in presentation format.
const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = b'!' as usize;
    while byte <= b'~' as usize {
        table[byte] = !matches!(byte as u8, b'.' | b'"' | b'\\');
        byte += 1;
    }
    table
};

fn write_label(label: &[u8], out: &mut impl Text) {
    let mut rest = label;
    while let Some(at) = rest.iter().position(|&byte| !PLAIN[usize::from(byte)]) {
        out.plain(&rest[..at]);
        match rest[at] {
            b'.' => {
                out.backslash();
                out.plain(b".");
            }
            b'\\' => {
                out.backslash();
                out.backslash();
            }
            // A quote means nothing inside an unquoted name.
            b'"' => out.quote(),
            byte => out.decimal_escape(byte),
        }
        rest = &rest[at + 1..];
    }
    out.plain(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(message: &[u8], start: usize) -> String {
        Name::new(message, start).to_string()
    }

    #[test]
    fn plain_root_and_escaped_names() {
        assert_eq!(text(b"\x03www\x07eXample\x00", 0), "www.eXample");
        assert_eq!(text(b"\x00", 0), ".");
        assert_eq!(text(b"\x06a.b\\ \"\x02\x00\xff\x00", 0), "a\\.b\\\\\\032\".\\000\\255");
    }

    #[test]
    fn pointers_go_backwards_and_forwards() {
        let message = b"\x01a\x00\x01b\xc0\x00\x01c\xc0\x0c\xff\x01d\x00";
        assert_eq!(text(message, 3), "b.a");
        assert_eq!(text(message, 7), "c.d");
        assert_eq!(Name::new(message, 3).end(), Ok(7));
    }

    #[test]
    fn circles_of_one_and_two_hops_end() {
        assert_eq!(Name::new(b"\xc0\x00", 0).check(), Err(NameError::PointerLoop { offset: 0 }));
        assert!(matches!(
            Name::new(b"\x01a\xc0\x04\x01b\xc0\x00", 0).check(),
            Err(NameError::PointerLoop { .. } | NameError::TooLong { .. })
        ));
    }

    #[test]
    fn broken_names_say_where() {
        assert_eq!(Name::new(b"\x03ab", 0).check(), Err(NameError::Truncated { offset: 3 }));
        assert_eq!(Name::new(b"\x01a", 0).check(), Err(NameError::Truncated { offset: 2 }));
        assert_eq!(Name::new(b"\x01a\xc0", 0).check(), Err(NameError::Truncated { offset: 3 }));
        assert_eq!(Name::new(b"\x01a\xc0\xff", 0).check(), Err(NameError::Truncated { offset: 255 }));
        assert_eq!(Name::new(b"\x01a\x41\x00", 0).check(), Err(NameError::LabelType { offset: 2 }));
        assert_eq!(Name::new(b"", 0).end(), Err(NameError::Truncated { offset: 0 }));
    }

    #[test]
    fn names_of_255_bytes_are_the_longest() {
        let mut wire = Vec::new();
        for _ in 0..127 {
            wire.extend_from_slice(b"\x01x");
        }
        wire.push(0);
        assert_eq!(wire.len(), MAX_NAME_LEN);
        assert!(Name::new(&wire, 0).check().is_ok());
        let mut buffer = [0; MAX_NAME_LEN];
        assert_eq!(Name::new(&wire, 0).canonical(&mut buffer).unwrap(), &wire[..]);
        wire.insert(0, b'y');
        wire.insert(0, 1);
        assert_eq!(Name::new(&wire, 0).check(), Err(NameError::TooLong { offset: 254 }));
    }

    #[test]
    fn a_failed_name_leaves_nothing_behind() {
        let mut out = b"before".to_vec();
        assert!(Name::new(b"\x01a\x03b", 0).write(&mut out).is_err());
        assert_eq!(out, b"before");
    }

    #[test]
    fn canonical_form_is_lower_case_and_uncompressed() {
        let message = b"\x01A\x00\x01b\xc0\x00";
        assert_eq!(Name::new(message, 3).canonical(&mut [0; MAX_NAME_LEN]).unwrap(), b"\x01b\x01a\x00");
    }
}
