//! Every write failing or cut short, random actions against a model, and a process that is killed.

mod memory;

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

use pdns_packet::time::Timestamp;
use pdns_record::{Format, Layout};
use proptest::prelude::*;

use super::*;
use crate::RecordId;
use memory::Memory;

const JSON: Encoding = Encoding::json(Layout::Answer);
const AVRO: Encoding = Encoding { layout: Layout::Transaction, format: Format::Avro };

/// A batch that its number can be read from.
fn batch(number: u64) -> Batch {
    let mut batch = Batch::new(JSON, false);
    batch.write(|bytes| {
        bytes.extend_from_slice(format!("{number}\n{number:>200}\n").as_bytes());
        2
    });
    batch
}

fn number(batch: &Batch) -> u64 {
    let first = batch.iter().next().unwrap();
    str::from_utf8(first.bytes).unwrap().trim().parse().unwrap()
}

/// Everything that is left to read, as numbers.
fn rest<F: Folder>(spool: &mut Spool<F>) -> Vec<u64> {
    let mut numbers = Vec::new();
    loop {
        match spool.fetch() {
            Fetched::Batch(batch, ..) => numbers.push(number(&batch)),
            Fetched::Nothing => return numbers,
            Fetched::Damaged(damage) => panic!("{damage:?}"),
        }
    }
}

fn append<F: Folder>(spool: &mut Spool<F>, number: u64) -> Append {
    spool.append(&[Arc::new(batch(number))])
}

#[test]
fn batches_come_back_as_they_were() {
    let memory = Memory::default();
    let (mut spool, left) = memory.spool().unwrap();
    assert_eq!(left, Left::default());
    let mut detailed = Batch::new(AVRO, true);
    let mut id = RecordId::first(7, 3);
    for (client, text) in [("192.0.2.1", "one"), ("2001:db8::1", "")] {
        id = detailed.write_each(Timestamp::new(-5, 7), client.parse().unwrap(), id, |bytes, ended| {
            bytes.extend_from_slice(text.as_bytes());
            ended(bytes.len());
        });
    }
    let written = [Arc::new(batch(1)), Arc::new(detailed)];
    assert_eq!(spool.append(&written).batches, 2);
    for expected in &written {
        let Fetched::Batch(batch, ..) = spool.fetch() else { panic!("nothing") };
        assert_eq!(batch, **expected);
    }
    assert!(matches!(spool.fetch(), Fetched::Nothing));
    drop(spool);
    let (spool, left) = memory.spool().unwrap();
    assert_eq!((left.batches, left.records), (2, 4));
    assert_eq!(spool.foreign(JSON), Some(AVRO));
}

#[test]
fn what_is_delivered_is_deleted_and_not_sent_again() {
    let memory = Memory::default();
    let (mut spool, _) = memory.spool().unwrap();
    for number in 0..20 {
        append(&mut spool, number);
    }
    let full = spool.bytes();
    for _ in 0..13 {
        assert!(matches!(spool.fetch(), Fetched::Batch(..)));
    }
    spool.forget(11);
    assert!(spool.bytes() < full * 2 / 3, "{} of {full}", spool.bytes());
    drop(spool);
    let (mut spool, left) = memory.spool().unwrap();
    assert_eq!((left.batches, left.cut_bytes), (9, 0));
    append(&mut spool, 20);
    assert_eq!(rest(&mut spool), (11..21).collect::<Vec<_>>());
    spool.forget(u64::MAX);
    drop(spool);
    assert_eq!(memory.spool().unwrap().1, Left::default());
}

#[test]
fn it_has_a_size_and_room_again_when_something_is_delivered() {
    let memory = Memory::default();
    let (mut spool, _) = memory.spool().unwrap();
    spool.max_bytes = 3000;
    let mut count = 0;
    while !append(&mut spool, count).is_full {
        count += 1;
    }
    assert!(spool.bytes() <= 3000 && count > 8, "{count}");
    for _ in 0..5 {
        spool.fetch();
    }
    spool.forget(5);
    assert_eq!(append(&mut spool, count).batches, 1);
    assert_eq!(rest(&mut spool), (5..=count).collect::<Vec<_>>());
}

