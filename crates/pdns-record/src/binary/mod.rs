//! The binary formats: one walk over a transaction for each layout, and for each format a [`Form`] that says how its values
//! are written.

mod answer;
pub(crate) mod avro;
mod edns;
mod map;
mod message_pack;
mod transaction;

use pdns_packet::dns::Name;
use pdns_packet::time::{Rfc3339, Timestamp};
use pdns_track::Transaction;

use self::avro::Avro;
use self::message_pack::MessagePack;
use crate::shown::Shown;
use crate::{Encoding, Format, Layout};

/// How the values of one format are written.
pub(crate) trait Form {
    /// Whether each value has its name before it. What is absent is left out then; else it has a mark in its place.
    const NAMED: bool;

    /// Appends what stands before the fields of a record.
    fn begin(layout: Layout, time: Timestamp, out: &mut Vec<u8>);
    /// Appends a whole number.
    fn number(value: i64, out: &mut Vec<u8>);
    /// Appends a truth value.
    fn boolean(value: bool, out: &mut Vec<u8>);
    /// Appends a time.
    fn time(clock: &mut Rfc3339, time: Timestamp, out: &mut Vec<u8>);
    /// Appends the mark of a value that may be absent.
    fn optional(is_present: bool, out: &mut Vec<u8>);
    /// Puts the length of a text at `at`, where one byte is kept free for it.
    fn text_length(length: usize, at: usize, out: &mut Vec<u8>);
    /// Puts the length of an array at `at`, where one byte is kept free for it, and ends the array.
    fn array_length(length: usize, at: usize, out: &mut Vec<u8>);
    /// Puts the number of fields of a map at `at`, where one byte is kept free for it.
    fn map_length(length: usize, at: usize, out: &mut Vec<u8>);
}

/// What all records of an encoder have in common, as values of its format.
#[derive(Clone, Debug)]
pub(crate) struct Fragments {
    sensor: Vec<u8>,
    level: Vec<u8>,
}

impl Fragments {
    pub(crate) fn new(format: Format, sensor: &str, level: &str) -> Self {
        let value = match format {
            Format::Json => |_: &str| Vec::new(),
            Format::Avro => value::<Avro>,
            Format::MessagePack => value::<MessagePack>,
        };
        Self { sensor: value(sensor), level: value(level) }
    }
}

fn value<F: Form>(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write_text::<F>(&mut out, |out| out.extend_from_slice(text.as_bytes()));
    out
}

/// Appends the records of one transaction and calls `ended` with the length of `out` after each. JSON has its own encoder,
/// and gives none here.
pub(crate) fn encode(
    encoding: Encoding,
    fragments: &Fragments,
    clock: &mut Rfc3339,
    transaction: &Transaction<'_>,
    shown: &Shown,
    out: &mut Vec<u8>,
    ended: &mut dyn FnMut(usize),
) {
    match (encoding.format, encoding.layout) {
        (Format::Json, _) => {}
        (Format::Avro, Layout::Answer) => answer::encode::<Avro>(fragments, clock, transaction, shown, out, ended),
        (Format::Avro, Layout::Transaction) => {
            transaction::encode::<Avro>(fragments, clock, transaction, shown, out, ended);
        }
        (Format::MessagePack, Layout::Answer) => {
            answer::encode::<MessagePack>(fragments, clock, transaction, shown, out, ended);
        }
        (Format::MessagePack, Layout::Transaction) => {
            transaction::encode::<MessagePack>(fragments, clock, transaction, shown, out, ended);
        }
    }
}

/// The time that a record has as a whole: the response's, else the query's.
fn shown_time(transaction: &Transaction<'_>) -> Timestamp {
    transaction.response.or(transaction.query).map_or_else(Timestamp::default, |shown| shown.time)
}

/// Appends a text and the length before it.
#[inline]
fn write_text<F: Form>(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.push(0);
    write(out);
    F::text_length(out.len() - at - 1, at, out);
}

/// Puts `header` at `at`, where one byte is kept free for it; what follows moves.
fn insert(header: &[u8], at: usize, out: &mut Vec<u8>) {
    let (end, more) = (out.len(), header.len() - 1);
    if more > 0 {
        out.resize(end + more, 0);
        out.copy_within(at + 1..end, at + 1 + more);
    }
    out[at..=at + more].copy_from_slice(header);
}

/// Appends text of unknown origin: UTF-8 as it is, broken UTF-8 replaced.
fn write_lossy(bytes: &[u8], out: &mut Vec<u8>) {
    for chunk in bytes.utf8_chunks() {
        out.extend_from_slice(chunk.valid().as_bytes());
        if !chunk.invalid().is_empty() {
            out.extend_from_slice("\u{fffd}".as_bytes());
        }
    }
}

/// Appends a name that was readable when its message was.
fn write_name(name: &Name<'_>, out: &mut Vec<u8>) {
    let _readable = name.write(out);
}
