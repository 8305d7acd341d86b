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

    /// As many 32-bit numbers, all at once: one question about the order, which is easy to foresee.
    #[inline]
    pub(super) fn words(self, bytes: &[u8; 16]) -> [u32; 4] {
        let (words, _) = bytes.as_chunks();
        let words = [words[0], words[1], words[2], words[3]].map(u32::from_le_bytes);
        if self == Self::Little { words } else { swapped(words) }
    }

    /// The 32-bit number at index `word` of as many words.
    #[inline]
    pub(super) fn word<const N: usize>(self, bytes: &[u8; N], word: usize) -> u32 {
        let at = 4 * word;
        self.u32([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
    }
}

#[cold]
#[inline(never)]
fn swapped(words: [u32; 4]) -> [u32; 4] {
    words.map(u32::swap_bytes)
}
