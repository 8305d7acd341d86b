//! MessagePack: entries of Fluentd's Forward protocol, each a time and a map equal to the JSON record.

use pdns_packet::time::{Rfc3339, Timestamp};

use super::{Form, insert, write_text};
use crate::Layout;

/// Maps with names.
pub(crate) struct MessagePack;

impl Form for MessagePack {
    const NAMED: bool = true;

    fn begin(_layout: Layout, time: Timestamp, out: &mut Vec<u8>) {
        const NANOS_PER_SECOND: i64 = 1_000_000_000;
        // An array of two, and EventTime: an extension of type 0 and eight bytes, which cannot tell of times before 1970
        // or after 2106.
        let seconds = time.nanos().div_euclid(NANOS_PER_SECOND).clamp(0, i64::from(u32::MAX)) as u32;
        let nanos = time.nanos().rem_euclid(NANOS_PER_SECOND) as u32;
        out.extend_from_slice(&[0x92, 0xd7, 0x00]);
        out.extend_from_slice(&seconds.to_be_bytes());
        out.extend_from_slice(&nanos.to_be_bytes());
    }

    #[inline]
    fn number(value: i64, out: &mut Vec<u8>) {
        match value {
            -0x20..=0x7f => out.push(value as u8),
            0x80..=0xff => out.extend_from_slice(&[0xcc, value as u8]),
            0x100..=0xffff => with_marker(0xcd, (value as u16).to_be_bytes(), out),
            0x1_0000..=0xffff_ffff => with_marker(0xce, (value as u32).to_be_bytes(), out),
            0x1_0000_0000.. => with_marker(0xcf, value.to_be_bytes(), out),
            -0x80..-0x20 => out.extend_from_slice(&[0xd0, value as u8]),
            -0x8000..-0x80 => with_marker(0xd1, (value as u16).to_be_bytes(), out),
            -0x8000_0000..-0x8000 => with_marker(0xd2, (value as u32).to_be_bytes(), out),
            ..-0x8000_0000 => with_marker(0xd3, value.to_be_bytes(), out),
        }
    }

    fn boolean(value: bool, out: &mut Vec<u8>) {
        out.push(0xc2 | u8::from(value));
    }

    fn time(clock: &mut Rfc3339, time: Timestamp, out: &mut Vec<u8>) {
        write_text::<Self>(out, |out| clock.write(time, out));
    }

    fn optional(_is_present: bool, _out: &mut Vec<u8>) {}

    #[inline]
    fn text_length(length: usize, at: usize, out: &mut Vec<u8>) {
        match length {
            0..=0x1f => out[at] = 0xa0 | length as u8,
            0x20..=0xff => insert(&[0xd9, length as u8], at, out),
            _ => long_length([0xda, 0xdb], length, at, out),
        }
    }

    fn array_length(length: usize, at: usize, out: &mut Vec<u8>) {
        match length {
            0..=0xf => out[at] = 0x90 | length as u8,
            _ => long_length([0xdc, 0xdd], length, at, out),
        }
    }

    fn map_length(length: usize, at: usize, out: &mut Vec<u8>) {
        match length {
            0..=0xf => out[at] = 0x80 | length as u8,
            _ => long_length([0xde, 0xdf], length, at, out),
        }
    }
}

fn with_marker<const N: usize>(marker: u8, bytes: [u8; N], out: &mut Vec<u8>) {
    out.push(marker);
    out.extend_from_slice(&bytes);
}

/// Puts a length of two bytes, or of four, behind the marker for it.
fn long_length(markers: [u8; 2], length: usize, at: usize, out: &mut Vec<u8>) {
    let [b0, b1, b2, b3] = (length as u32).to_be_bytes();
    match (b0, b1) {
        (0, 0) => insert(&[markers[0], b2, b3], at, out),
        _ => insert(&[markers[1], b0, b1, b2, b3], at, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_the_least_room() {
        for (value, bytes) in [
            (0, &[0x00][..]),
            (127, &[0x7f]),
            (128, &[0xcc, 0x80]),
            (255, &[0xcc, 0xff]),
            (256, &[0xcd, 0x01, 0x00]),
            (65_535, &[0xcd, 0xff, 0xff]),
            (65_536, &[0xce, 0, 1, 0, 0]),
            (i64::from(u32::MAX), &[0xce, 0xff, 0xff, 0xff, 0xff]),
            (i64::from(u32::MAX) + 1, &[0xcf, 0, 0, 0, 1, 0, 0, 0, 0]),
            (-1, &[0xff]),
            (-32, &[0xe0]),
            (-33, &[0xd0, 0xdf]),
            (-128, &[0xd0, 0x80]),
            (-129, &[0xd1, 0xff, 0x7f]),
            (-32_769, &[0xd2, 0xff, 0xff, 0x7f, 0xff]),
            (i64::MIN, &[0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        ] {
            let mut out = Vec::new();
            MessagePack::number(value, &mut out);
            assert_eq!(out, bytes, "{value}");
        }
    }

    #[test]
    fn lengths_take_the_least_room() {
        for (length, header) in [
            (0, &[0xa0][..]),
            (31, &[0xbf]),
            (32, &[0xd9, 0x20]),
            (255, &[0xd9, 0xff]),
            (256, &[0xda, 0x01, 0x00]),
            (65_535, &[0xda, 0xff, 0xff]),
            (65_536, &[0xdb, 0x00, 0x01, 0x00, 0x00]),
        ] {
            let mut out = b"before".to_vec();
            write_text::<MessagePack>(&mut out, |out| out.resize(out.len() + length, b'x'));
            assert_eq!(out, [b"before", header, &b"x".repeat(length)].concat());
        }
        for (length, array, map) in [
            (15, &[0x9f][..], &[0x8f][..]),
            (16, &[0xdc, 0, 16], &[0xde, 0, 16]),
            (65_536, &[0xdd, 0, 1, 0, 0], &[0xdf, 0, 1, 0, 0]),
        ] {
            let (mut out, mut other) = (vec![0], vec![0]);
            MessagePack::array_length(length, 0, &mut out);
            MessagePack::map_length(length, 0, &mut other);
            assert_eq!((out.as_slice(), other.as_slice()), (array, map));
        }
    }

    #[test]
    fn times_that_an_entry_cannot_tell_are_the_nearest_it_can() {
        for (nanos, seconds, rest) in
            [(1_500_000_000, 1, 500_000_000), (-1, 0, 999_999_999), (i64::MAX, u32::MAX, 854_775_807)]
        {
            let mut out = Vec::new();
            MessagePack::begin(Layout::Answer, Timestamp::from_nanos(nanos), &mut out);
            assert_eq!(out, [&[0x92, 0xd7, 0x00][..], &seconds.to_be_bytes(), &u32::to_be_bytes(rest)].concat());
        }
    }
}
