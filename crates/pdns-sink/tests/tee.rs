//! Several sinks at once, on real threads: what one does disturbs no other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use pdns_record::{Encoding, Layout};
use pdns_sink::spool::{self, SyncPolicy};
use pdns_sink::{
    Batch, Deliver, Delivery, DropReason, Failure, Log, Needs, Outcome, Settings, Setup, Sink, Tee, WhenFull,
};

const JSON: Encoding = Encoding::json(Layout::Answer);
const RECORDS: u64 = 200_000;
const PER_BATCH: u64 = 500;

fn quiet() -> Log {
    Arc::new(|_, _| {})
}

fn settings(name: &str) -> Settings {
    let mut settings = Settings::new("test");
    settings.name = name.to_owned();
    settings.queue_bytes = 1 << 20;
    settings.when_full = WhenFull::Drop;
    settings.retry_min = Duration::from_millis(10);
    settings.retry_max = Duration::from_millis(50);
    settings
}

fn batch(first: u64, records: u64) -> Batch {
    let mut batch = Batch::new(JSON, false);
    batch.write(|bytes| {
        (first..first + records).for_each(|number| bytes.extend_from_slice(format!("{number:>99}\n").as_bytes()));
        records
    });
    batch
}

/// Takes everything at once, and counts.
struct Healthy(Arc<AtomicU64>);

impl Deliver for Healthy {
    fn needs(&self) -> Needs {
        Needs::new(JSON)
    }

    fn target(&self) -> String {
        "a counter".to_owned()
    }

    fn deliver(&mut self, batch: &Batch) -> Outcome {
        self.0.fetch_add(batch.records(), Ordering::Relaxed);
        Outcome::Delivered
    }
}

/// Refuses every connection.
struct Dead;

impl Deliver for Dead {
    fn needs(&self) -> Needs {
        // A delivery that is tried again and again holds half of the least memory here, and not more.
        Needs::new(JSON).batch_bytes(128 << 10)
    }

    fn target(&self) -> String {
        "nowhere".to_owned()
    }

    fn start(&mut self) -> Result<(), Failure> {
        Err(Failure::new("connection refused"))
    }

    fn deliver(&mut self, _: &Batch) -> Outcome {
        Outcome::Retry(Failure::new("connection refused"))
    }
}

/// Accepts and never answers.
#[derive(Default)]
struct Silent(Vec<Delivery>);

impl Sink for Silent {
    fn needs(&self) -> Needs {
        Needs::new(JSON).window(3)
    }

    fn target(&self) -> String {
        "silence".to_owned()
    }

    fn submit(&mut self, delivery: Delivery) {
        self.0.push(delivery);
    }
}

/// Hangs in its first delivery, for longer than the test takes.
struct Hanging;

impl Deliver for Hanging {
    fn needs(&self) -> Needs {
        Needs::new(JSON)
    }

    fn target(&self) -> String {
        "a hole".to_owned()
    }

    fn deliver(&mut self, _: &Batch) -> Outcome {
        thread::sleep(Duration::from_secs(600));
        Outcome::Delivered
    }
}

/// Takes a hundred records a second.
struct Slow;

impl Deliver for Slow {
    fn needs(&self) -> Needs {
        Needs::new(JSON).batch_records(10)
    }

    fn target(&self) -> String {
        "a snail".to_owned()
    }

    fn deliver(&mut self, batch: &Batch) -> Outcome {
        thread::sleep(Duration::from_millis(10 * batch.records()));
        Outcome::Delivered
    }
}

fn assert_balanced(tee: &Tee) {
    for report in tee.reports() {
        let stats = &report.stats;
        assert_eq!(
            stats.offered + stats.restored,
            stats.delivered + stats.dropped_total() + stats.queued_records + stats.spooled_records,
            "{report:?}"
        );
        // A batch that is alone passes whatever its size.
        assert!(stats.queued_bytes <= stats.queue_limit_bytes + (300 << 10), "{report:?}");
    }
}

