//! pcap: draft-ietf-opsawg-pcap, with the older variants that libpcap still reads.

use super::order::Order;
use super::{FileError, MAX_LENGTH, Step};
use crate::time::Timestamp;

/// Length of the file header.
pub(super) const HEADER_LEN: usize = 24;

/// A pcap file, once its header has been read.
#[derive(Debug)]
pub(super) struct Pcap {
    order: Order,
    /// Nanoseconds in the unit of a timestamp's second word.
    unit: i64,
    record: usize,
    lengths: Lengths,
    link: u16,
}

impl Pcap {
    /// Reads the file header, whose first word is known to be [a magic number](is_magic).
    pub(super) fn parse(header: &[u8; HEADER_LEN]) -> Result<Self, FileError> {
        let magic = [header[0], header[1], header[2], header[3]];
        let order = if magic[3] == 0xa1 { Order::Little } else { Order::Big };
        let (unit, record) = match order.u32(magic) {
            MAGIC_NANOS => (1, RECORD_LEN),
            MAGIC_MODIFIED => (1000, MODIFIED_RECORD_LEN),
            _ => (1000, RECORD_LEN),
        };
        let major = order.u16([header[4], header[5]]);
        let minor = order.u16([header[6], header[7]]);
        let lengths = match (major, minor) {
            (2, ..=2) | (543, _) => Lengths::Swapped,
            (2, 3) => Lengths::Either,
            (2, _) => Lengths::Captured,
            _ => return Err(FileError::Version { offset: 0, major, minor }),
        };
        // The upper half of the word tells of frame check sequences; only the lower is the link type.
        let link = order.word(header, 5) as u16;
        Ok(Self { order, unit, record, lengths, link })
    }

    /// The record at the beginning of `buffer`, which is `offset` bytes into the file.
    #[inline(always)]
    pub(super) fn next(&self, buffer: &[u8], offset: u64) -> Result<Step, FileError> {
        let Some(header) = buffer.first_chunk::<RECORD_LEN>() else {
            return Ok(Step::Need { bytes: self.record });
        };
        let (seconds, fraction, first_len, second_len) = self.order.words(header);
        let (captured, wire_len) = self.lengths.of(first_len, second_len);
        // Real files have frames longer than the snap length of their header, so that bounds nothing.
        if captured > MAX_LENGTH {
            return Err(FileError::TooLong { offset, length: captured, max: MAX_LENGTH });
        }
        let end = self.record + captured as usize;
        if buffer.len() < end {
            return Ok(Step::Need { bytes: end });
        }
        // Seconds are unsigned, and a fraction of a whole second or more is carried over, as damaged files show.
        let time = Timestamp::from_nanos(i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * self.unit);
        let wire_len = wire_len.max(captured);
        Ok(Step::Frame { time, wire_len, link: self.link, data: self.record..end, consumed: end })
    }

    /// The file's link type.
    pub(super) const fn link(&self) -> u16 {
        self.link
    }
}

/// Whether a file that begins with these bytes is pcap, in either byte order.
pub(super) fn is_magic(magic: [u8; 4]) -> bool {
    let known = [MAGIC_MICROS, MAGIC_NANOS, MAGIC_MODIFIED];
    known.contains(&u32::from_be_bytes(magic)) || known.contains(&u32::from_le_bytes(magic))
}

/// Which of a record's two lengths is which: libpcap's sf-pcap.c tells the history.
#[derive(Clone, Copy, Debug)]
enum Lengths {
    /// Captured, then on the wire: since version 2.4.
    Captured,
    /// The other way round: before version 2.3, and by DG/UX, whose version is 543.0.
    Swapped,
    /// Version 2.3 was written both ways.
    Either,
}

impl Lengths {
    /// The captured length and the length on the wire.
    #[inline]
    fn of(self, first: u32, second: u32) -> (u32, u32) {
        match self {
            Self::Captured => (first, second),
            Self::Swapped => (second, first),
            Self::Either => (first.min(second), first.max(second)),
        }
    }
}

const MAGIC_MICROS: u32 = 0xa1b2_c3d4;
const MAGIC_NANOS: u32 = 0xa1b2_3c4d;
/// Alexey Kuznetzov's patched libpcap, whose records have eight more bytes of header.
const MAGIC_MODIFIED: u32 = 0xa1b2_cd34;
const RECORD_LEN: usize = 16;
const MODIFIED_RECORD_LEN: usize = 24;
