//! Reading the record: which time is in it.

use pdns_packet::dns::{Message, Name, Rcode, Record, Rtype};

use crate::name::DomainName;
use crate::query::is_name;

/// How many aliases are followed within one answer.
const MAX_ALIASES: usize = 8;

/// What an answer to a question for the TXT record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// The newest time among all strings of all records, in Unix seconds; the other strings may be anything.
    Time(u64),
    /// There are records, and no string of theirs is a time. One of them, as far as it can be shown.
    Garbage(String),
    /// The name, or a TXT record at it, does not exist.
    Missing,
    /// The server answers with an error.
    Refused(Rcode),
}

impl Stamp {
    /// Reads an answer.
    pub fn read(message: &Message<'_>, name: &DomainName) -> Self {
        match message.rcode() {
            Rcode::NOERROR => {}
            Rcode::NXDOMAIN => return Self::Missing,
            rcode => return Self::Refused(rcode),
        }
        let mut newest = None;
        let mut garbage = None;
        for string in texts(message, name) {
            match time(string) {
                Some(time) => newest = newest.max(Some(time)),
                None => garbage = garbage.or_else(|| Some(shown(string))),
            }
        }
        match (newest, garbage) {
            (Some(newest), _) => Self::Time(newest),
            (None, Some(garbage)) => Self::Garbage(garbage),
            (None, None) => Self::Missing,
        }
    }
}

/// The strings of all TXT records of a name, or of what it is an alias of.
pub(crate) fn texts<'a>(message: &Message<'a>, name: &DomainName) -> Vec<&'a [u8]> {
    let mut owner = name.as_str().to_owned();
    for _ in 0..MAX_ALIASES {
        let of = |rtype| message.answers().filter(move |record| record.rtype == rtype);
        let is_owned = |record: &Record<'a>| is_name(&record.owner, &owner);
        let found: Vec<_> = of(Rtype::TXT).filter(is_owned).flat_map(|record| strings(record.rdata.bytes())).collect();
        if !found.is_empty() {
            return found;
        }
        let Some(alias) = of(Rtype::CNAME).find(is_owned).and_then(|record| record.rdata.name()) else { break };
        owner = lower(&alias);
    }
    Vec::new()
}

fn lower(name: &Name<'_>) -> String {
    name.to_string().to_ascii_lowercase()
}

/// The strings of a TXT record's data: RFC 1035 section 3.3.14. What follows a length that is too large is none.
pub(crate) fn strings(mut data: &[u8]) -> Vec<&[u8]> {
    let mut strings = Vec::new();
    while let Some((&len, rest)) = data.split_first() {
        let Some((string, rest)) = rest.split_at_checked(usize::from(len)) else { break };
        strings.push(string);
        data = rest;
    }
    strings
}

/// A time in Unix seconds: digits and nothing else but space around them.
pub(crate) fn time(string: &[u8]) -> Option<u64> {
    let digits = string.trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(digits).ok()?.parse().ok()
}

/// The beginning of a string, with nothing in it that a terminal or a log would not show.
fn shown(string: &[u8]) -> String {
    const LONGEST: usize = 40;
    let text: String = String::from_utf8_lossy(string.get(..LONGEST).unwrap_or(string))
        .chars()
        .map(|character| if character.is_control() { '\u{fffd}' } else { character })
        .collect();
    if string.len() > LONGEST { text + "..." } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An answer with these records after the question for `s.zz`.
    fn answer(rcode: u8, records: &[&[u8]]) -> Vec<u8> {
        let mut bytes = b"\0\0\x84\0\0\x01\0\0\0\0\0\0\x01s\x02zz\x00\x00\x10\x00\x01".to_vec();
        bytes[3] = rcode;
        bytes[7] = records.len() as u8;
        bytes.extend(records.concat());
        bytes
    }

    fn record(owner: &[u8], rtype: u8, data: &[u8]) -> Vec<u8> {
        [owner, &[0, rtype, 0, 1, 0, 0, 0, 60, 0, data.len() as u8], data].concat()
    }

    fn txt(strings: &[&str]) -> Vec<u8> {
        let data: Vec<_> = strings.iter().flat_map(|text| [&[text.len() as u8], text.as_bytes()].concat()).collect();
        record(b"\xc0\x0c", 16, &data)
    }

    fn read(bytes: &[u8]) -> Stamp {
        Stamp::read(&Message::parse(bytes).unwrap(), &"s.zz".parse().unwrap())
    }

    #[test]
    fn the_newest_number_counts_as_a_number() {
        assert_eq!(read(&answer(0, &[&txt(&["1585917601"])])), Stamp::Time(1_585_917_601));
        // As texts the first would be the greater.
        assert_eq!(read(&answer(0, &[&txt(&["999", "1585917601"])])), Stamp::Time(1_585_917_601));
        assert_eq!(read(&answer(0, &[&txt(&["5", "no"]), &txt(&[" 7 "]), &txt(&["6"])])), Stamp::Time(7));
        assert_eq!(read(&answer(0, &[&txt(&["000000000000000000000000000001"])])), Stamp::Time(1));
    }

    #[test]
    fn garbage_is_no_time() {
        for text in ["", "soon", "-1", "+1", "1.5", "1e9", "0x10", "1 2", "18446744073709551616", "\u{661}"] {
            assert_eq!(read(&answer(0, &[&txt(&[text])])), Stamp::Garbage(text.to_owned()), "{text:?}");
        }
        assert_eq!(read(&answer(0, &[&txt(&["a\x1b[31m\n"])])), Stamp::Garbage("a\u{fffd}[31m\u{fffd}".to_owned()));
        let Stamp::Garbage(shown) = read(&answer(0, &[&txt(&[&"x".repeat(200)])])) else { panic!() };
        assert_eq!(shown, "x".repeat(40) + "...");
    }

    #[test]
    fn nothing_and_errors_are_told_apart() {
        assert_eq!(read(&answer(0, &[])), Stamp::Missing);
        assert_eq!(read(&answer(3, &[])), Stamp::Missing);
        assert_eq!(read(&answer(5, &[&txt(&["1"])])), Stamp::Refused(Rcode::REFUSED));
        assert_eq!(read(&answer(0, &[&record(b"\xc0\x0c", 1, b"\x01\x02\x03\x04")])), Stamp::Missing);
        assert_eq!(read(&answer(0, &[&record(b"\x01x\x00", 16, b"\x011")])), Stamp::Missing);
        // A record that promises more than it has.
        assert_eq!(read(&answer(0, &[&record(b"\xc0\x0c", 16, b"\x091")])), Stamp::Missing);
    }

    #[test]
    fn aliases_are_followed_and_not_in_circles() {
        let alias = record(b"\xc0\x0c", 5, b"\x01T\xc0\x0e");
        let target = record(b"\x01t\xc0\x0e", 16, b"\x0242");
        assert_eq!(read(&answer(0, &[&alias, &target])), Stamp::Time(42));
        assert_eq!(read(&answer(0, &[&target, &alias])), Stamp::Time(42));
        let circle = record(b"\xc0\x0c", 5, b"\xc0\x0c");
        assert_eq!(read(&answer(0, &[&circle])), Stamp::Missing);
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            read(&answer(0, &[&bytes]));
            let record = record(b"\xc0\x0c", 16, &bytes[..bytes.len().min(255)]);
            read(&answer(0, &[&record]));
        }
    }
}
