//! The reader against two others, `domain` and `hickory-proto`, on real messages and on mutations of them.
//!
//! Wherever one of them accepts a message, ours must see the same questions and the same records: labels, types,
//! classes, TTLs, counts. RDATA is compared by what it means: the other library parses and composes it again, without
//! compression, and ours must print that as it printed the original. So a name followed wrongly, a field of the wrong
//! width or a length off by one shows, whatever either library's presentation format looks like. For `domain` the texts
//! themselves are compared as well.
//!
//! The messages come from the project's own captures and from those of the shared corpus, at `../shared/corpus` beside
//! the workspace or wherever `PDNS_CORPUS` says; without it the test says that it skipped them.

#![allow(clippy::print_stdout, reason = "a test says what it skipped and how much it compared")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use domain::base::name::{ParsedName, ToLabelIter};
use domain::base::rdata::ComposeRecordData;
use domain::base::wire::ParseError;
use domain::base::zonefile_fmt::{DisplayKind, ZonefileFmt};
use domain::rdata::AllRecordData;
use hickory_proto::op::Message as HickoryMessage;
use hickory_proto::rr::{RData, RecordType};
use hickory_proto::serialize::binary::{BinEncodable, BinEncoder, NameEncoding};
use pdns_capture::CaptureFile;
use pdns_packet::dns::{Class, Message, Name, Record, Rtype};
use pdns_packet::frame::{Decoder, LinkType, Ports};
use pdns_track::reassembly::FragmentConfig;
use pdns_track::{Ingest, Tracker, TrackerConfig, Transaction};

/// Mutations of each message.
const MUTATIONS: usize = 100;

#[test]
fn domain_sees_the_same() {
    let mut tally = Tally::default();
    for_each_message(|bytes| compare_with_domain(bytes, &mut tally));
    tally.finish("domain");
}

#[test]
fn hickory_sees_the_same() {
    let mut tally = Tally::default();
    for_each_message(|bytes| compare_with_hickory(bytes, &mut tally));
    tally.finish("hickory-proto");
}

/// What was compared, so that a run that compares nothing does not pass for one that found nothing.
#[derive(Default)]
struct Tally {
    messages: usize,
    accepted: usize,
    records: usize,
    rdata: BTreeMap<u16, usize>,
    /// The first difference of each type, and how many there are.
    differences: BTreeMap<u16, (String, usize)>,
}

impl Tally {
    /// Notes it when the two texts for RDATA are not the same.
    fn compare(&mut self, ours: &Record<'_>, what: &str, left: &str, right: &str) {
        if left == right {
            return;
        }
        let describe = || format!("{what}\n  ours:   {left}\n  theirs: {right}\n  wire: {:02x?}", ours.rdata.bytes());
        self.differences.entry(ours.rtype.0).or_insert_with(|| (describe(), 0)).1 += 1;
    }

    fn finish(&self, oracle: &str) {
        if self.messages == 0 {
            return;
        }
        let mut types = String::new();
        for (&rtype, count) in &self.rdata {
            write!(types, " {}:{count}", Rtype(rtype)).unwrap();
        }
        println!(
            "{oracle}: {} of {} messages accepted, {} records, RDATA{types}",
            self.accepted, self.messages, self.records
        );
        let mut report = String::new();
        for (&rtype, (difference, count)) in &self.differences {
            write!(report, "\n{} ({count} times): {difference}", Rtype(rtype)).unwrap();
        }
        assert!(report.is_empty(), "{oracle} differs:{report}");
        assert!(self.accepted * 4 > self.messages, "too few messages to mean anything");
        assert!(self.rdata.len() > 10, "too few types to mean anything");
    }
}

//---- domain ----

