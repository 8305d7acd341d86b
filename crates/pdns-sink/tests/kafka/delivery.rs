//! What arrives.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use pdns_packet::time::Timestamp;
use pdns_record::{Format, Layout};
use pdns_rigs::kafka::Broker;
use pdns_sink::kafka::{Compression, Config, Kafka, Partitioner};
use pdns_sink::{Batch, Outcome, RecordId, Sink};

use crate::util::{JSON, PATIENCE, assert_all, batch, config, deliver, id, shared};

#[test]
fn every_record_arrives_by_every_codec() {
    let Some(broker) = shared() else { return };
    for compression in Compression::ALL {
        let topic = format!("codec-{}", compression.name());
        broker.topic(&topic, 3, &[]);
        let mut sink = Kafka::new(Config { compression, ..config(broker.plain, &topic) });
        sink.start().unwrap();
        for part in [0..1, 1..700, 700..3000] {
            assert_eq!(deliver(&mut sink, &batch(part, 200)), Outcome::Delivered);
        }
        let read = broker.read(&topic);
        assert_eq!(assert_all(&read, 0..3000, 200), 0, "{topic}");
        // Of each client all are in one partition, in order.
        for client in 0..100 {
            let key = format!("192.0.2.{client}").into_bytes();
            let of_client: Vec<_> = read.iter().filter(|read| read.key.as_ref() == Some(&key)).collect();
            assert_eq!(of_client.len(), 30);
            assert_eq!(of_client.iter().map(|read| read.partition).collect::<BTreeSet<_>>().len(), 1);
            let numbers: Vec<u32> = of_client
                .iter()
                .map(|read| {
                    serde_json::from_slice::<serde_json::Value>(&read.value).unwrap()["number"].as_u64().unwrap()
                })
                .map(|number| number as u32)
                .collect();
            assert!(numbers.is_sorted(), "client {client}: {numbers:?}");
        }
    }
}

#[test]
fn bytes_of_avro_arrive_as_they_are() {
    let Some(broker) = shared() else { return };
    broker.topic("avro", 1, &[]);
    let encoding = pdns_record::Encoding { layout: Layout::Answer, format: Format::Avro };
    let mut sink = Kafka::new(Config { encoding, ..config(broker.plain, "avro") });
    let mut batch = Batch::new(encoding, true);
    let (mut id, values) = (RecordId::first(1, 0), [&b"\xc3\x01\x0a\n"[..], b"\n", b"", b"\0\xff"]);
    for value in values {
        id = batch.write_each(Timestamp::default(), [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into(), id, |bytes, ended| {
            bytes.extend_from_slice(value);
            ended(bytes.len());
        });
    }
    assert_eq!(deliver(&mut sink, &batch.into()), Outcome::Delivered);
    let read = broker.read("avro");
    assert_eq!(read.iter().map(|read| &read.value[..]).collect::<Vec<_>>(), values);
    assert!(read.iter().all(|read| read.key.as_deref() == Some(b"2001:db8::1")));
}

#[test]
fn batches_without_keys_go_to_the_partitions_in_turn() {
    let Some(broker) = shared() else { return };
    broker.topic("turns", 4, &[]);
    let mut sink = Kafka::new(Config { partitioner: Partitioner::RoundRobin, ..config(broker.plain, "turns") });
    for number in 0..8 {
        assert_eq!(deliver(&mut sink, &batch(number * 10..(number + 1) * 10, 50)), Outcome::Delivered);
    }
    let read = broker.read("turns");
    assert_eq!(assert_all(&read, 0..80, 50), 0);
    assert!(read.iter().all(|read| read.key.is_none()));
    for partition in 0..4 {
        assert_eq!(read.iter().filter(|read| read.partition == partition).count(), 20);
    }
}

#[test]
fn keys_go_where_kafkas_own_producer_puts_them() {
    let Some(broker) = shared() else { return };
    broker.topic("seven", 7, &[]);
    let mut sink = Kafka::new(config(broker.plain, "seven"));
    let of_v4 = (0..250).map(|last| IpAddr::from([198, 51, 100, last]));
    let of_v6 = (0..250).map(|last| IpAddr::from([0x2001, 0xdb8, last, 0, last * 7, 0, 0, last * 255]));
    let (mut all, mut next) = (Batch::new(JSON, true), id(0));
    for client in of_v4.chain(of_v6) {
        next = all.write_each(Timestamp::default(), client, next, |bytes, ended| {
            bytes.extend_from_slice(b"{}\n");
            ended(bytes.len());
        });
    }
    assert_eq!(deliver(&mut sink, &all.into()), Outcome::Delivered);
    let read = broker.read("seven");
    let keys: Vec<_> = read.iter().map(|read| String::from_utf8(read.key.clone().unwrap()).unwrap()).collect();
    assert_eq!(keys.len(), 500);
    let found: Vec<_> = read.iter().map(|read| read.partition).collect();
    assert_eq!(found, Broker::partitions_of_seven(&keys));
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), 7);
}

#[test]
fn new_partitions_are_found() {
    let Some(broker) = shared() else { return };
    broker.topic("growing", 1, &[]);
    let config = Config { metadata_interval: Duration::from_millis(200), ..config(broker.plain, "growing") };
    let mut sink = Kafka::new(config);
    assert_eq!(deliver(&mut sink, &batch(0..100, 50)), Outcome::Delivered);
    broker.tool(&["partitions", "growing", "3"]);
    let start = std::time::Instant::now();
    let mut last = 100;
    while broker.read("growing").iter().all(|read| read.partition == 0) {
        assert!(start.elapsed() < PATIENCE, "new partitions stay empty");
        assert_eq!(deliver(&mut sink, &batch(last..last + 100, 50)), Outcome::Delivered);
        last += 100;
    }
    let read = broker.read("growing");
    assert_eq!(assert_all(&read, 0..last, 50), 0);
    assert_eq!(read.iter().map(|read| read.partition).collect::<BTreeSet<_>>().len(), 3);
}
