//! Frames to transactions, and the parts of that alone.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pdns_fixtures::workload::{self, Mix};
use pdns_packet::frame::{Decoder, LinkType, Packet, Ports};
use pdns_packet::time::Timestamp;
use pdns_track::reassembly::{FragmentConfig, FragmentTable, Outcome, StreamConfig, StreamMessage, StreamTable};
use pdns_track::{Body, Dissected, Ingest, SECOND, Tracker, TrackerConfig, Transaction};

const TRANSACTIONS: u64 = 20_000;

/// The frames of a capture with their times.
fn frames(capture: &[u8]) -> Vec<(Timestamp, &[u8])> {
    let time = |micros: u64| Timestamp::from_nanos(micros as i64 * 1000);
    workload::frames(capture).into_iter().map(|(micros, frame)| (time(micros), frame)).collect()
}

/// What `pick` takes of the packets that a decoder finds in frames, with their times and lengths.
fn packets<'a, T>(
    frames: &[(Timestamp, &'a [u8])],
    pick: impl Fn(Packet<'a>) -> Option<T>,
) -> Vec<(Timestamp, u32, T)> {
    let decoder = decoder();
    let packet = |&(time, frame): &(Timestamp, &'a [u8])| {
        let packet = decoder.decode(LinkType::ETHERNET, frame, frame.len()).ok()?;
        Some((time, frame.len() as u32, pick(packet)?))
    };
    frames.iter().filter_map(packet).collect()
}

fn decoder() -> Decoder {
    Decoder::new(Ports::of(&[53]))
}

/// Each round over the same packets is ten minutes after the one before, which is longer than any time-out: tables are
/// used again, as in a long capture, and nothing is left in them.
const ROUND: i64 = 600 * SECOND;

/// Everything from the frame to the transaction.
fn whole(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("track");
    for mix in Mix::ALL {
        let capture = workload::capture(mix, TRANSACTIONS);
        let frames = frames(&capture);
        let mut ingest = Ingest::new(decoder(), FragmentConfig::default());
        let mut tracker = Tracker::new(TrackerConfig::default());
        let mut shift = 0;
        group.throughput(Throughput::Elements(frames.len() as u64));
        group.bench_function(format!("frames/{mix}"), |bencher| {
            bencher.iter(|| {
                let mut ended = 0;
                let mut consumer = |transaction: &Transaction<'_>| {
                    black_box(transaction);
                    ended += 1;
                };
                for &(time, frame) in &frames {
                    ingest.frame(time.plus(shift), LinkType::ETHERNET, frame, frame.len() as u32, |packet| {
                        tracker.packet(packet, &mut consumer);
                    });
                }
                shift += ROUND;
                let now = ingest.pass(frames[0].0.plus(shift));
                tracker.advance(now, &mut consumer);
                assert_eq!(ended, TRANSACTIONS);
            });
        });
    }
    group.finish();
}

/// Datagrams to transactions: messages read and paired.
fn pairing(criterion: &mut Criterion) {
    let capture = workload::capture(Mix::Standard, TRANSACTIONS);
    let datagrams = packets(&frames(&capture), |packet| match packet {
        Packet::Udp { flow, payload, .. } => Some((flow, payload)),
        _ => None,
    });
    let mut group = criterion.benchmark_group("track");
    let mut tracker = Tracker::new(TrackerConfig::default());
    let mut shift = 0;
    group.throughput(Throughput::Elements(datagrams.len() as u64));
    group.bench_function("pairing/standard", |bencher| {
        bencher.iter(|| {
            let mut ended = 0;
            let mut consumer = |transaction: &Transaction<'_>| {
                black_box(transaction);
                ended += 1;
            };
            for &(time, frame_len, (ref flow, payload)) in &datagrams {
                let (time, body) = (time.plus(shift), Body::Udp { payload, missing: 0, frame_len });
                tracker.packet(&Dissected { now: time, time, flow, body }, &mut consumer);
            }
            shift += ROUND;
            tracker.advance(datagrams[0].0.plus(shift), &mut consumer);
            // Nearly all of them are a query and its response.
            assert!(ended >= datagrams.len() / 2 && ended < datagrams.len() * 11 / 20);
        });
    });
    group.finish();
}

/// TCP segments to messages: pipelined, cut and repeated.
fn streams(criterion: &mut Criterion) {
    let capture = workload::capture(Mix::VlanTcp, TRANSACTIONS);
    let segments = packets(&frames(&capture), |packet| match packet {
        Packet::Tcp { flow, segment } => Some((flow, segment)),
        _ => None,
    });
    let mut group = criterion.benchmark_group("track");
    let mut table = StreamTable::new(StreamConfig::default());
    let mut shift = 0;
    group.throughput(Throughput::Elements(segments.len() as u64));
    group.bench_function("streams/vlan-tcp", |bencher| {
        bencher.iter(|| {
            let mut messages = 0;
            let mut out = |message: StreamMessage<'_>| {
                black_box(message.bytes);
                messages += 1;
            };
            for (time, _, (flow, segment)) in &segments {
                let time = time.plus(shift);
                table.push(time, time, flow, segment, &mut out);
            }
            shift += ROUND;
            table.expire(segments[0].0.plus(shift), &mut out);
            // Most transactions are over TCP, and nearly all of these have a response.
            assert!(messages > TRANSACTIONS && table.is_empty());
        });
    });
    group.finish();
}

/// IP fragments to packets.
fn fragments(criterion: &mut Criterion) {
    let capture = workload::capture(Mix::Dnssec, TRANSACTIONS);
    let fragments = packets(&frames(&capture), |packet| match packet {
        Packet::Fragment(fragment) => Some(fragment),
        _ => None,
    });
    let mut group = criterion.benchmark_group("track");
    let mut table = FragmentTable::new(FragmentConfig::default());
    let mut shift = 0;
    group.throughput(Throughput::Elements(fragments.len() as u64));
    group.bench_function("fragments/dnssec", |bencher| {
        bencher.iter(|| {
            let mut completed = 0;
            for (time, wire_len, fragment) in &fragments {
                if let Outcome::Complete(packet) = table.push(time.plus(shift), *wire_len, fragment) {
                    black_box(&packet);
                    completed += 1;
                }
            }
            shift += ROUND;
            // A packet has two or three.
            assert!(completed >= fragments.len() / 3);
        });
    });
    group.finish();
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(50)
        .noise_threshold(0.05)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500))
}

criterion_group!(name = benches; config = quick(); targets = whole, pairing, streams, fragments);
criterion_main!(benches);
