//! What goes through the spool, or waits in it.

use super::*;

/// A spool in memory.
#[derive(Default)]
pub(super) struct Memory {
    batches: VecDeque<(u64, Batch)>,
    written: u64,
    forgotten: u64,
    room: usize,
}

impl Memory {
    /// With room for so many batches.
    pub(super) fn with_room(room: usize) -> Self {
        Self { room, ..Self::default() }
    }

    /// Does what the line asks of its spool; anything else is given back.
    pub(super) fn serve(&mut self, harness: &mut Harness, action: Action) -> Option<Action> {
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
    pub(super) fn poll(&mut self, harness: &mut Harness) -> Action {
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
    let mut memory = Memory::with_room(usize::MAX);
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
    let mut memory = Memory::with_room(usize::MAX);
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
    let mut memory = Memory::with_room(10);
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
    let mut memory = Memory::with_room(usize::MAX);
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
        let mut memory = Memory::with_room(usize::MAX);
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
