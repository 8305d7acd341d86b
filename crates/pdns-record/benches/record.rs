//! Transactions to records, in every layout and format.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pdns_fixtures::workload::{self, Mix};
use pdns_packet::dns::Message;
use pdns_packet::frame::{Decoder, LinkType, Ports};
use pdns_packet::time::Timestamp;
use pdns_record::{Encoder, Encoding, Format, Layout};
use pdns_track::reassembly::FragmentConfig;
use pdns_track::{Ingest, Observed, Tracker, TrackerConfig, Transaction};

const TRANSACTIONS: usize = 2_000;

/// As much as the sensor hands over at once.
const BATCH_BYTES: usize = 64 * 1024;

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("record");
    group.throughput(Throughput::Elements(TRANSACTIONS as u64));
    for mix in [Mix::Standard, Mix::Dnssec] {
        let transactions = transactions(mix);
        assert_eq!(transactions.len(), TRANSACTIONS);
        for layout in [Layout::Transaction, Layout::Answer] {
            for format in Format::ALL {
                let mut encoder = Encoder::of(Encoding { layout, format }, "bench", "info");
                let mut out = Vec::new();
                let id = format!("{layout:?}/{}/{mix}", format.name()).to_lowercase();
                group.bench_function(id, |bencher| {
                    bencher.iter(|| {
                        for transaction in &transactions {
                            encoder.encode(black_box(transaction), &mut out);
                            if out.len() > BATCH_BYTES {
                                black_box(&out);
                                out.clear();
                            }
                        }
                    });
                });
            }
        }
    }
    group.finish();
}

/// The transactions of a workload.
fn transactions(mix: Mix) -> Vec<Transaction<'static>> {
    let mut transactions = Vec::new();
    let mut consumer = |transaction: &Transaction<'_>| transactions.push(kept(transaction));
    let capture = workload::capture(mix, TRANSACTIONS as u64);
    let mut ingest = Ingest::new(Decoder::new(Ports::of(&[53])), FragmentConfig::default());
    let mut tracker = Tracker::new(TrackerConfig::default());
    for (micros, frame) in workload::frames(&capture) {
        let time = Timestamp::from_nanos(micros as i64 * 1000);
        ingest.frame(time, LinkType::ETHERNET, frame, frame.len() as u32, |packet| {
            tracker.packet(packet, &mut consumer);
        });
    }
    tracker.finish(ingest.clock().now(), &mut consumer);
    transactions
}

fn kept(transaction: &Transaction<'_>) -> Transaction<'static> {
    Transaction {
        status: transaction.status,
        client: transaction.client,
        client_port: transaction.client_port,
        server: transaction.server,
        server_port: transaction.server_port,
        transport: transaction.transport,
        vlan: transaction.vlan,
        query: transaction.query.map(message),
        response: transaction.response.map(message),
        retransmits: transaction.retransmits,
    }
}

/// A copy that stays until the process ends.
fn message(observed: &Observed<'_>) -> &'static Observed<'static> {
    let bytes = observed.message.bytes().to_vec().leak();
    let message = Message::parse(bytes).expect("it was one before");
    Box::leak(Box::new(Observed {
        time: observed.time,
        message: Box::leak(Box::new(message)),
        missing: observed.missing,
        frame_len: observed.frame_len,
    }))
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(50)
        .noise_threshold(0.05)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1200))
}

criterion_group!(name = benches; config = quick(); targets = encode);
criterion_main!(benches);
