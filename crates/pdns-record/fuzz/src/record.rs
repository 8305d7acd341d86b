//! Transactions in all layouts and formats.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

use pdns_fuzz::{Input, Target, heap, seeds};
use pdns_packet::dns::Message;
use pdns_packet::frame::VlanTags;
use pdns_packet::time::Timestamp;
use pdns_record::{Encoder, Encoding, Format, Layout};
use pdns_track::{Observed, Status, Transaction, Transport};
use serde_json::Value;

use crate::decode;

/// Records: the JSON is JSON, the binary formats say what it says, and none is longer than the messages account for.
pub const RECORD: Target = Target { name: "record", check, seeds: transactions, mutations: 20_000 };

/// How long records are at most whatever the messages: ten records of three names of 255 bytes are always shown, each byte of
/// which takes five in JSON.
const EMPTY: usize = 48 << 10;

/// How many bytes of records a byte of a message becomes at most: 32 characters, each of which may take two in JSON, and what stands
/// around them; empty answers of eleven bytes repeat all but the data each.
const MAX_GROWTH: usize = 150;

fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let status = *input.pick(&Status::ALL);
    let [client, server] = [(); 2].map(|()| address(&mut input));
    let (client_port, server_port) = (input.word(), input.word());
    let transport = if input.byte() & 1 == 0 { Transport::Udp } else { Transport::Tcp };
    let vlan = (0..input.below(4)).fold(VlanTags::NONE, |tags, _| tags.push(input.word()).unwrap());
    let retransmits = u32::from(input.byte());
    let times = [(); 2].map(|()| time(&mut input));
    let missing = usize::from(input.byte());
    let len = usize::from(input.word());
    let bytes = [input.bytes(len), input.rest()];
    let [Some(query), Some(response)] = bytes.map(Message::parse) else { return };
    let [query, response] = [(times[0], &query), (times[1], &response)].map(|(time, message)| Observed {
        time,
        message,
        missing,
        frame_len: message.bytes().len() as u32 + 42,
    });
    let transaction = Transaction {
        status,
        client,
        client_port,
        server,
        server_port,
        transport,
        vlan,
        query: (status != Status::Orphan).then_some(&query),
        response: (status != Status::Unanswered).then_some(&response),
        retransmits,
    };
    let room = EMPTY + MAX_GROWTH * (query.message.bytes().len() + response.message.bytes().len());
    for layout in [Layout::Answer, Layout::Transaction] {
        compare(layout, &transaction, room);
    }
}

/// Holds the formats of one layout against one another.
fn compare(layout: Layout, transaction: &Transaction<'_>, room: usize) {
    let lines = encode(Encoding::json(layout), transaction, room);
    let packed = encode(Encoding { layout, format: Format::MessagePack }, transaction, room);
    let avro = encode(Encoding { layout, format: Format::Avro }, transaction, room);
    assert_eq!((packed.len(), avro.len()), (lines.len(), lines.len()));
    let shown = transaction.response.or(transaction.query).unwrap().time;
    for ((line, packed), avro) in lines.iter().zip(&packed).zip(&avro) {
        let (end, text) = line.split_last().unwrap();
        assert!(*end == b'\n' && !text.iter().any(u8::is_ascii_control), "{}", line.escape_ascii());
        let mut record: Value =
            serde_json::from_slice(text).unwrap_or_else(|error| panic!("{error}: {}", text.escape_ascii()));
        let ((seconds, nanos), of_pack) = decode::message_pack(packed);
        assert_eq!(of_pack, record);
        if let Ok(whole) = u32::try_from(shown.nanos().div_euclid(1_000_000_000)) {
            assert_eq!((seconds, i64::from(nanos)), (whole, shown.nanos().rem_euclid(1_000_000_000)));
        }
        let times = [
            ("query_time", transaction.query),
            ("response_time", transaction.response),
            ("tstamp", transaction.response.or(transaction.query)),
        ];
        for (key, observed) in times {
            let Some(text) = record.get(key).map(|text| text.as_str().unwrap()) else { continue };
            assert_time(text, observed.unwrap().time);
            if key != "tstamp" {
                record[key] = observed.unwrap().time.nanos().into();
            }
        }
        assert_eq!(decode::avro(layout, avro), record);
        if layout == Layout::Transaction {
            assert_eq!(record["status"], transaction.status.name());
            assert_eq!(record["client"].as_str().unwrap().parse(), Ok(transaction.client));
            assert_eq!(record["server_port"], transaction.server_port);
        }
    }
}

