//! Avro's single-object encoding: a marker, the fingerprint of the schema, and the values in the schema's order. The
//! schemas are `docs/schemas/*.avsc`.

use pdns_packet::time::{Rfc3339, Timestamp};

use super::{Form, insert};
use crate::Layout;

/// What every single object begins with.
const MARKER: [u8; 2] = [0xc3, 0x01];

/// Avro without names.
pub(crate) struct Avro;

/// The CRC-64-AVRO fingerprint of the schema of a layout: the number whose little-endian bytes stand in every record.
pub(crate) const fn fingerprint(layout: Layout) -> u64 {
    match layout {
        Layout::Answer => 0xd143_4caa_daa2_2a2c,
        Layout::Transaction => 0xed51_494d_dbf7_2f26,
    }
}

impl Form for Avro {
    const NAMED: bool = false;

    fn begin(layout: Layout, _time: Timestamp, out: &mut Vec<u8>) {
        out.extend_from_slice(&MARKER);
        out.extend_from_slice(&fingerprint(layout).to_le_bytes());
    }

    #[inline]
    fn number(value: i64, out: &mut Vec<u8>) {
        let (bytes, length) = varint(value);
        out.extend_from_slice(&bytes[..length]);
    }

    fn boolean(value: bool, out: &mut Vec<u8>) {
        out.push(u8::from(value));
    }

    fn time(_clock: &mut Rfc3339, time: Timestamp, out: &mut Vec<u8>) {
        Self::number(time.nanos(), out);
    }

    fn optional(is_present: bool, out: &mut Vec<u8>) {
        // The branch of `["null", ...]`, as a number: 1 is written as 2.
        out.push(u8::from(is_present) << 1);
    }

    #[inline]
    fn text_length(length: usize, at: usize, out: &mut Vec<u8>) {
        let (bytes, digits) = varint(length as i64);
        insert(&bytes[..digits], at, out);
    }

    fn array_length(length: usize, at: usize, out: &mut Vec<u8>) {
        // One block with all items, and a block of none for the end.
        if length > 0 {
            Self::text_length(length, at, out);
            out.push(0);
        }
    }

    fn map_length(_length: usize, _at: usize, _out: &mut Vec<u8>) {}
}

/// A number as Avro has it: signs interleaved, seven bits a byte, the lowest first. Returns the bytes and how many.
#[inline]
fn varint(value: i64) -> ([u8; 10], usize) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    let mut bytes = [0; 10];
    let mut length = 0;
    while rest >= 0x80 {
        bytes[length] = rest as u8 | 0x80;
        rest >>= 7;
        length += 1;
    }
    bytes[length] = rest as u8;
    (bytes, length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_specification() {
        // The table of "Binary Encoding" in the specification, and both ends.
        for (value, bytes) in [
            (0, &[0x00][..]),
            (-1, &[0x01]),
            (1, &[0x02]),
            (-2, &[0x03]),
            (2, &[0x04]),
            (-64, &[0x7f]),
            (64, &[0x80, 0x01]),
            (i64::MAX, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
            (i64::MIN, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        ] {
            let mut out = Vec::new();
            Avro::number(value, &mut out);
            assert_eq!(out, bytes, "{value}");
        }
    }

    #[test]
    fn texts_stand_behind_their_length() {
        for (length, header) in [(0, &[0x00][..]), (3, &[0x06]), (63, &[0x7e]), (64, &[0x80, 0x01])] {
            let mut out = b"before".to_vec();
            super::super::write_text::<Avro>(&mut out, |out| out.resize(out.len() + length, b'x'));
            assert_eq!(out, [b"before", header, &b"x".repeat(length)].concat());
        }
    }
}
