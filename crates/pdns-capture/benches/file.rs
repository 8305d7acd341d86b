//! Capture files to frames, plain and compressed, and what a capture filter costs.

use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use pdns_capture::{CaptureFile, FilterSet};
use pdns_fixtures::workload::{self, Mix};
use pdns_packet::frame::LinkType;

fn file(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a folder for captures");
    let capture = workload::capture(Mix::Standard, 20_000);
    let frames = workload::frames(&capture).len();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&capture).expect("memory takes everything");
    let gzip = gzip.finish().expect("memory takes everything");
    let zstd = zstd::encode_all(capture.as_slice(), 3).expect("memory takes everything");

    let mut group = criterion.benchmark_group("capture");
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(frames as u64));
    for (name, bytes) in [("plain", &capture), ("gzip", &gzip), ("zstd", &zstd)] {
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).expect("room for captures");
        assert_eq!(read(&path), frames, "{name}");
        group.bench_function(format!("file/{name}"), |bencher| bencher.iter(|| read(&path)));
    }
    group.finish();
}

/// Reads all frames; how many there are.
fn read(path: &Path) -> usize {
    let mut file = CaptureFile::open(path).expect("the capture is there");
    let mut frames = 0;
    while let Some(frame) = file.next().expect("the capture is whole") {
        black_box(&frame);
        frames += 1;
    }
    frames
}

fn filter(criterion: &mut Criterion) {
    let capture = workload::capture(Mix::Standard, 5_000);
    let frames = workload::frames(&capture);
    let mut filter = FilterSet::new("udp port 53");
    let mut passes = |frame: &[u8]| {
        let passes = filter.matches(LinkType::ETHERNET.0, frame, frame.len() as u32);
        passes.expect("the filter compiles")
    };
    let mut passed = || frames.iter().filter(|(_, frame)| passes(black_box(frame))).count();
    // Most of the workload is UDP, and some of it is not.
    assert!((frames.len() / 2..frames.len()).contains(&passed()));
    let mut group = criterion.benchmark_group("capture");
    group.throughput(Throughput::Elements(frames.len() as u64));
    group.bench_function("filter", |bencher| bencher.iter(&mut passed));
    group.finish();
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(30)
        .noise_threshold(0.05)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500))
}

criterion_group!(name = benches; config = quick(); targets = file, filter);
criterion_main!(benches);
