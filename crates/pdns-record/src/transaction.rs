//! Layout `transaction`: one line for each transaction.

use pdns_packet::dns::{Class, Message, Opcode, Question, Record, Rtype};
use pdns_packet::text::Text;
use pdns_track::{Observed, Status, Transaction};

use crate::Encoder;
use crate::edns;
use crate::json::{self, JsonText};

pub(crate) fn encode(encoder: &mut Encoder, transaction: &Transaction<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"sensor\":");
    out.extend_from_slice(&encoder.sensor);
    out.extend_from_slice(b",\"status\":\"");
    out.extend_from_slice(transaction.status.name().as_bytes());
    if let Some(query) = &transaction.query {
        out.extend_from_slice(b"\",\"query_time\":\"");
        out.extend_from_slice(encoder.clock.format(query.time));
    }
    if let Some(response) = &transaction.response {
        out.extend_from_slice(b"\",\"response_time\":\"");
        out.extend_from_slice(encoder.clock.format(response.time));
    }
    out.push(b'"');
    if let (Status::Answered, Some(query), Some(response)) =
        (transaction.status, &transaction.query, &transaction.response)
    {
        out.extend_from_slice(b",\"elapsed_ns\":");
        json::signed(out, response.time.since(query.time));
    }
    ends(transaction, out);
    // The state machine never hands out a transaction without a message; an empty record would be no JSON.
    let Some(shown) = transaction.response.or(transaction.query) else {
        out.extend_from_slice(b"}\n");
        return;
    };
    header(transaction, &shown, out);
    question(transaction, out);
    flags(&shown.message, out);
    if let Some(query) = &transaction.query {
        json::number(out, b",\"query_bytes\":", query.wire_len() as u64);
    }
    if let Some(response) = &transaction.response {
        json::number(out, b",\"response_bytes\":", response.wire_len() as u64);
    }
    if transaction.retransmits > 0 {
        json::number(out, b",\"retransmits\":", u64::from(transaction.retransmits));
    }
    let carrier = carrier(transaction, &shown);
    section(b",\"answers\":[", carrier.answers(), out);
    section(b",\"authorities\":[", carrier.authorities(), out);
    section(b",\"additionals\":[", carrier.additionals(), out);
    if let Some(opt) = shown.message.opt() {
        edns::encode(&opt, out);
    }
    malformed(transaction, out);
    out.extend_from_slice(b"}\n");
}

/// The message whose sections are shown. UPDATE (RFC 2136 section 3.8) and NOTIFY (RFC 1996 section 3.7) carry theirs
/// in the request, and their responses need not repeat them.
fn carrier<'a>(transaction: &Transaction<'a>, shown: &Observed<'a>) -> Message<'a> {
    match transaction.query {
        Some(query) if matches!(query.message.opcode(), Opcode::UPDATE | Opcode::NOTIFY) => query.message,
        _ => shown.message,
    }
}

/// The message whose question is the transaction's: the query, unless only the response has one.
pub(crate) fn asking<'a>(transaction: &Transaction<'a>) -> Option<Message<'a>> {
    let messages = [transaction.query, transaction.response].map(|observed| observed.map(|it| it.message));
    messages.into_iter().flatten().find(|message| message.question().is_some())
}

fn ends(transaction: &Transaction<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"client\":\"");
    out.ip(transaction.client);
    json::number(out, b"\",\"client_port\":", u64::from(transaction.client_port));
    out.extend_from_slice(b",\"server\":\"");
    out.ip(transaction.server);
    json::number(out, b"\",\"server_port\":", u64::from(transaction.server_port));
    out.extend_from_slice(b",\"transport\":\"");
    out.extend_from_slice(transaction.transport.name().as_bytes());
    out.push(b'"');
    if transaction.vlan.is_empty() {
        return;
    }
    let mut separator: &[u8] = b",\"vlan\":[";
    for id in transaction.vlan.iter() {
        json::number(out, separator, u64::from(id));
        separator = b",";
    }
    out.push(b']');
}

