//! Names that a line already holds. Compression points again and again at the same few names of a message, and copying
//! a name within the line is several times cheaper than to follow and to escape it once more.

use std::ops::Range;

use pdns_packet::dns::{MAX_NAME_LEN, Name};
use pdns_packet::text::Text;

use crate::json::JsonText;

/// How many names are remembered; the oldest goes. A response about one name has the question, its aliases and the zone.
const PLACES: usize = 8;

/// A piece up to this length is copied with its length unknown, see [`Text::padded`]; most names are shorter.
const SHORT: usize = 32;

/// Where the names of one message were written.
#[derive(Debug, Default)]
pub(crate) struct Names {
    places: [(usize, Range<usize>); PLACES],
    next: usize,
}

impl Names {
    /// Appends a name. Returns whether it could be read; if not, nothing was appended.
    #[inline]
    pub(crate) fn write(&mut self, name: &Name<'_>, out: &mut Vec<u8>) -> bool {
        let place = name.place();
        if let Some(range) = self.find(place) {
            repeat(range, out);
            return true;
        }
        let start = out.len();
        if !self.write_behind_head(name, out) {
            out.truncate(start);
            if name.write(&mut JsonText(out)).is_err() {
                return false;
            }
        }
        self.remember(place, start..out.len());
        true
    }

    /// Appends a name whose labels of its own stand before a pointer to a name that was written.
    #[inline]
    fn write_behind_head(&self, name: &Name<'_>, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let Some(range) = name.write_head(&mut JsonText(out)).and_then(|place| self.find(place)) else { return false };
        // The root would add a dot to the dot between, and a name may become too long for one (RFC 1035 section 3.1).
        let is_root = range.len() == 1 && out[range.start] == b'.';
        if is_root || out.len() - start + 1 + range.len() > MAX_NAME_LEN - 2 {
            return false;
        }
        out.push(b'.');
        repeat(range, out);
        true
    }

    #[inline]
    fn find(&self, place: usize) -> Option<Range<usize>> {
        let used = &self.places[..self.next.min(PLACES)];
        let known = used.iter().find(|(known, _)| *known == place);
        known.map(|(_, range)| range.clone())
    }

    /// Says that the name at `place` of the message was written to `range` of the line.
    pub(crate) fn remember(&mut self, place: usize, range: Range<usize>) {
        self.places[self.next % PLACES] = (place, range);
        self.next += 1;
    }
}

/// Appends what is at `range` of `out` once more.
#[inline]
pub(crate) fn repeat(range: Range<usize>, out: &mut Vec<u8>) {
    match out.get(range.start..).and_then(<[u8]>::first_chunk::<SHORT>) {
        Some(&chunk) if range.len() <= SHORT => out.padded(&chunk, range.len()),
        _ => out.extend_from_within(range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_names_than_are_remembered_are_all_written_right() {
        let mut message = Vec::new();
        for letter in b'a'..=b'z' {
            message.extend_from_slice(&[1, letter, 0]);
        }
        let (mut names, mut out) = (Names::default(), Vec::new());
        for round in [(0..26), (0..26), (20..26)] {
            for index in round {
                names.write(&Name::new(&message, 3 * index), &mut out);
            }
        }
        assert_eq!(out, b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzuvwxyz");
    }

    #[test]
    fn a_head_goes_before_what_was_written() {
        let mut message = b"\x07example\x03com\x00\x03ns1\xc0\x00\x01a\x01b\xc0\x0d\x01c\xc0\x0c".to_vec();
        message.resize(80, 0);
        let (mut names, mut out) = (Names::default(), Vec::new());
        for (start, text) in
            [(0, "example.com"), (13, "ns1.example.com"), (19, "a.b.ns1.example.com"), (12, "."), (25, "c")]
        {
            let before = out.len();
            assert!(names.write(&Name::new(&message, start), &mut out));
            assert_eq!(&out[before..], text.as_bytes());
        }
        message[13] = 63;
        assert!(!Names::default().write(&Name::new(&message[..30], 13), &mut out));
    }

    #[test]
    fn a_pointer_is_written_as_what_it_points_to() {
        let message = b"\x01a\x02\x22\\\x00\xc0\x00\x01b\xc0\x00";
        let (mut names, mut out) = (Names::default(), Vec::new());
        for start in [0, 6, 8, 6] {
            names.write(&Name::new(message, start), &mut out);
            out.push(b' ');
        }
        assert_eq!(out, br#"a.\"\\\\ a.\"\\\\ b.a.\"\\\\ a.\"\\\\ "#);
    }
}
