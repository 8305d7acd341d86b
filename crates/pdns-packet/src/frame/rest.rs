//! What is left of a frame once its outer headers are read.

use super::flow::VlanTags;
use super::packet::Discard;

/// How many layers may be opened inside one another before a frame is given up.
const MAX_DEPTH: u8 = 8;

/// The bytes behind the headers read so far, and what those headers said that still counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest<'a> {
    /// What was captured.
    pub(super) data: &'a [u8],
    /// How many bytes followed on the wire and were not captured.
    pub(super) missing: usize,
    /// VLAN ids met so far.
    pub(super) vlan: VlanTags,
    /// How many layers were opened so far.
    depth: u8,
}

impl<'a> Rest<'a> {
    /// All of `data`, of which `missing` bytes were not captured.
    #[inline]
    pub(super) const fn new(data: &'a [u8], missing: usize, vlan: VlanTags) -> Self {
        Self { data, missing, vlan, depth: 0 }
    }

    /// What follows the next `length` bytes.
    #[inline]
    pub(super) fn skip(self, length: usize) -> Result<Self, Discard> {
        let data = self.data.get(length..).ok_or(Discard::ShortFrame)?;
        Ok(Self { data, ..self })
    }

    /// The next `length` bytes, as a header claims: what follows them is padding, and what of them is not here was not
    /// captured. A claim that the frame's length on the wire contradicts is believed too, because tools that cut frames
    /// may adjust that length.
    #[inline]
    pub(super) fn limit(self, length: usize) -> Self {
        match self.data.get(..length) {
            Some(data) => Self { data, missing: 0, ..self },
            None => Self { missing: length - self.data.len(), ..self },
        }
    }

    /// The same bytes one layer further in.
    ///
    /// # Errors
    /// There are too many layers.
    pub(super) const fn enter(mut self) -> Result<Self, Discard> {
        if self.depth == MAX_DEPTH {
            return Err(Discard::TooDeep);
        }
        self.depth += 1;
        Ok(self)
    }

    /// The same bytes under one more VLAN tag.
    ///
    /// # Errors
    /// There are too many tags.
    pub(super) fn tag(self, id: u16) -> Result<Self, Discard> {
        // IEEE 802.1Q table 9-2: the null id names no VLAN, the tag holds only a priority. Some network cards put
        // it on what they receive and not on what they send, so it must not keep the two directions apart.
        if id == 0 {
            return Ok(self);
        }
        let vlan = self.vlan.push(id).ok_or(Discard::TooDeep)?;
        Ok(Self { vlan, ..self })
    }

    /// The byte at `at`.
    #[inline]
    pub(super) fn byte(&self, at: usize) -> Result<u8, Discard> {
        self.data.get(at).copied().ok_or(Discard::ShortFrame)
    }

    /// The `N` bytes at `at`.
    #[inline]
    pub(super) fn bytes<const N: usize>(&self, at: usize) -> Result<[u8; N], Discard> {
        self.data.get(at..).and_then(<[u8]>::first_chunk).copied().ok_or(Discard::ShortFrame)
    }

    /// The number in the two bytes at `at`, in network byte order.
    #[inline]
    pub(super) fn word(&self, at: usize) -> Result<u16, Discard> {
        self.bytes(at).map(u16::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_trims_padding_or_counts_what_is_missing() {
        let rest = Rest::new(b"abcd", 7, VlanTags::NONE);
        assert_eq!((rest.limit(3).data, rest.limit(3).missing), (&b"abc"[..], 0));
        assert_eq!((rest.limit(6).data, rest.limit(6).missing), (&b"abcd"[..], 2));
        assert_eq!((rest.skip(4).unwrap().data.len(), rest.skip(4).unwrap().missing), (0, 7));
        assert_eq!(rest.skip(5).unwrap_err(), Discard::ShortFrame);
        assert_eq!((rest.word(2), rest.word(3)), (Ok(0x6364), Err(Discard::ShortFrame)));
    }

    #[test]
    fn layers_are_bounded() {
        let mut rest = Rest::new(&[], 0, VlanTags::NONE);
        for _ in 0..MAX_DEPTH {
            rest = rest.enter().unwrap();
        }
        assert_eq!(rest.enter().unwrap_err(), Discard::TooDeep);
    }
}
