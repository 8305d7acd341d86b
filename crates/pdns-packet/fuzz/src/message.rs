//! DNS messages and their presentation format.

use domain::base::Name as DomainName;
use pdns_fuzz::{Target, heap, seeds};
use pdns_packet::dns::{Header, MAX_MESSAGE_LEN, MAX_NAME_LEN, Message, Name, NameError, Outline, Section};
use pdns_packet::text::Text;

use crate::strict::Strict;

/// Messages: the counts and places agree, every way to read a name says the same, and what is printed reads back.
pub const MESSAGE: Target = Target { name: "message", check, seeds: seeds::messages, mutations: 100_000 };

/// How much text a byte of a message becomes at most: lists of names that are pointers of two bytes each to the longest
/// name there is, every byte of it written as `\DDD`.
const MAX_GROWTH: usize = 4 * MAX_NAME_LEN / 2 + 2;

/// The farthest place that a compression pointer can name.
const MAX_POINTER: usize = 0x3fff;

fn check(bytes: &[u8]) {
    let message = heap::bounded(0, || Message::parse(bytes));
    let Some(message) = message else {
        assert!(bytes.len() < Header::LEN);
        return;
    };
    assert_eq!(message.bytes(), &bytes[..bytes.len().min(MAX_MESSAGE_LEN)]);
    counts(&message);
    places(&message);
    print(&message);
    outlined(&message, message.outline());
}

/// What was read is what the header claims, or all that stands before the damage.
fn counts(message: &Message<'_>) {
    let claimed = message.header().counts;
    let read = [
        message.questions().count(),
        message.answers().count(),
        message.authorities().count(),
        message.additionals().count(),
    ];
    assert_eq!(read[0], message.questions().len());
    let Some(malformed) = message.malformed() else {
        return assert_eq!(read, claimed.map(usize::from));
    };
    let section = malformed.section as usize;
    assert_eq!(read[section], usize::from(malformed.index));
    assert_eq!(read[..section], claimed.map(usize::from)[..section]);
    assert!(read[section] < usize::from(claimed[section]) && malformed.count == claimed[section]);
    assert!(read[section + 1..].iter().all(|&count| count == 0));
    // A name may point behind the end, and cannot be read there.
    assert!(malformed.offset() <= message.bytes().len().max(MAX_POINTER));
}

/// Questions and records follow one another without a gap, from the header to the end.
fn places(message: &Message<'_>) {
    let mut at = Header::LEN;
    for question in message.questions() {
        assert_eq!(question.qname.start(), at);
        at = question.qname.end().unwrap() + 4;
    }
    assert_eq!(message.question().is_some(), message.questions().len() > 0);
    for record in Section::ALL.iter().flat_map(|&section| message.records(section)) {
        assert_eq!(record.owner.start(), at);
        assert_eq!(record.rdata.start(), record.owner.end().unwrap() + 10);
        at = record.rdata.start() + record.rdata.bytes().len();
    }
    assert_eq!(message.end(), at);
    if message.malformed().is_none() {
        assert_eq!(at + message.trailing().len(), message.bytes().len());
    }
    if let Some(question) = message.uncompressed_question() {
        assert_eq!(question, &message.bytes()[Header::LEN..Header::LEN + question.len()]);
    }
}

fn print(message: &Message<'_>) {
    let mut out = Strict::default();
    for question in message.questions() {
        name(question.qname, &mut out);
        question.qtype.write(&mut out);
        question.qclass.write(&mut out);
    }
    for record in Section::ALL.iter().flat_map(|&section| message.records(section)) {
        name(record.owner, &mut out);
        record.rtype.write(&mut out);
        record.class.write(&mut out);
        let before = out.position();
        record.rdata.write(&mut out);
        let text = &out.text[before..];
        assert!(!text.is_empty(), "{record:?}");
        assert!(text.len() <= 64 + MAX_GROWTH * record.rdata.bytes().len(), "{record:?}");
        if let Some(hex) = text.strip_prefix(b"\\# ") {
            assert_eq!(generic(hex).as_deref(), Some(record.rdata.bytes()), "{record:?}");
        }
    }
    message.rcode().write(&mut out);
    message.opcode().write(&mut out);
    for option in message.opt().iter().flat_map(|opt| opt.options()).flatten() {
        option.code.write(&mut out);
        let decoded = option.decode();
        assert!(!format!("{decoded:?}").is_empty());
    }
    out.check();
}

/// All readings of a name agree, and its text reads back as the name.
fn name(name: Name<'_>, out: &mut Strict) {
    let labels: Result<Vec<&[u8]>, NameError> = name.labels().collect();
    let before = out.position();
    let written = name.write(out);
    let mut buffer = [0; MAX_NAME_LEN];
    let labels = match labels {
        Ok(labels) => labels,
        Err(error) => {
            assert_eq!((name.check(), written), (Err(error), Err(error)));
            assert_eq!(name.canonical(&mut buffer), Err(error));
            return assert_eq!(out.position(), before);
        }
    };
    assert_eq!((name.check(), written), (Ok(()), Ok(())));
    let mut wire: Vec<u8> = labels.iter().flat_map(|label| [&[label.len() as u8], *label].concat()).collect();
    wire.push(0);
    let text = std::str::from_utf8(&out.text[before..]).unwrap();
    let again: DomainName<Vec<u8>> = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(again.as_slice(), wire, "{text}");
    assert_eq!(name.canonical(&mut buffer).unwrap(), wire.to_ascii_lowercase());
    if let Some(bytes) = name.uncompressed() {
        assert_eq!(bytes, wire);
    }
}

/// An outline that was kept says the same of the bytes it belongs to, and does no harm with others.
fn outlined(message: &Message<'_>, outline: Outline) {
    let again = Message::from_outline(message.bytes(), outline).unwrap();
    assert_eq!(format!("{again:?}"), format!("{message:?}"));
    let reversed: Vec<u8> = message.bytes().iter().rev().copied().collect();
    let wrong = Message::from_outline(&reversed, outline).unwrap();
    let records = Section::ALL.iter().flat_map(|&section| wrong.records(section));
    assert!(records.map(|record| record.rdata.to_string()).all(|text| text.is_ascii()));
}

/// The bytes that `LENGTH HEX` stands for: RFC 3597 section 5.
fn generic(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let (len, hex) = text.split_once(' ').unwrap_or((text, ""));
    let bytes: Option<Vec<u8>> =
        hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    bytes.filter(|bytes| len.parse() == Ok(bytes.len()))
}
