//! What a segment looks like. All numbers are little-endian.
//!
//! ```text
//! segment: "PDNSSPL1"  number u64  frame*
//! frame:   length u32  records u32  milliseconds u64  crc32 u32  body, of that length
//! body:    layout u8  format u8  detailed u8  0 u8  detail*  records' bytes
//! detail:  end u32  nanoseconds i64  family u8 (4 or 6)  address [16]  id [16]
//! ```
//!
//! The checksum is that of the sixteen bytes before it and the body. There is a detail for each record, or none.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pdns_packet::time::Timestamp;
use pdns_record::{Encoding, Format, Layout};

use super::fs::{SegmentFile, read_exact_at};
use crate::{Batch, Detail, RecordId};

/// How long a segment's header is.
pub(crate) const SEGMENT_HEADER: u64 = 16;

/// How long a frame's header is.
pub(crate) const FRAME_HEADER: usize = 20;

/// No body is longer: what says so is no frame.
const MAX_BODY: u32 = 256 << 20;

const MAGIC: [u8; 8] = *b"PDNSSPL1";
const BODY_HEADER: usize = 4;
const DETAIL: usize = 45;

/// A batch as it stands in a segment.
#[derive(Debug)]
pub(crate) struct Frame {
    pub batch: Batch,
    /// When it was written, in milliseconds since the epoch.
    pub millis: u64,
    /// Where it ends.
    pub end: u64,
}

pub(crate) fn segment_header(number: u64) -> [u8; SEGMENT_HEADER as usize] {
    let mut header = [0; SEGMENT_HEADER as usize];
    header[..8].copy_from_slice(&MAGIC);
    header[8..].copy_from_slice(&number.to_le_bytes());
    header
}

/// Whether a file begins as the segment of this number does.
pub(crate) fn is_segment(file: &impl SegmentFile, number: u64) -> io::Result<bool> {
    let mut header = [0; SEGMENT_HEADER as usize];
    match read_exact_at(file, 0, &mut header) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| header == segment_header(number)),
    }
}

/// A batch as bytes.
pub(crate) fn frame(batch: &Batch, millis: u64) -> Vec<u8> {
    let mut out = vec![0; FRAME_HEADER];
    out.reserve(BODY_HEADER + batch.bytes().len() + batch.details().len() * DETAIL);
    let Encoding { layout, format } = batch.encoding();
    let layout = if layout == Layout::Answer { 0 } else { 1 };
    let format = Format::ALL.iter().position(|&other| other == format).unwrap_or_default() as u8;
    out.extend_from_slice(&[layout, format, u8::from(batch.is_detailed()), 0]);
    for detail in batch.details() {
        out.extend_from_slice(&(detail.end as u32).to_le_bytes());
        out.extend_from_slice(&detail.time.nanos().to_le_bytes());
        let (family, address) = match detail.client {
            IpAddr::V4(address) => (4, address.to_ipv6_mapped().octets()),
            IpAddr::V6(address) => (6, address.octets()),
        };
        out.push(family);
        out.extend_from_slice(&address);
        out.extend_from_slice(&detail.id.to_bytes());
    }
    out.extend_from_slice(batch.bytes());
    let length = (out.len() - FRAME_HEADER) as u32;
    out[0..4].copy_from_slice(&length.to_le_bytes());
    out[4..8].copy_from_slice(&(batch.records() as u32).to_le_bytes());
    out[8..16].copy_from_slice(&millis.to_le_bytes());
    let (header, body) = out.split_at(FRAME_HEADER);
    let crc = checksum(&header[..16], body);
    out[16..20].copy_from_slice(&crc.to_le_bytes());
    out
}

impl Frame {
    /// Reads the frame at an offset of a segment of this length; `None` when there is none that is whole.
    pub(crate) fn read(file: &impl SegmentFile, offset: u64, len: u64) -> io::Result<Option<Self>> {
        if offset + FRAME_HEADER as u64 > len {
            return Ok(None);
        }
        let mut header = [0; FRAME_HEADER];
        read_exact_at(file, offset, &mut header)?;
        let length = u32_at(&header, 0);
        let end = offset + FRAME_HEADER as u64 + u64::from(length);
        // The length is known to be in the file before there is memory for it.
        if length > MAX_BODY || end > len {
            return Ok(None);
        }
        let mut body = vec![0; length as usize];
        read_exact_at(file, offset + FRAME_HEADER as u64, &mut body)?;
        if checksum(&header[..16], &body) != u32_at(&header, 16) {
            return Ok(None);
        }
        let batch = batch(&body, u32_at(&header, 4));
        Ok(batch.map(|batch| Self { batch, millis: u64_at(&header, 8), end }))
    }
}

/// The batch of a body; `None` when it makes no sense.
fn batch(body: &[u8], records: u32) -> Option<Batch> {
    let (&[layout, format, detailed, _], rest) = body.split_first_chunk::<BODY_HEADER>()?;
    let layout = match layout {
        0 => Layout::Answer,
        1 => Layout::Transaction,
        _ => return None,
    };
    let encoding = Encoding { layout, format: *Format::ALL.get(usize::from(format))? };
    if detailed == 0 {
        return Some(Batch::from_parts(encoding, rest.to_vec(), u64::from(records), None));
    }
    let (details, bytes) = rest.split_at_checked((records as usize).checked_mul(DETAIL)?)?;
    let details: Option<Vec<Detail>> = details.chunks_exact(DETAIL).map(detail).collect();
    let details = details?;
    let in_order = details.is_sorted_by_key(|detail| detail.end);
    let in_order = in_order && details.last().map_or(0, |last| last.end) == bytes.len();
    in_order.then(|| Batch::from_parts(encoding, bytes.to_vec(), u64::from(records), Some(details)))
}

fn detail(bytes: &[u8]) -> Option<Detail> {
    let address = Ipv6Addr::from(bytes.get(13..29)?.first_chunk::<16>().copied()?);
    let client = match bytes.get(12)? {
        4 => IpAddr::V4(address.to_ipv4_mapped().unwrap_or(Ipv4Addr::UNSPECIFIED)),
        _ => IpAddr::V6(address),
    };
    Some(Detail {
        end: u32_at(bytes, 0) as usize,
        time: Timestamp::from_nanos(u64_at(bytes, 4) as i64),
        client,
        id: RecordId::from_bytes(bytes.get(29..45)?.first_chunk::<16>().copied()?),
    })
}

fn checksum(header: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(header);
    hasher.update(body);
    hasher.finalize()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
