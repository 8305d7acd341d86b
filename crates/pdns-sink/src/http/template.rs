//! Bodies made of records by a template.

use std::fmt;

use pdns_packet::time::Timestamp;

use crate::{Batch, Record};

/// What a body looks like: `before`, then each record with `between` two of them, then `after`.
///
/// In the text for a record, `{json}` stands for the record as it is, `{text}` for the same inside a JSON string, `{seconds}`
/// and `{nanos}` for its capture time since 1970, `{id}` for its id and `{client}` for the client's address.
///
/// ```
/// use pdns_sink::http::Template;
///
/// let splunk = Template::new("", r#"{"time":{seconds},"event":{json}}"#, "\n", "\n").unwrap();
/// assert!(Template::new("", "{seconds}", "\n", "").is_err(), "there is no record in it");
/// # drop(splunk);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    before: String,
    record: Vec<Piece>,
    between: String,
    after: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Json,
    Text,
    Seconds,
    Nanos,
    Id,
    Client,
}

/// A template without `{json}` or `{text}`: it would lose the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is neither {{json}} nor {{text}} in it, so the records would be lost")]
pub struct NoRecord;

impl Template {
    /// A template of its four parts.
    ///
    /// # Errors
    /// The text for a record does not hold the record.
    pub fn new(before: &str, record: &str, between: &str, after: &str) -> Result<Self, NoRecord> {
        let record = pieces(record);
        if !record.iter().any(|piece| matches!(piece, Piece::Json | Piece::Text)) {
            return Err(NoRecord);
        }
        Ok(Self { before: before.to_owned(), record, between: between.to_owned(), after: after.to_owned() })
    }

    /// Records as lines.
    pub fn lines() -> Self {
        Self { before: String::new(), record: vec![Piece::Json], between: "\n".to_owned(), after: "\n".to_owned() }
    }

    /// Appends the body for a batch with details.
    pub(super) fn render(&self, batch: &Batch, out: &mut Vec<u8>) {
        out.extend_from_slice(self.before.as_bytes());
        for (place, record) in batch.iter().enumerate() {
            if place > 0 {
                out.extend_from_slice(self.between.as_bytes());
            }
            self.record.iter().for_each(|piece| piece.render(record, out));
        }
        out.extend_from_slice(self.after.as_bytes());
    }
}

impl Piece {
    const NAMED: [(&'static str, Self); 6] = [
        ("{json}", Self::Json),
        ("{text}", Self::Text),
        ("{seconds}", Self::Seconds),
        ("{nanos}", Self::Nanos),
        ("{id}", Self::Id),
        ("{client}", Self::Client),
    ];

    fn render(&self, record: Record<'_>, out: &mut Vec<u8>) {
        let line = record.bytes.strip_suffix(b"\n").unwrap_or(record.bytes);
        match (self, record.detail) {
            (Self::Literal(text), _) => out.extend_from_slice(text.as_bytes()),
            (Self::Json, _) => out.extend_from_slice(line),
            (Self::Text, _) => escape(line, out),
            (Self::Seconds, Some(detail)) => seconds(detail.time, out),
            (Self::Nanos, Some(detail)) => text(&detail.time.nanos(), out),
            (Self::Id, Some(detail)) => text(&detail.id, out),
            (Self::Client, Some(detail)) => text(&detail.client, out),
            // Details were asked for, and so they are there.
            (Self::Seconds | Self::Nanos | Self::Id | Self::Client, None) => {}
        }
    }
}

/// Cuts a text at the names that stand for something.
fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((at, name, piece)) = first_name(rest) {
        if at > 0 {
            pieces.push(Piece::Literal(rest[..at].to_owned()));
        }
        pieces.push(piece);
        rest = &rest[at + name.len()..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest.to_owned()));
    }
    pieces
}

fn first_name(text: &str) -> Option<(usize, &'static str, Piece)> {
    let found = Piece::NAMED.into_iter().filter_map(|(name, piece)| Some((text.find(name)?, name, piece)));
    found.min_by_key(|(at, ..)| *at)
}

/// Appends seconds with nine decimals.
fn seconds(time: Timestamp, out: &mut Vec<u8>) {
    const NANOS_PER_SECOND: i64 = 1_000_000_000;
    let nanos = time.nanos();
    let sign = if nanos < 0 { "-" } else { "" };
    let (whole, part) =
        (nanos.unsigned_abs() / NANOS_PER_SECOND as u64, nanos.unsigned_abs() % NANOS_PER_SECOND as u64);
    text(&format_args!("{sign}{whole}.{part:09}"), out);
}

fn text(value: &dyn fmt::Display, out: &mut Vec<u8>) {
    use std::io::Write;
    // A vector takes whatever is written.
    drop(write!(out, "{value}"));
}

/// Appends a record as the inside of a JSON string, RFC 8259 section 7. Records hold no control characters.
fn escape(record: &[u8], out: &mut Vec<u8>) {
    for &byte in record {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::batch;
    use super::*;

    fn rendered(template: &Template, records: &[&str]) -> String {
        let mut out = Vec::new();
        template.render(&batch(records), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_are_the_records() {
        assert_eq!(rendered(&Template::lines(), &["{\"a\":1}\n", "{\"a\":2}\n"]), "{\"a\":1}\n{\"a\":2}\n");
    }

    #[test]
    fn names_are_filled_in_and_other_braces_are_not() {
        let loki =
            Template::new(r#"{"streams":[{"stream":{"job":"dns"},"values":["#, r#"["{nanos}","{text}"]"#, ",", "]}]}")
                .unwrap();
        let body = rendered(&loki, &["{\"a\":\"\\\\\"}\n", "{}\n"]);
        let value: serde_json::Value = serde_json::from_str(&body).unwrap();
        let values = &value["streams"][0]["values"];
        assert_eq!(values[0], serde_json::json!(["1000000005", r#"{"a":"\\"}"#]));
        assert_eq!(values[1][1], "{}");

        let all = Template::new("", "{x}{seconds} {id} {client} {json}{", "|", "").unwrap();
        let id = "00000000000000070000000000000000";
        assert_eq!(rendered(&all, &["{}\n"]), format!("{{x}}1.000000005 {id} 192.0.2.1 {{}}{{"));
    }

    #[test]
    fn a_template_must_hold_the_record() {
        assert_eq!(Template::new("{json}", "{id}", "", ""), Err(NoRecord));
        assert_eq!(NoRecord.to_string(), "there is neither {json} nor {text} in it, so the records would be lost");
    }
}
