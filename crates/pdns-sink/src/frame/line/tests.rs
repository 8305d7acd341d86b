//! Scenarios on virtual time, and random ones.

use std::time::{Duration, Instant, SystemTime};

use pdns_record::{Encoding, Layout};
use proptest::prelude::*;

use super::*;

const KIB: usize = 1024;

/// A line, its time, and what the driver and a sink would do.
struct Harness {
    line: Line,
    now: Instant,
    news: Vec<News>,
}

impl Harness {
    fn new(change: impl FnOnce(&mut Settings, &mut Needs)) -> Self {
        let mut settings = Settings::new("test");
        settings.linger = Duration::from_millis(100);
        settings.retry_min = Duration::from_secs(1);
        settings.retry_max = Duration::from_secs(8);
        let mut needs = Needs::new(Encoding::json(Layout::Answer)).batch_bytes(4000);
        change(&mut settings, &mut needs);
        Self { line: Line::new(&settings, &needs, 1), now: Instant::now(), news: Vec::new() }
    }

    fn spooled(always: bool, change: impl FnOnce(&mut Settings, &mut Needs)) -> Self {
        let mut harness = Self::new(change);
        harness.line = harness.line.with_spool(always, &Left::default());
        harness
    }

    fn advance(&mut self, time: Duration) {
        self.now += time;
    }

    /// Offers records of 100 bytes with these numbers; false where there is no room.
    fn offer(&mut self, numbers: std::ops::Range<u32>) -> bool {
        self.line.offer(self.now, Arc::new(batch(numbers))).is_ok()
    }

    fn poll(&mut self) -> Action {
        let action = self.line.poll(self.now);
        self.news.extend(self.line.take_news());
        self.assert_balanced();
        action
    }

    /// The next delivery, with the numbers of its records.
    fn submitted(&mut self) -> Option<(DeliveryId, Vec<u32>)> {
        match self.poll() {
            Action::Submit(id, batch) => Some((id, numbers(&batch))),
            Action::Wait(_) => None,
            action => panic!("{action:?}"),
        }
    }

    fn outcome(&mut self, id: DeliveryId, outcome: Outcome) {
        self.line.outcome(self.now, id, outcome);
        self.news.extend(self.line.take_news());
        self.assert_balanced();
    }

    fn wake(&mut self) -> Option<Duration> {
        match self.poll() {
            Action::Wait(until) => until.map(|until| until - self.now),
            action => panic!("{action:?}"),
        }
    }

    fn stats(&self) -> SinkStats {
        self.line.stats(self.now, SystemTime::now())
    }

    fn assert_balanced(&self) {
        let stats = self.stats();
        assert_eq!(
            stats.offered + stats.restored,
            stats.delivered + stats.dropped_total() + stats.queued_records + stats.spooled_records,
            "{stats:?}"
        );
    }
}

fn batch(numbers: std::ops::Range<u32>) -> Batch {
    let mut batch = Batch::new(Encoding::json(Layout::Answer), false);
    batch.write(|bytes| {
        let records = u64::from(numbers.end - numbers.start);
        bytes.reserve_exact(100 * records as usize);
        numbers.for_each(|number| bytes.extend_from_slice(format!("{number:>99}\n").as_bytes()));
        records
    });
    batch
}

fn numbers(batch: &Batch) -> Vec<u32> {
    batch.iter().map(|record| str::from_utf8(record.bytes).unwrap().trim().parse().unwrap()).collect()
}

