//! Time-outs, skew and the clock.

use super::*;

#[test]
fn an_answer_exactly_at_the_timeout_is_in_time_and_a_later_one_an_orphan() {
    for (late, expected) in [(0, &["answered"][..]), (1, &["unanswered", "orphan"])] {
        let mut harness = Harness::default();
        harness.query(&Ask::default());
        harness.advance(60 * SECOND + late);
        harness.response(&Ask::default());
        assert_eq!(harness.finished(), expected);
    }
}

#[test]
fn a_response_may_come_before_its_query_by_the_skew() {
    for (early, expected) in
        [(0, &["answered"][..]), (100 * MS, &["answered"]), (100 * MS + 1, &["orphan", "unanswered"])]
    {
        let mut harness = Harness::default();
        harness.response(&Ask::default());
        harness.advance(early);
        harness.query(&Ask::default());
        harness.finish();
        let seen = harness.take();
        assert_eq!(seen.iter().map(|seen| seen.status).collect::<Vec<_>>(), expected);
        if let [seen] = &seen[..] {
            assert_eq!(seen.elapsed(), Some(-early));
        }
    }
}

#[test]
fn without_a_skew_a_response_before_its_query_is_an_orphan_at_once() {
    let mut harness = Harness::new(PairingConfig { skew_timeout: 0, ..PairingConfig::default() });
    harness.response(&Ask::default());
    assert_eq!(harness.statuses(), ["orphan"]);
    assert!(harness.pairing.is_empty());
}

#[test]
fn of_several_early_responses_the_first_answers_and_the_others_are_duplicates() {
    let ask = Ask::default();
    let mut harness = Harness::default();
    for _ in 0..3 {
        harness.response(&ask);
        harness.advance(MS);
    }
    harness.response(&Ask::named("other"));
    harness.query(&ask);
    harness.response(&ask);
    let seen = harness.take();
    assert_eq!(
        seen.iter().map(|seen| seen.status).collect::<Vec<_>>(),
        ["answered", "duplicate", "duplicate", "duplicate"]
    );
    assert_eq!(seen.iter().map(|seen| seen.elapsed().unwrap() / MS).collect::<Vec<_>>(), [-3, -2, -1, 0]);
    // The query was answered when it came.
    harness.advance(2 * SECOND);
    harness.response(&ask);
    assert_eq!(harness.statuses(), ["orphan", "duplicate"]);
    harness.advance(1);
    harness.response(&ask);
    assert_eq!(harness.finished(), ["orphan"]);
}

#[test]
fn time_outs_are_handed_out_in_the_order_of_their_deadlines() {
    let mut harness = Harness::default();
    harness.query(&Ask::named("first"));
    harness.advance(59_950 * MS);
    harness.response(&Ask::named("held"));
    harness.advance(20 * MS);
    harness.query(&Ask::named("second"));
    harness.wake_after(100 * SECOND);
    assert_eq!(harness.statuses(), ["unanswered", "orphan", "unanswered"]);
    assert!(harness.pairing.is_empty());
}

#[test]
fn a_clock_that_steps_back_stands_still() {
    let mut harness = Harness::default();
    harness.query(&Ask::named("one"));
    harness.advance(-30 * SECOND);
    harness.query(&Ask::named("two"));
    harness.response(&Ask::named("one"));
    let seen = harness.take();
    assert_eq!((seen[0].status, seen[0].elapsed()), ("answered", Some(-30 * SECOND)));
    harness.wake_after(90 * SECOND);
    assert!(harness.statuses().is_empty(), "its time began with the latest time seen");
    harness.wake_after(1);
    assert_eq!(harness.statuses(), ["unanswered"]);
}

#[test]
fn the_end_of_the_capture_ends_everything() {
    let mut harness = Harness::default();
    harness.query(&Ask::named("outstanding"));
    harness.response(&Ask::named("held"));
    harness.query(&Ask::named("answered"));
    harness.response(&Ask::named("answered"));
    assert_eq!(harness.finished(), ["answered", "orphan", "unanswered"]);
    assert!(harness.finished().is_empty(), "once");
}

#[test]
fn the_last_moment_there_is_harms_nothing() {
    let mut harness = Harness { now: i64::MAX, ..Harness::default() };
    harness.query(&Ask::named("one"));
    harness.response(&Ask::named("two"));
    harness.now = i64::MIN;
    harness.query(&Ask::named("three"));
    assert_eq!(harness.finished(), ["unanswered", "orphan", "unanswered"]);
}
