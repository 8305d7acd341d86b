//! Batches, deliveries, and what a topic holds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pdns_packet::time::Timestamp;
use pdns_record::{Encoding, Layout};
use pdns_rigs::kafka::{Broker, Message};
use pdns_sink::kafka::{Config, Kafka};
use pdns_sink::{Batch, Delivery, Outcome, RecordId, Sink};

pub(crate) const JSON: Encoding = Encoding::json(Layout::Transaction);

/// How long a machine that is busy may take for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The broker that tests share, or a line that says that there is none.
pub(crate) fn shared() -> Option<Arc<Broker>> {
    pdns_rigs::or_skip(Broker::shared())
}

/// Settings for a topic behind a port of 127.0.0.1, with short times.
pub(crate) fn config(port: u16, topic: &str) -> Config {
    Config { connect_timeout: Duration::from_secs(5), ..Config::new(vec![format!("127.0.0.1:{port}")], topic, JSON) }
}

/// Records `first..last`, each of one of a hundred clients, of about `size` bytes.
pub(crate) fn batch(numbers: std::ops::Range<u32>, size: usize) -> Arc<Batch> {
    let mut batch = Batch::new(JSON, true);
    for number in numbers {
        let client = [192, 0, 2, (number % 100) as u8].into();
        batch.write_each(Timestamp::default(), client, id(number), |bytes, ended| {
            bytes.extend_from_slice(record(number, size).as_bytes());
            bytes.push(b'\n');
            ended(bytes.len());
        });
    }
    Arc::new(batch)
}

/// The record of a number, without its line feed.
pub(crate) fn record(number: u32, size: usize) -> String {
    let text = format!(r#"{{"client":"192.0.2.{}","number":{number},"#, number % 100);
    let filling = size.saturating_sub(text.len() + 9);
    format!("{text}\"fill\":\"{}\"}}", "x".repeat(filling))
}

pub(crate) fn id(number: u32) -> RecordId {
    let first = u128::from_be_bytes(RecordId::first(0x0123_4567_89ab_cdef, 3).to_bytes());
    RecordId::from_bytes((first + u128::from(number)).to_be_bytes())
}

/// Delivers once and waits for the outcome.
pub(crate) fn deliver(sink: &mut Kafka, batch: &Arc<Batch>) -> Outcome {
    let (delivery, outcome) = Delivery::alone(Arc::clone(batch));
    sink.submit(delivery);
    outcome.recv_timeout(PATIENCE).expect("every delivery has an outcome")
}

/// Delivers again and again until everything is taken, as the frame does; returns how many tries it took.
pub(crate) fn deliver_all(sink: &mut Kafka, batch: &Arc<Batch>) -> u32 {
    let start = Instant::now();
    let mut rest = Arc::clone(batch);
    for tries in 1.. {
        match deliver(sink, &rest) {
            Outcome::Delivered => return tries,
            Outcome::Retry(_) => {}
            Outcome::Partly(partly) => {
                assert!(partly.refused.is_empty(), "{partly:?}");
                rest = Arc::new(rest.select(&partly.again));
            }
            outcome => panic!("{outcome:?}"),
        }
        assert!(start.elapsed() < PATIENCE, "not everything was taken");
        std::thread::sleep(Duration::from_millis(100));
    }
    unreachable!("numbers do not end")
}

/// Why a delivery should be tried again only once somebody has done something.
pub(crate) fn stopped(outcome: Outcome) -> String {
    match outcome {
        Outcome::Stop(failure) => failure.reason,
        outcome => panic!("{outcome:?}"),
    }
}

/// Asserts that exactly these records are there, duplicates only with the id of the first; returns how many there are
/// besides.
pub(crate) fn assert_all(read: &[Message], numbers: std::ops::Range<u32>, size: usize) -> usize {
    let mut ids = BTreeMap::new();
    for read in read {
        let [(name, id)] = &read.headers[..] else { panic!("{read:?}") };
        assert_eq!(name, "pdns-id");
        let known = ids.entry(id.clone()).or_insert_with(|| read.text().to_owned());
        assert_eq!(known, read.text(), "an id has two records");
    }
    let expected = numbers.clone().map(|number| (id(number).to_string().into_bytes(), record(number, size)));
    assert_eq!(ids, expected.collect(), "not the records that were sent");
    read.len() - numbers.len()
}