fn retry() -> Outcome {
    Outcome::Retry(Failure::new("connection refused"))
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn small_batches_wait_for_one_another_but_not_for_ever() {
    let mut harness = Harness::new(|_, _| {});
    harness.offer(0..2);
    assert_eq!(harness.wake(), Some(Duration::from_millis(100)));
    harness.advance(Duration::from_millis(60));
    harness.offer(2..3);
    assert_eq!(harness.wake(), Some(Duration::from_millis(40)));
    harness.advance(Duration::from_millis(40));
    let (id, numbers) = harness.submitted().unwrap();
    assert_eq!(numbers, [0, 1, 2]);
    assert_eq!(harness.stats().lag, Duration::from_millis(100));
    harness.outcome(id, Outcome::Delivered);
    assert_eq!((harness.stats().delivered, harness.stats().delivered_bytes, harness.wake()), (3, 300, None));
}

#[test]
fn what_is_enough_goes_at_once_and_is_cut_to_size() {
    let mut harness = Harness::new(|_, needs| *needs = needs.window(9));
    harness.offer(0..100);
    let deliveries: Vec<_> = std::iter::from_fn(|| harness.submitted()).collect();
    assert!(deliveries.iter().all(|(_, numbers)| numbers.len() <= 40), "4000 bytes each");
    let all: Vec<u32> = deliveries.iter().flat_map(|(_, numbers)| numbers.clone()).collect();
    assert_eq!(all, (0..100).collect::<Vec<_>>());
}

#[test]
fn a_large_batch_is_not_copied() {
    let mut harness = Harness::new(|_, _| {});
    let large = Arc::new(batch(0..30));
    harness.line.offer(harness.now, Arc::clone(&large)).unwrap();
    harness.offer(30..60);
    let Action::Submit(_, submitted) = harness.poll() else { panic!("no delivery") };
    assert!(Arc::ptr_eq(&large, &submitted));
}

#[test]
fn a_failed_delivery_is_tried_again_before_all_others_after_a_pause() {
    let mut harness = Harness::new(|_, needs| *needs = needs.window(3));
    for start in [0, 40, 80, 120] {
        harness.offer(start..start + 40);
    }
    let ids: Vec<_> = std::iter::from_fn(|| harness.submitted()).map(|(id, _)| id).collect();
    assert_eq!(ids.len(), 3);
    harness.outcome(ids[1], retry());
    harness.outcome(ids[0], retry());
    let pause = harness.wake().unwrap();
    assert!((SECOND / 2..=SECOND).contains(&pause), "two failures at once are one: {pause:?}");
    harness.outcome(ids[2], Outcome::Delivered);
    // The receiver is well.
    let (first, numbers) = harness.submitted().unwrap();
    assert_eq!(numbers[0], 0);
    assert_eq!(harness.submitted().unwrap().1[0], 40);
    assert_eq!(harness.submitted().unwrap().1[0], 120);
    harness.outcome(first, Outcome::Delivered);
    assert_eq!((harness.stats().delivered, harness.stats().retried), (80, 80));
}

#[test]
fn while_it_fails_one_delivery_at_a_time_is_tried_and_pauses_grow() {
    let mut harness = Harness::new(|_, needs| *needs = needs.window(3));
    harness.offer(0..40);
    harness.offer(40..80);
    let mut pauses = Vec::new();
    for _ in 0..6 {
        let (id, numbers) = harness.submitted().unwrap();
        assert_eq!(numbers[0], 0);
        let second = harness.submitted();
        if pauses.is_empty() {
            assert!(second.is_some(), "nothing has failed yet");
            harness.outcome(second.unwrap().0, retry());
        } else {
            assert!(second.is_none());
        }
        harness.outcome(id, retry());
        pauses.push(harness.wake().unwrap());
        harness.advance(*pauses.last().unwrap());
    }
    assert!(pauses.windows(2).take(3).all(|pair| pair[1] > pair[0] / 2), "{pauses:?}");
    assert!(pauses[5] >= 4 * SECOND && pauses[5] <= 8 * SECOND, "{pauses:?}");
    let stats = harness.stats();
    assert!(stats.failing_since.is_some());
    assert_eq!(stats.last_error.unwrap().text, "connection refused");
    let (id, _) = harness.submitted().unwrap();
    harness.outcome(id, Outcome::Delivered);
    assert!(harness.stats().failing_since.is_none());
    assert!(harness.news.iter().any(|news| matches!(news, News::Recovered { .. })));
}

#[test]
fn the_pause_that_the_receiver_asks_for_is_kept() {
    let mut harness = Harness::new(|_, _| {});
    harness.offer(0..40);
    let (id, _) = harness.submitted().unwrap();
    harness.outcome(id, Outcome::Retry(Failure::new("busy").with_pause(20 * SECOND)));
    assert_eq!(harness.wake(), Some(20 * SECOND));
    harness.advance(20 * SECOND);
    let (id, _) = harness.submitted().unwrap();
    harness.outcome(id, Outcome::Stop(Failure::new("not authorised")));
    assert!(harness.wake().unwrap() >= 4 * SECOND, "a stop has the longest pause at once");
    assert!(matches!(harness.news.last(), Some(News::Failed { is_final: true, .. })));
}

#[test]
fn a_delivery_without_an_answer_is_given_up_and_tried_again() {
    let mut harness = Harness::new(|settings, _| settings.timeout = 5 * SECOND);
    harness.offer(0..40);
    let (first, _) = harness.submitted().unwrap();
    assert_eq!(harness.wake(), Some(5 * SECOND));
    harness.advance(5 * SECOND);
    assert!(matches!(harness.poll(), Action::Expire(id) if id == first));
    harness.advance(SECOND);
    let (second, _) = harness.submitted().unwrap();
    // The answer to the first try no longer counts.
    harness.outcome(first, Outcome::Delivered);
    assert_eq!(harness.stats().delivered, 0);
    harness.outcome(second, retry());
    // An answer that comes while the batch waits saves sending it again.
    harness.outcome(second, Outcome::Delivered);
    assert_eq!((harness.stats().delivered, harness.submitted()), (40, None));
}

#[test]
fn a_batch_that_is_too_large_is_halved_down_to_the_record() {
    let mut harness = Harness::new(|_, _| {});
    harness.offer(0..4);
    harness.advance(SECOND);
    let mut delivered = Vec::new();
    // Record 2 is too large by itself, and any two together are.
    while let Some((id, numbers)) = harness.submitted() {
        let outcome = match numbers[..] {
            [2] | [_, _, ..] => Outcome::Split(Failure::new("too large")),
            _ => Outcome::Delivered,
        };
        if outcome == Outcome::Delivered {
            delivered.extend(numbers);
        }
        harness.outcome(id, outcome);
    }
    assert_eq!(delivered, [0, 1, 3]);
    assert_eq!(harness.stats().dropped(DropReason::Refused), 1);
    assert!(matches!(&harness.news[..], [News::Refused { batch, .. }] if numbers(batch) == [2]));
}

#[test]
fn a_record_that_stops_its_batch_again_and_again_is_found_and_dropped() {
    let mut harness = Harness::new(|_, _| {});
    harness.offer(0..40);
    let mut tries = 0;
    while harness.stats().queued_records > 0 {
        tries += 1;
        assert!(tries < 100, "it does not end");
        match harness.poll() {
            Action::Submit(id, batch) => {
                let is_poisoned = numbers(&batch).contains(&17);
                let failure = Failure::new("internal error").suspect();
                harness.outcome(id, if is_poisoned { Outcome::Retry(failure) } else { Outcome::Delivered });
            }
            Action::Wait(Some(until)) => harness.now = until,
            action => panic!("{action:?}"),
        }
    }
    assert_eq!((harness.stats().delivered, harness.stats().dropped(DropReason::Refused)), (39, 1));
}

#[test]
fn a_receiver_that_takes_nothing_has_nothing_dropped_however_long_that_lasts() {
    for spooled in [false, true] {
        let mut harness = if spooled { Harness::spooled(false, |_, _| {}) } else { Harness::new(|_, _| {}) };
        let mut memory = Memory { room: usize::MAX, ..Memory::default() };
        (0..5).for_each(|start| assert!(harness.offer(start * 40..(start + 1) * 40)));
        let mut arrived = Vec::new();
        for tries in 0..2000 {
            match memory.poll(&mut harness) {
                // What stands before a receiver that is away accepts each connection, and closes it.
                Action::Submit(id, _) if tries < 1000 => {
                    harness.outcome(id, Outcome::Retry(Failure::new("closed before it was acknowledged").suspect()));
                }
                Action::Submit(id, batch) => {
                    arrived.extend(numbers(&batch));
                    harness.outcome(id, Outcome::Delivered);
                }
                Action::Wait(Some(until)) => harness.now = until,
                _ => break,
            }
        }
        arrived.sort_unstable();
        assert_eq!(arrived, (0..200).collect::<Vec<_>>());
        assert_eq!((harness.stats().dropped_total(), harness.stats().queued_records), (0, 0));
    }
}

#[test]
fn of_a_batch_that_was_partly_taken_the_rest_has_its_own_fate() {
    let mut harness = Harness::new(|_, _| {});
    harness.offer(0..5);
    harness.advance(SECOND);
    let (id, _) = harness.submitted().unwrap();
    let refused = vec![(1, "mapping".to_owned()), (4, "mapping".to_owned())];
    let reason = Some(Failure::new("busy"));
    harness.outcome(id, Outcome::Partly(Partly { refused, again: vec![0, 2], reason, cut: 1 }));
    let stats = harness.stats();
    assert_eq!((stats.delivered, stats.dropped(DropReason::Refused), stats.queued_records), (1, 2, 2));
    assert_eq!(stats.cut, 1);
    assert_eq!(stats.delivered_bytes, 100);
    harness.advance(SECOND);
    assert_eq!(harness.submitted().unwrap().1, [0, 2]);
}

#[test]
fn a_full_queue_drops_or_has_its_feeder_wait() {
    let mut harness = Harness::new(|settings, _| {
        settings.queue_bytes = 16 * KIB;
        settings.when_full = WhenFull::Drop;
    });
    for start in 0..10 {
        assert!(harness.offer(start * 40..(start + 1) * 40));
    }
    let stats = harness.stats();
    assert!(stats.queued_bytes <= 16 << 10, "{stats:?}");
    assert_eq!((stats.offered, stats.queued_records), (400, 160), "what came first stays");
    assert_eq!(stats.dropped(DropReason::QueueFull), 240);

    let mut harness = Harness::new(|settings, _| settings.queue_bytes = 16 * KIB);
    let taken = (0..10).filter(|start| harness.offer(start * 40..(start + 1) * 40)).count();
    assert_eq!((taken, harness.stats().offered), (4, 160));
    let (id, _) = harness.submitted().unwrap();
    assert!(!harness.offer(400..440), "what is under way takes memory, too");
    harness.outcome(id, Outcome::Delivered);
    assert!(harness.offer(400..440));
}

#[test]
fn a_batch_larger_than_the_queue_passes_when_it_is_alone() {
    let mut harness = Harness::new(|settings, _| settings.queue_bytes = KIB);
    assert!(harness.offer(0..40));
    assert!(!harness.offer(40..41));
}

#[test]
fn a_receiver_that_has_gone_takes_everything_with_it() {
    let mut harness = Harness::new(|_, needs| *needs = needs.window(2));
    for start in [0, 40, 80] {
        harness.offer(start..start + 40);
    }
    let ids: Vec<_> = std::iter::from_fn(|| harness.submitted()).map(|(id, _)| id).collect();
    harness.outcome(ids[0], Outcome::Closed);
    assert!(harness.line.is_gone());
    harness.offer(120..160);
    harness.outcome(ids[1], Outcome::Delivered);
    assert_eq!(harness.stats().dropped(DropReason::Closed), 160);
    assert!(harness.submitted().is_none());
    harness.line.close(harness.now, harness.now + SECOND);
    assert!(matches!(harness.poll(), Action::End));
}

#[test]
fn the_end_waits_for_deliveries_and_then_counts_what_is_left() {
    let mut harness = Harness::new(|_, _| {});
    harness.offer(0..2);
    harness.line.close(harness.now, harness.now + 10 * SECOND);
    // Nobody waits for more.
    let (id, _) = harness.submitted().unwrap();
    harness.offer(2..3);
    assert_eq!(harness.stats().dropped(DropReason::Shutdown), 1);
    harness.outcome(id, retry());
    assert!(harness.wake().unwrap() <= SECOND / 2, "there is little time");
    harness.advance(SECOND);
    let (id, _) = harness.submitted().unwrap();
    harness.advance(9 * SECOND);
    assert!(matches!(harness.poll(), Action::End));
    harness.outcome(id, Outcome::Delivered);
    assert_eq!((harness.stats().delivered, harness.stats().dropped(DropReason::Shutdown)), (0, 3));
    assert_eq!(harness.line.state, State::Ended);
}

/// A spool in memory.
#[derive(Default)]
struct Memory {
    batches: VecDeque<(u64, Batch)>,
    written: u64,
    forgotten: u64,
    room: usize,
}

impl Memory {
    /// Does what the line asks of its spool; anything else is given back.
    fn serve(&mut self, harness: &mut Harness, action: Action) -> Option<Action> {
        match action {
            Action::Append(batches) => {
                let fit = batches.len().min(self.room.saturating_sub(self.batches.len()));
                for batch in &batches[..fit] {
                    self.written += 1;
                    self.batches.push_back((self.written, batch.as_ref().clone()));
                }
                let records = batches[..fit].iter().map(|batch| batch.records()).sum();
                let append = Append { batches: fit, records, is_full: fit < batches.len(), failure: None };
                harness.line.appended(harness.now, append);
            }
            Action::Fetch => {
                let fetched = self.batches.pop_front();
                let fetched =
                    fetched.map_or(Fetched::Nothing, |(number, batch)| Fetched::Batch(batch, number, Duration::ZERO));
                harness.line.fetched(harness.now, fetched);
            }
            other => return Some(other),
        }
        if let Some(done) = harness.line.take_done() {
            self.forgotten = done;
        }
        harness.assert_balanced();
        None
    }

    /// The next thing to do that the spool does not do.
    fn poll(&mut self, harness: &mut Harness) -> Action {
        loop {
            let action = harness.poll();
            if let Some(action) = self.serve(harness, action) {
                return action;
            }
        }
    }
}

#[test]
fn what_does_not_fit_goes_through_the_disk_and_keeps_its_order() {
    let mut harness = Harness::spooled(false, |settings, _| {
        settings.queue_bytes = 32 * KIB;
        settings.when_full = WhenFull::Drop;
    });
    let mut memory = Memory { room: usize::MAX, ..Memory::default() };
    let mut delivered = Vec::new();
    let mut hold = None;
    for start in 0..50 {
        harness.offer(start * 40..(start + 1) * 40);
        if let Action::Submit(id, batch) = memory.poll(&mut harness) {
            hold = Some((id, numbers(&batch)));
        }
    }
    let stats = harness.stats();
    assert_eq!(stats.dropped_total(), 0);
    assert!(stats.queued_bytes <= 32 << 10 && stats.spooled_records > 1500, "{stats:?}");
    let (id, numbers_of_it) = hold.unwrap();
    delivered.extend(numbers_of_it);
    harness.outcome(id, Outcome::Delivered);
    loop {
        match memory.poll(&mut harness) {
            Action::Submit(id, batch) => {
                delivered.extend(numbers(&batch));
                harness.outcome(id, Outcome::Delivered);
            }
            Action::Wait(Some(until)) => harness.now = until,
            _ => break,
        }
    }
    assert_eq!(delivered, (0..2000).collect::<Vec<_>>());
    assert_eq!(
        (harness.stats().spooled_records, harness.line.take_done().unwrap_or(memory.forgotten)),
        (0, memory.written)
    );
    // With the disk empty records no longer take that way.
    let written = memory.written;
    harness.offer(2000..2040);
    assert!(matches!(memory.poll(&mut harness), Action::Submit(..)));
    assert_eq!(memory.written, written);
}

#[test]
fn with_always_everything_is_on_disk_before_it_is_delivered() {
    let mut harness = Harness::spooled(true, |_, _| {});
    let mut memory = Memory { room: usize::MAX, ..Memory::default() };
    harness.offer(0..40);
    let Action::Submit(id, _) = memory.poll(&mut harness) else { panic!("no delivery") };
    assert_eq!((memory.written, harness.stats().spool_written), (1, 40));
    harness.outcome(id, Outcome::Delivered);
    assert_eq!(harness.line.take_done(), Some(1));
}

#[test]
fn a_full_disk_fills_the_queue_and_then_the_policy_holds() {
    let mut harness = Harness::spooled(false, |settings, _| {
        settings.queue_bytes = 32 * KIB;
        settings.when_full = WhenFull::Drop;
    });
    let mut memory = Memory { room: 10, ..Memory::default() };
    for start in 0..50 {
        harness.offer(start * 40..(start + 1) * 40);
        memory.poll(&mut harness);
    }
    let stats = harness.stats();
    assert!(stats.queued_bytes <= 32 << 10, "{stats:?}");
    assert_eq!(stats.spooled_records, 400);
    assert!(stats.dropped(DropReason::SpoolFull) > 1000 && stats.dropped(DropReason::QueueFull) == 0, "{stats:?}");
}

#[test]
fn deliveries_that_hang_leave_room_for_what_goes_to_the_spool() {
    let mut harness = Harness::spooled(false, |settings, needs| {
        settings.queue_bytes = 16 * KIB;
        settings.when_full = WhenFull::Drop;
        needs.window = 5;
    });
    let mut memory = Memory { room: usize::MAX, ..Memory::default() };
    let mut under_way = 0;
    for start in 0..50 {
        harness.offer(start * 40..(start + 1) * 40);
        // None of them has an outcome.
        while let Action::Submit(..) = memory.poll(&mut harness) {
            under_way += 1;
        }
    }
    let stats = harness.stats();
    assert_eq!((stats.dropped_total(), stats.in_flight), (0, under_way), "{stats:?}");
    assert!(under_way >= 1 && stats.spooled_records + stats.queued_records == 2000, "{stats:?}");
}

#[test]
fn a_disk_that_fails_is_told_of_and_tried_again_and_does_not_stop_deliveries() {
    let mut harness = Harness::spooled(true, |_, _| {});
    harness.offer(0..40);
    let Action::Append(_) = harness.poll() else { panic!("nothing for the disk") };
    harness.line.appended(harness.now, Append { failure: Some("no such device".to_owned()), ..Append::default() });
    let (id, numbers) = harness.submitted().unwrap();
    assert_eq!(numbers.len(), 40);
    harness.outcome(id, Outcome::Delivered);
    assert!(matches!(&harness.news[..], [News::SpoolFailed(reason)] if reason == "no such device"));
    harness.advance(SECOND);
    harness.offer(40..80);
    assert!(matches!(harness.poll(), Action::Append(_)));
}

#[test]
fn at_the_end_memory_goes_to_disk() {
    for is_failing in [true, false] {
        let mut harness = Harness::spooled(false, |_, needs| *needs = needs.window(2));
        let mut memory = Memory { room: usize::MAX, ..Memory::default() };
        for start in [0, 40, 80] {
            harness.offer(start..start + 40);
        }
        let Action::Submit(first, _) = memory.poll(&mut harness) else { panic!("no delivery") };
        let Action::Submit(..) = memory.poll(&mut harness) else { panic!("no delivery") };
        harness.line.close(harness.now, harness.now + 10 * SECOND);
        if is_failing {
            // There is no use in waiting for a receiver that is away.
            harness.outcome(first, retry());
        } else {
            assert!(matches!(memory.poll(&mut harness), Action::Wait(_)));
            harness.advance(10 * SECOND);
        }
        assert!(matches!(memory.poll(&mut harness), Action::End));
        let left: Vec<_> = memory.batches.iter().flat_map(|(_, batch)| numbers(batch)).collect();
        assert_eq!(left, (0..120).collect::<Vec<_>>());
        assert_eq!((harness.stats().spooled_records, harness.stats().dropped_total()), (120, 0));
    }
}

#[test]
fn what_an_earlier_run_left_goes_first() {
    let mut harness = Harness::new(|_, _| {});
    harness.line = harness.line.with_spool(false, &Left { batches: 1, records: 40, cut_bytes: 7 });
    let mut memory = Memory { room: usize::MAX, written: 1, ..Memory::default() };
    memory.batches.push_back((1, batch(0..40)));
    harness.offer(40..80);
    for start in [0, 40] {
        let Action::Submit(id, batch) = memory.poll(&mut harness) else { panic!("no delivery") };
        assert_eq!(numbers(&batch), (start..start + 40).collect::<Vec<_>>());
        harness.outcome(id, Outcome::Delivered);
    }
    let stats = harness.stats();
    assert_eq!((stats.offered, stats.restored, stats.delivered, stats.spool_cut_bytes), (40, 40, 80, 7));
}

#[test]
fn damage_is_counted_and_what_comes_after_it_is_delivered() {
    let mut harness = Harness::new(|_, _| {});
    harness.line = harness.line.with_spool(false, &Left { batches: 3, records: 120, cut_bytes: 0 });
    assert!(matches!(harness.poll(), Action::Fetch));
    let damage = Damage { batches: 2, records: 80, bytes: 8000, reason: "bad checksum".to_owned() };
    harness.line.fetched(harness.now, Fetched::Damaged(damage));
    assert!(matches!(harness.poll(), Action::Fetch));
    harness.line.fetched(harness.now, Fetched::Batch(batch(0..40), 3, SECOND));
    let (id, _) = harness.submitted().unwrap();
    harness.outcome(id, Outcome::Delivered);
    assert_eq!((harness.stats().dropped(DropReason::SpoolDamaged), harness.stats().delivered), (80, 40));
}

/// What may happen to a line.
#[derive(Clone, Debug)]
enum Event {
    Offer(u32),
    Advance(u64),
    Outcome(usize, u8),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (1_u32..60).prop_map(Event::Offer),
        1 => (1_u64..3000).prop_map(Event::Advance),
        3 => (0_usize..4, 0_u8..9).prop_map(|(delivery, outcome)| Event::Outcome(delivery, outcome)),
    ]
}

