//! Layout `answer`: the fields of `crate::answer`, in the same order.

use std::ops::Range;

use pdns_packet::dns::{Message, Rcode, Record};
use pdns_packet::text::Text;
use pdns_packet::time::Rfc3339;
use pdns_track::{Status, Transaction, Transport};

use super::map::Map;
use super::{Form, Fragments, shown_time, write_name};
use crate::Layout;
use crate::shown::Shown;
use crate::transaction::asking;

/// How many fields a record has.
const FIELDS: usize = 21;

pub(super) fn encode<F: Form>(
    fragments: &Fragments,
    clock: &mut Rfc3339,
    transaction: &Transaction<'_>,
    shown: &Shown,
    out: &mut Vec<u8>,
    ended: &mut dyn FnMut(usize),
) {
    let response = transaction.response.map(|response| response.message);
    let mut records = Records::default();
    for record in response.into_iter().flat_map(|response| response.answers().at_most(shown.answers)) {
        records.write::<F>(fragments, clock, transaction, out, |fields| write_record(&record, fields));
        ended(out.len());
    }
    let rcode = response.map_or(Rcode::NOERROR, Message::rcode);
    if records.is_first() || rcode != Rcode::NOERROR {
        records.write::<F>(fragments, clock, transaction, out, |fields| write_end(rcode, fields));
        ended(out.len());
    }
}

/// The records of one transaction differ only in the middle: the first is written out, the others copy both ends of it.
#[derive(Default)]
struct Records {
    head: Range<usize>,
    tail: Range<usize>,
}

impl Records {
    /// Whether there is none yet.
    fn is_first(&self) -> bool {
        self.head.is_empty()
    }

    fn write<F: Form>(
        &mut self,
        fragments: &Fragments,
        clock: &mut Rfc3339,
        transaction: &Transaction<'_>,
        out: &mut Vec<u8>,
        middle: impl FnOnce(&mut Map<'_, F>),
    ) {
        let start = out.len();
        if self.is_first() {
            head::<F>(transaction, out);
            self.head = start..out.len();
            middle(&mut Map::part(out));
            let end = out.len();
            tail(fragments, clock, transaction, &mut Map::<F>::part(out));
            self.tail = end..out.len();
        } else {
            out.extend_from_within(self.head.clone());
            middle(&mut Map::part(out));
            out.extend_from_within(self.tail.clone());
        }
    }
}

fn head<F: Form>(transaction: &Transaction<'_>, out: &mut Vec<u8>) {
    F::begin(Layout::Answer, shown_time(transaction), out);
    if F::NAMED {
        out.push(0);
        F::map_length(FIELDS, out.len() - 1, out);
    }
    let mut fields = Map::<F>::part(out);
    let shown = transaction.response.or(transaction.query);
    fields.number("query_id", shown.map_or(0, |shown| shown.message.header().id));
    let rcode = transaction.response.map(|response| response.message.rcode().0);
    fields.number("rcode", rcode.map_or(-1, i64::from));
    let question = asking(transaction).and_then(Message::question);
    fields.text("q", |out| {
        if let Some(question) = question {
            write_name(&question.qname, out);
        }
    });
    fields.text("qtype", |out| {
        if let Some(question) = question {
            question.qtype.write(out);
        }
    });
}

fn write_record<F: Form>(record: &Record<'_>, fields: &mut Map<'_, F>) {
    fields.text("a", |out| record.rdata.write(out));
    fields.text("atype", |out| record.rtype.write(out));
    fields.number("ttl", record.ttl);
}

fn write_end<F: Form>(rcode: Rcode, fields: &mut Map<'_, F>) {
    fields.text("a", |out| {
        if rcode != Rcode::NOERROR {
            rcode.write(out);
        }
    });
    fields.text("atype", |_| ());
    fields.number("ttl", 0);
}

fn tail<F: Form>(fragments: &Fragments, clock: &mut Rfc3339, transaction: &Transaction<'_>, fields: &mut Map<'_, F>) {
    let (query, response) = (transaction.query, transaction.response);
    fields.text("dst", |out| out.ip(transaction.server));
    fields.text("src", |out| out.ip(transaction.client));
    fields.text("tstamp", |out| clock.write(shown_time(transaction), out));
    let elapsed = match (transaction.status, query, response) {
        (Status::Answered, Some(query), Some(response)) => response.time.since(query.time),
        _ => 0,
    };
    fields.number("elapsed", elapsed);
    fields.text("sport", |out| out.number(u64::from(transaction.client_port)));
    fields.encoded("level", &fragments.level);
    let bytes = match (response, transaction.transport) {
        (None, _) => 0,
        (Some(response), Transport::Udp) => i64::from(response.frame_len),
        (Some(response), Transport::Tcp) => response.wire_len() as i64 + 2,
    };
    // Avro's schema has 32 bits, as gopassivedns's. Only a forged capture file tells of longer frames.
    fields.number("bytes", if F::NAMED { bytes } else { bytes.min(i64::from(i32::MAX)) });
    fields.text("protocol", |out| out.extend_from_slice(transaction.transport.name().as_bytes()));
    let answered = response.map(|response| response.message.header());
    let asked = query.map(|query| query.message.header()).or(answered);
    fields.boolean("truncated", answered.is_some_and(|header| header.tc()));
    fields.boolean("aa", answered.is_some_and(|header| header.aa()));
    fields.boolean("rd", asked.is_some_and(|header| header.rd()));
    fields.boolean("ra", answered.is_some_and(|header| header.ra()));
    fields.text("status", |out| out.extend_from_slice(transaction.status.name().as_bytes()));
    fields.encoded("sensor", &fragments.sensor);
}
