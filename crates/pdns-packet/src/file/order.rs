//! Numbers in the byte order of the machine that wrote the file.

/// A byte order, found out from a file's magic number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    #[default]
    Little,
    Big,
}

impl Order {
    /// A 16-bit number.
    #[inline]
    pub(super) fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    /// A 32-bit number.
    #[inline]
    pub(super) fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    /// As many 32-bit numbers. One by one: as an array they would go through memory, and all of a frame waits for them.
    #[inline(always)]
    pub(super) fn words(self, bytes: &[u8; 16]) -> (u32, u32, u32, u32) {
        (self.word(bytes, 0), self.word(bytes, 1), self.word(bytes, 2), self.word(bytes, 3))
    }

    /// The 32-bit number at index `word` of as many words.
    #[inline]
    pub(super) fn word<const N: usize>(self, bytes: &[u8; N], word: usize) -> u32 {
        let at = 4 * word;
        self.u32([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
    }
}
