//! Layout `transaction`: one line for each transaction.

use std::net::IpAddr;
use std::ops::Range;

use pdns_packet::bytes;
use pdns_packet::dns::{Class, Header, Message, Opcode, Question, Questions, Rcode, Record, Records, Rtype};
use pdns_packet::text::Text;
use pdns_packet::time::Rfc3339;
use pdns_track::{Observed, Status, Transaction, Transport};

use crate::damage;
use crate::draft::{Draft, Fragment, remember};
use crate::edns;
use crate::json;
use crate::shown::Shown;

/// What many lines have in common.
#[derive(Clone, Debug)]
pub(crate) struct Fragments {
    /// The beginning of a line, by the number of its status.
    heads: [Head; Status::ALL.len()],
    servers: Servers,
    edns: edns::Fragments,
}

/// The beginning of a line.
#[derive(Clone, Debug)]
struct Head {
    text: Vec<u8>,
    /// The same, unless the sensor's name is too long for it.
    fragment: Fragment<64>,
}

impl Head {
    fn new(text: Vec<u8>) -> Self {
        Self { fragment: Fragment::of(&[&text]), text }
    }

    #[inline]
    fn write(&self, out: &mut Draft) {
        if self.fragment.is_empty() {
            out.plain(&self.text);
        } else {
            out.fragment(&self.fragment);
        }
    }
}

impl Fragments {
    /// `sensor` is a JSON string with its quotes.
    pub(crate) fn new(sensor: &[u8]) -> Self {
        let head = |status: Status| {
            let status = status.name().as_bytes();
            Head::new([b"{\"sensor\":", sensor, b",\"status\":\"", status].concat())
        };
        Self { heads: Status::ALL.map(head), servers: Servers::default(), edns: edns::Fragments::default() }
    }
}

pub(crate) fn encode(
    fragments: &mut Fragments,
    clock: &mut Rfc3339,
    transaction: &Transaction<'_>,
    shown: &Shown,
    out: &mut Draft,
) {
    fragments.heads[transaction.status as usize].write(out);
    times(clock, transaction, out);
    ends(&mut fragments.servers, transaction, out);
    // The state machine never hands out a transaction without a message.
    let Some(last) = transaction.response.or(transaction.query) else {
        out.plain(b"}\n");
        return;
    };
    header(transaction, last, out);
    let carrier = carrier(transaction, last);
    question(transaction, carrier, shown.questions, out);
    out.fragment(&FLAGS[usize::from(last.message.header().flags >> FLAGS_SHIFT) % FLAGS.len()]);
    if let Some(query) = transaction.query {
        out.small_number_field(b",\"query_bytes\":", query.wire_len() as u64);
    }
    if let Some(response) = transaction.response {
        out.small_number_field(b",\"response_bytes\":", response.wire_len() as u64);
    }
    if transaction.retransmits > 0 {
        out.number_field(b",\"retransmits\":", u64::from(transaction.retransmits));
    }
    section(&ANSWERS, carrier.answers().at_most(shown.answers), false, out);
    section(&AUTHORITIES, carrier.authorities().at_most(shown.authorities), false, out);
    if !carrier.has_only_opt() {
        section(&ADDITIONALS, carrier.additionals().at_most(shown.additionals), true, out);
    }
    if let Some(opt) = last.message.opt() {
        fragments.edns.write(&opt, out);
    }
    damage::write(transaction, shown, out);
    out.plain(b"}\n");
}

/// The message whose sections are shown. UPDATE (RFC 2136 section 3.8) and NOTIFY (RFC 1996 section 3.7) carry theirs
/// in the request, and their responses need not repeat them.
pub(crate) fn carrier<'a>(transaction: &Transaction<'a>, shown: &Observed<'a>) -> &'a Message<'a> {
    match transaction.query {
        Some(query) if matches!(query.message.opcode(), Opcode::UPDATE | Opcode::NOTIFY) => query.message,
        _ => shown.message,
    }
}

/// Whether both ask the same and spell it alike, case and all, without pointers that could lead apart.
fn is_repeated(asking: &Message<'_>, carrier: &Message<'_>) -> bool {
    match (asking.uncompressed_question(), carrier.uncompressed_question()) {
        (Some(asked), Some(repeated)) => bytes::equal(asked, repeated),
        _ => false,
    }
}