fn compare_with_domain(bytes: &[u8], tally: &mut Tally) {
    tally.messages += 1;
    let Ok(theirs) = domain::base::Message::from_octets(bytes) else { return };
    if walk_domain(theirs).is_err() {
        return;
    }
    tally.accepted += 1;
    let ours = Message::parse(bytes).unwrap();
    assert_eq!(ours.malformed(), None, "{bytes:02x?}");
    let questions: Vec<_> = theirs.question().map(Result::unwrap).collect();
    assert_eq!(ours.questions().len(), questions.len());
    for (ours, theirs) in ours.questions().zip(&questions) {
        assert_eq!(labels(ours.qname), domain_labels(theirs.qname()));
        assert_eq!((ours.qtype.0, ours.qclass.0), (theirs.qtype().to_int(), theirs.qclass().to_int()));
    }
    let (_, answer, authority, additional) = theirs.sections().unwrap();
    for (ours, theirs) in [(ours.answers(), answer), (ours.authorities(), authority), (ours.additionals(), additional)]
    {
        assert_eq!(ours.len(), theirs.count());
        for (ours, theirs) in ours.zip(theirs.map(Result::unwrap)) {
            tally.records += 1;
            assert_eq!(labels(ours.owner), domain_labels(&theirs.owner()));
            assert_eq!(
                (ours.rtype.0, ours.class.0, ours.ttl),
                (theirs.rtype().to_int(), theirs.class().to_int(), theirs.ttl().as_secs())
            );
            let Ok(theirs) = theirs.to_any_record::<AllRecordData<_, ParsedName<_>>>() else { continue };
            // RFC 1035 leaves A to each class; it reads four bytes in any.
            if !domain_is_comparable(theirs.data()) || (ours.rtype, ours.class) == (Rtype::A, Class::CH) {
                continue;
            }
            *tally.rdata.entry(ours.rtype.0).or_default() += 1;
            let mut composed = Vec::new();
            theirs.data().compose_rdata(&mut composed).unwrap();
            let text = ours.rdata.to_string();
            tally.compare(&ours, "composed again", &text, &reprinted(&ours, &composed));
            if text.starts_with("\\#") && !may_be_generic(&ours) {
                tally.compare(&ours, "parsed", &text, "parsed as its type");
            }
            // What does not parse as its type for us is compared above. OPT has no form that anyone agrees on, and TSIG it
            // prints without the lengths that BIND prints.
            if !text.starts_with("\\#") && !matches!(ours.rtype, Rtype::OPT | Rtype::TSIG) {
                let theirs = theirs.data().display_zonefile(DisplayKind::Simple).to_string();
                let text = without_spaces_in_quotes(ours.rtype, &text);
                let theirs = normal(ours.rtype, &without_controls(&theirs));
                tally.compare(&ours, "as text", &normal(ours.rtype, &text), &theirs);
            }
        }
    }
}

/// Whether `domain` can read every question and every record's frame.
fn walk_domain(message: domain::base::Message<&[u8]>) -> Result<(), ParseError> {
    let (questions, answer, authority, additional) = message.sections()?;
    for question in questions {
        question?;
    }
    for section in [answer, authority, additional] {
        for record in section {
            record?;
        }
    }
    Ok(())
}

fn domain_labels<N: ToLabelIter>(name: &N) -> Vec<Vec<u8>> {
    name.iter_labels().filter(|label| !label.is_root()).map(|label| label.as_slice().to_vec()).collect()
}

/// Whether it reads the RDATA at all: of a type unknown to it, it copies the bytes as they are, with pointers that lead
/// elsewhere in another message.
fn domain_is_comparable<O, N>(theirs: &AllRecordData<O, N>) -> bool {
    !matches!(theirs, AllRecordData::Unknown(_))
}

/// Text without what the two formats do differently on purpose.
fn normal(rtype: Rtype, text: &str) -> String {
    let mut tokens = Vec::new();
    // A space in a label: `\ ` is its escape, `\032` ours, which needs no care when fields are split.
    for token in text.replace("\\ ", "\\032").split(' ').filter(|token| !token.is_empty()) {
        let token = without_final_dot(token);
        tokens.push(match rtype {
            // It leaves the quotes of a value away where nothing in it needs them, and prints any byte of alpn raw.
            Rtype::SVCB | Rtype::HTTPS if token.starts_with("alpn=") => "alpn".to_owned(),
            // It prints what is not UTF-8 in a path as U+FFFD.
            Rtype::SVCB | Rtype::HTTPS if token.starts_with("dohpath=") => "dohpath".to_owned(),
            // RFC 9460 section 14.3.2 writes the key with hyphens.
            Rtype::SVCB | Rtype::HTTPS if token == "nodefaultalpn" => "no-default-alpn".to_owned(),
            Rtype::SVCB | Rtype::HTTPS => token.replace('"', ""),
            // Its name for the type lacks the hyphen of the registry.
            _ if token == "NSAPPTR" => "NSAP-PTR".to_owned(),
            _ => token.to_owned(),
        });
    }
    if rtype == Rtype::RRSIG && tokens.len() > 5 {
        // RFC 4034 section 3.2 allows both a date and a number of seconds. The unit tests check the dates.
        tokens.drain(4..6);
    }
    tokens.join(" ")
}

/// Our text with the spaces inside quotes escaped: `domain` quotes no value of a SvcParam.
fn without_spaces_in_quotes(rtype: Rtype, text: &str) -> String {
    if !matches!(rtype, Rtype::SVCB | Rtype::HTTPS) {
        return text.to_owned();
    }
    let (mut out, mut quoted, mut escaped) = (String::new(), false, false);
    for character in text.chars() {
        quoted ^= character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        if quoted && character == ' ' {
            out.push_str("\\032");
        } else {
            out.push(character);
        }
    }
    out
}

