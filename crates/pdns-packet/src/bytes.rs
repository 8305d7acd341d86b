//! Bytes, compared without a call.

/// Whether both are the same, as `==` says. What is as long as most questions takes two comparisons of blocks, where `==`
/// takes a call that first has to find out how long it is.
#[inline]
pub fn equal(one: &[u8], other: &[u8]) -> bool {
    const BLOCK: usize = 16;
    if one.len() != other.len() {
        return false;
    }
    if !(BLOCK..=2 * BLOCK).contains(&one.len()) {
        return one == other;
    }
    one.first_chunk::<BLOCK>() == other.first_chunk() && one.last_chunk::<BLOCK>() == other.last_chunk()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_counts_at_every_length() {
        for len in 0..70 {
            let one: Vec<u8> = (0..len).collect();
            assert!(equal(&one, &one.clone()));
            assert!(!equal(&one, &[&one[..], b"x"].concat()));
            for at in 0..one.len() {
                let mut other = one.clone();
                other[at] ^= 0x80;
                assert!(!equal(&one, &other), "{at} of {len}");
            }
        }
    }
}