/// The message whose question is the transaction's: the query, unless only the response has one.
pub(crate) fn asking<'a>(transaction: &Transaction<'a>) -> Option<&'a Message<'a>> {
    let messages = [transaction.query, transaction.response].into_iter().flatten().map(|observed| observed.message);
    messages.into_iter().find(|message| message.question().is_some())
}

fn times(clock: &mut Rfc3339, transaction: &Transaction<'_>, out: &mut Draft) {
    if let Some(query) = transaction.query {
        out.plain(b"\",\"query_time\":\"");
        clock.write(query.time, out);
    }
    if let Some(response) = transaction.response {
        out.plain(b"\",\"response_time\":\"");
        clock.write(response.time, out);
    }
    if let (Status::Answered, Some(query), Some(response)) =
        (transaction.status, transaction.query, transaction.response)
    {
        out.plain(b"\",\"elapsed_ns\":");
        json::signed(out, response.time.since(query.time));
        out.plain(b",\"client\":\"");
    } else {
        out.plain(b"\",\"client\":\"");
    }
}

/// How many servers' fragments are remembered; a power of two.
const SERVERS: usize = 64;

/// The part of the line about the server, for the servers seen last: a sensor sees few of them.
#[derive(Clone, Debug)]
struct Servers([(Server, Fragment<96>); SERVERS]);

/// What tells servers apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Server {
    address: u128,
    /// Port, transport, and whether the address is IPv6.
    rest: u32,
}

impl Server {
    #[inline]
    fn of(transaction: &Transaction<'_>) -> Self {
        let (address, version) = match transaction.server {
            IpAddr::V4(address) => (address.to_bits().into(), 0),
            IpAddr::V6(address) => (address.to_bits(), 1 << 17),
        };
        let transport = u32::from(transaction.transport == Transport::Tcp) << 16;
        Self { address, rest: u32::from(transaction.server_port) | transport | version }
    }

    /// Its place among [`Servers`]: servers often differ in one byte, wherever that is.
    #[inline]
    const fn place(self) -> usize {
        let [high, low] = [(self.address >> 64) as u64, self.address as u64];
        let mixed = (high ^ low ^ self.rest as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> (u64::BITS - SERVERS.ilog2())) as usize
    }
}

impl Default for Servers {
    fn default() -> Self {
        // No server has such a number.
        Self([(Server { address: 0, rest: u32::MAX }, Fragment::EMPTY); SERVERS])
    }
}

impl Servers {
    #[inline]
    fn write(&mut self, transaction: &Transaction<'_>, out: &mut Draft) {
        let server = Server::of(transaction);
        let (known, text) = &mut self.0[server.place() % SERVERS];
        if *known == server {
            return out.fragment(text);
        }
        let start = out.len();
        write_server(transaction, out);
        remember((known, text), server, out.text_from(start));
    }
}

#[cold]
fn write_server(transaction: &Transaction<'_>, out: &mut Draft) {
    out.plain(b",\"server\":\"");
    out.ip(transaction.server);
    out.number_field(b"\",\"server_port\":", u64::from(transaction.server_port));
    out.plain(b",\"transport\":\"");
    out.plain(transaction.transport.name().as_bytes());
    out.plain(b"\"");
}

fn ends(servers: &mut Servers, transaction: &Transaction<'_>, out: &mut Draft) {
    out.ip(transaction.client);
    out.number_field(b"\",\"client_port\":", u64::from(transaction.client_port));
    servers.write(transaction, out);
    if transaction.vlan.is_empty() {
        return;
    }
    let mut separator: &[u8] = b",\"vlan\":[";
    for id in transaction.vlan.iter() {
        out.number_field(separator, u64::from(id));
        separator = b",";
    }
    out.plain(b"]");
}

/// Opcode and rcode of a response to a query, by rcode.
const QUERY_RCODES: [Fragment<48>; 11] = {
    let mut table = [Fragment::EMPTY; 11];
    let mut rcode = 0;
    while rcode < table.len() {
        if let Some(name) = Rcode(rcode as u16).mnemonic() {
            table[rcode] = Fragment::of(&[b",\"opcode\":\"QUERY\",\"rcode\":\"", name.as_bytes(), b"\""]);
        }
        rcode += 1;
    }
    table
};

