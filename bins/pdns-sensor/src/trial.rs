//! `--test-sinks`: one marked record to each sink, and what became of it.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pdns_packet::dns::Message;
use pdns_packet::frame::VlanTags;
use pdns_packet::time::Timestamp;
use pdns_record::{Encoder, Encoding};
use pdns_sink::{Batch, Delivery, Log, Outcome, RecordId, Setup};
use pdns_track::{Observed, Status, Transaction, Transport};

use crate::settings::{Settings, SinkPlan};

/// A query for `test.pdns-sensor.invalid`, a name that nobody has (RFC 6761 section 6.4).
const QUERY: &[u8] = b"\0\0\x01\0\0\x01\0\0\0\0\0\0\x04test\x0bpdns-sensor\x07invalid\0\0\x10\0\x01";

/// How much longer than its own timeout a sink is waited for.
const GRACE: Duration = Duration::from_secs(5);

/// Tries all sinks, one after another: what happened, a line for each, and whether all took the record.
pub(crate) fn run(settings: &Settings, log: &Log) -> (String, bool) {
    let mut text = String::new();
    let mut all = true;
    for plan in &settings.sinks {
        let target = plan.setup(log).sink.target();
        let outcome = attempt(plan, settings, log);
        all &= outcome.is_ok();
        let outcome = outcome.map_or_else(|error| format!("failed: {error}"), |()| "took the record".to_owned());
        // Text takes everything.
        writeln!(text, "{} ({target}): {outcome}", plan.settings.name).ok();
    }
    if settings.sinks.is_empty() {
        text.push_str("there is no sink\n");
    }
    (text, all)
}

fn attempt(plan: &SinkPlan, settings: &Settings, log: &Log) -> Result<(), String> {
    let Setup { settings: frame, mut sink } = plan.setup(log);
    let needs = sink.needs();
    let batch = marked(settings, needs.encoding, needs.detailed);
    sink.start().map_err(|failure| failure.to_string())?;
    let (delivery, outcome) = Delivery::alone(Arc::new(batch));
    sink.submit(delivery);
    match outcome.recv_timeout(frame.timeout + GRACE) {
        Ok(Outcome::Delivered) => Ok(()),
        Ok(Outcome::Retry(failure) | Outcome::Split(failure) | Outcome::Refused(failure) | Outcome::Stop(failure)) => {
            Err(failure.to_string())
        }
        Ok(Outcome::Closed) => Err("the reader has gone".to_owned()),
        Ok(Outcome::Partly(partly)) => match (partly.refused.first(), partly.reason) {
            (Some((_, reason)), _) => Err(reason.clone()),
            (None, Some(failure)) => Err(failure.to_string()),
            (None, None) => Ok(()),
        },
        Ok(_) => Err("not taken".to_owned()),
        Err(RecvTimeoutError::Timeout) => Err(format!("no answer within {:?}", frame.timeout + GRACE)),
        Err(RecvTimeoutError::Disconnected) => Err("the delivery was abandoned".to_owned()),
    }
}

/// The record: an unanswered query from a documentation address (RFC 5737), at the time of the test.
fn marked(settings: &Settings, encoding: Encoding, detailed: bool) -> Batch {
    let mut batch = Batch::new(encoding, detailed);
    let Some(message) = Message::parse(QUERY) else { return batch };
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64);
    let query = Observed {
        time: Timestamp::from_nanos(nanos),
        message: &message,
        missing: 0,
        frame_len: QUERY.len() as u32 + 42,
    };
    let transaction = Transaction {
        status: Status::Unanswered,
        client: [192, 0, 2, 1].into(),
        client_port: 53_053,
        server: [192, 0, 2, 53].into(),
        server_port: 53,
        transport: Transport::Udp,
        vlan: VlanTags::NONE,
        query: Some(&query),
        response: None,
        retransmits: 0,
    };
    let mut encoder = Encoder::of(encoding, &settings.sensor, &settings.level);
    batch.write_each(query.time, transaction.client, RecordId::first(settings.run, 0), |bytes, ended| {
        encoder.encode_each(&transaction, bytes, ended);
    });
    batch
}
