//! Resource records: RFC 1035 section 4.1.3.

use super::codes::{Class, Rtype};
use super::name::Name;
use super::rdata::Rdata;

/// One resource record of a message.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The name the record belongs to.
    pub owner: Name<'a>,
    /// Its type.
    pub rtype: Rtype,
    /// Its class; an OPT has the sender's UDP payload size here (RFC 6891 section 6.1.2).
    pub class: Class,
    /// Its time to live in seconds; an OPT has flags here.
    pub ttl: u32,
    /// Its data.
    pub rdata: Rdata<'a>,
}

/// Why a record whose owner is known cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecordError {
    /// The message ends inside type, class, TTL and length.
    Fields,
    /// The message ends inside the RDATA.
    Rdata,
}

/// Length of type, class, TTL and RDLENGTH.
const FIELDS_LEN: usize = 10;

impl<'a> Record<'a> {
    /// Reads the record whose owner starts at `start` and ends at `owner_end`, and returns it with the offset after it.
    #[inline]
    pub(super) fn parse(message: &'a [u8], start: usize, owner_end: usize) -> Result<(Self, usize), RecordError> {
        let fields: Option<&[u8; FIELDS_LEN]> =
            message.get(owner_end..owner_end + FIELDS_LEN).and_then(<[u8]>::first_chunk);
        let Some(&[t0, t1, c0, c1, l0, l1, l2, l3, n0, n1]) = fields else { return Err(RecordError::Fields) };
        let rtype = Rtype(u16::from_be_bytes([t0, t1]));
        let class = Class(u16::from_be_bytes([c0, c1]));
        let len = u16::from_be_bytes([n0, n1]);
        let rdata_start = owner_end + FIELDS_LEN;
        let Some(rdata) = Rdata::new(message, rdata_start, len, rtype, class) else {
            return Err(RecordError::Rdata);
        };
        let ttl = u32::from_be_bytes([l0, l1, l2, l3]);
        Ok((Self { owner: Name::new(message, start), rtype, class, ttl, rdata }, rdata_start + usize::from(len)))
    }
}
