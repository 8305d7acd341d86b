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

#[cfg(test)]
mod tests {
    use super::super::link_type::LinkType;
    use super::super::samples::{IPV4, decode, hex, query};
    use super::*;

    /// Duration, addresses and sequence control behind the frame control.
    const REST: &str = "0000 020000000002 020000000001 020000000003 3000";

    #[test]
    fn the_header_is_as_long_as_its_flags_say() {
        let snap = "aaaa03 000000 0800";
        for (link, frame) in [
            (LinkType::IEEE802_11, format!("0801 {REST} {snap}")),
            (LinkType::IEEE802_11, format!("0803 {REST} 020000000004 {snap}")),
            (LinkType::IEEE802_11, format!("8802 {REST} 0000 {snap}")),
            (LinkType::IEEE802_11, format!("8882 {REST} 0000 00000000 {snap}")),
            (LinkType::IEEE802_11, format!("8883 {REST} 020000000004 0000 00000000 {snap}")),
            (LinkType::IEEE802_11, format!("8802 {REST} 8000 020000000002 020000000001 0029 {snap}")),
            (LinkType::IEEE802_11_RADIOTAP, format!("00 00 0900 02000000 20 8802 {REST} 0000 eeee {snap}")),
            (LinkType::IEEE802_11_RADIOTAP, format!("00 00 0900 02000000 00 8802 {REST} 0000 {snap}")),
            // A second word of presence bits, then the timestamp on a multiple of eight.
            (
                LinkType::IEEE802_11_RADIOTAP,
                format!("00 00 1900 03000080 00000000 00000000 0000000000000000 20 8802 {REST} 0000 eeee {snap}"),
            ),
        ] {
            assert_eq!(query(link, &hex(&format!("{frame} {IPV4}"))), Ok(vec![]), "{link} {frame}");
        }
    }

    #[test]
    fn frames_without_readable_data_are_not_ip() {
        for control in ["8000", "4802", "c802", "0842", "d400", "0902"] {
            let frame = hex(&format!("{control} {REST} aaaa03 000000 0800 {IPV4}"));
            assert_eq!(decode(LinkType::IEEE802_11, &frame), Err(Discard::NotIp), "{control}");
        }
        let later_fragment = hex(&format!("0802 {} 3100 aaaa03 000000 0800 {IPV4}", &REST[..46]));
        assert_eq!(decode(LinkType::IEEE802_11, &later_fragment), Err(Discard::NotIp));
    }

    #[test]
    fn radio_headers_that_cannot_be_are_refused() {
        for (link, frame, discard) in [
            (LinkType::IEEE802_11_RADIOTAP, "01 00 0800 00000000", Discard::BadHeader),
            (LinkType::IEEE802_11_RADIOTAP, "00 00 0700 00000000", Discard::BadHeader),
            (LinkType::IEEE802_11_RADIOTAP, "00 00 0800 00000080 00000000", Discard::ShortFrame),
            (LinkType::IEEE802_11_PRISM, "44000000 00000000", Discard::BadHeader),
            (LinkType::IEEE802_11_PRISM, "44000000 ffffffff", Discard::ShortFrame),
        ] {
            assert_eq!(decode(link, &hex(frame)), Err(discard), "{link} {frame}");
        }
    }
}