#[test]
fn damage_in_the_middle_costs_the_rest_of_its_segment() {
    let memory = Memory::default();
    let (mut spool, _) = memory.spool().unwrap();
    for number in 0..12 {
        append(&mut spool, number);
    }
    let first = {
        let mut state = memory.0.lock().unwrap();
        let (name, content) = state.files.iter_mut().next().unwrap();
        content.bytes[300] ^= 1;
        name.clone()
    };
    assert!(first.ends_with('1'));
    let mut numbers = Vec::new();
    let mut lost = 0;
    loop {
        match spool.fetch() {
            Fetched::Batch(batch, ..) => numbers.push(number(&batch)),
            Fetched::Damaged(damage) => lost += damage.records,
            Fetched::Nothing => break,
        }
    }
    assert_eq!(numbers.len() as u64 + lost / 2, 12);
    assert!(numbers.starts_with(&[0]) && numbers.ends_with(&[11]) && lost > 0, "{numbers:?}");
}

#[test]
fn a_segment_with_the_last_number_leaves_none_for_another() {
    let memory = Memory::default();
    memory.create(u64::MAX).unwrap();
    let (mut spool, left) = memory.spool().unwrap();
    assert_eq!(left, Left::default());
    let failure = append(&mut spool, 1).failure.unwrap();
    assert!(failure.starts_with("no number is left"), "{failure}");
}

/// Appends, delivers and appends again. What was appended for sure, and what was delivered.
fn scenario(spool: &mut Spool<Memory>) -> (Vec<u64>, u64) {
    let mut kept = Vec::new();
    let mut delivered = 0;
    for round in 0..4 {
        for number in round * 4..round * 4 + 4 {
            if append(spool, number).batches == 1 {
                kept.push(number);
            }
        }
        if let Fetched::Batch(batch, at, _) = spool.fetch() {
            delivered = number(&batch) + 1;
            spool.forget(at);
        }
    }
    (kept, delivered)
}

/// Whether all that has to be there is, in order, and nothing that nobody wrote.
fn assert_kept(found: &[u64], kept: &[u64], delivered: u64, what: &str) {
    assert!(found.is_sorted_by(|one, other| one < other), "{what}: {found:?}");
    let missing: Vec<_> = kept.iter().filter(|&&number| number >= delivered && !found.contains(&number)).collect();
    assert!(missing.is_empty(), "{what}: {missing:?} of {kept:?} are not in {found:?}");
}

#[test]
fn whatever_fails_and_whenever_nothing_kept_is_lost() {
    let changes = {
        let memory = Memory::default();
        scenario(&mut memory.spool().unwrap().0);
        memory.changes()
    };
    assert!(changes > 40, "{changes}");
    for at in 0..changes {
        // Once, or for ever as when the program is killed, or when the machine is, with more or less of what it had.
        for (is_down, kept_part) in [(false, None), (true, None), (true, Some(0.0)), (true, Some(0.6))] {
            let what = format!("change {at}, {is_down} {kept_part:?}");
            let memory = Memory::default();
            let (mut spool, _) = memory.spool().unwrap();
            memory.fail_after(at, is_down);
            let (kept, delivered) = scenario(&mut spool);
            if is_down {
                memory.restart(kept_part);
                std::mem::forget(spool);
            } else {
                memory.restart(None);
                drop(spool);
            }
            let (mut spool, left) = memory.spool().unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(append(&mut spool, 1000).batches, 1, "{what}");
            let found = rest(&mut spool);
            assert_eq!(found.len() as u64, left.batches + 1, "{what}");
            assert_kept(&found, &kept, delivered, &what);
        }
    }
}