fn header(transaction: &Transaction<'_>, shown: &Observed<'_>, out: &mut Vec<u8>) {
    json::number(out, b",\"id\":", u64::from(shown.message.header().id));
    out.extend_from_slice(b",\"opcode\":\"");
    shown.message.opcode().write(out);
    if let Some(response) = &transaction.response {
        out.extend_from_slice(b"\",\"rcode\":\"");
        response.message.rcode().write(out);
    }
    out.push(b'"');
}

fn question(transaction: &Transaction<'_>, out: &mut Vec<u8>) {
    let Some(message) = asking(transaction) else { return };
    let mut questions = message.questions();
    let Some(first) = questions.next() else { return };
    write_question([b",\"qname\":\"", b"\",\"qtype\":\"", b"\",\"qclass\":\""], &first, out);
    if questions.next().is_none() {
        return;
    }
    let mut separator: &[u8] = b",\"questions\":[";
    for question in message.questions() {
        out.extend_from_slice(separator);
        write_question([b"{\"name\":\"", b"\",\"type\":\"", b"\",\"class\":\""], &question, out);
        out.push(b'}');
        separator = b",";
    }
    out.push(b']');
}

fn write_question(keys: [&[u8]; 3], question: &Question<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(keys[0]);
    // A question that was counted has a readable name.
    let _readable = question.qname.write(&mut JsonText(out));
    out.extend_from_slice(keys[1]);
    question.qtype.write(out);
    out.extend_from_slice(keys[2]);
    question.qclass.write(out);
    out.push(b'"');
}

fn flags(message: &Message<'_>, out: &mut Vec<u8>) {
    let header = message.header();
    let bits: [(bool, &[u8]); 6] = [
        (header.aa(), b"\"aa\""),
        (header.tc(), b"\"tc\""),
        (header.rd(), b"\"rd\""),
        (header.ra(), b"\"ra\""),
        (header.ad(), b"\"ad\""),
        (header.cd(), b"\"cd\""),
    ];
    out.extend_from_slice(b",\"flags\":[");
    let start = out.len();
    for (_, name) in bits.into_iter().filter(|&(set, _)| set) {
        if out.len() > start {
            out.push(b',');
        }
        out.extend_from_slice(name);
    }
    out.push(b']');
}

fn section<'a>(key: &[u8], records: impl Iterator<Item = Record<'a>>, out: &mut Vec<u8>) {
    let mut separator = key;
    for record in records {
        if record.rtype == Rtype::OPT {
            continue;
        }
        out.extend_from_slice(separator);
        write_record(&record, out);
        separator = b",";
    }
    if separator == b"," {
        out.push(b']');
    }
}

fn write_record(record: &Record<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"name\":\"");
    // A record that was counted has a readable owner.
    let _readable = record.owner.write(&mut JsonText(out));
    out.extend_from_slice(b"\",\"type\":\"");
    record.rtype.write(out);
    if record.class != Class::IN {
        out.extend_from_slice(b"\",\"class\":\"");
        record.class.write(out);
    }
    json::number(out, b"\",\"ttl\":", u64::from(record.ttl));
    out.extend_from_slice(b",\"rdata\":\"");
    record.rdata.write(&mut JsonText(out));
    out.extend_from_slice(b"\"}");
}

fn malformed(transaction: &Transaction<'_>, out: &mut Vec<u8>) {
    let mut separator = ",\"malformed\":\"";
    for (name, observed) in [("query", &transaction.query), ("response", &transaction.response)] {
        let Some(observed) = observed else { continue };
        let Some(broken) = damage(&observed.message) else { continue };
        let cut = if observed.missing > 0 {
            format!(" ({} bytes were not captured)", observed.missing)
        } else {
            String::new()
        };
        out.extend_from_slice(format!("{separator}{name}: {broken}{cut}").as_bytes());
        separator = "; ";
    }
    if separator == "; " {
        out.push(b'"');
    }
}

/// Where a message or its EDNS options broke off. Damage is rare, so `Display` may cost what it costs; its text holds no
/// quote, backslash or control byte.
fn damage(message: &Message<'_>) -> Option<String> {
    let broken_option = || message.opt()?.options().find_map(Result::err).map(|error| error.to_string());
    message.malformed().map(ToString::to_string).or_else(broken_option)
}
