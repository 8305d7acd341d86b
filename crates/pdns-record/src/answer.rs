//! Layout `answer`: one line for each answer record, with gopassivedns's fields in gopassivedns's order.

use pdns_packet::dns::{Message, Rcode, Record};
use pdns_packet::text::Text;
use pdns_packet::time::Rfc3339;
use pdns_track::{Status, Transaction, Transport};

use crate::draft::Draft;
use crate::json;
use crate::shown::Shown;
use crate::transaction::asking;

/// What all lines have in common.
#[derive(Clone, Debug)]
pub(crate) struct Fragments {
    /// From the client's port to the length.
    level: Vec<u8>,
    /// From the flags to the end, by the number of the status.
    ends: [Vec<u8>; Status::ALL.len()],
}

impl Fragments {
    /// Both are JSON strings with their quotes.
    pub(crate) fn new(sensor: &[u8], level: &[u8]) -> Self {
        let end = |status: Status| {
            let status = status.name().as_bytes();
            [b",\"status\":\"", status, b"\",\"sensor\":", sensor, b"}\n"].concat()
        };
        Self { level: [b"\",\"level\":", level, b",\"bytes\":"].concat(), ends: Status::ALL.map(end) }
    }
}

pub(crate) fn encode(
    fragments: &Fragments,
    clock: &mut Rfc3339,
    transaction: &Transaction<'_>,
    shown: &Shown,
    out: &mut Draft,
) -> u64 {
    let response = transaction.response.map(|response| response.message);
    let mut lines = Lines { head: 0..0, tail: 0..0, count: 0 };
    for record in response.into_iter().flat_map(|response| response.answers().at_most(shown.answers)) {
        if out.is_too_long() {
            break;
        }
        lines.begin(transaction, out);
        write_record(&record, out);
        lines.end(fragments, clock, transaction, out);
    }
    let rcode = response.map_or(Rcode::NOERROR, Message::rcode);
    if lines.count == 0 || rcode != Rcode::NOERROR {
        lines.begin(transaction, out);
        out.plain(b"\"a\":\"");
        if rcode != Rcode::NOERROR {
            rcode.write(out);
        }
        out.plain(b"\",\"atype\":\"\",\"ttl\":0");
        lines.end(fragments, clock, transaction, out);
    }
    lines.count
}

/// The lines of one transaction differ only in the middle: the first is written out, the others copy both ends of it.
struct Lines {
    head: std::ops::Range<usize>,
    tail: std::ops::Range<usize>,
    count: u64,
}

impl Lines {
    fn begin(&mut self, transaction: &Transaction<'_>, out: &mut Draft) {
        if self.count > 0 {
            return out.repeat::<128>(self.head.clone());
        }
        let start = out.len();
        head(transaction, out);
        self.head = start..out.len();
    }

    fn end(&mut self, fragments: &Fragments, clock: &mut Rfc3339, transaction: &Transaction<'_>, out: &mut Draft) {
        self.count += 1;
        if self.count > 1 {
            return out.repeat::<128>(self.tail.clone());
        }
        let start = out.len();
        tail(fragments, clock, transaction, out);
        self.tail = start..out.len();
    }
}

fn head(transaction: &Transaction<'_>, out: &mut Draft) {
    let shown = transaction.response.or(transaction.query);
    let id = shown.map_or(0, |shown| shown.message.header().id);
    out.number_field(b"{\"query_id\":", u64::from(id));
    out.plain(b",\"rcode\":");
    match transaction.response {
        Some(response) => out.number(u64::from(response.message.rcode().0)),
        None => out.plain(b"-1"),
    }
    out.plain(b",\"q\":\"");
    let question = asking(transaction).and_then(Message::question);
    if let Some(question) = question {
        // A question that was counted has a readable name.
        let _readable = question.qname.write(out);
        out.names().clear();
    }
    out.plain(b"\",\"qtype\":\"");
    if let Some(question) = question {
        question.qtype.write(out);
    }
    out.plain(b"\",");
}

fn write_record(record: &Record<'_>, out: &mut Draft) {
    out.plain(b"\"a\":\"");
    record.rdata.write(out);
    out.plain(b"\",\"atype\":\"");
    record.rtype.write(out);
    out.number_field(b"\",\"ttl\":", u64::from(record.ttl));
}

fn tail(fragments: &Fragments, clock: &mut Rfc3339, transaction: &Transaction<'_>, out: &mut Draft) {
    let (query, response) = (transaction.query, transaction.response);
    out.plain(b",\"dst\":\"");
    out.ip(transaction.server);
    out.plain(b"\",\"src\":\"");
    out.ip(transaction.client);
    out.plain(b"\",\"tstamp\":\"");
    if let Some(shown) = response.or(query) {
        clock.write(shown.time, out);
    }
    out.plain(b"\",\"elapsed\":");
    match (transaction.status, query, response) {
        (Status::Answered, Some(query), Some(response)) => json::signed(out, response.time.since(query.time)),
        _ => out.plain(b"0"),
    }
    out.number_field(b",\"sport\":\"", u64::from(transaction.client_port));
    out.plain(&fragments.level);
    let bytes = match (response, transaction.transport) {
        (None, _) => 0,
        (Some(response), Transport::Udp) => u64::from(response.frame_len),
        (Some(response), Transport::Tcp) => response.wire_len() as u64 + 2,
    };
    out.number(bytes);
    out.plain(b",\"protocol\":\"");
    out.plain(transaction.transport.name().as_bytes());
    let answered = response.map(|response| response.message.header());
    let asked = query.map(|query| query.message.header()).or(answered);
    let flags: [(&[u8], bool); 4] = [
        (b"\",\"truncated\":", answered.is_some_and(|header| header.tc())),
        (b",\"aa\":", answered.is_some_and(|header| header.aa())),
        (b",\"rd\":", asked.is_some_and(|header| header.rd())),
        (b",\"ra\":", answered.is_some_and(|header| header.ra())),
    ];
    for (key, set) in flags {
        out.plain(key);
        out.plain(if set { b"true" } else { b"false" });
    }
    out.plain(&fragments.ends[transaction.status as usize]);
}
