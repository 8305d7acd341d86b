//! Scenarios on virtual time: those in memory here, others beside.

mod disk;
mod random;

use std::time::{Duration, Instant, SystemTime};

use pdns_record::{Encoding, Layout};

use super::*;
use crate::{Outcome, Partly};
use disk::Memory;

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
        bytes.with_vec(|bytes| bytes.reserve_exact(100 * records as usize));
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
fn only_what_changes_anything_stirs() {
    let mut harness = Harness::new(|settings, _| {
        settings.queue_bytes = 9000;
        settings.when_full = WhenFull::Drop;
    });
    let mut offered = 0;
    let mut stirs = |harness: &mut Harness, count| {
        assert!(harness.offer(offered..offered + count));
        offered += count;
        harness.line.is_stirred(harness.now)
    };
    assert!(stirs(&mut harness, 10), "there is a time to wait for");
    assert!(!stirs(&mut harness, 10));
    assert!(stirs(&mut harness, 20), "that is enough");
    let (id, _) = harness.submitted().unwrap();
    assert!(!stirs(&mut harness, 10) && !stirs(&mut harness, 40), "an outcome is waited for");
    harness.outcome(id, Outcome::Delivered);
    assert_eq!(harness.submitted().unwrap().1.len(), 10);
    assert!(stirs(&mut harness, 50), "something was dropped, which is to be told");
    assert_eq!(harness.stats().dropped(DropReason::QueueFull), 50);
    assert!(stirs(&mut Harness::spooled(false, |_, _| {}), 1) && stirs(&mut Harness::spooled(true, |_, _| {}), 1));
}

#[test]
fn what_is_enough_goes_at_once_and_is_cut_to_size() {
    let mut harness = Harness::new(|_, needs| *needs = needs.window(9));
    harness.offer(0..100);
    let deliveries: Vec<_> = iter::from_fn(|| harness.submitted()).collect();
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
    let ids: Vec<_> = iter::from_fn(|| harness.submitted()).map(|(id, _)| id).collect();
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
        let mut memory = Memory::with_room(usize::MAX);
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
    let ids: Vec<_> = iter::from_fn(|| harness.submitted()).map(|(id, _)| id).collect();
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

#[test]
fn a_merged_delivery_takes_no_more_memory_than_its_parts() {
    let mut harness = Harness::new(|_, _| {});
    for first in 0..13 {
        assert!(harness.offer(3 * first..3 * first + 3));
    }
    let parts = harness.line.memory();
    harness.advance(Duration::from_millis(100));
    let Action::Submit(_, merged) = harness.poll() else { panic!("it is time") };
    assert_eq!((merged.bytes().len(), merged.size(), parts), (3900, 3900, 3900));
}
