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

/// Not 0 when a byte of `word` may need an escape in a name. Says so of `!` too, which needs none: one subtraction then
/// finds whatever is up to `"`.
#[inline]
pub(super) const fn may_need_escape(word: u64) -> u64 {
    let up_to_quote = !((word | HIGH_BITS) - ONES * (b'"' as u64 + 1));
    (word | ((word & !HIGH_BITS) + ONES) | up_to_quote | equal(word, b'\\')) & HIGH_BITS
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
    fn whatever_needs_an_escape_in_a_name_is_noticed() {
        for byte in 0..=u8::MAX {
            let plain = matches!(byte, b'#'..=b'~') && byte != b'\\';
            for lane in 0..8 {
                let mut bytes = *b"#~az.-_9";
                bytes[lane] = byte;
                assert_eq!(may_need_escape(u64::from_le_bytes(bytes)) == 0, plain, "{byte}");
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