/// What may happen to a spool.
#[derive(Clone, Debug)]
enum Event {
    Append(u8),
    Fetch,
    Forget,
    Fail(usize),
    Reopen,
    Crash(usize, f64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1_u8..6).prop_map(Event::Append),
        4 => Just(Event::Fetch),
        2 => Just(Event::Forget),
        1 => (0_usize..6).prop_map(Event::Fail),
        1 => Just(Event::Reopen),
        1 => (0_usize..6, 0.0..1.0).prop_map(|(changes, kept)| Event::Crash(changes, kept)),
    ]
}

proptest! {
    /// A spool gives what a queue gives: all that was kept, in order, from what was forgotten on.
    #[test]
    fn it_is_a_queue(events in proptest::collection::vec(event(), 1..80)) {
        let memory = Memory::default();
        let mut spool = memory.spool().unwrap().0;
        // What is to come, and what has come and is not forgotten.
        let mut waiting: VecDeque<u64> = VecDeque::new();
        let mut fetched: VecDeque<(u64, u64)> = VecDeque::new();
        let mut next = 0;
        for event in events {
            match event {
                Event::Append(count) => {
                    let batches: Vec<_> = (0..u64::from(count)).map(|more| Arc::new(batch(next + more))).collect();
                    let kept = spool.append(&batches).batches as u64;
                    waiting.extend(next..next + kept);
                    next += u64::from(count);
                }
                Event::Fetch => match spool.fetch() {
                    Fetched::Batch(batch, at, _) => {
                        prop_assert_eq!(Some(number(&batch)), waiting.pop_front());
                        fetched.push_back((at, number(&batch)));
                    }
                    Fetched::Nothing => prop_assert!(waiting.is_empty()),
                    Fetched::Damaged(damage) => prop_assert!(false, "{damage:?}"),
                },
                Event::Forget => {
                    if let Some((at, _)) = fetched.pop_front() {
                        spool.forget(at);
                    }
                }
                Event::Fail(changes) => memory.fail_after(changes, false),
                Event::Reopen | Event::Crash(..) => {
                    if let Event::Crash(changes, kept) = event {
                        memory.fail_after(changes, true);
                        // Something is under way when it happens, and may be kept or not.
                        let batches: Vec<_> = (0..3).map(|more| Arc::new(batch(next + more))).collect();
                        let sure = spool.append(&batches).batches as u64;
                        waiting.extend(next..next + sure);
                        next += 3;
                        std::mem::forget(spool);
                        memory.restart(Some(kept));
                    } else {
                        memory.restart(None);
                        drop(spool);
                    }
                    spool = memory.spool().unwrap().0;
                    let found = rest(&mut spool);
                    let expected: Vec<_> = fetched.iter().map(|&(_, number)| number).chain(waiting.iter().copied()).collect();
                    // What was not sure may be there as well, and so may what was forgotten when that could not be written.
                    prop_assert!(found.is_sorted_by(|one, other| one < other), "{found:?}");
                    prop_assert!(expected.iter().all(|number| found.contains(number)), "{expected:?} in {found:?}");
                    drop(spool);
                    spool = memory.spool().unwrap().0;
                    fetched.clear();
                    waiting = found.into();
                }
            }
        }
    }
}

#[test]
fn two_processes_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let settings =
        Settings { folder: folder.path().join("spool"), max_bytes: 1 << 20, sync: SyncPolicy::Always, always: false };
    let first = open(&settings, JSON).unwrap();
    assert!(matches!(open(&settings, JSON), Err(SpoolError::InUse { .. })));
    drop(first);
    let (mut store, _) = opened(&settings, JSON).unwrap();
    store.append(&[Arc::new(batch(1))]);
    drop(store);
    let Err(error) = opened(&settings, AVRO) else { panic!("it takes anything") };
    assert!(
        error.to_string().contains("2 records in layout answer as json, and the sink takes layout transaction as avro"),
        "{error}"
    );
    assert_eq!(opened(&settings, JSON).unwrap().1.records, 2);
}