proptest! {
    /// Whatever happens, each record is in exactly one place, memory is bounded, and after the end nothing is left but
    /// what is on disk.
    #[test]
    fn every_record_is_accounted_for(
        events in proptest::collection::vec(event(), 1..200),
        spool in proptest::option::of(any::<bool>()),
        drops in any::<bool>(),
        window in 1_usize..4,
        room in 0_usize..20,
    ) {
        let mut harness = Harness::new(|settings, needs| {
            settings.queue_bytes = 24 * KIB;
            settings.when_full = if drops { WhenFull::Drop } else { WhenFull::Block };
            *needs = needs.window(window);
        });
        if let Some(always) = spool {
            harness.line = harness.line.with_spool(always, &Left::default());
        }
        let mut memory = Memory { room, ..Memory::default() };
        let mut next = 0;
        let mut under_way: Vec<(DeliveryId, Arc<Batch>)> = Vec::new();
        let mut delivered = std::collections::BTreeSet::new();
        let mut refused = 0;
        for event in events {
            match event {
                Event::Offer(count) => {
                    if harness.offer(next..next + count) {
                        next += count;
                    }
                }
                Event::Advance(millis) => harness.advance(Duration::from_millis(millis)),
                Event::Outcome(delivery, outcome) if delivery < under_way.len() => {
                    let (id, batch) = under_way.swap_remove(delivery);
                    let before = harness.stats();
                    harness.outcome(id, outcome_of(outcome, batch.records()));
                    let after = harness.stats();
                    refused += after.dropped(DropReason::Refused) - before.dropped(DropReason::Refused);
                    if after.delivered - before.delivered == batch.records() {
                        delivered.extend(numbers(&batch));
                    }
                }
                Event::Outcome(..) => {}
            }
            while let action @ (Action::Submit(..) | Action::Expire(_)) = memory.poll(&mut harness) {
                match action {
                    Action::Submit(id, batch) => under_way.push((id, batch)),
                    Action::Expire(id) => under_way.retain(|(other, _)| *other != id),
                    _ => {}
                }
            }
            let stats = harness.stats();
            prop_assert!(stats.in_flight <= window as u64);
            // What is fetched comes on top, one delivery for each place in the window and one more.
            let fetched = (window + 1) * 5 * KIB;
            prop_assert!(stats.queued_bytes as usize <= 24 * KIB + fetched, "{stats:?}");
        }
        harness.line.close(harness.now, harness.now + SECOND);
        harness.advance(2 * SECOND);
        prop_assert!(matches!(memory.poll(&mut harness), Action::End));
        let stats = harness.stats();
        prop_assert_eq!(stats.queued_records, 0);
        prop_assert_eq!(stats.offered, u64::from(next));
        prop_assert_eq!(stats.dropped(DropReason::Refused), refused);
        prop_assert!(stats.delivered >= delivered.len() as u64);
    }
}

fn outcome_of(number: u8, records: u64) -> Outcome {
    match number {
        0 => Outcome::Retry(Failure::new("busy").suspect()),
        1 => Outcome::Split(Failure::new("too large")),
        2 => Outcome::Refused(Failure::new("bad")),
        3 => Outcome::Partly(Partly {
            refused: vec![(0, "bad".to_owned())],
            again: (1..records as usize).step_by(2).collect(),
            reason: None,
            cut: 0,
        }),
        4 => Outcome::Stop(Failure::new("not authorised")),
        5 => retry(),
        _ => Outcome::Delivered,
    }
}
