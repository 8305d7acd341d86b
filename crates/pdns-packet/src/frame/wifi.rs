//! IEEE 802.11 data frames and the radio headers in front of them.

use super::decoder::Decoder;
use super::packet::{Discard, Packet};
use super::rest::Rest;

/// Length of the header that every data frame has.
const HEADER: usize = 24;

impl Decoder {
    /// An 802.11 frame: IEEE 802.11-2020 section 9.2.4. Some drivers pad the header to four bytes.
    pub(super) fn ieee802_11<'a>(&self, rest: Rest<'a>, padded: bool) -> Result<Packet<'a>, Discard> {
        let [control, flags] = rest.bytes(0)?;
        let is_data = control & 0x0f == 0x08;
        let (no_data, qos) = (control & 0x40 != 0, control & 0x80 != 0);
        let is_protected = flags & 0x40 != 0;
        if !is_data || no_data || is_protected {
            return Err(Discard::NotIp);
        }
        // Only the first fragment holds the headers.
        if rest.byte(22)? & 0x0f != 0 {
            return Err(Discard::NotIp);
        }
        // To and from the distribution system: a fourth address.
        let mut length = if flags & 0x03 == 0x03 { HEADER + 6 } else { HEADER };
        let mut aggregated = false;
        if qos {
            aggregated = rest.byte(length)? & 0x80 != 0;
            length += 2;
            // With QoS the order flag means that HT control follows.
            length += if flags & 0x80 != 0 { 4 } else { 0 };
        }
        if padded {
            length = length.next_multiple_of(4);
        }
        let body = rest.skip(length)?;
        if aggregated {
            // Of an A-MSDU's frames the first: destination, source, length, then as in a frame of its own.
            let length = usize::from(body.word(12)?);
            return self.llc(body.skip(14)?.limit(length));
        }
        self.llc(body)
    }

    /// An 802.11 frame after a radiotap header: <https://www.radiotap.org>.
    pub(super) fn radiotap<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let [version, _, l0, l1] = rest.bytes(0)?;
        let length = usize::from(u16::from_le_bytes([l0, l1]));
        if version != 0 || length < 8 {
            return Err(Discard::BadHeader);
        }
        let header = rest.limit(length);
        self.ieee802_11(rest.skip(length)?, radiotap_flags(&header)? & 0x20 != 0)
    }

    /// An 802.11 frame after a Prism or AVS header, which both begin with a number and their length.
    pub(super) fn prism<'a>(&self, rest: Rest<'a>) -> Result<Packet<'a>, Discard> {
        let length = match rest.bytes(0)? {
            [0x80, 0x21, 0x10, _] => u32::from_be_bytes(rest.bytes(4)?),
            _ => u32::from_le_bytes(rest.bytes(4)?),
        };
        if length < 8 {
            return Err(Discard::BadHeader);
        }
        self.ieee802_11(rest.skip(length as usize)?, false)
    }
}

/// Radiotap's Flags field, 0 when it is absent. In front of it there can be only a timestamp.
fn radiotap_flags(header: &Rest<'_>) -> Result<u8, Discard> {
    let present = header.byte(4)?;
    let mut at = 4;
    // Each word of presence bits tells with its highest whether another follows.
    while header.byte(at + 3)? & 0x80 != 0 {
        at += 4;
    }
    at += 4;
    if present & 0x02 == 0 {
        return Ok(0);
    }
    if present & 0x01 != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    header.byte(at)
}
