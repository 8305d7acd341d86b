//! Bytes to values: capture formats, frames, messages, names, RDATA.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use pdns_fixtures::workload::{self, Mix};
use pdns_packet::dns::{Message, Record};
use pdns_packet::file::{Framer, Step};
use pdns_packet::frame::{Decoder, LinkType, Packet, Ports};

type Group<'a> = BenchmarkGroup<'a, WallTime>;

fn packet(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("packet");
    for mix in Mix::ALL {
        let capture = workload::capture(mix, 5_000);
        let frames: Vec<&[u8]> = workload::frames(&capture).into_iter().map(|(_, frame)| frame).collect();
        file(&mut group, mix, &capture, frames.len());
        let payloads = decode(&mut group, mix, &frames);
        let messages = parse(&mut group, mix, &payloads);
        let answers: Vec<Record<'_>> = messages.iter().flat_map(Message::answers).collect();
        print(&mut group, mix, &answers);
    }
    group.finish();
}

/// A capture file's bytes to frames.
fn file(group: &mut Group<'_>, mix: Mix, capture: &[u8], frames: usize) {
    assert_eq!(count_frames(capture), frames, "{mix}");
    group.throughput(Throughput::Elements(frames as u64));
    group.bench_function(format!("file/{mix}"), |bencher| bencher.iter(|| count_frames(black_box(capture))));
}

fn count_frames(capture: &[u8]) -> usize {
    let (mut framer, mut rest, mut frames) = (Framer::new(), capture, 0);
    loop {
        let consumed = match framer.next(rest).expect("the workload is a capture") {
            Step::Frame { data, consumed, .. } => {
                black_box(&rest[data]);
                frames += 1;
                consumed
            }
            Step::Skip { consumed } => consumed,
            Step::Need { .. } => return frames,
        };
        rest = &rest[consumed..];
    }
}

/// Frames to packets; those datagrams that are whole.
fn decode<'a>(group: &mut Group<'_>, mix: Mix, frames: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let decoder = Decoder::new(Ports::of(&[53]));
    let decode = |frame: &'a [u8]| decoder.decode(LinkType::ETHERNET, frame, frame.len());
    assert!(frames.iter().all(|frame| decode(frame).is_ok()), "{mix}");
    group.throughput(Throughput::Elements(frames.len() as u64));
    group.bench_function(format!("frame/{mix}"), |bencher| {
        bencher.iter(|| {
            for frame in frames {
                // By reference: a packet is looked at where it is.
                black_box(&decode(black_box(frame)));
            }
        });
    });
    let datagram = |frame: &&'a [u8]| match decode(frame) {
        Ok(Packet::Udp { payload, .. }) => Some(payload),
        _ => None,
    };
    frames.iter().filter_map(datagram).collect()
}

/// The walk over messages.
fn parse<'a>(group: &mut Group<'_>, mix: Mix, payloads: &[&'a [u8]]) -> Vec<Message<'a>> {
    let messages: Vec<_> = payloads.iter().filter_map(|payload| Message::parse(payload)).collect();
    let whole = messages.iter().filter(|message| message.malformed().is_none());
    assert_eq!(whole.count(), payloads.len(), "{mix}");
    group.throughput(Throughput::Elements(payloads.len() as u64));
    group.bench_function(format!("message/{mix}"), |bencher| {
        bencher.iter(|| {
            for payload in payloads {
                black_box(&Message::parse(black_box(payload)));
            }
        });
    });
    messages
}

/// Names and data of answers in presentation format.
fn print(group: &mut Group<'_>, mix: Mix, answers: &[Record<'_>]) {
    assert!(!answers.is_empty(), "{mix}");
    let mut text = Vec::new();
    group.throughput(Throughput::Elements(answers.len() as u64));
    group.bench_function(format!("name/{mix}"), |bencher| {
        bencher.iter(|| {
            for answer in answers {
                text.clear();
                black_box(answer).owner.write(&mut text).expect("the workload's names are well formed");
                black_box(&text);
            }
        });
    });
    group.bench_function(format!("rdata/{mix}"), |bencher| {
        bencher.iter(|| {
            for answer in answers {
                text.clear();
                black_box(answer).rdata.write(&mut text);
                black_box(&text);
            }
        });
    });
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(50)
        .noise_threshold(0.05)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1200))
}

criterion_group!(name = benches; config = quick(); targets = packet);
criterion_main!(benches);
