//! What a response means for the records of a request.

use std::time::Duration;

use serde::Deserialize;

use super::Protocol;
use crate::{Failure, Outcome, Partly};

/// What is looked at of a response.
#[derive(Clone, Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    /// The pause that the server asks for.
    pub(super) retry_after: Option<Duration>,
    /// ClickHouse's number of what went wrong.
    pub(super) exception: Option<u32>,
    pub(super) body: String,
}

/// How much of an answer is quoted in messages.
const QUOTED: usize = 200;

/// What became of so many records, by the status first and then by what the protocol says beyond it.
pub(super) fn verdict(protocol: &Protocol, response: &Response, records: u64) -> Outcome {
    match protocol {
        Protocol::Bulk { .. } if response.status == 200 => bulk(response, records),
        Protocol::ClickHouse { .. } if response.status >= 400 => click_house(response),
        _ => by_status(response),
    }
}

fn by_status(response: &Response) -> Outcome {
    let failure = failure(response);
    match response.status {
        200..=299 => Outcome::Delivered,
        413 => Outcome::Split(failure),
        408 | 425 | 429 | 500.. => Outcome::Retry(failure),
        // A redirect is a wrong URL, and not followed: the body would be lost on the way.
        300..=399 | 401 | 403..=405 | 407 | 415 => Outcome::Stop(failure),
        _ => Outcome::Retry(failure.suspect()),
    }
}

/// The answer to `_bulk`, as far as `filter_path` lets it through.
#[derive(Deserialize)]
struct BulkAnswer {
    errors: bool,
    #[serde(default)]
    items: Vec<BulkItem>,
}

#[derive(Deserialize)]
struct BulkItem {
    create: BulkResult,
}

#[derive(Deserialize)]
struct BulkResult {
    status: u16,
    #[serde(default)]
    error: serde_json::Value,
}

/// Each record has a status of its own.
fn bulk(response: &Response, records: u64) -> Outcome {
    let Ok(answer) = serde_json::from_str::<BulkAnswer>(&response.body) else {
        let text = format!("the answer is not that of _bulk: {}", quoted(&response.body));
        return Outcome::Stop(Failure::new(text));
    };
    if !answer.errors {
        return Outcome::Delivered;
    }
    // What is not told of would count as delivered.
    if answer.items.len() as u64 != records {
        let text = format!("the answer to {records} records tells of {}", answer.items.len());
        return Outcome::Retry(Failure::new(text).suspect());
    }
    let mut partly = Partly::default();
    for (place, BulkItem { create: BulkResult { status, error } }) in answer.items.into_iter().enumerate() {
        match status {
            // 409: it is there already, from an earlier try.
            200..=299 | 409 => {}
            // No such index, or it may not be written: that is for a person to mend, and holds for all.
            401 | 403 | 404 => return Outcome::Stop(Failure::new(reason(&error, status))),
            429 | 500.. => {
                partly.again.push(place);
                partly.reason.get_or_insert_with(|| Failure::new(reason(&error, status)));
            }
            _ => partly.refused.push((place, reason(&error, status))),
        }
    }
    partly.into()
}

/// The error's type and text: `mapper_parsing_exception: failed to parse field [ttl]`.
fn reason(error: &serde_json::Value, status: u16) -> String {
    let text = |name: &str| error.get(name).and_then(serde_json::Value::as_str);
    match (text("type"), text("reason")) {
        (Some(kind), Some(reason)) => quoted(&format!("{kind}: {reason}")),
        _ => format!("status {status}"),
    }
}

/// ClickHouse says by a number what went wrong, whatever the status.
fn click_house(response: &Response) -> Outcome {
    let failure = failure(response);
    match response.exception.or_else(|| code(&response.body)) {
        Some(code) if UNREADABLE.contains(&code) => Outcome::Split(failure),
        Some(code) if HOPELESS.contains(&code) => Outcome::Stop(failure),
        Some(_) => Outcome::Retry(failure.suspect()),
        None => by_status(response),
    }
}

