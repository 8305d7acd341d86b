//! The names a message begins its entries with, followed once each as far as possible.

use super::message::MalformedKind;
use super::name::{Followed, Name};

/// What the walk learns about names, so that it need not follow each of them to its end.
#[derive(Clone, Debug)]
pub(super) struct Names {
    known: KnownTargets,
    /// How many more pointers may be followed in this message.
    pointers_left: usize,
}

impl Names {
    /// The deepest name whose place is remembered as readable. A deeper one is followed, and paid for, each time.
    const MAX_KNOWN_POINTERS: usize = 8;

    /// One pointer may be followed for each byte of the message, some twelve for the shortest record; senders use one or
    /// two. Chains of 127 for each record of a long message would keep reader and printer busy for milliseconds.
    pub(super) const fn new(message: &[u8]) -> Self {
        Self { known: KnownTargets::NONE, pointers_left: message.len() }
    }

    /// Where the name at `start` ends; the whole name is then known to be readable.
    #[inline(always)]
    pub(super) fn skip(&mut self, message: &[u8], start: usize) -> Result<usize, MalformedKind> {
        // The root, which owns every OPT.
        if message.get(start) == Some(&0) {
            return Ok(start + 1);
        }
        let pointer =
            message.get(start..start + 2).and_then(<[u8]>::first_chunk).map(|&bytes| u16::from_be_bytes(bytes));
        let Some(pointer @ 0xc000..) = pointer else { return self.follow_new(message, start, start) };
        let target = pointer & 0x3fff;
        if self.known.contains(target) { Ok(start + 2) } else { self.follow_new(message, start, target.into()) }
    }

    /// Follows the name at `start` and says where it ends.
    #[inline(never)]
    fn follow_new(&mut self, message: &[u8], start: usize, target: usize) -> Result<usize, MalformedKind> {
        self.follow(message, start, target).map(|followed| followed.end)
    }

    /// Follows the name at `start` and remembers `target`, which is where it starts or where its first pointer leads.
    #[inline(always)]
    pub(super) fn follow(&mut self, message: &[u8], start: usize, target: usize) -> Result<Followed, MalformedKind> {
        let followed = Name::new(message, start).follow().map_err(MalformedKind::Name)?;
        let Some(left) = self.pointers_left.checked_sub(followed.pointers) else {
            return Err(MalformedKind::Pointers { offset: start });
        };
        self.pointers_left = left;
        if followed.pointers <= Self::MAX_KNOWN_POINTERS {
            self.known.insert(target as u16);
        }
        Ok(followed)
    }
}

/// The last four offsets to which a pointer leads to a name known to be readable, sixteen bits each, the latest lowest.
/// Most owners of a response are one pointer, and nearly all of them point to the same few places. One word, because an
/// array costs more than the rest of the walk: it is written by parts and read as a whole.
#[derive(Clone, Copy, Debug)]
struct KnownTargets(u64);

impl KnownTargets {
    /// A pointer holds fourteen bits, so none leads to any of these.
    const NONE: Self = Self(u64::MAX);

    const fn contains(self, target: u16) -> bool {
        const ONES: u64 = 0x0001_0001_0001_0001;
        let differences = self.0 ^ (ONES * target as u64);
        // Taking one from each part borrows into its highest bit only where a part was zero.
        differences.wrapping_sub(ONES) & !differences & (ONES << 15) != 0
    }

    const fn insert(&mut self, target: u16) {
        self.0 = self.0 << 16 | target as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_four_targets_are_known() {
        let mut known = KnownTargets::NONE;
        assert!((0..0x4000).all(|target| !known.contains(target)));
        for target in [0, 12, 13, 0x3fff, 300] {
            known.insert(target);
        }
        let found: Vec<u16> = (0..0x4000).filter(|&target| known.contains(target)).collect();
        assert_eq!(found, [12, 13, 300, 0x3fff]);
    }
}