fn header(transaction: &Transaction<'_>, shown: &Observed<'_>, out: &mut Draft) {
    out.number_field(b",\"id\":", u64::from(shown.message.header().id));
    let opcode = shown.message.opcode();
    let rcode = transaction.response.map(|response| response.message.rcode());
    if let (Opcode::QUERY, Some(Rcode(rcode))) = (opcode, rcode)
        && let Some(fragment) = listed(&QUERY_RCODES, rcode)
    {
        return out.fragment(fragment);
    }
    out.plain(b",\"opcode\":\"");
    opcode.write(out);
    if let Some(rcode) = rcode {
        out.plain(b"\",\"rcode\":\"");
        rcode.write(out);
    }
    out.plain(b"\"");
}

/// The fragment for a registry number, unless it is not in the table.
#[inline]
fn listed<const N: usize>(table: &[Fragment<N>], number: u16) -> Option<&Fragment<N>> {
    table.get(usize::from(number)).filter(|fragment| !fragment.is_empty())
}

fn question(transaction: &Transaction<'_>, carrier: &Message<'_>, most: u16, out: &mut Draft) {
    let Some(asking) = asking(transaction) else { return };
    // Of two that are alike, the one that other names of the carrier may point to.
    let is_repeated = is_repeated(asking, carrier);
    let Some(first) = (if is_repeated { carrier.question() } else { asking.question() }) else { return };
    write_first_question(&first, out);
    let questions = asking.questions();
    if questions.len() > 1 {
        out.names().clear();
        write_questions(questions.at_most(most), out);
        out.names().clear();
    } else if !is_repeated {
        out.names().clear();
    }
}

/// How many types have fragments: up to HTTPS, which is the highest of the frequent ones.
const TYPES: usize = Rtype::HTTPS.0 as usize + 1;

/// A fragment for each type's name that fits between `before` and `after`.
const fn by_type(before: &[u8], after: &[u8]) -> [Fragment<32>; TYPES] {
    let mut table = [Fragment::EMPTY; TYPES];
    let mut rtype = 0;
    while rtype < TYPES {
        if let Some(name) = Rtype(rtype as u16).mnemonic() {
            table[rtype] = Fragment::of(&[before, name.as_bytes(), after]);
        }
        rtype += 1;
    }
    table
}

/// Behind a question's name, by type, in class IN.
static QUESTION_TYPES: [Fragment<32>; TYPES] = by_type(b"\",\"qtype\":\"", b"\",\"qclass\":\"IN\"");

/// Behind a record's owner, by type, in class IN.
static RECORD_TYPES: [Fragment<32>; TYPES] = by_type(b"\",\"type\":\"", b"\",\"ttl\":");

/// Appends the fields of the first question.
fn write_first_question(question: &Question<'_>, out: &mut Draft) {
    out.plain(b",\"qname\":\"");
    // A question that was counted has a readable name.
    let _readable = question.qname.write(out);
    match listed(&QUESTION_TYPES, question.qtype.0) {
        Some(fragment) if question.qclass == Class::IN => out.fragment(fragment),
        _ => {
            out.plain(b"\",\"qtype\":\"");
            question.qtype.write(out);
            out.plain(b"\",\"qclass\":\"");
            question.qclass.write(out);
            out.plain(b"\"");
        }
    }
}

/// Appends all of several questions.
#[cold]
fn write_questions(questions: Questions<'_>, out: &mut Draft) {
    let mut separator: &[u8] = b",\"questions\":[";
    for question in questions {
        if out.is_too_long() {
            break;
        }
        out.plain(separator);
        write_question(&question, out);
        separator = b",";
    }
    out.plain(b"]");
}

/// Appends one of several questions.
fn write_question(question: &Question<'_>, out: &mut Draft) {
    out.plain(b"{\"name\":\"");
    // A question that was counted has a readable name.
    let _readable = question.qname.write(out);
    out.plain(b"\",\"type\":\"");
    question.qtype.write(out);
    out.plain(b"\",\"class\":\"");
    question.qclass.write(out);
    out.plain(b"\"}");
}

/// The header bits that are shown, in this order: RFC 1035 section 4.1.1, RFC 4035 sections 3.2.2 and 3.2.3.
pub(crate) const FLAG_NAMES: [&str; 6] = ["aa", "tc", "rd", "ra", "ad", "cd"];

/// The bits of a header that [`FLAG_NAMES`] names, the first as the lowest.
pub(crate) const fn flag_bits(header: &Header) -> usize {
    let bits = [header.aa(), header.tc(), header.rd(), header.ra(), header.ad(), header.cd()];
    let (mut set, mut index) = (0, 0);
    while index < bits.len() {
        set |= (bits[index] as usize) << index;
        index += 1;
    }
    set
}

