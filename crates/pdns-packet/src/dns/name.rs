//! Domain names: RFC 1035 section 3.1, compressed as in section 4.1.4.

use std::fmt;

use crate::text::Text;

use super::scan::{self, BLOCK};

/// The longest name, in bytes on the wire with its final zero: RFC 1035 section 3.1.
pub const MAX_NAME_LEN: usize = 255;

/// A label that is in a block with its length byte is shorter than this. Such a length [is
/// special](scan::is_special_in_names) wherever it stands for a character.
const SHORT: u8 = BLOCK as u8;

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
    /// Narrower than an address, so that nothing overflows when a length is added.
    start: u32,
}

impl<'a> Name<'a> {
    /// The name at `start` of `message`, not yet looked at.
    #[inline]
    pub const fn new(message: &'a [u8], start: usize) -> Self {
        // Nothing is beyond that, and no message is so long.
        let start = if start > u32::MAX as usize { u32::MAX } else { start as u32 };
        Self { message, start }
    }

    /// Where the name starts in its message.
    #[inline]
    pub const fn start(&self) -> usize {
        self.start as usize
    }

    /// Where the name's first label stands: at its start, or where a pointer at its start leads. Names with the same
    /// place are the same.
    #[inline]
    pub fn place(&self) -> usize {
        match self.message.get(self.start()..self.start() + 2) {
            Some(&[high, low]) if high >= 0xc0 => usize::from(high & 0x3f) << 8 | usize::from(low),
            _ => self.start(),
        }
    }

