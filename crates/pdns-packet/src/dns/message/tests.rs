use super::*;
use crate::dns::Class;

/// A response to `www.example.com` with two answers, one authority record and OPT.
const RESPONSE: &[u8] = b"\x12\x34\x81\x80\x00\x01\x00\x02\x00\x01\x00\x01\
    \x03www\x07example\x03com\x00\x00\x01\x00\x01\
    \xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x06\x03cdn\xc0\x10\
    \xc0\x2d\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01\
    \xc0\x10\x00\x02\x00\x01\x00\x01\x51\x80\x00\x05\x02ns\xc0\x10\
    \x00\x00\x29\x04\xd0\x01\x00\x80\x00\x00\x00";

fn lines(records: Records<'_>) -> Vec<String> {
    records
        .map(|record| {
            let Record { owner, rtype, class, ttl, rdata } = record;
            format!("{owner} {ttl} {class} {rtype} {rdata}")
        })
        .collect()
}

#[test]
fn every_section_is_found() {
    let message = Message::parse(RESPONSE).unwrap();
    assert_eq!(message.malformed(), None);
    assert_eq!((message.header().id, message.opcode(), message.end()), (0x1234, Opcode::QUERY, RESPONSE.len()));
    let question = message.question().unwrap();
    assert_eq!((question.qname.to_string().as_str(), question.qclass), ("www.example.com", Class::IN));
    assert_eq!(message.questions().len(), 1);
    assert_eq!(message.uncompressed_question(), Some(&RESPONSE[12..33]));
    assert_eq!(
        lines(message.answers()),
        ["www.example.com 60 IN CNAME cdn.example.com", "cdn.example.com 60 IN A 192.0.2.1"]
    );
    assert_eq!(lines(message.authorities()), ["example.com 86400 IN NS ns.example.com"]);
    assert_eq!(message.additionals().map(|record| record.rtype).collect::<Vec<_>>(), [Rtype::OPT]);
    assert_eq!(message.records(Section::Question).len(), 0);
    assert!(message.trailing().is_empty());
}

#[test]
fn the_rcode_has_twelve_bits_with_opt() {
    let message = Message::parse(RESPONSE).unwrap();
    assert_eq!(message.rcode(), Rcode::BADVERS);
    let mut without = RESPONSE[..RESPONSE.len() - 11].to_vec();
    without[3] = 0x83;
    without[11] = 0;
    let message = Message::parse(&without).unwrap();
    assert!(message.opt().is_none());
    assert_eq!(message.rcode(), Rcode::NXDOMAIN);
}

#[test]
fn a_message_cut_anywhere_keeps_what_came_before() {
    let whole = Message::parse(RESPONSE).unwrap();
    let sections = [Section::Answer, Section::Authority, Section::Additional];
    assert!(Message::parse(&RESPONSE[..11]).is_none());
    for cut in Header::LEN..RESPONSE.len() {
        let message = Message::parse(&RESPONSE[..cut]).unwrap();
        let malformed = message.malformed().unwrap();
        assert!(malformed.offset() >= message.end() && malformed.offset() <= cut, "{malformed}");
        assert!(message.trailing().is_empty());
        for section in sections {
            let (all, read) = (lines(whole.records(section)), lines(message.records(section)));
            assert_eq!(all[..read.len()], read[..]);
            if section == malformed.section {
                assert_eq!(read.len(), usize::from(malformed.index));
            }
        }
        // Every record that ends before the cut is there.
        let ends = [33, 51, 67, 84, 95];
        let read: usize =
            message.questions().len() + sections.map(|section| message.records(section).len()).iter().sum::<usize>();
        assert_eq!(read, ends.iter().filter(|&&end| end <= cut).count(), "cut at {cut}");
    }
}

