//! What holds for every message, however broken.

mod strict;

use pdns_packet::dns::{Class, MAX_NAME_LEN, Message, Name, NameError, Record, Rtype, Section};
use pdns_packet::text::Text;
use proptest::prelude::*;

use strict::Strict;

/// Reads everything a message offers.
fn exercise(bytes: &[u8]) {
    let Some(message) = Message::parse(bytes) else {
        assert!(bytes.len() < 12);
        return;
    };
    let mut out = Strict::default();
    let claimed = message.header().counts;
    let read = [
        message.questions().count(),
        message.answers().count(),
        message.authorities().count(),
        message.additionals().count(),
    ];
    assert_eq!(read[0], message.questions().len());
    assert_eq!(read[1], message.answers().len());
    match message.malformed() {
        None => assert_eq!(read, claimed.map(usize::from)),
        Some(malformed) => {
            let section = malformed.section as usize;
            assert_eq!(read[section], usize::from(malformed.index));
            assert!(read[section] < usize::from(claimed[section]));
            assert!(read[section + 1..].iter().all(|&count| count == 0));
            assert!(malformed.to_string().is_ascii());
        }
    }
    assert_eq!(message.question().is_some(), read[0] > 0);
    assert!(message.end() + message.trailing().len() <= message.bytes().len());
    for question in message.questions() {
        question.qname.write(&mut out).unwrap();
        question.qtype.write(&mut out);
        question.qclass.write(&mut out);
    }
    for section in Section::ALL {
        for record in message.records(section) {
            record.owner.write(&mut out).unwrap();
            assert!(record.owner.canonical(&mut [0; MAX_NAME_LEN]).is_ok());
            record.rtype.write(&mut out);
            record.class.write(&mut out);
            let before = out.position();
            record.rdata.write(&mut out);
            assert!(out.position() > before, "{record:?} prints as nothing");
        }
    }
    message.rcode().write(&mut out);
    message.opcode().write(&mut out);
    if let Some(opt) = message.opt() {
        for option in opt.options().flatten() {
            option.code.write(&mut out);
            let _decoded = option.decode();
        }
    }
    out.check();
}

/// Every way to read a name says the same.
fn compare_readings(bytes: &[u8], start: usize) {
    let name = Name::new(bytes, start);
    let labels: Result<Vec<&[u8]>, NameError> = name.labels().collect();
    let mut buffer = [0; MAX_NAME_LEN];
    let mut out = b"before".to_vec();
    let written = name.write(&mut out);
    match labels {
        Err(error) => {
            assert_eq!(name.check(), Err(error));
            assert_eq!(written, Err(error));
            assert_eq!(out, b"before");
            assert_eq!(name.canonical(&mut buffer), Err(error));
        }
        Ok(labels) => {
            assert_eq!((name.check(), written), (Ok(()), Ok(())));
            assert!(name.end().is_ok());
            let mut text = Vec::new();
            let mut wire = Vec::new();
            for (index, label) in labels.iter().enumerate() {
                if index > 0 {
                    text.push(b'.');
                }
                for &byte in *label {
                    match byte {
                        b'.' | b'\\' => text.extend([b'\\', byte]),
                        b'!'..=b'~' => text.push(byte),
                        _ => text.extend(format!("\\{byte:03}").bytes()),
                    }
                }
                wire.push(label.len() as u8);
                wire.extend(label.to_ascii_lowercase());
            }
            if text.is_empty() {
                text.push(b'.');
            }
            wire.push(0);
            assert_eq!(&out[6..], text);
            assert_eq!(name.canonical(&mut buffer).unwrap(), wire);
        }
    }
}

/// Bytes that look like names more often than random ones do.
fn namelike() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => proptest::collection::vec(any::<u8>(), 1..64).prop_map(|label| [vec![label.len() as u8], label].concat()),
        6 => "[a-z0-9-]{1,63}".prop_map(|label| [vec![label.len() as u8], label.into_bytes()].concat()),
        2 => Just(vec![0]),
        3 => (0_u16..512).prop_map(|target| (0xc000 | target).to_be_bytes().to_vec()),
        1 => any::<[u8; 2]>().prop_map(|bytes| bytes.to_vec()),
    ];
    proptest::collection::vec(piece, 1..24).prop_map(|pieces| pieces.concat())
}

