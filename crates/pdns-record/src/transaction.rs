//! Layout `transaction`: one line for each transaction.

use std::net::IpAddr;
use std::ops::Range;

use pdns_packet::dns::{Class, Header, Message, Opcode, Question, Rcode, Record, Rtype};
use pdns_packet::text::Text;
use pdns_packet::time::Rfc3339;
use pdns_track::{Observed, Status, Transaction, Transport};

use crate::edns;
use crate::json::{self, JsonText};
use crate::names::Names;

/// What many lines have in common.
#[derive(Clone, Debug)]
pub(crate) struct Fragments {
    /// The beginning of a line, by the number of its status.
    heads: [Vec<u8>; Status::ALL.len()],
    /// The flags, by the bits of [`flag_bits`].
    flags: Vec<Vec<u8>>,
    servers: Servers,
}

impl Fragments {
    /// `sensor` is a JSON string with its quotes.
    pub(crate) fn new(sensor: &[u8]) -> Self {
        let head = |status: Status| {
            let status = status.name().as_bytes();
            [b"{\"sensor\":", sensor, b",\"status\":\"", status, b"\""].concat()
        };
        Self {
            heads: Status::ALL.map(head),
            flags: (0..1 << FLAGS.len()).map(flags).collect(),
            servers: Servers::default(),
        }
    }
}

pub(crate) fn encode(fragments: &mut Fragments, clock: &mut Rfc3339, transaction: &Transaction<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(&fragments.heads[transaction.status as usize]);
    times(clock, transaction, out);
    ends(&mut fragments.servers, transaction, out);
    // The state machine never hands out a transaction without a message.
    let Some(shown) = transaction.response.or(transaction.query) else {
        out.extend_from_slice(b"}\n");
        return;
    };
    header(transaction, shown, out);
    let carrier = carrier(transaction, shown);
    let mut names = Names::default();
    question(transaction, carrier, &mut names, out);
    out.extend_from_slice(&fragments.flags[flag_bits(shown.message.header())]);
    if let Some(query) = transaction.query {
        json::number(out, b",\"query_bytes\":", query.wire_len() as u64);
    }
    if let Some(response) = transaction.response {
        json::number(out, b",\"response_bytes\":", response.wire_len() as u64);
    }
    if transaction.retransmits > 0 {
        json::number(out, b",\"retransmits\":", u64::from(transaction.retransmits));
    }
    section(b",\"answers\":[", carrier.answers(), &mut names, out);
    section(b",\"authorities\":[", carrier.authorities(), &mut names, out);
    section(b",\"additionals\":[", without_edns(carrier.additionals()), &mut names, out);
    if let Some(opt) = shown.message.opt() {
        edns::encode(&opt, out);
    }
    malformed(transaction, out);
    out.extend_from_slice(b"}\n");
}

/// The message whose sections are shown. UPDATE (RFC 2136 section 3.8) and NOTIFY (RFC 1996 section 3.7) carry theirs
/// in the request, and their responses need not repeat them.
pub(crate) fn carrier<'a>(transaction: &Transaction<'a>, shown: &Observed<'a>) -> &'a Message<'a> {
    match transaction.query {
        Some(query) if matches!(query.message.opcode(), Opcode::UPDATE | Opcode::NOTIFY) => query.message,
        _ => shown.message,
    }
}

/// The message whose question is the transaction's: the query, unless only the response has one.
pub(crate) fn asking<'a>(transaction: &Transaction<'a>) -> Option<&'a Message<'a>> {
    let messages = [transaction.query, transaction.response].into_iter().flatten().map(|observed| observed.message);
    messages.into_iter().find(|message| message.question().is_some())
}

fn times(clock: &mut Rfc3339, transaction: &Transaction<'_>, out: &mut Vec<u8>) {
    if let Some(query) = transaction.query {
        out.extend_from_slice(b",\"query_time\":\"");
        out.extend_from_slice(clock.format(query.time));
        out.push(b'"');
    }
    if let Some(response) = transaction.response {
        out.extend_from_slice(b",\"response_time\":\"");
        out.extend_from_slice(clock.format(response.time));
        out.push(b'"');
    }
    if let (Status::Answered, Some(query), Some(response)) =
        (transaction.status, transaction.query, transaction.response)
    {
        out.extend_from_slice(b",\"elapsed_ns\":");
        json::signed(out, response.time.since(query.time));
    }
}

/// How many servers' fragments are remembered; a power of two.
const SERVERS: usize = 16;

/// The part of the line about the server, for the servers seen last: a sensor sees few of them.
#[derive(Clone, Debug, Default)]
struct Servers([Option<(Server, Vec<u8>)>; SERVERS]);

type Server = (IpAddr, u16, Transport);