/// The records of a transaction, each by itself.
fn encode(encoding: Encoding, transaction: &Transaction<'_>, room: usize) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::of(encoding, "größe \"x\"", "info");
    // A vector that grows is there twice for a moment, and so is the text of JSON before it is handed on.
    let (out, ends) = heap::bounded((1 << 20) + 6 * room, || {
        let (mut out, mut ends) = (b"before".to_vec(), vec![6]);
        encoder.encode_each(transaction, &mut out, &mut |end| ends.push(end));
        (out, ends)
    });
    assert!(out.len() <= room, "{} bytes, more than {room}", out.len());
    assert_eq!(ends.last(), Some(&out.len()));
    let records: Vec<_> = ends.windows(2).map(|ends| out[ends[0]..ends[1]].to_vec()).collect();
    assert_eq!(encoder.encode(transaction, &mut Vec::new()), records.len() as u64);
    records
}

/// The text is RFC 3339's for this time, as far as others read that.
fn assert_time(text: &str, time: Timestamp) {
    let since = u64::try_from(time.nanos()).ok().map(Duration::from_nanos);
    if let Some(since) = since {
        assert_eq!(humantime::parse_rfc3339(text).unwrap(), SystemTime::UNIX_EPOCH + since, "{text}");
    }
}

fn address(input: &mut Input<'_>) -> IpAddr {
    match input.byte() & 3 {
        0 | 1 => Ipv4Addr::from_bits(u32::from(input.word()) << 16 | u32::from(input.word())).into(),
        2 => Ipv6Addr::new(0x2001, 0xdb8, 0, input.word(), 0, 0, 0, input.word()).into(),
        _ => Ipv6Addr::from(std::array::from_fn(|_| input.byte())).into(),
    }
}

/// A time of these years, or any that a file can claim.
fn time(input: &mut Input<'_>) -> Timestamp {
    if input.byte() & 7 == 7 {
        return Timestamp::from_nanos(i64::from_be_bytes(std::array::from_fn(|_| input.byte())));
    }
    Timestamp::new(1_700_000_000 + i64::from(input.word()), u32::from(input.word()) << 13)
}

/// A name of 255 bytes, none of which can be printed, with sixty aliases of it in each section.
fn aliases() -> Vec<u8> {
    let name = [63, 63, 63, 61].map(|len| [&[len][..], &vec![1; usize::from(len)]].concat()).concat();
    let records = b"\xc0\x0c\0\x05\0\x01\0\0\0\0\0\x02\xc0\x0c".repeat(3 * 60);
    [&b"\x12\x34\x84\0\0\x01\0\x3c\0\x3c\0\x3c"[..], &name, b"\0\0\x05\0\x01", &records].concat()
}

/// Every message of the fixtures as a response, with a query and with the next message as its query; and one that is not shown
/// whole.
fn transactions() -> Vec<Vec<u8>> {
    let mut messages: Vec<_> = seeds::messages().into_iter().filter(|message| message.len() >= 12).collect();
    messages.push(aliases());
    let seed = |status: u8, query: &[u8], response: &[u8]| {
        let head = [status, 0, 192, 0, 2, 1, 2, 0, 1, 0, 53, 0x9c, 0x40, 0, 53, 0, 0, 1];
        let times = [0, 0, 1, 0, 1, 0, 0, 2, 0, 9];
        let len = (query.len() as u16).to_be_bytes();
        [&head[..], &times, &[0], &len, query, response].concat()
    };
    let pairs = messages.iter().zip(messages.iter().cycle().skip(1)).enumerate();
    pairs.map(|(index, (response, query))| seed(index as u8 % 4, query, response)).collect()
}