/// Opens a spool that is in use no longer. A process that another test starts has the lock, too, until it runs its own program.
fn opened(settings: &Settings, encoding: Encoding) -> Result<(Box<dyn Store>, Left), SpoolError> {
    let start = Instant::now();
    loop {
        match open(settings, encoding) {
            Err(SpoolError::InUse { .. }) if start.elapsed() < Duration::from_secs(60) => thread::yield_now(),
            opened => return opened,
        }
    }
}

/// The process that [`a_killed_process_loses_nothing_it_was_told_is_kept`] kills: appends and tells what was kept.
#[test]
fn child() {
    let Some(folder) = std::env::var_os("PDNS_SPOOL_CHILD") else { return };
    let settings = Settings { folder: folder.into(), max_bytes: 1 << 30, sync: SyncPolicy::Never, always: true };
    let (mut store, _) = opened(&settings, JSON).unwrap();
    let first: u64 = std::env::var("PDNS_SPOOL_FIRST").unwrap().parse().unwrap();
    let mut out = io::stdout();
    for number in first.. {
        let append = store.append(&[Arc::new(batch(number))]);
        assert_eq!(append.batches, 1, "{append:?}");
        // A part is delivered meanwhile.
        if number % 3 == 0
            && let Fetched::Batch(batch, at, _) = store.fetch()
        {
            writeln!(out, "delivered {}", self::number(&batch)).unwrap();
            out.flush().unwrap();
            store.forget(at);
        }
        writeln!(out, "kept {number}").unwrap();
        out.flush().unwrap();
    }
}

/// Lines that have their end: the last one may have been cut off.
fn whole_lines(pipe: impl io::Read) -> impl Iterator<Item = String> {
    let mut pipe = BufReader::new(pipe);
    std::iter::from_fn(move || {
        let mut line = String::new();
        pipe.read_line(&mut line).unwrap();
        line.strip_suffix('\n').map(str::to_owned)
    })
}

#[test]
fn a_killed_process_loses_nothing_it_was_told_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let settings =
        Settings { folder: folder.path().to_owned(), max_bytes: 1 << 30, sync: SyncPolicy::Never, always: true };
    let mut rng = fastrand::Rng::with_seed(1);
    let (mut next, mut delivered, mut kept) = (0, None, Vec::new());
    for round in 0..25 {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "spool::tests::child", "--nocapture"]).stdout(Stdio::piped());
        child.env("PDNS_SPOOL_CHILD", folder.path()).env("PDNS_SPOOL_FIRST", next.to_string());
        let mut child = child.spawn().unwrap();
        let enough = rng.usize(1..2000);
        let mut lines = whole_lines(child.stdout.take().unwrap());
        let mut seen = 0;
        let mut tell = |line: &str, kept: &mut Vec<u64>| {
            if let Some((_, number)) = line.rsplit_once("kept ") {
                kept.extend(number.parse::<u64>());
            } else if let Some((_, number)) = line.rsplit_once("delivered ") {
                delivered = delivered.max(number.parse::<u64>().ok());
            }
        };
        while seen < enough
            && let Some(line) = lines.next()
        {
            tell(&line, &mut kept);
            seen += 1;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had said before it was killed.
        lines.for_each(|line| tell(&line, &mut kept));
        next = kept.last().map_or(next, |last| last + 10);
        let (mut store, left) = opened(&settings, JSON).unwrap();
        let mut found = Vec::new();
        while let Fetched::Batch(batch, ..) = store.fetch() {
            found.push(number(&batch));
        }
        assert_eq!(found.len() as u64, left.batches);
        assert_kept(&found, &kept, delivered.map_or(0, |delivered| delivered + 1), &format!("round {round}"));
        let twice = delivered.map_or(0, |delivered| found.iter().filter(|&&number| number <= delivered).count());
        assert!(twice <= 1, "round {round}: {twice} batches come twice");
    }
    assert!(kept.len() > 100, "{}", kept.len());
}
