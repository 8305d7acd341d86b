//! Whether the binary formats say what the JSON says, by decoders that others wrote, on every fixture capture.

use std::fs;
use std::path::PathBuf;

use pdns_capture::CaptureFile;
use pdns_packet::dns::Message;
use pdns_packet::frame::{Decoder, LinkType, Ports, VlanTags};
use pdns_packet::time::Timestamp;
use pdns_record::{Buffer, Encoder, Encoding, Format, Layout};
use pdns_track::reassembly::FragmentConfig;
use pdns_track::{Ingest, Observed, Status, Tracker, TrackerConfig, Transaction, Transport};

#[test]
fn every_record_decodes_to_its_json() {
    let Some(mut script) = pdns_rigs::or_skip(pdns_rigs::python::script("compare_encodings.py")) else { return };
    let mut pairs = Pairs::new();
    for capture in captures() {
        let mut file = CaptureFile::open(&capture).unwrap();
        let mut ingest = Ingest::new(Decoder::new(Ports::of(&[53])), FragmentConfig::default());
        let mut tracker = Tracker::new(TrackerConfig::default());
        let mut take = |transaction: &Transaction<'_>| pairs.add(transaction);
        // A damaged file gives what is before the damage.
        while let Ok(Some(frame)) = file.next() {
            ingest.frame(frame.time, LinkType(frame.link), frame.data, frame.wire_len, |packet| {
                tracker.packet(packet, &mut take);
            });
        }
        tracker.finish(Timestamp::MAX, &mut take);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pairs");
    fs::write(&path, &pairs.bytes).unwrap();
    let schemas = pdns_rigs::workspace().join("docs/schemas");
    let printed = pdns_rigs::run(script.arg(schemas).arg(&path)).unwrap();
    let lines: Vec<_> = LAYOUTS
        .iter()
        .flat_map(|&(layout, name)| FORMATS.map(|format| (layout, name, format)))
        .map(|(layout, name, format)| format!("{name} {} {}\n", format.name(), pairs.count(layout)))
        .collect();
    assert_eq!(printed, lines.concat());
    assert!(pairs.count(Layout::Transaction) > 100, "the fixtures have records");
}

#[test]
fn records_in_a_buffer_are_those_in_a_vector() {
    let formats = [Format::Json, Format::Avro, Format::MessagePack];
    let encodings = LAYOUTS.iter().flat_map(|&(layout, _)| formats.map(|format| Encoding { layout, format }));
    let encoder = |encoding| Encoder::of(encoding, "ns1", "info");
    let mut all: Vec<_> =
        encodings.map(|encoding| ([encoder(encoding), encoder(encoding)], Buffer::new(), Vec::new())).collect();
    for capture in captures() {
        let mut file = CaptureFile::open(&capture).unwrap();
        let mut ingest = Ingest::new(Decoder::new(Ports::of(&[53])), FragmentConfig::default());
        let mut tracker = Tracker::new(TrackerConfig::default());
        let mut take = |transaction: &Transaction<'_>| {
            for ([into_buffer, into_vector], buffer, vector) in &mut all {
                let records = into_buffer.encode_into(transaction, buffer);
                assert_eq!(records, into_vector.encode(transaction, vector));
                assert_eq!(into_buffer.shortened(), into_vector.shortened());
                assert!(buffer.bytes() == vector.as_slice(), "{transaction:?}");
                if buffer.len() > 50_000 {
                    buffer.clear();
                    vector.clear();
                }
            }
        };
        while let Ok(Some(frame)) = file.next() {
            ingest.frame(frame.time, LinkType(frame.link), frame.data, frame.wire_len, |packet| {
                tracker.packet(packet, &mut take);
            });
        }
        tracker.finish(Timestamp::MAX, &mut take);
    }
    assert!(all.iter().all(|(_, buffer, _)| buffer.capacity() > 10_000), "the fixtures have records");
}

#[test]
fn lines_are_whole_wherever_the_room_ends() {
    let mut response = b"\0\x01\x81\x80\0\x01\x01\x2c\0\0\0\x01\x07example\0\0\x02\0\x01".to_vec();
    for number in 0..300_u16 {
        let [high, low] = [b'a' + (number >> 4) as u8, b'a' + (number & 15) as u8];
        response.extend_from_slice(b"\xc0\x0c\0\x02\0\x01\0\x01\x02\x03\0\x09\x02");
        response.extend_from_slice(&[high, low, 3, b'n', b's', b'x', 0xc0, 0x0c]);
    }
    response.extend_from_slice(b"\0\0\x29\x04\xd0\0\0\0\0\0\x0c\0\x0a\0\x08cookies!");
    let message = Message::parse(&response).unwrap();
    assert_eq!((message.answers().len(), message.malformed()), (300, None));
    let observed = Observed { time: Timestamp::default(), message: &message, missing: 0, frame_len: 0 };
    let transaction = orphan(&observed);
    for (layout, _) in LAYOUTS {
        let mut expected = Vec::new();
        Encoder::new(layout, "x", "").encode(&transaction, &mut expected);
        assert!(expected.len() > 20_000, "{}", expected.len());
        let end = expected.len();
        for room in (16_000..end - 300).step_by(61).chain(end - 300..end + 200) {
            let mut encoder = Encoder::new(layout, "x", "");
            let mut buffer = Buffer::with_room(room);
            // What was remembered while there was no room must not harm the next line.
            for _ in 0..2 {
                buffer.clear();
                encoder.encode_into(&transaction, &mut buffer);
                assert!(buffer.bytes() == expected, "{layout:?} in {room} bytes");
            }
        }
    }
}