    /// The name's bytes with its final zero, when no pointer is among them and it is not longer than a name may be.
    #[inline]
    pub fn uncompressed(&self) -> Option<&'a [u8]> {
        let mut at = self.start();
        loop {
            match *self.message.get(at)? {
                0 => break,
                length @ 1..=63 => at += 1 + usize::from(length),
                _ => return None,
            }
        }
        self.message.get(self.start()..=at).filter(|name| name.len() <= MAX_NAME_LEN)
    }

    /// The offset just after the name's own bytes: after its final zero or after its first pointer, which is not
    /// followed.
    ///
    /// # Errors
    /// The name runs past the message, holds a label of unknown type before its end, or is already too long there.
    #[inline]
    pub fn end(&self) -> Result<usize, NameError> {
        match self.message.get(self.start()..self.start() + 2) {
            // A pointer alone, as most owners are.
            Some(&[high, _]) if high >= 0xc0 => Ok(self.start() + 2),
            _ => self.run(self.start(), 0).map(|run| run.end()),
        }
    }

    /// Follows the whole name and says whether it can be read.
    ///
    /// # Errors
    /// See [`NameError`].
    pub fn check(&self) -> Result<(), NameError> {
        self.follow().map(drop)
    }

    /// Follows the whole name and says where its own bytes end.
    #[inline(always)]
    pub(super) fn follow(&self) -> Result<Followed, NameError> {
        let mut run = self.run(self.start(), 0)?;
        let end = run.end();
        let (mut len, mut pointers) = (run.stop - self.start(), 0);
        while let Some(target) = run.target {
            pointers += 1;
            if pointers > MAX_POINTERS {
                return Err(NameError::PointerLoop { offset: run.stop });
            }
            run = self.run(target, len)?;
            len += run.stop - target;
        }
        Ok(Followed { end, pointers })
    }

    /// The labels from left to right, each without its length byte. After an error the iterator ends.
    pub const fn labels(&self) -> Labels<'a> {
        Labels { message: self.message, at: self.start(), wire_len: 1, pointers: 0, done: false }
    }

    /// Appends the name in presentation format: no trailing dot, the root as `.`, case as on the wire, and the escapes
    /// `\.`, `\\` and `\DDD` (RFC 1035 section 5.1, RFC 4343 section 2.1).
    ///
    /// # Errors
    /// See [`NameError`]; `out` is then as before the call.
    #[inline]
    pub fn write(&self, out: &mut impl Text) -> Result<(), NameError> {
        let place = self.place();
        if out.repeat_name(b"", place) { Ok(()) } else { self.write_new(place, out) }
    }

    /// Appends a name that `out` does not hold yet, and whose first label is at `place`.
    fn write_new(self, place: usize, out: &mut impl Text) -> Result<(), NameError> {
        let begin = out.position();
        let written = self.write_plain(out);
        if written != Ok(Written::Whole) {
            out.rewind(begin);
        }
        match written? {
            Written::Root => {
                out.plain(b".");
                return Ok(());
            }
            Written::Whole => {}
            Written::NotPlain => {
                self.check()?;
                self.write_labels(out);
            }
        }
        out.remember_name(place, begin);
        Ok(())
    }

    /// Appends a name in which no byte needs an escape, or a part of one in which some does.
    fn write_plain(self, out: &mut impl Text) -> Result<Written, NameError> {
        let begin = out.position();
        let (mut start, mut len, mut pointers) = (self.start(), 0, 0);
        loop {
            let (run, is_plain) = match self.write_short_run(start, len, out) {
                Some(written) => written,
                None => {
                    let run = self.run(start, len)?;
                    (run, self.write_run(start, run.stop, len == 0, out))
                }
            };
            if !is_plain {
                return Ok(Written::NotPlain);
            }
            len += run.stop - start;
            let Some(target) = run.target else { break };
            pointers += 1;
            if pointers > MAX_POINTERS {
                return Err(NameError::PointerLoop { offset: run.stop });
            }
            if len > 0 && out.repeat_name(b".", target) {
                // Text is never shorter than the labels, so that this much is not too long for a name.
                let fits = out.position() - begin <= MAX_NAME_LEN - 2;
                return Ok(if fits { Written::Whole } else { Written::NotPlain });
            }
            start = target;
        }
        Ok(if len > 0 { Written::Whole } else { Written::Root })
    }

    /// Appends the labels at `start` up to the next final zero or pointer as [`write_run`](Self::write_run) does, if they are
    /// short and there is a block around them. The name has `len` bytes before `start`.
    #[inline]
    fn write_short_run(self, start: usize, len: usize, out: &mut impl Text) -> Option<(Run, bool)> {
        let block: &[u8; BLOCK + 1] = self.message.get(start..start + BLOCK + 1)?.first_chunk()?;
        // No dot is before the first label of a name.
        let skipped = usize::from(len == 0);
        let labels: &[u8; BLOCK] = block.get(skipped..)?.first_chunk()?;
        let (mut at, mut dots, mut text_len) = (0, 0, 0);
        let mut end = None;
        out.edited(labels, |text| {
            end = loop {
                match block.get(at) {
                    Some(0) => break Some(None),
                    Some(&length @ 1..SHORT) => {
                        if let Some(place) = text.get_mut(usize::wrapping_sub(at, skipped)) {
                            *place = b'.';
                            dots += 1;
                        }
                        at += 1 + usize::from(length);
                    }
                    Some(&high @ 0xc0..) => {
                        let low = block.get(at + 1);
                        break low.map(|&low| Some(usize::from(high & 0x3f) << 8 | usize::from(low)));
                    }
                    _ => break None,
                }
            };
            end = end.filter(|_| len + at < MAX_NAME_LEN);
            text_len = if end.is_some() { at.saturating_sub(skipped) } else { 0 };
            text_len
        });
        // Each length byte counts as special.
        let is_plain = scan::special_in_names(labels, text_len) == dots;
        Some((Run { stop: start + at, target: end? }, is_plain))
    }

    /// Appends the labels from `start` to `stop`, with a dot before each unless that is the name's first, and says whether
    /// no byte needs an escape; if one does, what was appended is of no use.
    fn write_run(self, start: usize, stop: usize, is_first: bool, out: &mut impl Text) -> bool {
        let from = start + usize::from(is_first);
        let (text, position) = (self.message.get(from..stop).unwrap_or_default(), out.position());
        out.plain(text);
        let special: usize = text.chunks(BLOCK).map(scan::special_in_part_of_name).sum();
        let (mut at, mut special_lengths) = (start, 0);
        while at < stop
            && let Some(&length) = self.message.get(at)
        {
            if at >= from {
                out.overwrite(position + at - from, b'.');
                special_lengths += usize::from(scan::is_special_in_names(length));
            }
            at += 1 + usize::from(length);
        }
        special == special_lengths
    }

    /// Copies the name into `buffer` without compression and in lower case, and returns its bytes: the form in which
    /// equal names are equal bytes (RFC 4343 section 3).
    ///
    /// # Errors
    /// See [`NameError`].
    pub fn canonical<'b>(&self, buffer: &'b mut [u8; MAX_NAME_LEN]) -> Result<&'b [u8], NameError> {
        let len = self.copy_labels(buffer)?;
        // No length byte is a capital: those start at 65, labels end at 63.
        buffer[..len].make_ascii_lowercase();
        buffer[len] = 0;
        Ok(&buffer[..=len])
    }

    /// Copies all labels, each behind its length byte, and returns how many bytes they are.
    fn copy_labels(self, buffer: &mut [u8; MAX_NAME_LEN]) -> Result<usize, NameError> {
        let (mut start, mut len, mut pointers) = (self.start(), 0, 0);
        loop {
            let run = self.run(start, len)?;
            let end = len + run.stop - start;
            if let (Some(from), Some(to)) = (self.message.get(start..run.stop), buffer.get_mut(len..end)) {
                to.copy_from_slice(from);
            }
            len = end;
            let Some(target) = run.target else { return Ok(len) };
            pointers += 1;
            if pointers > MAX_POINTERS {
                return Err(NameError::PointerLoop { offset: run.stop });
            }
            start = target;
        }
    }

    /// Walks the labels at `start` up to the next final zero or pointer. The name has `len` bytes before `start`.
    #[inline]
    fn run(self, start: usize, len: usize) -> Result<Run, NameError> {
        // No label may end beyond this: then the final zero still fits. One check a label does for both limits.
        let limit = (start + MAX_NAME_LEN.saturating_sub(len)).min(self.message.len());
        let room = self.message.get(..limit).unwrap_or_default();
        let mut at = start;
        while let Some(&length) = room.get(at) {
            match length {
                0 => return Ok(Run { stop: at, target: None }),
                1..=63 => at += 1 + usize::from(length),
                0xc0.. => {
                    let Some(&low) = self.message.get(at + 1) else { break };
                    let target = usize::from(length & 0x3f) << 8 | usize::from(low);
                    return Ok(Run { stop: at, target: Some(target) });
                }
                _ => break,
            }
        }
        Err(self.broken_run(start, len))
    }

    /// What is wrong with the labels at `start`.
    #[cold]
    fn broken_run(self, start: usize, len: usize) -> NameError {
        let mut at = start;
        loop {
            match self.message.get(at) {
                None => return NameError::Truncated { offset: at },
                Some(&length @ 1..=63) => {
                    let next = at + 1 + usize::from(length);
                    if next > self.message.len() {
                        return NameError::Truncated { offset: self.message.len() };
                    }
                    if len + next - start >= MAX_NAME_LEN {
                        return NameError::TooLong { offset: at };
                    }
                    at = next;
                }
                Some(0xc0..) => return NameError::Truncated { offset: at + 1 },
                Some(_) => return NameError::LabelType { offset: at },
            }
        }
    }

    /// Appends a name that is known to be readable, label by label.
    fn write_labels(self, out: &mut impl Text) {
        for (index, label) in self.labels().flatten().enumerate() {
            if index > 0 {
                out.plain(b".");
            }
            write_label(label, out);
        }
    }
}

/// What following a name to its end tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Followed {
    /// The offset just after the name's own bytes.
    pub(super) end: usize,
    /// How many pointers were followed.
    pub(super) pointers: usize,
}

/// Labels that stand together.
#[derive(Clone, Copy)]
struct Run {
    /// The offset of the final zero or pointer behind them.
    stop: usize,
    /// Where the pointer leads.
    target: Option<usize>,
}

impl Run {
    /// The offset after the final zero or pointer.
    const fn end(&self) -> usize {
        if self.target.is_some() { self.stop + 2 } else { self.stop + 1 }
    }
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

/// What became of a name that was to be written without escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    /// All of it was.
    Whole,
    /// It has no labels.
    Root,
    /// It needs escapes, or may be longer than a name may be.
    NotPlain,
}

/// Whether a byte of a label stands for itself in presentation format.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~') && !matches!(byte, b'.' | b'"' | b'\\')
}

fn write_label(label: &[u8], out: &mut impl Text) {
    let mut rest = label;
    while let Some(at) = rest.iter().position(|&byte| !is_plain(byte)) {
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
mod tests;
