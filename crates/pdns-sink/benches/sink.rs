//! What every record costs between its encoder and its sink.

use std::hint::black_box;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use pdns_packet::time::Timestamp;
use pdns_record::{Encoding, Layout};
use pdns_sink::spool::{self, SyncPolicy};
use pdns_sink::stdout::{self, Stdout};
use pdns_sink::{Batch, Deliver, Needs, Outcome, RecordId, Settings, Setup, Tee};

type Group<'a> = BenchmarkGroup<'a, WallTime>;

const JSON: Encoding = Encoding::json(Layout::Transaction);

/// About as long as the records of layout `transaction` are.
const RECORD: [u8; 700] = {
    let mut record = [b'x'; 700];
    record[699] = b'\n';
    record
};

/// Records of 64 KiB, which a worker hands over at once.
const RECORDS: u64 = 94;

/// How many batches are offered before their delivery is waited for.
const BATCHES: u64 = 64;

/// Records appended, looked at and merged.
fn batch(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sink");
    group.throughput(Throughput::Elements(RECORDS));
    let mut plain = Batch::new(JSON, false);
    group.bench_function("batch/write", |bencher| {
        bencher.iter(|| {
            plain.clear();
            fill(black_box(&mut plain));
        });
    });
    let (mut detailed, mut id) = (Batch::new(JSON, true), RecordId::first(1, 0));
    group.bench_function("batch/write-detailed", |bencher| {
        bencher.iter(|| {
            detailed.clear();
            id = fill_detailed(black_box(&mut detailed), id);
        });
    });
    let (mut whole, [plain, detailed]) = (Batch::new(JSON, true), batches());
    for (name, batch) in [("plain", &plain), ("detailed", &detailed)] {
        assert_eq!(batch.iter().count() as u64, RECORDS, "{name}");
        group.bench_function(format!("batch/iterate-{name}"), |bencher| {
            bencher.iter(|| {
                for record in black_box(batch).iter() {
                    black_box(record);
                }
            });
        });
    }
    group.bench_function("batch/append", |bencher| {
        bencher.iter(|| {
            whole.clear();
            whole.append(black_box(&detailed));
        });
    });
    group.finish();
}

/// A batch without details, and one with.
fn batches() -> [Batch; 2] {
    let [mut plain, mut detailed] = [false, true].map(|detailed| Batch::new(JSON, detailed));
    fill(&mut plain);
    fill_detailed(&mut detailed, RecordId::first(1, 0));
    [plain, detailed]
}

fn fill(batch: &mut Batch) {
    for _ in 0..RECORDS {
        batch.write(|bytes| {
            bytes.extend_from_slice(black_box(&RECORD));
            1
        });
    }
}

fn fill_detailed(batch: &mut Batch, mut id: RecordId) -> RecordId {
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    for _ in 0..RECORDS {
        id = batch.write_each(Timestamp::new(1, 0), client, id, |bytes, ended| {
            bytes.extend_from_slice(black_box(&RECORD));
            ended(bytes.len());
        });
    }
    id
}

/// The hand-over to a sink on the worker's own thread, to threads, and to the disk.
fn tee(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sink");
    group.throughput(Throughput::Elements(RECORDS));
    let out = Stdout::on(stdout::Config { layout: Layout::Transaction }, io::sink());
    let direct = Tee::direct(&Settings::new("stdout"), Box::new(out));
    let mut batch = Batch::new(JSON, false);
    group.bench_function("tee/direct", |bencher| {
        bencher.iter(|| {
            fill(&mut batch);
            direct.try_offer(&mut batch).expect("nothing takes everything");
        });
    });
    assert_eq!(direct.reports()[0].stats.dropped_total(), 0);

    let directory = tempfile::tempdir().expect("a folder for the spool");
    let folder = directory.path().join("spool");
    let spool = spool::Settings { folder, max_bytes: 1 << 30, sync: SyncPolicy::Never, always: true };
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(RECORDS * BATCHES));
    queued(&mut group, "tee/one-queue", 1, None);
    queued(&mut group, "tee/three-queues", 3, None);
    queued(&mut group, "tee/spool", 1, Some(spool));
    group.finish();
}

/// Offers batches to so many sinks and waits until all have them.
fn queued(group: &mut Group<'_>, name: &str, sinks: u64, spool: Option<spool::Settings>) {
    let delivered = Arc::new(Delivered::default());
    let setup = |number: u64| {
        let mut settings = Settings::new("counter");
        settings.name = format!("counter{number}");
        settings.linger = Duration::ZERO;
        settings.spool.clone_from(&spool);
        Setup { settings, sink: Box::new(Counter(Arc::clone(&delivered))) }
    };
    let setups = (0..sinks).map(setup).collect();
    let tee = Tee::start(setups, Arc::new(|_, _| {}), 1).expect("nobody else uses the folder");
    let (mut batch, mut offered) = (Batch::new(JSON, false), 0);
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            for _ in 0..BATCHES {
                fill(&mut batch);
                tee.offer(&mut batch).expect("the counter takes everything");
            }
            offered += sinks * BATCHES * RECORDS;
            delivered.wait(offered);
        });
    });
    tee.shutdown(Duration::from_secs(60));
}

/// How many records all sinks have been given.
#[derive(Default)]
struct Delivered {
    records: Mutex<u64>,
    more: Condvar,
}

impl Delivered {
    fn wait(&self, records: u64) {
        let mut delivered = self.records.lock().expect("no sink panics");
        while *delivered < records {
            delivered = self.more.wait(delivered).expect("no sink panics");
        }
    }
}

/// Takes everything, and counts.
struct Counter(Arc<Delivered>);

impl Deliver for Counter {
    fn needs(&self) -> Needs {
        Needs::new(JSON)
    }

    fn target(&self) -> String {
        "a counter".to_owned()
    }

    fn deliver(&mut self, batch: &Batch) -> Outcome {
        *self.0.records.lock().expect("nobody panics") += batch.records();
        self.0.more.notify_one();
        Outcome::Delivered
    }
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(30)
        .noise_threshold(0.05)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500))
}

criterion_group!(name = benches; config = quick(); targets = batch, tee);
criterion_main!(benches);