#[test]
fn the_end_of_each_record_is_told() {
    let mut pairs = Pairs::new();
    let file = pdns_rigs::workspace().join("fixtures/captures/demo/input.pcap");
    let mut file = CaptureFile::open(&file).unwrap();
    let mut ingest = Ingest::new(Decoder::new(Ports::of(&[53])), FragmentConfig::default());
    let mut tracker = Tracker::new(TrackerConfig::default());
    while let Ok(Some(frame)) = file.next() {
        ingest.frame(frame.time, LinkType(frame.link), frame.data, frame.wire_len, |packet| {
            tracker.packet(packet, &mut |transaction: &Transaction<'_>| {
                for (format, marker) in [(Format::Avro, &[0xc3, 0x01][..]), (Format::MessagePack, &[0x92, 0xd7, 0x00])]
                {
                    let records = pairs.encode(Encoding { layout: Layout::Answer, format }, transaction);
                    assert!(!records.is_empty());
                    assert!(records.iter().all(|record| record.starts_with(marker)), "{records:?}");
                }
            });
        });
    }
}

#[test]
fn a_name_that_ends_at_the_root_of_the_question_ends_there() {
    let message =
        b"\0\x01\x81\x80\0\x01\0\x01\0\0\0\0\0\0\x02\0\x01\x01a\xc0\x0c\0\x02\0\x01\0\0\0\0\0\x04\x01b\xc0\x0c";
    let message = Message::parse(message).unwrap();
    let observed = Observed { time: Timestamp::default(), message: &message, missing: 0, frame_len: 0 };
    let transaction = orphan(&observed);
    let mut line = Vec::new();
    Encoder::new(Layout::Transaction, "x", "").encode(&transaction, &mut line);
    let line = String::from_utf8(line).unwrap();
    assert!(line.contains(r#""qname":".""#), "{line}");
    assert!(line.contains(r#"{"name":"a","type":"NS","ttl":0,"rdata":"b"}"#), "{line}");
}

/// A response whose query was not seen.
fn orphan<'a>(response: &'a Observed<'a>) -> Transaction<'a> {
    Transaction {
        status: Status::Orphan,
        client: [192, 0, 2, 1].into(),
        client_port: 40_000,
        server: [192, 0, 2, 53].into(),
        server_port: 53,
        transport: Transport::Udp,
        vlan: VlanTags::NONE,
        query: None,
        response: Some(response),
        retransmits: 0,
    }
}

const LAYOUTS: [(Layout, &str); 2] = [(Layout::Answer, "answer"), (Layout::Transaction, "transaction")];
const FORMATS: [Format; 2] = [Format::Avro, Format::MessagePack];

/// Records in JSON, each beside itself in a binary format, as the script reads them.
struct Pairs {
    encoders: Vec<(Encoding, Encoder)>,
    counts: [usize; 2],
    bytes: Vec<u8>,
}

impl Pairs {
    fn new() -> Self {
        let formats = [Format::Json, Format::Avro, Format::MessagePack];
        let encodings = LAYOUTS.iter().flat_map(|&(layout, _)| formats.map(|format| Encoding { layout, format }));
        // Long enough for a length of two bytes in every format.
        let sensor = format!("größe \"{}\"", "x".repeat(300));
        let encoder = |encoding| (encoding, Encoder::of(encoding, &sensor, "info"));
        Self { encoders: encodings.map(encoder).collect(), counts: [0; 2], bytes: Vec::new() }
    }

    fn count(&self, layout: Layout) -> usize {
        self.counts[layout as usize]
    }

    fn add(&mut self, transaction: &Transaction<'_>) {
        for (layout, name) in LAYOUTS {
            let lines = self.encode(Encoding::json(layout), transaction);
            self.counts[layout as usize] += lines.len();
            for format in FORMATS {
                let records = self.encode(Encoding { layout, format }, transaction);
                assert_eq!(records.len(), lines.len());
                for (line, record) in lines.iter().zip(records) {
                    let head = format!("{name}\n{}\n{}\n{}\n", format.name(), line.len(), record.len());
                    self.bytes.extend_from_slice(&[head.as_bytes(), line, &record].concat());
                }
            }
        }
    }

    fn encode(&mut self, encoding: Encoding, transaction: &Transaction<'_>) -> Vec<Vec<u8>> {
        let (_, encoder) = self.encoders.iter_mut().find(|(of, _)| *of == encoding).unwrap();
        // Something before it shows whether places are counted from the start of the buffer.
        let (mut out, mut ends) = (b"before".to_vec(), vec![6]);
        encoder.encode_each(transaction, &mut out, &mut |end| ends.push(end));
        assert_eq!(ends.last(), Some(&out.len()));
        ends.windows(2).map(|ends| out[ends[0]..ends[1]].to_vec()).collect()
    }
}

fn captures() -> Vec<PathBuf> {
    let cases = fs::read_dir(pdns_rigs::workspace().join("fixtures/captures")).unwrap();
    let files = cases.flat_map(|case| fs::read_dir(case.unwrap().path()).unwrap());
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.file_stem().is_some_and(|stem| stem == "input"));
    files.sort();
    files
}
