//! Records to send, and a sink to send them with.

use std::fs;
use std::sync::Arc;

use pdns_packet::dns::Message;
use pdns_packet::frame::VlanTags;
use pdns_packet::time::Timestamp;
use pdns_record::{Encoder, Encoding};
use pdns_rigs::workspace;
use pdns_sink::{Batch, Delivery, Outcome, RecordId, Sink};
use pdns_track::{Observed, Status, Transaction, Transport};

/// The time of the first record; each is a second after the one before.
pub(crate) const START: i64 = 1_585_917_601;

/// A batch of unanswered queries with these ids, in each of which the name is `NAME.example.com`.
pub(crate) fn batch(encoding: Encoding, ids: std::ops::Range<u16>, name: &str) -> Batch {
    let mut batch = Batch::new(encoding, true);
    let mut record = RecordId::first(7, 0);
    let mut encoder = Encoder::of(encoding, "ns1", "");
    for id in ids {
        let mut query = Vec::from(id.to_be_bytes());
        query.extend_from_slice(b"\x01\x00\0\x01\0\0\0\0\0\0");
        query.push(name.len() as u8);
        query.extend_from_slice(name.as_bytes());
        query.extend_from_slice(b"\x07example\x03com\0\0\x01\0\x01");
        let message = Message::parse(&query).unwrap();
        let time = Timestamp::new(START + i64::from(id), 123_456_789);
        let query = Observed { time, message: &message, missing: 0, frame_len: 71 };
        let transaction = Transaction {
            status: Status::Unanswered,
            client: [192, 0, 2, 1].into(),
            client_port: 40_000,
            server: [192, 0, 2, 53].into(),
            server_port: 53,
            transport: Transport::Udp,
            vlan: VlanTags::NONE,
            query: Some(&query),
            response: None,
            retransmits: 0,
        };
        record = batch.write_each(time, transaction.client, record, |bytes, ended| {
            encoder.encode(&transaction, bytes);
            ended(bytes.len());
        });
    }
    batch
}

/// All golden records in files of this name.
pub(crate) fn golden(encoding: Encoding, file: &str) -> Batch {
    let mut batch = Batch::new(encoding, true);
    let mut id = RecordId::first(8, 0);
    for case in fs::read_dir(workspace().join("fixtures/captures")).unwrap() {
        let text = fs::read_to_string(case.unwrap().path().join(file)).unwrap_or_default();
        for line in text.split_inclusive('\n') {
            id = batch.write_each(Timestamp::new(START, 0), [192, 0, 2, 1].into(), id, |bytes, ended| {
                bytes.extend_from_slice(line.as_bytes());
                ended(bytes.len());
            });
        }
    }
    batch
}

/// Delivers a batch once.
pub(crate) fn deliver(sink: &mut dyn Sink, batch: Batch) -> Outcome {
    let (delivery, outcome) = Delivery::alone(Arc::new(batch));
    sink.submit(delivery);
    outcome.recv().unwrap()
}