/// The lowest bit of a header's flags that is shown, CD, and how many there are from it to AA.
const FLAGS_SHIFT: u32 = 4;
const FLAGS_WIDTH: u32 = 7;

/// The `flags` field, by the bits of the header.
static FLAGS: [Fragment<48>; 1 << FLAGS_WIDTH] = {
    let mut table = [Fragment::EMPTY; 1 << FLAGS_WIDTH];
    let mut bits = 0;
    while bits < table.len() {
        let header = Header { id: 0, flags: (bits as u16) << FLAGS_SHIFT, counts: [0; 4] };
        table[bits] = flags(flag_bits(&header));
        bits += 1;
    }
    table
};

const fn flags(bits: usize) -> Fragment<48> {
    let mut parts: [&[u8]; 3 * FLAG_NAMES.len() + 2] = [b""; _];
    parts[0] = b",\"flags\":[";
    let mut separator: &[u8] = b"\"";
    let mut index = 0;
    while index < FLAG_NAMES.len() {
        if bits >> index & 1 == 1 {
            parts[3 * index + 1] = separator;
            parts[3 * index + 2] = FLAG_NAMES[index].as_bytes();
            parts[3 * index + 3] = b"\"";
            separator = b",\"";
        }
        index += 1;
    }
    parts[3 * FLAG_NAMES.len() + 1] = b"]";
    Fragment::of(&parts)
}

/// The additional records without the one that is shown as `edns`. RFC 6891 section 6.1.1 allows no OPT but that one; what
/// is there against it is shown as any other record.
pub(crate) fn without_edns<'a>(additionals: impl Iterator<Item = Record<'a>>) -> impl Iterator<Item = Record<'a>> {
    let mut is_further = false;
    additionals.filter(move |record| record.rtype != Rtype::OPT || std::mem::replace(&mut is_further, true))
}

/// What stands before the records of a section.
static ANSWERS: Fragment<32> = Fragment::of(&[b",\"answers\":["]);
static AUTHORITIES: Fragment<32> = Fragment::of(&[b",\"authorities\":["]);
static ADDITIONALS: Fragment<32> = Fragment::of(&[b",\"additionals\":["]);

#[inline]
fn section(key: &Fragment<32>, records: Records<'_>, is_additional: bool, out: &mut Draft) {
    if records.len() > 0 {
        write_records(key, records, is_additional, out);
    }
}

/// Appends the records of a section, of an additional one [without EDNS](without_edns).
#[inline(never)]
fn write_records(key: &Fragment<32>, records: Records<'_>, is_additional: bool, out: &mut Draft) {
    let mut is_edns_next = is_additional;
    let mut last = None;
    for record in records {
        if is_edns_next && record.rtype == Rtype::OPT {
            is_edns_next = false;
            continue;
        }
        if out.is_too_long() {
            break;
        }
        if last.is_none() {
            out.fragment(key);
        }
        // The records of an RRset differ only in their RDATA.
        let set = (record.owner.place(), record.rtype, record.class, record.ttl);
        match last {
            Some((same, ref range)) if same == set => out.repeat::<96>(Range::clone(range)),
            _ => {
                let start = out.len();
                write_set(&record, out);
                last = Some((set, start..out.len()));
            }
        }
        record.rdata.write(out);
        out.plain(b"\"},");
    }
    if last.is_some() {
        // In place of the last comma.
        out.overwrite(out.len() - 1, b']');
    }
}

/// Appends what the records of an RRset have in common.
#[inline(always)]
fn write_set(record: &Record<'_>, out: &mut Draft) {
    out.plain(b"{\"name\":\"");
    // An owner that was counted is readable.
    let _readable = record.owner.write(out);
    match listed(&RECORD_TYPES, record.rtype.0) {
        Some(fragment) if record.class == Class::IN => out.fragment(fragment),
        _ => write_type_and_class(record.rtype, record.class, out),
    }
    out.number(u64::from(record.ttl));
    out.plain(b",\"rdata\":\"");
}

#[cold]
fn write_type_and_class(rtype: Rtype, class: Class, out: &mut Draft) {
    out.plain(b"\",\"type\":\"");
    rtype.write(out);
    if class != Class::IN {
        out.plain(b"\",\"class\":\"");
        class.write(out);
    }
    out.plain(b"\",\"ttl\":");
}