/// Its text with control characters escaped, which it prints as they are in values of SvcParams.
fn without_controls(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if character.is_ascii_control() {
            write!(out, "\\{:03}", u32::from(character)).unwrap();
        } else {
            out.push(character);
        }
    }
    out
}

/// Names end in a dot there, which no backslash escapes.
fn without_final_dot(token: &str) -> &str {
    let Some(rest) = token.strip_suffix('.').filter(|rest| !rest.is_empty()) else { return token };
    let backslashes = rest.len() - rest.trim_end_matches('\\').len();
    if backslashes % 2 == 0 { rest } else { token }
}

//---- hickory-proto ----

fn compare_with_hickory(bytes: &[u8], tally: &mut Tally) {
    tally.messages += 1;
    let Ok(theirs) = HickoryMessage::from_vec(bytes) else { return };
    tally.accepted += 1;
    let ours = Message::parse(bytes).unwrap();
    assert_eq!(ours.malformed(), None, "{bytes:02x?}");
    assert_eq!(ours.questions().len(), theirs.queries.len());
    for (ours, theirs) in ours.questions().zip(&theirs.queries) {
        assert_eq!(labels(ours.qname), hickory_labels(&theirs.name));
        assert_eq!((ours.qtype.0, ours.qclass.0), (theirs.query_type.into(), theirs.query_class.into()));
    }
    let sections = [
        (ours.answers(), &theirs.answers),
        (ours.authorities(), &theirs.authorities),
        (ours.additionals(), &theirs.additionals),
    ];
    for (ours, theirs) in sections {
        // It takes OPT and TSIG out of the additional section.
        let ours: Vec<_> = ours.filter(|record| !matches!(record.rtype, Rtype::OPT | Rtype::TSIG)).collect();
        let theirs: Vec<_> = theirs
            .iter()
            .filter(|record| !matches!(record.record_type(), RecordType::OPT | RecordType::TSIG))
            .collect();
        assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(theirs) {
            tally.records += 1;
            assert_eq!(labels(ours.owner), hickory_labels(&theirs.name));
            assert_eq!(
                (ours.rtype.0, ours.class.0, ours.ttl),
                (theirs.record_type().into(), u16::from(theirs.dns_class), theirs.ttl)
            );
            if !hickory_is_comparable(&theirs.data) {
                continue;
            }
            *tally.rdata.entry(ours.rtype.0).or_default() += 1;
            let text = ours.rdata.to_string();
            if text.starts_with("\\#") && !may_be_generic(ours) {
                tally.compare(ours, "parsed", &text, "parsed as its type");
            }
            let mut composed = Vec::new();
            let mut encoder = BinEncoder::new(&mut composed);
            encoder.set_name_encoding(NameEncoding::Uncompressed);
            theirs.data.emit(&mut encoder).unwrap();
            tally.compare(ours, "composed again", &text, &reprinted(ours, &composed));
        }
    }
}

fn hickory_labels(name: &hickory_proto::rr::Name) -> Vec<Vec<u8>> {
    name.iter().map(<[u8]>::to_vec).collect()
}

/// Whether it reads the RDATA at all, see [`domain_is_comparable`]; an UPDATE's empty RDATA has no form to compare.
fn hickory_is_comparable(theirs: &RData) -> bool {
    !matches!(theirs, RData::Unknown { .. } | RData::Update0(_) | RData::NULL(_))
}

//---- ours ----

fn labels(name: Name<'_>) -> Vec<Vec<u8>> {
    name.labels().map(|label| label.unwrap().to_vec()).collect()
}

/// Whether we print data as unknown, for a reason, that another library reads as its type.
fn may_be_generic(record: &Record<'_>) -> bool {
    let wire = record.rdata.bytes();
    match record.rtype {
        _ if wire.is_empty() => true,
        // Four or sixteen bytes are an address of the Internet's classes only.
        Rtype::A | Rtype::AAAA => !matches!(record.class, Class::IN | Class::ANY | Class::NONE | Class(0x8001)),
        // Any bytes at all.
        Rtype::NULL => true,
        // No digest and no signature: there is no way to write that down.
        Rtype::DS | Rtype::CDS => wire.len() == 4,
        Rtype::RRSIG => true,
        // RFC 8659 section 4.1: a tag is not empty and made of letters and digits. The others take any bytes.
        Rtype::CAA => wire[1] == 0 || !wire[2..][..usize::from(wire[1])].iter().all(u8::is_ascii_alphanumeric),
        // No fingerprint: there is no way to write that down.
        Rtype::SSHFP => wire.len() == 2,
        Rtype::NSEC | Rtype::NSEC3 | Rtype::CSYNC => !has_regular_bitmap(record.rtype, wire),
        // They look at fewer of the values' forms.
        Rtype::SVCB | Rtype::HTTPS => true,
        _ => false,
    }
}

