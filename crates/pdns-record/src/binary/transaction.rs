//! Layout `transaction`: the fields of `crate::transaction`, in the same order.

use pdns_packet::dns::{Class, Message, Question, Record};
use pdns_packet::text::Text;
use pdns_packet::time::Rfc3339;
use pdns_track::{Status, Transaction};

use super::map::Map;
use super::{Form, Fragments, edns, shown_time, write_name};
use crate::Layout;
use crate::damage::damages;
use crate::shown::Shown;
use crate::transaction::{FLAG_NAMES, asking, carrier, flag_bits, without_edns};

pub(super) fn encode<F: Form>(
    fragments: &Fragments,
    clock: &mut Rfc3339,
    transaction: &Transaction<'_>,
    shown: &Shown,
    out: &mut Vec<u8>,
    ended: &mut dyn FnMut(usize),
) {
    F::begin(Layout::Transaction, shown_time(transaction), out);
    Map::<F>::write(out, |fields| {
        fields.encoded("sensor", &fragments.sensor);
        fields.text("status", |out| out.extend_from_slice(transaction.status.name().as_bytes()));
        times(clock, transaction, fields);
        ends(transaction, fields);
        header(transaction, fields);
        question(transaction, shown, fields);
        messages(transaction, fields);
        sections(transaction, shown, fields);
        // Damage is rare: its text may cost what it costs.
        let damage = damages(transaction, shown).reduce(|one, other| one + "; " + &other);
        fields.optional_text("malformed", damage, |out, damage| out.extend_from_slice(damage.as_bytes()));
    });
    ended(out.len());
}

fn times<F: Form>(clock: &mut Rfc3339, transaction: &Transaction<'_>, fields: &mut Map<'_, F>) {
    let (query, response) = (transaction.query, transaction.response);
    fields.optional("query_time", query, |out, query| F::time(clock, query.time, out));
    fields.optional("response_time", response, |out, response| F::time(clock, response.time, out));
    let elapsed = match (transaction.status, query, response) {
        (Status::Answered, Some(query), Some(response)) => Some(response.time.since(query.time)),
        _ => None,
    };
    fields.optional_number("elapsed_ns", elapsed);
}

fn ends<F: Form>(transaction: &Transaction<'_>, fields: &mut Map<'_, F>) {
    fields.text("client", |out| out.ip(transaction.client));
    fields.number("client_port", transaction.client_port);
    fields.text("server", |out| out.ip(transaction.server));
    fields.number("server_port", transaction.server_port);
    fields.text("transport", |out| out.extend_from_slice(transaction.transport.name().as_bytes()));
    fields.list("vlan", transaction.vlan.iter(), |out, id| F::number(i64::from(id), out));
}

fn header<F: Form>(transaction: &Transaction<'_>, fields: &mut Map<'_, F>) {
    // The state machine never hands out a transaction without a message.
    let Some(shown) = transaction.response.or(transaction.query) else { return };
    fields.number("id", shown.message.header().id);
    fields.text("opcode", |out| shown.message.opcode().write(out));
    let rcode = transaction.response.map(|response| response.message.rcode());
    fields.optional_text("rcode", rcode, |out, rcode| rcode.write(out));
}

fn question<F: Form>(transaction: &Transaction<'_>, shown: &Shown, fields: &mut Map<'_, F>) {
    let message = asking(transaction);
    let first = message.and_then(Message::question);
    fields.optional_text("qname", first, |out, first| write_name(&first.qname, out));
    fields.optional_text("qtype", first, |out, first| first.qtype.write(out));
    fields.optional_text("qclass", first, |out, first| first.qclass.write(out));
    let several = message.map(Message::questions).filter(|questions| questions.len() > 1);
    fields.list(
        "questions",
        several.into_iter().flat_map(|questions| questions.at_most(shown.questions)),
        |out, question| {
            write_question::<F>(&question, out);
        },
    );
}

fn write_question<F: Form>(question: &Question<'_>, out: &mut Vec<u8>) {
    Map::<F>::write(out, |fields| {
        fields.text("name", |out| write_name(&question.qname, out));
        fields.text("type", |out| question.qtype.write(out));
        fields.text("class", |out| question.qclass.write(out));
    });
}

fn messages<F: Form>(transaction: &Transaction<'_>, fields: &mut Map<'_, F>) {
    let (query, response) = (transaction.query, transaction.response);
    let bits = response.or(query).map_or(0, |shown| flag_bits(shown.message.header()));
    let set = FLAG_NAMES.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
    fields.array("flags", set, |out, (_, name)| {
        super::write_text::<F>(out, |out| out.extend_from_slice(name.as_bytes()));
    });
    fields.optional_number("query_bytes", query.map(|query| query.wire_len() as i64));
    fields.optional_number("response_bytes", response.map(|response| response.wire_len() as i64));
    if transaction.retransmits > 0 || !F::NAMED {
        fields.number("retransmits", transaction.retransmits);
    }
}

fn sections<F: Form>(transaction: &Transaction<'_>, shown: &Shown, fields: &mut Map<'_, F>) {
    let Some(last) = transaction.response.or(transaction.query) else { return };
    let carrier = carrier(transaction, last);
    fields.list("answers", carrier.answers().at_most(shown.answers), |out, record| write_record::<F>(&record, out));
    fields.list("authorities", carrier.authorities().at_most(shown.authorities), |out, record| {
        write_record::<F>(&record, out);
    });
    let additionals = without_edns(carrier.additionals().at_most(shown.additionals));
    fields.list("additionals", additionals, |out, record| write_record::<F>(&record, out));
    fields.optional("edns", last.message.opt(), |out, opt| edns::write::<F>(&opt, out));
}

fn write_record<F: Form>(record: &Record<'_>, out: &mut Vec<u8>) {
    Map::<F>::write(out, |fields| {
        fields.text("name", |out| write_name(&record.owner, out));
        fields.text("type", |out| record.rtype.write(out));
        if record.class != Class::IN || !F::NAMED {
            fields.text("class", |out| record.class.write(out));
        }
        fields.number("ttl", record.ttl);
        fields.text("rdata", |out| record.rdata.write(out));
    });
}
