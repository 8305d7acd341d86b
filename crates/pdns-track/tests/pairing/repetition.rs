//! What comes more than once.

use super::*;

#[test]
fn retransmissions_are_counted_and_the_first_time_is_kept() {
    let ask = Ask::default();
    let mut harness = Harness::default();
    for _ in 0..4 {
        harness.query(&ask);
        harness.advance(5 * SECOND);
    }
    harness.response(&ask);
    let seen = harness.take();
    assert_eq!((seen[0].status, seen[0].retransmits, seen[0].elapsed()), ("answered", 3, Some(20 * SECOND)));
    // What comes of the repeated queries later is a duplicate of the same transaction, which has told its count.
    harness.response(&ask);
    let seen = harness.take();
    assert_eq!((seen[0].status, seen[0].retransmits), ("duplicate", 0));
    assert_eq!(harness.pairing.stats().retransmissions, 3);
}

#[test]
fn retransmissions_do_not_prolong_the_timeout() {
    let ask = Ask::default();
    let mut harness = Harness::default();
    harness.query(&ask);
    harness.advance(59 * SECOND);
    harness.query(&ask);
    harness.wake_after(SECOND);
    assert!(harness.statuses().is_empty());
    harness.wake_after(1);
    let seen = harness.take();
    assert_eq!((seen[0].status, seen[0].retransmits), ("unanswered", 1));
    assert_eq!(seen[0].query.as_ref().unwrap().0, START);
    assert!(harness.pairing.is_empty());
}

#[test]
fn several_questions_may_be_out_under_one_id_and_port() {
    let mut harness = Harness::default();
    let a = Ask::default();
    let aaaa = Ask { qtype: 28, ..Ask::default() };
    harness.query(&a);
    harness.query(&aaaa);
    harness.response(&aaaa);
    harness.response(&a);
    let seen = harness.take();
    assert_eq!(seen[0].query.as_ref().unwrap().1, aaaa.message(false));
    assert_eq!(seen[1].query.as_ref().unwrap().1, a.message(false));
    assert!(seen.iter().all(|seen| seen.status == "answered"));
}

#[test]
fn a_further_response_is_a_duplicate_within_the_window_and_an_orphan_after() {
    let ask = Ask::default();
    let mut harness = Harness::default();
    harness.query(&ask);
    harness.advance(SECOND);
    harness.response(&ask);
    // A duplicate does not open the window anew.
    harness.advance(SECOND);
    harness.response(&ask);
    harness.advance(SECOND);
    harness.response(&ask);
    let seen = harness.take();
    assert_eq!(seen.iter().map(|seen| seen.status).collect::<Vec<_>>(), ["answered", "duplicate", "duplicate"]);
    assert!(seen.iter().all(|seen| seen.query.as_ref().unwrap().0 == START));
    harness.advance(1);
    harness.response(&ask);
    assert!(harness.statuses().is_empty(), "it is held at first");
    let seen = {
        harness.finish();
        harness.take()
    };
    assert_eq!((seen[0].status, &seen[0].query), ("orphan", &None));
}

#[test]
fn without_a_window_there_are_no_duplicates() {
    let ask = Ask::default();
    let mut harness = Harness::new(PairingConfig { duplicate_window: 0, ..PairingConfig::default() });
    harness.query(&ask);
    harness.response(&ask);
    assert!(harness.pairing.is_empty());
    harness.response(&ask);
    harness.query(&ask);
    assert_eq!(harness.statuses(), ["answered", "answered"], "the second response was held for the second query");
    assert!(harness.pairing.is_empty());
}

#[test]
fn a_query_asked_again_after_its_answer_is_another() {
    let ask = Ask::default();
    let mut harness = Harness::default();
    for _ in 0..3 {
        harness.query(&ask);
        harness.advance(MS);
        harness.response(&ask);
        harness.advance(MS);
    }
    let seen = harness.take();
    let expected: Vec<_> = (0..3).map(|round| ("answered", START + round * 2 * MS)).collect();
    let seen: Vec<_> = seen.iter().map(|seen| (seen.status, seen.query.as_ref().unwrap().0)).collect();
    assert_eq!(seen, expected);
    harness.query(&ask);
    assert_eq!(harness.finished(), ["unanswered"]);
}
