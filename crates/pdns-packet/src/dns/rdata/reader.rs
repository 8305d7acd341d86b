//! A cursor over the bytes of one RDATA.

use crate::dns::name::Name;

/// Reads RDATA from left to right. `None` means that it ends too early, and so does not parse as its type.
pub(super) struct Reader<'a> {
    message: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    /// Over `message[start..end]`, which must be there.
    pub(super) const fn new(message: &'a [u8], start: usize, end: usize) -> Self {
        Self { message, at: start, end }
    }

    /// Whether everything is read.
    pub(super) const fn is_empty(&self) -> bool {
        self.at >= self.end
    }

    /// Everything that is left.
    pub(super) fn rest(&mut self) -> &'a [u8] {
        let rest = self.message.get(self.at..self.end).unwrap_or_default();
        self.at = self.end;
        rest
    }

    /// The next `len` bytes.
    pub(super) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(len).filter(|&end| end <= self.end)?;
        let bytes = self.message.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        self.bytes(N)?.first_chunk()
    }

    /// The next byte.
    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(|&[byte]| byte)
    }

    /// The next two bytes as a number.
    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(|&bytes| u16::from_be_bytes(bytes))
    }

    /// The next four bytes as a number.
    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(|&bytes| u32::from_be_bytes(bytes))
    }

    /// Bytes behind their length of one byte: a character-string, RFC 1035 section 3.3.
    pub(super) fn short_string(&mut self) -> Option<&'a [u8]> {
        let len = self.u8()?;
        self.bytes(len.into())
    }

    /// Bytes behind their length of two bytes.
    pub(super) fn long_string(&mut self) -> Option<&'a [u8]> {
        let len = self.u16()?;
        self.bytes(len.into())
    }

    /// A name. Its own bytes lie within the RDATA; its pointers lead anywhere in the message and are not yet followed.
    pub(super) fn name(&mut self) -> Option<Name<'a>> {
        let name = Name::new(self.message, self.at);
        let end = name.end().ok().filter(|&end| end <= self.end)?;
        self.at = end;
        Some(name)
    }
}