/// Whether the type bitmap is as RFC 4034 section 4.1.2 wants it: windows in order, none longer than what is left, none
/// without types, no zero byte at a window's end.
fn has_regular_bitmap(rtype: Rtype, wire: &[u8]) -> bool {
    let start = match rtype {
        Rtype::NSEC => Name::new(wire, 0).end().unwrap_or(wire.len()),
        Rtype::CSYNC => 6,
        _ => {
            let hash = 5 + usize::from(wire[4]);
            hash + 1 + usize::from(wire[hash])
        }
    };
    let (mut rest, mut last) = (&wire[start..], None);
    while let [window, len, after @ ..] = rest {
        let Some((bits, after)) = after.split_at_checked(usize::from(*len)) else { return false };
        if last >= Some(*window) || bits.len() > 32 || bits.last().is_none_or(|&byte| byte == 0) {
            return false;
        }
        (last, rest) = (Some(*window), after);
    }
    rest.is_empty()
}

/// What our reader prints for RDATA that another library composed.
fn reprinted(record: &Record<'_>, composed: &[u8]) -> String {
    let mut message = b"\0\0\0\0\0\0\0\x01\0\0\0\0\0".to_vec();
    message.extend(record.rtype.0.to_be_bytes());
    message.extend(record.class.0.to_be_bytes());
    message.extend([0; 4]);
    message.extend((composed.len() as u16).to_be_bytes());
    message.extend_from_slice(composed);
    let message = Message::parse(&message).unwrap();
    message.answers().next().unwrap().rdata.to_string()
}

//---- Messages ----

/// Hands over every message of the project's captures and of the corpus, over UDP, in fragments and over TCP, and
/// mutations of each.
fn for_each_message(mut compare: impl FnMut(&[u8])) {
    let mut files = Vec::new();
    captures(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/captures"), &mut files);
    assert!(!files.is_empty(), "the project's own captures are there");
    match corpus() {
        Some(corpus) => captures(&corpus, &mut files),
        None => println!("skipped: no corpus at ../shared/corpus, and PDNS_CORPUS is not set"),
    }
    files.sort();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for file in files {
        for message in messages(&file) {
            compare(&message);
            // Zone transfers are long; there are enough of the short ones.
            let mutations = if message.len() > 4096 { MUTATIONS / 20 } else { MUTATIONS };
            for _ in 0..mutations {
                compare(&mutated(&message, &mut random));
            }
        }
    }
}

/// All messages of a capture between the ports of DNS, mDNS and LLMNR; none of a file that is no capture.
fn messages(path: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let Ok(mut file) = CaptureFile::open(path) else { return found };
    let mut consumer = |transaction: &Transaction<'_>| {
        let seen = [transaction.query, transaction.response];
        found.extend(seen.into_iter().flatten().map(|observed| observed.message.bytes().to_vec()));
    };
    let mut ingest = Ingest::new(Decoder::new(Ports::of(&[53, 5353, 5355])), FragmentConfig::default());
    let mut tracker = Tracker::new(TrackerConfig::default());
    while let Ok(Some(frame)) = file.next() {
        ingest.frame(frame.time, LinkType(frame.link), frame.data, frame.wire_len, |packet| {
            tracker.packet(packet, &mut consumer);
        });
    }
    tracker.finish(ingest.clock().now(), &mut consumer);
    found
}

fn corpus() -> Option<PathBuf> {
    let path = std::env::var_os("PDNS_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"), PathBuf::from);
    path.is_dir().then_some(path)
}

fn captures(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            captures(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// A copy with a few bytes changed, cut, or moved.
fn mutated(message: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = message.to_vec();
    if bytes.len() < 13 {
        return bytes;
    }
    for _ in 0..=random.below(3) {
        let at = 12 + random.below(bytes.len() - 12);
        match random.below(8) {
            0 => bytes[at] = random.below(256) as u8,
            1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = bytes[at].wrapping_add(1),
            3 => bytes[at] = bytes[at].wrapping_sub(1),
            4 => bytes[at] = 0xc0,
            5 => bytes[at] = 0,
            6 => bytes.insert(at, random.below(256) as u8),
            _ => bytes[4 + 2 * random.below(4) + 1] = random.below(5) as u8,
        }
    }
    bytes
}

/// A fixed sequence of numbers (Knuth's MMIX generator), so that a failure comes again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}
