//! Names that a line already holds. Compression points again and again at the same few names of a message, and copying
//! a name within the line is several times cheaper than to follow and to escape it once more.

use std::ops::Range;

use pdns_packet::dns::Name;
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
    /// Appends a name that is known to be readable.
    #[inline]
    pub(crate) fn write(&mut self, name: &Name<'_>, out: &mut Vec<u8>) {
        let place = name.place();
        if let Some((_, range)) = self.places.iter().find(|(known, range)| *known == place && !range.is_empty()) {
            return repeat(range.clone(), out);
        }
        let start = out.len();
        let _readable = name.write(&mut JsonText(out));
        self.remember(place, start..out.len());
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