/// The number in `Code: 60, e.displayText() = ...`.
fn code(body: &str) -> Option<u32> {
    let rest = body.trim_start().strip_prefix("Code: ")?;
    rest.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

/// A row cannot be read, or does not fit the table: `CANNOT_PARSE_...`, `CANNOT_READ_...`, `TYPE_MISMATCH`,
/// `INCORRECT_DATA`, `UNKNOWN_ELEMENT_OF_ENUM`, of ClickHouse's src/Common/ErrorCodes.cpp.
const UNREADABLE: [u32; 16] = [6, 25, 26, 27, 33, 38, 41, 53, 69, 70, 72, 117, 130, 349, 441, 691];

/// There is something to mend: unknown table, database, column, setting or user, no rights, wrong password, read-only.
const HOPELESS: [u32; 13] = [16, 36, 47, 60, 62, 81, 115, 164, 192, 193, 194, 497, 516];

fn failure(response: &Response) -> Failure {
    let body = quoted(&response.body);
    let text = if body.is_empty() {
        format!("status {}", response.status)
    } else {
        format!("status {}: {body}", response.status)
    };
    let failure = Failure::new(text);
    match response.retry_after {
        Some(pause) => failure.with_pause(pause),
        None => failure,
    }
}

/// The beginning of a text in one line.
fn quoted(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Template;

    fn response(status: u16, body: &str) -> Response {
        Response { status, retry_after: None, exception: None, body: body.to_owned() }
    }

    fn lines(status: u16) -> Outcome {
        verdict(&Protocol::Lines(Template::lines()), &response(status, "because"), 1)
    }

    fn bulk_answer(records: u64, body: &str) -> Outcome {
        verdict(&Protocol::Bulk { index: "dns".into() }, &response(200, body), records)
    }

    fn rows(status: u16, body: &str) -> Outcome {
        verdict(&Protocol::ClickHouse { table: "dns".into() }, &response(status, body), 1)
    }

    #[test]
    fn statuses_sort_what_to_do() {
        let failure = |status| Failure::new(format!("status {status}: because"));
        assert_eq!((lines(200), lines(204)), (Outcome::Delivered, Outcome::Delivered));
        assert_eq!(lines(413), Outcome::Split(failure(413)));
        for status in [408, 429, 500, 503, 507] {
            assert_eq!(lines(status), Outcome::Retry(failure(status)));
        }
        for status in [301, 307, 401, 403, 404, 405] {
            assert_eq!(lines(status), Outcome::Stop(failure(status)));
        }
        assert_eq!(lines(400), Outcome::Retry(failure(400).suspect()));
    }

    #[test]
    fn the_pause_that_was_asked_for_is_kept() {
        let busy = Response { retry_after: Some(Duration::from_secs(7)), ..response(503, "") };
        let outcome = verdict(&Protocol::Lines(Template::lines()), &busy, 1);
        assert_eq!(outcome, Outcome::Retry(Failure::new("status 503").with_pause(Duration::from_secs(7))));
    }

    #[test]
    fn records_of_a_bulk_have_their_own_fates() {
        assert_eq!(bulk_answer(5, r#"{"errors":false}"#), Outcome::Delivered);
        let error = r#""error":{"type":"mapper_parsing_exception","reason":"no  number"}"#;
        let busy = r#""error":{"type":"es_rejected_execution_exception","reason":"full"}"#;
        let body = format!(
            r#"{{"errors":true,"items":[{{"create":{{"status":201}}}},{{"create":{{"status":400,{error}}}}},
            {{"create":{{"status":409}}}},{{"create":{{"status":429,{busy}}}}},{{"create":{{"status":503}}}}]}}"#
        );
        let expected = Partly {
            refused: vec![(1, "mapper_parsing_exception: no number".into())],
            again: vec![3, 4],
            reason: Some(Failure::new("es_rejected_execution_exception: full")),
            cut: 0,
        };
        assert_eq!(bulk_answer(5, &body), Outcome::Partly(expected));
        let there = r#"{"errors":true,"items":[{"create":{"status":409,"error":{"type":"version_conflict"}}}]}"#;
        assert_eq!(bulk_answer(1, there), Outcome::Delivered);
        let missing = r#"{"errors":true,"items":[{"create":{"status":404,"error":{"type":"a","reason":"b"}}}]}"#;
        assert_eq!(bulk_answer(1, missing), Outcome::Stop(Failure::new("a: b")));
        assert!(matches!(bulk_answer(1, "<html>"), Outcome::Stop(_)));
    }

    #[test]
    fn a_bulk_answer_that_leaves_records_out_delivers_none() {
        let expected =
            |told| Outcome::Retry(Failure::new(format!("the answer to 2 records tells of {told}")).suspect());
        assert_eq!(bulk_answer(2, r#"{"errors":true}"#), expected(0));
        let item = r#"{"create":{"status":201}}"#;
        assert_eq!(bulk_answer(2, &format!(r#"{{"errors":true,"items":[{item}]}}"#)), expected(1));
        assert_eq!(bulk_answer(2, &format!(r#"{{"errors":true,"items":[{item},{item},{item}]}}"#)), expected(3));
    }

    #[test]
    fn click_house_is_judged_by_its_codes() {
        let cases = [
            (400, "Code: 27, e.displayText() = DB::Exception: Cannot parse input", "split"),
            (404, "Code: 60. DB::Exception: Table default.dns does not exist", "stop"),
            (500, "Code: 252. DB::Exception: Too many parts", "suspect"),
            (503, "busy", "retry"),
        ];
        for (status, body, expected) in cases {
            let outcome = match rows(status, body) {
                Outcome::Split(_) => "split",
                Outcome::Stop(_) => "stop",
                Outcome::Retry(Failure { is_suspect: true, .. }) => "suspect",
                Outcome::Retry(_) => "retry",
                other => panic!("{other:?}"),
            };
            assert_eq!(outcome, expected, "{body}");
        }
        assert_eq!(rows(200, ""), Outcome::Delivered);
        let header = Response { exception: Some(516), ..response(403, "no") };
        let outcome = verdict(&Protocol::ClickHouse { table: "dns".into() }, &header, 1);
        assert_eq!(outcome, Outcome::Stop(Failure::new("status 403: no")));
    }

    #[test]
    fn long_answers_are_quoted_in_part() {
        let text = quoted(&"a\n".repeat(500));
        assert_eq!((text.len(), &text[..4], text.ends_with("...")), (QUOTED + 3, "a a ", true));
    }
}
