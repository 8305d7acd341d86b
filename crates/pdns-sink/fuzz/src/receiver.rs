//! What receivers answer.

use pdns_fuzz::{Input, Target, heap};
use pdns_sink::fuzz::{fluentd_answer, http_answer};
use pdns_sink::http::{Protocol, Template};
use pdns_sink::{Failure, Outcome, Partly};

/// Answers of Fluentd, `_bulk`, ClickHouse and others: each record has one fate, and reasons are short.
pub const RECEIVER: Target = Target { name: "receiver", check, seeds, mutations: 50_000 };

/// How long a reason may be, in bytes: 200 characters of an answer and some words.
const MAX_REASON: usize = 1024;

fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let kind = input.below(4);
    if kind == 0 {
        return forward(input.rest());
    }
    let protocol = match kind {
        1 => Protocol::Bulk { index: "dns".into() },
        2 => Protocol::ClickHouse { table: "dns".into() },
        _ => Protocol::Lines(Template::lines()),
    };
    let status = 100 + input.word() % 600;
    let exception = Some(u32::from(input.word())).filter(|&code| code != 0);
    let records = u64::from(input.byte());
    let body = String::from_utf8_lossy(input.rest()).into_owned();
    let len = body.len();
    // JSON that is kept for its errors has some hundred bytes for a value of two.
    let outcome = heap::bounded((64 << 10) + 256 * len, || http_answer(&protocol, status, exception, body, records));
    match &outcome {
        Outcome::Delivered => assert!((200..300).contains(&status), "{status}"),
        Outcome::Retry(failure) | Outcome::Split(failure) | Outcome::Stop(failure) | Outcome::Refused(failure) => {
            is_short(failure);
        }
        Outcome::Partly(partly) => has_one_fate_each(partly, records),
        Outcome::Closed => panic!("a server cannot close for good"),
        other => panic!("{other:?}"),
    }
}

/// An acknowledgement is what it is however it comes, and nothing behind it changes it.
fn forward(answer: &[u8]) {
    let whole = heap::bounded(0, || fluentd_answer(answer));
    for end in 0..answer.len().min(64) {
        match fluentd_answer(&answer[..end]) {
            None => {}
            known => assert_eq!(known, whole, "after {end} bytes"),
        }
    }
    if let Some(Ok(chunk)) = whole {
        assert!(chunk.len() < answer.len());
    }
}

fn has_one_fate_each(partly: &Partly, records: u64) {
    assert_ne!(*partly, Partly::default());
    let mut places: Vec<_> =
        partly.refused.iter().map(|(place, _)| *place).chain(partly.again.iter().copied()).collect();
    places.sort_unstable();
    assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "a record with two fates");
    assert!(places.last().is_none_or(|&last| (last as u64) < records), "a record that was not sent");
    assert!(partly.again.is_sorted() && partly.refused.is_sorted_by_key(|(place, _)| *place));
    assert_eq!(partly.reason.is_some(), !partly.again.is_empty());
    partly.reason.iter().for_each(is_short);
    assert!(partly.refused.iter().all(|(_, reason)| !reason.is_empty() && reason.len() <= MAX_REASON));
}

fn is_short(failure: &Failure) {
    assert!(!failure.reason.is_empty() && failure.reason.len() <= MAX_REASON, "{}", failure.reason);
}

fn seeds() -> Vec<Vec<u8>> {
    let http = |kind: u8, status: u16, code: u16, records: u8, body: &str| {
        [&[kind][..], &(status - 100).to_be_bytes(), &code.to_be_bytes(), &[records], body.as_bytes()].concat()
    };
    let forward = |answer: &[u8]| [&[0], answer].concat();
    let item = r#"{"create":{"status":429,"error":{"type":"full","reason":"later"}}}"#;
    let refused = r#"{"create":{"status":400,"error":{"type":"mapper","reason":"no number"}}}"#;
    vec![
        forward(b"\x81\xa3ack\xa3abc"),
        forward(b"\x82\xa4more\xa1x\xa3ack\xd9\x03abc"),
        forward(b"\xdf\0\0\0\x01\xda\0\x03ack\xdb\0\0\0\x01x"),
        http(1, 200, 0, 2, r#"{"errors":false}"#),
        http(1, 200, 0, 3, &format!(r#"{{"errors":true,"items":[{item},{{"create":{{"status":201}}}},{refused}]}}"#)),
        http(1, 200, 0, 1, r#"{"errors":true,"items":[{"create":{"status":404}}]}"#),
        http(1, 503, 0, 1, "busy"),
        http(2, 400, 0, 1, "Code: 27, e.displayText() = DB::Exception: Cannot parse input"),
        http(2, 500, 252, 9, "Code: 252. DB::Exception: Too many parts"),
        http(3, 204, 0, 1, ""),
        http(3, 413, 0, 1, "<html>too large</html>"),
    ]
}