#[test]
fn malformed_says_what_and_where() {
    let text = |bytes: &[u8]| Message::parse(bytes).unwrap().malformed().unwrap().to_string();
    assert_eq!(text(&RESPONSE[..60]), "answer 2 of 2: fixed fields run past the end of the message at offset 60");
    assert_eq!(text(&RESPONSE[..65]), "answer 2 of 2: rdata runs past the end of the message at offset 65");
    assert_eq!(text(&RESPONSE[..20]), "question 1 of 1: name runs past the end of the message at offset 20");
    assert_eq!(text(&RESPONSE[..68]), "authority record 1 of 1: name runs past the end of the message at offset 68");
    let mut bytes = RESPONSE.to_vec();
    bytes[68] = 67;
    assert_eq!(text(&bytes), "authority record 1 of 1: compression pointers go in circles at offset 67");
    bytes[67] = 0x80;
    assert_eq!(text(&bytes), "authority record 1 of 1: unknown label type at offset 67");
}

#[test]
fn lying_counts_cost_nothing_but_themselves() {
    let mut bytes = RESPONSE.to_vec();
    bytes[6..8].copy_from_slice(&[0xff, 0xff]);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.answers().len(), 4);
    assert_eq!(message.answers().count(), 4);
    assert_eq!((message.authorities().count(), message.additionals().count()), (0, 0));
    assert_eq!(
        message.malformed().unwrap().to_string(),
        "answer 5 of 65535: name runs past the end of the message at offset 95"
    );
    bytes[6..12].copy_from_slice(&[0, 1, 0, 0, 0, 0]);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.malformed(), message.answers().count()), (None, 1));
    assert_eq!(message.trailing(), &RESPONSE[51..]);
}

/// A message of records without data, whose owners point into a chain of 127 pointers at the hops given.
fn chained(hops: &[usize]) -> Vec<u8> {
    let mut bytes = b"\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    bytes[6..8].copy_from_slice(&(hops.len() as u16).to_be_bytes());
    let root = bytes.len() + 12 * hops.len();
    // A pointer that takes so many hops to the root, its own among them.
    let pointer =
        |hops: usize| (0xc000 | (if hops == 1 { root } else { root + 1 + 2 * (hops - 2) }) as u16).to_be_bytes();
    for &hops in hops {
        bytes.extend(pointer(hops));
        bytes.extend(b"\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00");
    }
    bytes.push(0);
    bytes.extend((1..=127).flat_map(pointer));
    bytes
}

#[test]
fn a_known_target_is_no_licence_for_one_pointer_more() {
    let bytes = chained(&[1, 9, 9, 126, 127, 128, 1]);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.answers().count(), 5);
    assert!(message.answers().all(|record| record.owner.check().is_ok()));
    assert!(matches!(message.malformed().unwrap().kind, MalformedKind::Name(NameError::PointerLoop { .. })));
}

#[test]
fn nothing_but_pointers_costs_no_more_than_one_for_each_byte() {
    let bytes = chained(&[100; 1000]);
    let message = Message::parse(&bytes).unwrap();
    let read = message.answers().count();
    assert_eq!(read, bytes.len() / 100);
    let offset = 12 + 12 * read;
    assert_eq!(message.malformed().unwrap().kind, MalformedKind::Pointers { offset });
    // What real messages have, ten times over.
    let bytes = chained(&[10; 1000]);
    assert_eq!(Message::parse(&bytes).unwrap().malformed(), None);
}

#[test]
fn only_the_first_opt_of_the_additional_section_counts() {
    let opt = b"\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x00";
    let other = b"\x00\x00\x29\x02\x00\x00\x00\x00\x00\x00\x00";
    let answer = [&b"\0\0\0\0\0\0\0\x01\0\0\0\0"[..], opt].concat();
    assert!(Message::parse(&answer).unwrap().opt().is_none());
    let two = [&b"\0\0\0\0\0\0\0\0\0\0\0\x02"[..], opt, other].concat();
    assert_eq!(Message::parse(&two).unwrap().opt().unwrap().udp_size(), 4096);
}

#[test]
fn bytes_no_transport_carries_are_ignored() {
    let mut bytes = vec![0; 70_000];
    bytes[5] = 1;
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.bytes().len(), message.questions().count()), (MAX_MESSAGE_LEN, 1));
    // Root, type, class, TTL and length of zero: 11 bytes a record.
    bytes[6..8].copy_from_slice(&[0xff, 0xff]);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.answers().count(), (MAX_MESSAGE_LEN - 17) / 11);
}
