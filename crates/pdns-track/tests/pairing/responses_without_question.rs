//! Responses that have no question, or a broken one.

use super::*;

#[test]
fn go_to_the_oldest_outstanding_query() {
    let mut harness = Harness::default();
    let asks = ["one", "two", "three"].map(Ask::named);
    for ask in &asks {
        harness.query(ask);
    }
    harness.response(&asks[0]);
    harness.bare_response(&asks[2]);
    harness.bare_response(&asks[2]);
    let seen = harness.take();
    let queries: Vec<_> = seen.iter().map(|seen| seen.query.as_ref().unwrap().1.clone()).collect();
    assert_eq!(queries, asks.map(|ask| ask.message(false)));
    assert!(seen.iter().all(|seen| seen.status == "answered"));
}

#[test]
fn are_duplicates_of_the_query_answered_last_when_none_is_outstanding() {
    let mut harness = Harness::default();
    let (one, two) = (Ask::named("one"), Ask::named("two"));
    harness.query(&one);
    harness.query(&two);
    harness.response(&two);
    harness.response(&one);
    harness.take();
    harness.bare_response(&one);
    let seen = harness.take();
    assert_eq!((seen[0].status, &seen[0].query.as_ref().unwrap().1), ("duplicate", &one.message(false)));
}

#[test]
fn still_need_the_rest_of_the_key() {
    let mut harness = Harness::default();
    harness.query(&Ask::default());
    harness.bare_response(&Ask { id: 8, ..Ask::default() });
    harness.bare_response(&Ask { opcode: 4, ..Ask::default() });
    assert_eq!(harness.finished(), ["orphan", "orphan", "unanswered"]);
}

#[test]
fn are_held_for_whatever_is_asked() {
    let mut harness = Harness::default();
    harness.bare_response(&Ask::default());
    harness.advance(MS);
    harness.query(&Ask::named("any"));
    let seen = harness.take();
    assert_eq!((seen[0].status, seen[0].elapsed()), ("answered", Some(-MS)));
}

#[test]
fn yield_to_held_responses_with_the_question() {
    let mut harness = Harness::default();
    harness.bare_response(&Ask::default());
    harness.response(&Ask::default());
    harness.query(&Ask::default());
    let seen = harness.take();
    assert_eq!(seen[0].response.as_ref().unwrap().1, Ask::default().message(true));
    assert_eq!([seen[0].status, seen[1].status], ["answered", "duplicate"]);
    assert!(harness.finished().is_empty());
}

#[test]
fn broken_questions_are_none() {
    let ask = Ask::default();
    for broken in [&b"\x03www"[..], b"\x03www\0\0\x01", b"\x40\0\0\x01\0\x01", b"\xc0\x0c\0\x01\0\x01", b""] {
        let mut harness = Harness::default();
        harness.query(&ask);
        harness.send(&ask, true, &ask.with_questions(true, 1, broken));
        assert_eq!(harness.statuses(), ["answered"], "{broken:?}");
        // A query without a readable question takes only responses without one.
        harness.send(&ask, false, &ask.with_questions(false, 1, broken));
        harness.send(&ask, false, &ask.with_questions(false, 0, &[]));
        harness.response(&Ask::named("other"));
        harness.bare_response(&ask);
        assert_eq!(harness.statuses(), ["answered"], "{broken:?}");
        assert_eq!(harness.pairing.stats().retransmissions, 1);
        assert_eq!(harness.finished(), ["orphan"]);
    }
}
