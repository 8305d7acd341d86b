//! Binary records, read by decoders that others wrote and brought into the form that JSON has.

use std::sync::LazyLock;

use apache_avro::Schema;
use apache_avro::types::Value as Avro;
use pdns_record::{Encoding, Layout};
use rmpv::Value as Pack;
use serde_json::{Map, Value};

static ANSWER: LazyLock<Schema> = LazyLock::new(|| schema(include_str!("../../../../docs/schemas/answer.avsc")));
static TRANSACTION: LazyLock<Schema> =
    LazyLock::new(|| schema(include_str!("../../../../docs/schemas/transaction.avsc")));

/// What JSON leaves out when it is empty, or zero.
const LEFT_OUT_WHEN_EMPTY: [&str; 7] =
    ["vlan", "questions", "answers", "authorities", "additionals", "options", "retransmits"];

/// An entry of the Forward protocol: seconds and nanoseconds, and the record.
pub(crate) fn message_pack(mut bytes: &[u8]) -> ((u32, u32), Value) {
    let entry = rmpv::decode::read_value(&mut bytes).unwrap();
    assert!(bytes.is_empty(), "bytes behind the record");
    let Pack::Array(parts) = entry else { panic!("no array") };
    let [Pack::Ext(0, time), record] = &parts[..] else { panic!("no time and record: {parts:?}") };
    let (seconds, rest) = time.split_at(4);
    let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
    ((number(seconds), number(rest)), from_pack(record))
}

/// A single object of Avro.
pub(crate) fn avro(layout: Layout, bytes: &[u8]) -> Value {
    let schema = if layout == Layout::Answer { &*ANSWER } else { &*TRANSACTION };
    let (marker, rest) = bytes.split_at(2);
    let (fingerprint, mut datum) = rest.split_at(8);
    assert_eq!(marker, [0xc3, 0x01]);
    assert_eq!(fingerprint, Encoding::avro_fingerprint(layout).to_le_bytes());
    let value = apache_avro::from_avro_datum(schema, &mut datum, None).unwrap();
    assert!(datum.is_empty(), "bytes behind the record");
    from_avro(value, layout == Layout::Transaction)
}

fn schema(text: &str) -> Schema {
    Schema::parse_str(text).expect("a schema")
}

fn from_pack(value: &Pack) -> Value {
    match value {
        Pack::Boolean(is_true) => Value::Bool(*is_true),
        Pack::Integer(number) => number.as_i64().map_or_else(|| number.as_u64().into(), Value::from),
        Pack::String(text) => text.as_str().expect("UTF-8").into(),
        Pack::Array(items) => items.iter().map(from_pack).collect(),
        Pack::Map(fields) => {
            let fields = fields.iter().map(|(key, value)| (key.as_str().expect("a name").to_owned(), from_pack(value)));
            let count = fields.len();
            let map: Map<String, Value> = fields.collect();
            assert_eq!(map.len(), count, "a name twice");
            Value::Object(map)
        }
        other => panic!("{other:?}"),
    }
}

/// `leaves_out`: whether what is absent or empty is left out.
fn from_avro(value: Avro, leaves_out: bool) -> Value {
    match value {
        Avro::Null => Value::Null,
        Avro::Boolean(is_true) => Value::Bool(is_true),
        Avro::Int(number) => number.into(),
        Avro::Long(number) | Avro::TimestampNanos(number) => number.into(),
        Avro::String(text) => text.into(),
        Avro::Union(_, value) => from_avro(*value, leaves_out),
        Avro::Array(items) => items.into_iter().map(|item| from_avro(item, leaves_out)).collect(),
        Avro::Record(fields) => {
            let fields = fields.into_iter().map(|(key, value)| (key, from_avro(value, leaves_out)));
            let mut map: Map<String, Value> = fields.collect();
            if leaves_out {
                let is_record = map.contains_key("rdata");
                map.retain(|key, value| !is_left_out(key, value, is_record));
            }
            Value::Object(map)
        }
        other => panic!("{other:?}"),
    }
}

fn is_left_out(key: &str, value: &Value, is_record: bool) -> bool {
    let is_empty = value.as_array().is_some_and(Vec::is_empty) || value.as_i64() == Some(0);
    value.is_null() || is_empty && LEFT_OUT_WHEN_EMPTY.contains(&key) || is_record && key == "class" && value == "IN"
}