impl Servers {
    #[inline]
    fn write(&mut self, server: Server, out: &mut Vec<u8>) {
        let last_octet = match server.0 {
            IpAddr::V4(address) => address.to_bits() as usize,
            IpAddr::V6(address) => address.to_bits() as usize + SERVERS / 2,
        };
        let place = &mut self.0[last_octet % SERVERS];
        match place {
            Some((known, text)) if *known == server => out.extend_from_slice(text),
            _ => {
                let start = out.len();
                write_server(server, out);
                let (known, text) = place.get_or_insert_with(|| (server, Vec::new()));
                *known = server;
                text.clear();
                text.extend_from_slice(&out[start..]);
            }
        }
    }
}

fn write_server((address, port, transport): Server, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"server\":\"");
    out.ip(address);
    json::number(out, b"\",\"server_port\":", u64::from(port));
    out.extend_from_slice(b",\"transport\":\"");
    out.extend_from_slice(transport.name().as_bytes());
    out.push(b'"');
}

fn ends(servers: &mut Servers, transaction: &Transaction<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"client\":\"");
    out.ip(transaction.client);
    json::number(out, b"\",\"client_port\":", u64::from(transaction.client_port));
    servers.write((transaction.server, transaction.server_port, transaction.transport), out);
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
    let opcode = shown.message.opcode();
    let rcode = transaction.response.map(|response| response.message.rcode());
    match (opcode, rcode) {
        (Opcode::QUERY, Some(Rcode::NOERROR)) => {
            return out.extend_from_slice(b",\"opcode\":\"QUERY\",\"rcode\":\"NOERROR\"");
        }
        (Opcode::QUERY, Some(Rcode::NXDOMAIN)) => {
            return out.extend_from_slice(b",\"opcode\":\"QUERY\",\"rcode\":\"NXDOMAIN\"");
        }
        _ => {}
    }
    out.extend_from_slice(b",\"opcode\":\"");
    opcode.write(out);
    if let Some(rcode) = rcode {
        out.extend_from_slice(b"\",\"rcode\":\"");
        rcode.write(out);
    }
    out.push(b'"');
}

fn question(transaction: &Transaction<'_>, carrier: &Message<'_>, names: &mut Names, out: &mut Vec<u8>) {
    let Some(message) = asking(transaction) else { return };
    let Some(first) = message.question() else { return };
    let range = write_first_question(&first, out);
    if let Some(other) = carrier.question()
        && is_spelled_alike(&first, carrier, &other)
    {
        names.remember(other.qname.place(), range);
    }
    let questions = message.questions();
    if questions.len() < 2 {
        return;
    }
    let mut separator: &[u8] = b",\"questions\":[";
    for question in questions {
        out.extend_from_slice(separator);
        write_question(&question, out);
        separator = b",";
    }
    out.push(b']');
}

/// Whether `carrier` spells its question's name as `question` does, case and all, without pointers that could lead
/// apart.
fn is_spelled_alike(question: &Question<'_>, carrier: &Message<'_>, other: &Question<'_>) -> bool {
    let rest = carrier.bytes().get(other.qname.start()..).unwrap_or_default();
    question.qname.uncompressed().is_some_and(|name| rest.starts_with(name))
}

/// Appends the fields of the first question and returns where its name is. The frequent types have a line each, for the
/// reason that [`write_type`] has.
fn write_first_question(question: &Question<'_>, out: &mut Vec<u8>) -> Range<usize> {
    out.extend_from_slice(b",\"qname\":\"");
    let start = out.len();
    // A question that was counted has a readable name.
    let _readable = question.qname.write(&mut JsonText(out));
    let name = start..out.len();
    match (question.qtype, question.qclass) {
        (Rtype::A, Class::IN) => out.extend_from_slice(b"\",\"qtype\":\"A\",\"qclass\":\"IN\""),
        (Rtype::AAAA, Class::IN) => out.extend_from_slice(b"\",\"qtype\":\"AAAA\",\"qclass\":\"IN\""),
        (Rtype::HTTPS, Class::IN) => out.extend_from_slice(b"\",\"qtype\":\"HTTPS\",\"qclass\":\"IN\""),
        (Rtype::PTR, Class::IN) => out.extend_from_slice(b"\",\"qtype\":\"PTR\",\"qclass\":\"IN\""),
        (qtype, qclass) => {
            out.extend_from_slice(b"\",\"qtype\":\"");
            qtype.write(out);
            out.extend_from_slice(b"\",\"qclass\":\"");
            qclass.write(out);
            out.push(b'"');
        }
    }
    name
}

/// Appends one of several questions.
fn write_question(question: &Question<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"name\":\"");
    // A question that was counted has a readable name.
    let _readable = question.qname.write(&mut JsonText(out));
    out.extend_from_slice(b"\",\"type\":\"");
    question.qtype.write(out);
    out.extend_from_slice(b"\",\"class\":\"");
    question.qclass.write(out);
    out.extend_from_slice(b"\"}");
}

/// The header bits that are shown, in this order: RFC 1035 section 4.1.1, RFC 4035 sections 3.2.2 and 3.2.3.
pub(crate) const FLAGS: [&str; 6] = ["aa", "tc", "rd", "ra", "ad", "cd"];

