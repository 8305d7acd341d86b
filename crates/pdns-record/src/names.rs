//! Names that a text already holds. Compression points again and again at the same few names of a message, and copying
//! a name within the text is several times cheaper than to follow and to check it once more.

use std::ops::Range;

/// How many names are remembered; the oldest goes. A response about one name has the question, its aliases and the zone.
const PLACES: usize = 8;

/// Where the names of one message were written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    places: [Place; PLACES],
    count: usize,
}

/// A name that was written: where it is in the message, and where in the text.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    name: u16,
    len: u16,
    start: u32,
}

impl Place {
    /// No message is so long that something begins here.
    const NOWHERE: u16 = u16::MAX;
}

impl Names {
    /// Forgets all names: those that follow are of another message.
    #[inline]
    pub(crate) const fn clear(&mut self) {
        self.count = 0;
    }

    /// Forgets the names that are not whole within the first `len` bytes of the text.
    pub(crate) fn forget_behind(&mut self, len: usize) {
        for place in &mut self.places {
            if place.start as usize + usize::from(place.len) > len {
                place.name = Place::NOWHERE;
            }
        }
    }

    /// Where the name at `place` of the message is in the text.
    #[inline]
    pub(crate) fn find(&self, place: usize) -> Option<Range<usize>> {
        let used = &self.places[..self.count.min(PLACES)];
        let known = used.iter().find(|known| usize::from(known.name) == place)?;
        Some(known.start as usize..known.start as usize + usize::from(known.len))
    }

    /// Says that the name at `place` of the message is at `range` of the text.
    #[inline]
    pub(crate) const fn remember(&mut self, place: usize, range: Range<usize>) {
        // No message is longer than what 16 bits count, and no name's text longer than five times the name.
        let len = (range.end - range.start) as u16;
        self.places[self.count % PLACES] = Place { name: place as u16, len, start: range.start as u32 };
        self.count += 1;
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
