//! Full tables.

use super::*;

fn of_messages(max_messages: usize) -> Harness {
    Harness::new(PairingConfig { max_messages, ..PairingConfig::default() })
}

#[test]
fn the_oldest_answered_then_held_then_outstanding_message_goes() {
    let mut harness = of_messages(4);
    harness.query(&Ask::named("outstanding1"));
    harness.response(&Ask::named("held"));
    harness.query(&Ask::named("answered1"));
    harness.response(&Ask::named("answered1"));
    harness.query(&Ask::named("answered2"));
    harness.response(&Ask::named("answered2"));
    assert_eq!(harness.statuses(), ["answered"; 2]);
    let evicted = |harness: &Harness| {
        let stats = harness.pairing.stats();
        [stats.evicted_answered, stats.evicted_responses, stats.evicted_queries]
    };
    harness.query(&Ask::named("outstanding2"));
    assert_eq!(evicted(&harness), [1, 0, 0]);
    harness.response(&Ask::named("answered2"));
    assert_eq!(harness.statuses(), ["duplicate"], "the younger one is still there");
    harness.query(&Ask::named("outstanding3"));
    assert_eq!((evicted(&harness), harness.statuses()), ([2, 0, 0], vec![]));
    harness.query(&Ask::named("outstanding4"));
    assert_eq!((evicted(&harness), harness.statuses()), ([2, 1, 0], vec!["orphan"]));
    harness.query(&Ask::named("outstanding5"));
    let seen = harness.take();
    assert_eq!((evicted(&harness), seen[0].status), ([2, 1, 1], "unanswered"));
    assert_eq!(seen[0].query.as_ref().unwrap().1, Ask::named("outstanding1").message(false));
    harness.response(&Ask::named("outstanding3"));
    assert_eq!(harness.statuses(), ["answered"], "an answer needs no room");
    assert_eq!(harness.pairing.len(), 4);
    assert_eq!(harness.finished(), ["unanswered"; 3]);
}

#[test]
fn a_flood_of_responses_ends_no_query() {
    let mut harness = of_messages(10);
    harness.query(&Ask::default());
    for id in 100..1000 {
        harness.response(&Ask { id, ..Ask::default() });
    }
    assert_eq!(harness.take().len(), 891);
    harness.response(&Ask::default());
    assert_eq!(harness.statuses(), ["answered"]);
}

#[test]
fn bytes_are_bounded_too() {
    let len = Ask::named("one").message(false).len();
    let mut harness = Harness::new(PairingConfig { max_bytes: 2 * len, ..PairingConfig::default() });
    for name in ["one", "two", "six"] {
        harness.query(&Ask::named(name));
        assert!(harness.pairing.held_bytes() <= 2 * len);
    }
    assert_eq!(harness.statuses(), ["unanswered"]);
    assert_eq!(harness.pairing.held_bytes(), 2 * len);
    // A message longer than all room there is goes in alone.
    harness.query(&Ask::named(&"long".repeat(15)));
    assert_eq!(harness.statuses(), ["unanswered"; 2]);
    assert_eq!((harness.pairing.len(), harness.pairing.stats().evicted_queries), (1, 3));
    assert_eq!(harness.finished(), ["unanswered"]);
}

#[test]
fn bytes_count_the_uncompressed_question_kept_beside_a_compressed_one() {
    let ask = Ask::default();
    let bytes = ask.with_questions(false, 1, b"\x03www\xc0\x16\0\x01\0\x01\x07example\0");
    let mut harness = Harness::default();
    harness.send(&ask, false, &bytes);
    assert_eq!(harness.pairing.held_bytes(), bytes.len() + ask.question().len());
    harness.finish();
}

#[test]
fn room_for_nothing_is_room_for_one() {
    let mut harness = of_messages(0);
    harness.query(&Ask::named("one"));
    harness.query(&Ask::named("two"));
    harness.response(&Ask::named("two"));
    assert_eq!(harness.statuses(), ["unanswered", "answered"]);
    harness.response(&Ask::named("three"));
    harness.query(&Ask::named("three"));
    assert_eq!(harness.statuses(), ["answered"]);
    harness.finish();
    assert_eq!(harness.pairing.stats().evicted_answered, 1);
}
