//! Which bytes stand for themselves in presentation format, eight at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x80 * ONES;

/// The high bit of each byte of `word` that is not printable ASCII, or is `"` or `\`.
#[inline]
pub(super) const fn unprintable(word: u64) -> u64 {
    // Sums of seven-bit values do not carry into the next byte; each sum's high bit answers a question.
    let low = word & !HIGH_BITS;
    let at_least_space = low + ONES * (0x80 - b' ' as u64);
    let delete = low + ONES;
    !at_least_space & HIGH_BITS | (delete | word) & HIGH_BITS | equal(word, b'"') | equal(word, b'\\')
}

/// The high bit of each byte of `word` that is `byte`, an ASCII one; bytes above ASCII may answer wrongly.
#[inline]
pub(super) const fn equal(word: u64, byte: u8) -> u64 {
    let difference = (word & !HIGH_BITS) ^ (ONES * byte as u64);
    !(difference + !HIGH_BITS) & HIGH_BITS
}

/// How many bytes at the start of `bytes` stand for themselves between quotes.
#[inline]
pub(super) fn printable_prefix(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let found = unprintable(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += chunk.len();
    }
    let is_special = |byte: &u8| !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\');
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// How many bytes of a name are looked at in one step.
pub(super) const BLOCK: usize = 32;

/// Whether a byte may need an escape in a label. Says so of `!` and `"` too, which need none, but are rare: one comparison
/// then finds whatever is up to `"`.
#[inline]
pub(super) const fn is_special_in_names(byte: u8) -> bool {
    // As signed bytes, all that are not ASCII are below the others.
    (byte as i8 <= b'"' as i8) | (byte == 0x7f) | (byte == b'.') | (byte == b'\\')
}

/// How many of the first `len` bytes of `block` [are special](is_special_in_names).
#[inline]
pub(super) fn special_in_names(block: &[u8; BLOCK], len: usize) -> usize {
    // No jumps and nothing wider than a byte, so that many are looked at by each instruction.
    let counts = FIRST.get(BLOCK - len.min(BLOCK)..).and_then(<[u8]>::first_chunk::<BLOCK>).unwrap_or(&[0; BLOCK]);
    let special = block.iter().zip(counts).map(|(&byte, &counts)| u8::from(is_special_in_names(byte)) & counts);
    usize::from(special.fold(0, u8::wrapping_add))
}

/// A block of ones and one of zeros: the block that begins `len` before the second tells the first `len` bytes from others.
const FIRST: [u8; 2 * BLOCK] = {
    let mut counts = [0; 2 * BLOCK];
    let mut at = 0;
    while at < BLOCK {
        counts[at] = 1;
        at += 1;
    }
    counts
};

/// The same for the bytes of a block or less.
pub(super) fn special_in_part_of_name(bytes: &[u8]) -> usize {
    let len = bytes.len().min(BLOCK);
    let mut block = [0; BLOCK];
    block[..len].copy_from_slice(&bytes[..len]);
    special_in_names(&block, len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_in_every_lane_is_judged_right() {
        for byte in 0..=u8::MAX {
            let special = !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\');
            for lane in 0..8 {
                for filler in [b'a', b' ', b'~', b'!', b'#', b'[', b']'] {
                    let mut bytes = [filler; 8];
                    bytes[lane] = byte;
                    let word = u64::from_le_bytes(bytes);
                    assert_eq!(unprintable(word), if special { 0x80 << (8 * lane) } else { 0 });
                    assert_eq!(equal(word, b'.'), if byte & 0x7f == b'.' { 0x80 << (8 * lane) } else { 0 });
                }
            }
        }
    }

    #[test]
    fn whatever_needs_an_escape_in_a_name_is_counted() {
        for byte in 0..=u8::MAX {
            let special = !matches!(byte, b'#'..=b'~') || matches!(byte, b'.' | b'\\');
            for at in 0..BLOCK {
                let mut block = *b"#~az-_09AZ/:[]^`{}&'()*+,;<=>?@|";
                block[at] = byte;
                for len in [0, at, at + 1, BLOCK] {
                    let expected = usize::from(special && at < len);
                    assert_eq!(special_in_names(&block, len), expected);
                    assert_eq!(special_in_part_of_name(&block[..len]), expected);
                }
            }
        }
    }

    #[test]
    fn the_prefix_ends_at_the_first_special_byte_wherever_it_is() {
        for len in 0..40 {
            let mut bytes = vec![b'x'; len];
            assert_eq!(printable_prefix(&bytes), len);
            for at in (0..len).rev() {
                bytes[at] = b'"';
                assert_eq!(printable_prefix(&bytes), at);
            }
        }
    }
}
