//! Random events: each record is in exactly one place.

use proptest::prelude::*;

use super::disk::Memory;
use super::*;

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
    /// Whatever happens, each record is in exactly one place, memory is bounded, who is not stirred misses nothing, and
    /// after the end nothing is left but what is on disk.
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
        let mut memory = Memory::with_room(room);
        let mut next = 0;
        let mut under_way: Vec<(DeliveryId, Arc<Batch>)> = Vec::new();
        let mut delivered = std::collections::BTreeSet::new();
        let mut refused = 0;
        let mut until = None;
        for event in events {
            let mut is_stirred = true;
            match event {
                Event::Offer(count) => {
                    if harness.offer(next..next + count) {
                        next += count;
                        is_stirred = harness.line.is_stirred(harness.now);
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
            loop {
                match memory.poll(&mut harness) {
                    Action::Submit(id, batch) => under_way.push((id, batch)),
                    Action::Expire(id) => under_way.retain(|(other, _)| *other != id),
                    Action::Wait(time) => {
                        prop_assert!(is_stirred || time == until, "{until:?} was waited for, and {time:?} would be");
                        until = time;
                        break;
                    }
                    action => panic!("{action:?}"),
                }
                prop_assert!(is_stirred, "there is something to do");
            }
            let stats = harness.stats();
            prop_assert!(stats.in_flight <= window as u64);
            // What is fetched comes on top, one delivery for each place in the window and one more.
            let fetched = (window + 1) * 5 * KIB;
            prop_assert!(stats.queued_bytes as usize <= 24 * KIB + fetched, "{stats:?}");
        }
        harness.line.close(harness.now, harness.now + SECOND);
        harness.advance(2 * SECOND);
        // What was under way may be too late by now, too.
        let last = iter::repeat_with(|| memory.poll(&mut harness)).find(|action| !matches!(action, Action::Expire(_)));
        prop_assert!(matches!(last, Some(Action::End)), "{last:?}");
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