/// The bits of a header that [`FLAGS`] names, the first as the lowest.
pub(crate) fn flag_bits(header: &Header) -> usize {
    let bits = [header.aa(), header.tc(), header.rd(), header.ra(), header.ad(), header.cd()];
    bits.into_iter().enumerate().fold(0, |set, (index, bit)| set | usize::from(bit) << index)
}

/// The `flags` field for a set of bits.
fn flags(bits: usize) -> Vec<u8> {
    let names: Vec<_> = (0..FLAGS.len()).filter(|index| bits >> index & 1 == 1).map(|index| FLAGS[index]).collect();
    let list = if names.is_empty() { String::new() } else { format!("\"{}\"", names.join("\",\"")) };
    format!(",\"flags\":[{list}]").into_bytes()
}

/// The additional records without the one that is shown as `edns`. RFC 6891 section 6.1.1 allows no OPT but that one; what
/// is there against it is shown as any other record.
pub(crate) fn without_edns<'a>(additionals: impl Iterator<Item = Record<'a>>) -> impl Iterator<Item = Record<'a>> {
    let mut is_further = false;
    additionals.filter(move |record| record.rtype != Rtype::OPT || std::mem::replace(&mut is_further, true))
}

fn section<'a>(key: &[u8], records: impl Iterator<Item = Record<'a>>, names: &mut Names, out: &mut Vec<u8>) {
    let mut separator = key;
    let mut last = None;
    for record in records {
        out.extend_from_slice(separator);
        // The records of an RRset differ only in their RDATA.
        let set = (record.owner.place(), record.rtype, record.class, record.ttl);
        match last {
            Some((same, ref range)) if same == set => out.extend_from_within(Range::clone(range)),
            _ => {
                let start = out.len();
                write_set(&record, names, out);
                last = Some((set, start..out.len()));
            }
        }
        write_rdata(&record, names, out);
        separator = b",";
    }
    if separator == b"," {
        out.push(b']');
    }
}

/// Appends what the records of an RRset have in common.
fn write_set(record: &Record<'_>, names: &mut Names, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"name\":\"");
    names.write(&record.owner, out);
    write_type(record.rtype, out);
    if record.class != Class::IN {
        out.extend_from_slice(b"\",\"class\":\"");
        record.class.write(out);
    }
    json::number(out, b"\",\"ttl\":", u64::from(record.ttl));
    out.extend_from_slice(b",\"rdata\":\"");
}

/// Appends a record's type. The frequent ones have a line each, so that their length is known and no call copies them.
#[inline]
fn write_type(rtype: Rtype, out: &mut Vec<u8>) {
    match rtype {
        Rtype::A => out.extend_from_slice(b"\",\"type\":\"A"),
        Rtype::AAAA => out.extend_from_slice(b"\",\"type\":\"AAAA"),
        Rtype::CNAME => out.extend_from_slice(b"\",\"type\":\"CNAME"),
        Rtype::NS => out.extend_from_slice(b"\",\"type\":\"NS"),
        Rtype::SOA => out.extend_from_slice(b"\",\"type\":\"SOA"),
        Rtype::RRSIG => out.extend_from_slice(b"\",\"type\":\"RRSIG"),
        _ => {
            out.extend_from_slice(b"\",\"type\":\"");
            rtype.write(out);
        }
    }
}

fn write_rdata(record: &Record<'_>, names: &mut Names, out: &mut Vec<u8>) {
    // The next record's owner is often the name that this one leads to, so it goes through the names.
    if !record.rdata.name().is_some_and(|name| names.write(&name, out)) {
        record.rdata.write(&mut JsonText(out));
    }
    out.extend_from_slice(b"\"}");
}

fn malformed(transaction: &Transaction<'_>, out: &mut Vec<u8>) {
    let mut separator = ",\"malformed\":\"";
    for damage in damages(transaction) {
        out.extend_from_slice(separator.as_bytes());
        out.extend_from_slice(damage.as_bytes());
        separator = "; ";
    }
    if separator == "; " {
        out.push(b'"');
    }
}

/// Where messages broke off, one text for each. Damage is rare, so `Display` may cost what it costs; its text holds no
/// quote, backslash or control byte.
pub(crate) fn damages(transaction: &Transaction<'_>) -> impl Iterator<Item = String> {
    let messages = [("query", transaction.query), ("response", transaction.response)];
    messages.into_iter().filter_map(|(name, observed)| {
        let observed = observed?;
        let broken = damage(observed.message)?;
        let cut = if observed.missing > 0 {
            format!(" ({} bytes were not captured)", observed.missing)
        } else {
            String::new()
        };
        Some(format!("{name}: {broken}{cut}"))
    })
}

/// Where a message or its EDNS options broke off.
fn damage(message: &Message<'_>) -> Option<String> {
    if let Some(broken) = message.malformed() {
        return Some(broken.to_string());
    }
    if !message.has_options() {
        return None;
    }
    message.opt()?.options().find_map(Result::err).map(|error| error.to_string())
}
