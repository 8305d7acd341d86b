//! The twelve bytes that open every message: RFC 1035 section 4.1.1.

/// A message's header, as on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Transaction ID.
    pub id: u16,
    /// QR, opcode, AA, TC, RD, RA, Z, AD, CD and the low four bits of the rcode, as one word.
    pub flags: u16,
    /// What the header claims about the number of questions, answers, authority and additional records.
    pub counts: [u16; 4],
}

impl Header {
    /// Length on the wire, in bytes.
    pub const LEN: usize = 12;

    /// Reads the header; `None` when there are fewer than twelve bytes.
    pub fn parse(message: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::LEN] = message.first_chunk()?;
        let word = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        Some(Self { id: word(0), flags: word(2), counts: [word(4), word(6), word(8), word(10)] })
    }

    /// QR: this is a response.
    pub const fn is_response(&self) -> bool {
        self.flags & 0x8000 != 0
    }

    /// The opcode's number, 0 to 15.
    pub const fn opcode(&self) -> u8 {
        (self.flags >> 11 & 15) as u8
    }

    /// The low four bits of the response code; RFC 6891 section 6.1.3 keeps the rest in the OPT record.
    pub const fn rcode(&self) -> u8 {
        (self.flags & 15) as u8
    }

    /// AA, authoritative answer.
    pub const fn aa(&self) -> bool {
        self.flags & 0x0400 != 0
    }

    /// TC, truncated by the sender.
    pub const fn tc(&self) -> bool {
        self.flags & 0x0200 != 0
    }

    /// RD, recursion desired.
    pub const fn rd(&self) -> bool {
        self.flags & 0x0100 != 0
    }

    /// RA, recursion available.
    pub const fn ra(&self) -> bool {
        self.flags & 0x0080 != 0
    }

    /// AD, authentic data (RFC 4035 section 3.2.3).
    pub const fn ad(&self) -> bool {
        self.flags & 0x0020 != 0
    }

    /// CD, checking disabled (RFC 4035 section 3.2.2).
    pub const fn cd(&self) -> bool {
        self.flags & 0x0010 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_where_the_rfc_puts_it() {
        let header = Header::parse(&[0x12, 0x34, 0xad, 0xb5, 0, 1, 0, 2, 0, 3, 0, 4, 99]).unwrap();
        assert_eq!((header.id, header.opcode(), header.rcode()), (0x1234, 5, 5));
        assert_eq!(header.counts, [1, 2, 3, 4]);
        assert!(header.is_response() && header.aa() && !header.tc() && header.rd());
        assert!(header.ra() && header.ad() && header.cd());
        assert!(Header::parse(&[0; 11]).is_none());
    }
}
