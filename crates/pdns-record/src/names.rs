//! Names that a text already holds. Compression points again and again at the same few names of a message, and copying
//! a name within the text is several times cheaper than to follow and to check it once more.

use std::ops::Range;

/// How many names are remembered; the oldest goes. A response about one name has the question, its aliases and the zone.
const PLACES: usize = 8;

/// Where the names of one message were written.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// Where the last names are in the message, sixteen bits each, the latest lowest, in the first word. They are looked for
    /// at once, and what is written by parts and read whole, or across two words, is waited for.
    known: [u64; 2],
    /// Where they are in the text, the latest before `count` modulo the length.
    places: [Place; PLACES],
    count: usize,
}

/// Where a name is in the text.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    start: u32,
    len: u32,
}

/// No message is so long that something begins here.
const NOWHERE: u64 = u16::MAX as u64;

/// No names.
const NONE: [u64; 2] = [u64::MAX; 2];

impl Default for Names {
    fn default() -> Self {
        Self { known: NONE, places: [Place::default(); PLACES], count: 0 }
    }
}

impl Names {
    /// Forgets all names: those that follow are of another message.
    #[inline]
    pub(crate) const fn clear(&mut self) {
        self.known = NONE;
    }

    /// Forgets the names that are not whole within the first `len` bytes of the text: the latest ones.
    pub(crate) fn forget_behind(&mut self, len: usize) {
        while self.known[0] & NOWHERE != NOWHERE && self.range(1).end > len {
            let [low, high] = self.known;
            self.known = [low >> 16 | high << 48, high >> 16 | NOWHERE << 48];
            self.count = self.count.wrapping_sub(1);
        }
    }

    /// Where the name at `place` of the message is in the text.
    #[inline]
    pub(crate) fn find(&self, place: usize) -> Option<Range<usize>> {
        const ONES: u64 = 0x0001_0001_0001_0001;
        const HIGH_BITS: u64 = ONES << 15;
        let places = ONES * u64::from(place as u16);
        // Taking one from each part borrows into its highest bit only where a part was zero, or above such a part.
        let [low, high] = self.known.map(|known| {
            let differences = known ^ places;
            differences.wrapping_sub(ONES) & !differences & HIGH_BITS
        });
        let back = match (low, high) {
            (0, 0) => return None,
            (0, _) => 4 + high.trailing_zeros() / 16,
            _ => low.trailing_zeros() / 16,
        };
        Some(self.range(1 + back as usize))
    }

    /// Says that the name at `place` of the message is at `range` of the text.
    #[inline]
    pub(crate) const fn remember(&mut self, place: usize, range: Range<usize>) {
        let [low, high] = self.known;
        self.known = [low << 16 | (place as u16) as u64, high << 16 | low >> 48];
        self.places[self.count % PLACES] = Place { start: range.start as u32, len: (range.end - range.start) as u32 };
        self.count = self.count.wrapping_add(1);
    }

    /// Where the name is that so many came before, 1 for the latest.
    #[inline]
    fn range(&self, back: usize) -> Range<usize> {
        let Place { start, len } = self.places[self.count.wrapping_sub(back) % PLACES];
        start as usize..start as usize + len as usize
    }
}

#[cfg(test)]
mod tests {
    use pdns_packet::dns::Name;
    use pdns_packet::text::Text;

    use crate::draft::Draft;

    #[test]
    fn more_names_than_are_remembered_are_all_written_right() {
        let mut message = Vec::new();
        for letter in b'a'..=b'z' {
            message.extend_from_slice(&[1, letter, 0]);
        }
        let mut out = Draft::new();
        for round in [(0..26), (0..26), (20..26)] {
            for index in round {
                Name::new(&message, 3 * index).write(&mut out).unwrap();
            }
        }
        assert_eq!(out.bytes(), b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzuvwxyz");
    }

    #[test]
    fn labels_go_before_what_was_written() {
        let mut message = b"\x07example\x03com\x00\x03ns1\xc0\x00\x01a\x01b\xc0\x0d\x01c\xc0\x0c".to_vec();
        message.resize(80, 0);
        let mut out = Draft::new();
        for (start, text) in
            [(0, "example.com"), (13, "ns1.example.com"), (19, "a.b.ns1.example.com"), (12, "."), (25, "c")]
        {
            let before = out.len();
            Name::new(&message, start).write(&mut out).unwrap();
            assert_eq!(&out.bytes()[before..], text.as_bytes());
        }
        message[13] = 63;
        assert!(Name::new(&message[..30], 13).write(&mut Draft::new()).is_err());
    }

    #[test]
    fn a_name_that_was_taken_back_is_forgotten() {
        let mut out = Draft::new();
        for (start, text) in [(0, "a"), (3, "b"), (0, "a"), (3, "b")] {
            let before = out.len();
            Name::new(b"\x01a\x00\x01b\x00", start).write(&mut out).unwrap();
            assert_eq!(&out.bytes()[before..], text.as_bytes());
            out.rewind(1);
            out.plain(b"x");
        }
    }

    #[test]
    fn a_pointer_is_written_as_what_it_points_to() {
        let message = b"\x01a\x02\x22\\\x00\xc0\x00\x01b\xc0\x00";
        let mut out = Draft::new();
        for start in [0, 6, 8, 6] {
            Name::new(message, start).write(&mut out).unwrap();
            out.plain(b" ");
        }
        assert_eq!(out.bytes(), br#"a.\"\\\\ a.\"\\\\ b.a.\"\\\\ a.\"\\\\ "#);
    }

    #[test]
    fn a_name_that_became_too_long_behind_its_labels_is_none() {
        let long = [&[63][..], &[b'x'; 63]].concat().repeat(3);
        let message = [&long[..], b"\x3d", &[b'y'; 61], b"\x00", b"\x01a\xc0\x00", b"\x01\x22\xc0\x40"].concat();
        let mut out = Draft::new();
        Name::new(&message, 0).write(&mut out).unwrap();
        let len = out.len();
        assert_eq!(len, 253);
        assert!(Name::new(&message, 255).write(&mut out).is_err());
        assert_eq!(out.len(), len);
        Name::new(&message, 259).write(&mut out).unwrap();
        assert!(out.bytes()[len..].starts_with(br#"\".xx"#));
    }
}