#[test]
fn sinks_that_are_dead_silent_hanging_or_slow_disturb_no_other() {
    let count = Arc::new(AtomicU64::new(0));
    let mut silent = settings("silent");
    silent.timeout = Duration::from_millis(100);
    let mut healthy = settings("healthy");
    // What it is offered it gets, however busy this machine is.
    healthy.when_full = WhenFull::Block;
    let setups = vec![
        Setup { settings: settings("dead"), sink: Box::new(Dead) },
        Setup { settings: silent, sink: Box::new(Silent::default()) },
        Setup { settings: settings("hanging"), sink: Box::new(Hanging) },
        Setup { settings: settings("slow"), sink: Box::new(Slow) },
        Setup { settings: healthy, sink: Box::new(Healthy(Arc::clone(&count))) },
    ];
    let tee = Tee::start(setups, quiet(), 1).unwrap();
    let start = Instant::now();
    for first in (0..RECORDS).step_by(PER_BATCH as usize) {
        tee.offer(&mut batch(first, PER_BATCH)).unwrap();
        if first % 20_000 == 0 {
            assert_balanced(&tee);
        }
    }
    tee.shutdown(Duration::from_millis(500));
    // Far less than any of the others would take: the slow one alone half an hour.
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    assert_eq!(count.load(Ordering::Relaxed), RECORDS);
    assert_balanced(&tee);
    for report in tee.reports() {
        let stats = &report.stats;
        assert_eq!((stats.offered, stats.queued_records), (RECORDS, 0), "{report:?}");
        match report.name.as_str() {
            "healthy" => assert_eq!((stats.delivered, stats.dropped_total()), (RECORDS, 0)),
            "slow" => assert!(stats.delivered > 0 && stats.dropped(DropReason::QueueFull) > 0, "{report:?}"),
            _ => {
                assert_eq!(stats.delivered, 0, "{report:?}");
                let reasons = stats.dropped(DropReason::QueueFull) + stats.dropped(DropReason::Shutdown);
                assert_eq!(reasons, RECORDS, "{report:?}");
            }
        }
        let error = stats.last_error.as_ref().map(|error| error.text.as_str());
        match report.name.as_str() {
            "dead" => assert_eq!(error, Some("connection refused")),
            "silent" => assert_eq!(error, Some("no answer within 100ms")),
            _ => assert_eq!(error, None, "{report:?}"),
        }
    }
}

#[test]
fn what_a_dead_sink_leaves_is_delivered_by_the_next_run_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let spooled = |name: &str| {
        let mut settings = settings(name);
        settings.queue_bytes = 256 << 10;
        settings.spool = Some(spool::Settings {
            folder: folder.path().join("spool"),
            max_bytes: 1 << 30,
            sync: SyncPolicy::Always,
            always: false,
        });
        settings
    };
    let records = 20_000;
    let tee = Tee::start(vec![Setup { settings: spooled("dead"), sink: Box::new(Dead) }], quiet(), 1).unwrap();
    for first in (0..records).step_by(100) {
        tee.offer(&mut batch(first, 100)).unwrap();
        // As a capture would: there is time to write.
        while tee.reports()[0].stats.queued_bytes > 128 << 10 {
            thread::sleep(Duration::from_millis(1));
        }
    }
    tee.shutdown(Duration::from_secs(30));
    let stats = tee.reports().remove(0).stats;
    assert_eq!((stats.spooled_records, stats.dropped_total()), (records, 0), "{stats:?}");
    drop(tee);

    /// Keeps what it takes.
    struct Keeper(Arc<Mutex<Vec<u8>>>);
    impl Deliver for Keeper {
        fn needs(&self) -> Needs {
            Needs::new(JSON)
        }
        fn target(&self) -> String {
            "a vector".to_owned()
        }
        fn deliver(&mut self, batch: &Batch) -> Outcome {
            self.0.lock().unwrap().extend_from_slice(batch.bytes());
            Outcome::Delivered
        }
    }
    let kept = Arc::new(Mutex::new(Vec::new()));
    let sink = Box::new(Keeper(Arc::clone(&kept)));
    let tee = Tee::start(vec![Setup { settings: spooled("alive"), sink }], quiet(), 1).unwrap();
    tee.offer(&mut batch(records, 100)).unwrap();
    let start = Instant::now();
    while tee.reports()[0].stats.delivered < records + 100 {
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}", tee.reports());
        thread::sleep(Duration::from_millis(5));
    }
    tee.shutdown(Duration::from_secs(30));
    let stats = tee.reports().remove(0).stats;
    assert_eq!((stats.restored, stats.delivered, stats.spooled_records), (records, records + 100, 0));
    let text = String::from_utf8(kept.lock().unwrap().clone()).unwrap();
    let numbers: Vec<u64> = text.lines().map(|line| line.trim().parse().unwrap()).collect();
    assert!(numbers.iter().copied().eq(0..records + 100), "out of order or lost");
}

#[test]
fn a_feeder_waits_for_a_sink_whose_policy_is_to_block() {
    let count = Arc::new(AtomicU64::new(0));
    let mut slow = settings("slow");
    slow.when_full = WhenFull::Block;
    slow.queue_bytes = 10_000;
    let tee =
        Tee::start(vec![Setup { settings: slow, sink: Box::new(Healthy(Arc::clone(&count))) }], quiet(), 1).unwrap();
    for first in (0..5000).step_by(50) {
        tee.offer(&mut batch(first, 50)).unwrap();
    }
    tee.shutdown(Duration::from_secs(60));
    assert_eq!(count.load(Ordering::Relaxed), 5000);
    assert_eq!(tee.reports()[0].stats.dropped_total(), 0);
}