/// One record on the wire: owner, a type known to the printer or any, and data that is random or made of likely parts.
fn record() -> impl Strategy<Value = Vec<u8>> {
    let owner =
        prop_oneof![Just(vec![0xc0, 12]), Just(vec![0]), Just(vec![0xc0, 40]), Just(b"\x03foo\xc0\x0c".to_vec())];
    let rtype = prop_oneof![9 => 1_u16..=109, 3 => 249_u16..=264, 1 => any::<u16>()];
    let class = prop_oneof![8 => Just(1_u16), 1 => Just(3), 1 => any::<u16>()];
    let part = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        (0_u16..8).prop_map(|number| number.to_be_bytes().to_vec()),
        any::<[u8; 4]>().prop_map(|bytes| bytes.to_vec()),
        Just(vec![0xc0, 12]),
        Just(b"\x02ns\xc0\x0c".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(|string| [vec![string.len() as u8], string].concat()),
        proptest::collection::vec(any::<u8>(), 0..9).prop_map(|value| [vec![0, value.len() as u8], value].concat()),
    ];
    let data = prop_oneof![
        proptest::collection::vec(part, 0..8).prop_map(|parts| parts.concat()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    (owner, rtype, class, any::<u32>(), data).prop_map(|(owner, rtype, class, ttl, data)| {
        let mut bytes = owner;
        bytes.extend(rtype.to_be_bytes());
        bytes.extend(class.to_be_bytes());
        bytes.extend(ttl.to_be_bytes());
        bytes.extend((data.len() as u16).to_be_bytes());
        bytes.extend(data);
        bytes
    })
}

/// A message with one question and these records in the three sections.
fn message(records: &[Vec<u8>], authority: usize, additional: usize) -> Vec<u8> {
    let counts = [1, records.len() - authority - additional, authority, additional];
    let mut bytes = b"\x12\x34\x81\x80".to_vec();
    for count in counts {
        bytes.extend((count as u16).to_be_bytes());
    }
    bytes.extend(b"\x03www\x07example\x03com\x00\x00\x01\x00\x01");
    bytes.extend(records.concat());
    bytes
}

/// The bytes a name or string in presentation format stands for.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let next = bytes.next().unwrap();
        if next.is_ascii_digit() {
            let digits = [next, bytes.next().unwrap(), bytes.next().unwrap()];
            out.push(std::str::from_utf8(&digits).unwrap().parse().unwrap());
        } else {
            out.push(next);
        }
    }
    out
}

/// Splits a name in presentation format into its labels.
fn labels_of(text: &str) -> Vec<Vec<u8>> {
    let mut labels = vec![String::new()];
    let mut escaped = false;
    for letter in text.chars() {
        match letter {
            '.' if !escaped => labels.push(String::new()),
            _ => labels.last_mut().unwrap().push(letter),
        }
        escaped = letter == '\\' && !escaped;
    }
    labels.iter().map(|label| unescape(label)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_read_to_the_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        exercise(&bytes);
    }

    #[test]
    fn damaged_messages_are_read_to_the_damage(
        records in proptest::collection::vec(record(), 2..8),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = message(&records, 1, 1);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        exercise(&bytes);
    }

    #[test]
    fn whole_messages_lose_nothing(records in proptest::collection::vec(record(), 2..8)) {
        let bytes = message(&records, 1, 1);
        let message = Message::parse(&bytes).unwrap();
        // An owner may point into nothing; all else is well formed.
        if message.malformed().is_none() {
            let all: Vec<Record<'_>> = Section::ALL.iter().flat_map(|&section| message.records(section)).collect();
            prop_assert_eq!(all.len(), records.len());
            for (record, wire) in all.iter().zip(&records) {
                let tail = &wire[wire.len() - 10 - record.rdata.bytes().len()..];
                prop_assert_eq!(&record.rtype.0.to_be_bytes()[..], &tail[..2]);
                prop_assert_eq!(&record.class.0.to_be_bytes()[..], &tail[2..4]);
                prop_assert_eq!(&record.ttl.to_be_bytes()[..], &tail[4..8]);
                prop_assert_eq!(record.rdata.bytes(), &tail[10..]);
            }
        }
        exercise(&bytes);
    }

    #[test]
    fn all_readings_of_a_name_agree(bytes in namelike(), start in 0_usize..40) {
        compare_readings(&bytes, start);
        compare_readings(&bytes, 0);
    }

    #[test]
    fn a_printed_name_reads_back(
        labels in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..30), 1..8),
        dotty in any::<bool>(),
    ) {
        let mut labels = labels;
        if dotty {
            labels[0].insert(0, b'.');
        }
        let mut wire: Vec<u8> = labels.iter().flat_map(|label| [vec![label.len() as u8], label.clone()].concat()).collect();
        wire.push(0);
        prop_assert_eq!(labels_of(&Name::new(&wire, 0).to_string()), labels);
    }

    #[test]
    fn printed_strings_read_back(strings in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..5)) {
        let data: Vec<u8> = strings.iter().flat_map(|string| [vec![string.len() as u8], string.clone()].concat()).collect();
        let mut record = vec![0];
        record.extend(Rtype::TXT.0.to_be_bytes());
        record.extend(Class::IN.0.to_be_bytes());
        record.extend([0; 4]);
        record.extend((data.len() as u16).to_be_bytes());
        record.extend(data);
        let bytes = message(&[record], 0, 0);
        let text = Message::parse(&bytes).unwrap().answers().next().unwrap().rdata.to_string();
        let inner = text.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
        // No string holds an unescaped quote, so this only splits between strings.
        let mut read = vec![String::new()];
        let mut letters = inner.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => read.last_mut().unwrap().extend(['\\', letters.next().unwrap()]),
                '"' => {
                    prop_assert_eq!((letters.next(), letters.next()), (Some(' '), Some('"')));
                    read.push(String::new());
                }
                _ => read.last_mut().unwrap().push(letter),
            }
        }
        let read: Vec<Vec<u8>> = read.iter().map(|string| unescape(string)).collect();
        prop_assert_eq!(read, strings);
    }
}
