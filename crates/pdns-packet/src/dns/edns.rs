//! EDNS: the OPT pseudo-record (RFC 6891) and its options.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::codes::{EdeCode, OptionCode};
use super::record::Record;

/// An OPT record.
#[derive(Clone, Copy, Debug)]
pub struct Opt<'a> {
    udp_size: u16,
    ttl: u32,
    data: &'a [u8],
    data_start: usize,
}

impl<'a> Opt<'a> {
    /// Takes an OPT record's class and TTL for what they are: RFC 6891 section 6.1.2.
    pub(super) fn new(record: &Record<'a>) -> Self {
        Self { udp_size: record.class.0, ttl: record.ttl, data: record.rdata.bytes(), data_start: record.rdata.start() }
    }

    /// The largest UDP payload the sender can take.
    pub const fn udp_size(&self) -> u16 {
        self.udp_size
    }

    /// The upper eight bits of the response code.
    pub const fn extended_rcode(&self) -> u8 {
        (self.ttl >> 24) as u8
    }

    /// The EDNS version.
    pub const fn version(&self) -> u8 {
        (self.ttl >> 16) as u8
    }

    /// DO: DNSSEC answers are welcome (RFC 3225).
    pub const fn dnssec_ok(&self) -> bool {
        self.ttl & 0x8000 != 0
    }

    /// The fifteen flag bits besides DO.
    pub const fn z(&self) -> u16 {
        (self.ttl & 0x7fff) as u16
    }

    /// Whether there are options, readable or not.
    pub const fn has_options(&self) -> bool {
        !self.data.is_empty()
    }

    /// The options in the order of the wire. After an error the iterator ends.
    pub const fn options(&self) -> Options<'a> {
        Options::new(self.data, self.data_start)
    }
}

/// The options of an [`Opt`].
#[derive(Clone, Debug)]
pub struct Options<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Options<'a> {
    /// The options in `data`, which stands at `offset` in its message.
    pub(super) const fn new(data: &'a [u8], offset: usize) -> Self {
        Self { rest: data, offset }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = Result<EdnsOption<'a>, OptionError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let Some((option, rest)) = EdnsOption::parse(self.rest) else {
            self.rest = &[];
            return Some(Err(OptionError { offset: self.offset }));
        };
        self.offset += self.rest.len() - rest.len();
        self.rest = rest;
        Some(Ok(option))
    }
}

/// An option promises more bytes than the OPT record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("EDNS option runs past the end of its OPT record at offset {offset}")]
pub struct OptionError {
    /// Where the option starts, from the start of the message.
    pub offset: usize,
}

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdnsOption<'a> {
    /// What it is.
    pub code: OptionCode,
    /// Its data as on the wire.
    pub data: &'a [u8],
}

impl<'a> EdnsOption<'a> {
    /// Reads the first option of `bytes` and returns it with what follows.
    fn parse(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&[c0, c1, l0, l1], rest) = bytes.split_first_chunk()?;
        let (data, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])))?;
        Some((Self { code: OptionCode(u16::from_be_bytes([c0, c1])), data }, rest))
    }

    /// The meaning of the data, or the data itself when its code is not decoded here or its form is not the code's.
    pub fn decode(&self) -> OptionData<'a> {
        let decoded = match self.code {
            OptionCode::ECS => ClientSubnet::parse(self.data).map(OptionData::ClientSubnet),
            OptionCode::NSID => Some(OptionData::Nsid(self.data)),
            OptionCode::COOKIE => Cookie::parse(self.data).map(OptionData::Cookie),
            OptionCode::TCP_KEEPALIVE => keepalive(self.data).map(OptionData::TcpKeepalive),
            OptionCode::PADDING => Some(OptionData::Padding(self.data.len())),
            OptionCode::EDE => ExtendedError::parse(self.data).map(OptionData::ExtendedError),
            _ => None,
        };
        decoded.unwrap_or(OptionData::Raw(self.data))
    }
}

/// An option's decoded data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionData<'a> {
    /// The client's network: RFC 7871.
    ClientSubnet(ClientSubnet),
    /// The server's identifier, any bytes; empty in a query: RFC 5001.
    Nsid(&'a [u8]),
    /// Cookies: RFC 7873.
    Cookie(Cookie<'a>),
    /// Idle timeout in units of 100 ms; none in a query: RFC 7828.
    TcpKeepalive(Option<u16>),
    /// How many bytes of padding: RFC 7830.
    Padding(usize),
    /// Extended error: RFC 8914.
    ExtendedError(ExtendedError<'a>),
    /// Anything else.
    Raw(&'a [u8]),
}

/// A network on whose behalf a query is made: RFC 7871 section 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientSubnet {
    /// How many bits of the address are given.
    pub source: u8,
    /// How many bits the answer is good for.
    pub scope: u8,
    /// The address, bits that were not sent as zero.
    pub address: IpAddr,
}

impl ClientSubnet {
    /// Reads the option's data. Senders are seen that cut trailing zero bytes or send the whole address, both against
    /// section 6, so only an unknown family, or more bytes or bits than its addresses have, make the data unreadable.
    fn parse(data: &[u8]) -> Option<Self> {
        let (&[f0, f1, source, scope], sent) = data.split_first_chunk()?;
        let address = match u16::from_be_bytes([f0, f1]) {
            1 => IpAddr::V4(Ipv4Addr::from(zero_extended::<4>(sent)?)),
            2 => IpAddr::V6(Ipv6Addr::from(zero_extended::<16>(sent)?)),
            _ => return None,
        };
        let bits = if address.is_ipv4() { 32 } else { 128 };
        (source <= bits && scope <= bits).then_some(Self { source, scope, address })
    }
}

/// A client's cookie and, once the server is known, the server's: RFC 7873 section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie<'a> {
    /// The client's eight bytes.
    pub client: &'a [u8; 8],
    /// The server's 8 to 32 bytes; empty when there is none.
    pub server: &'a [u8],
}

impl<'a> Cookie<'a> {
    fn parse(data: &'a [u8]) -> Option<Self> {
        let (client, server) = data.split_first_chunk()?;
        matches!(server.len(), 0 | 8..=32).then_some(Self { client, server })
    }
}

/// An extended error: RFC 8914 section 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedError<'a> {
    /// What happened.
    pub code: EdeCode,
    /// More about it, meant to be UTF-8; may be empty.
    pub text: &'a [u8],
}

impl<'a> ExtendedError<'a> {
    fn parse(data: &'a [u8]) -> Option<Self> {
        let (&[c0, c1], text) = data.split_first_chunk()?;
        Some(Self { code: EdeCode(u16::from_be_bytes([c0, c1])), text })
    }
}

/// Reads a timeout, absent from queries: RFC 7828 section 3.1.
fn keepalive(data: &[u8]) -> Option<Option<u16>> {
    match *data {
        [] => Some(None),
        [high, low] => Some(Some(u16::from_be_bytes([high, low]))),
        _ => None,
    }
}

/// The bytes sent with zeros after them; `None` when there are too many.
pub(super) fn zero_extended<const N: usize>(sent: &[u8]) -> Option<[u8; N]> {
    let mut address = [0; N];
    address.get_mut(..sent.len())?.copy_from_slice(sent);
    Some(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Message;

    /// A message with nothing but an OPT of these options.
    fn message(options: &[u8]) -> Vec<u8> {
        let mut bytes = b"\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x00\x29\x04\xd0\x17\x01\x80\x02\x00".to_vec();
        bytes.push(options.len() as u8);
        bytes.extend_from_slice(options);
        bytes
    }

    fn decoded(code: OptionCode, data: &[u8]) -> OptionData<'_> {
        EdnsOption { code, data }.decode()
    }

    #[test]
    fn fields_are_where_the_rfc_puts_them() {
        let bytes = message(b"");
        let opt = Message::parse(&bytes).unwrap().opt().unwrap();
        assert_eq!((opt.udp_size(), opt.extended_rcode(), opt.version()), (1232, 0x17, 1));
        assert_eq!((opt.dnssec_ok(), opt.z(), opt.options().count()), (true, 2, 0));
    }

    #[test]
    fn options_before_a_broken_one_are_kept() {
        let bytes = message(b"\x00\x03\x00\x02ab\xfd\xe9\x00\x00\x00\x0a\x00\x09x");
        let options: Vec<_> = Message::parse(&bytes).unwrap().opt().unwrap().options().collect();
        assert_eq!(options[0], Ok(EdnsOption { code: OptionCode::NSID, data: b"ab" }));
        assert_eq!(options[1], Ok(EdnsOption { code: OptionCode(65001), data: b"" }));
        assert_eq!(options[2], Err(OptionError { offset: 33 }));
        assert_eq!(options.len(), 3);
        assert_eq!(bytes[33..], *b"\x00\x0a\x00\x09x");
    }

    #[test]
    fn client_subnets_may_be_short_or_long() {
        let subnet = |source, scope, address: &str| {
            OptionData::ClientSubnet(ClientSubnet { source, scope, address: address.parse().unwrap() })
        };
        let ecs = |data| decoded(OptionCode::ECS, data);
        assert_eq!(ecs(b"\x00\x01\x18\x00\xc0\x00\x02"), subnet(24, 0, "192.0.2.0"));
        assert_eq!(ecs(b"\x00\x01\x18\x10\xc0\x00\x02\x07"), subnet(24, 16, "192.0.2.7"));
        assert_eq!(ecs(b"\x00\x01\x18\x00\xc0"), subnet(24, 0, "192.0.0.0"));
        assert_eq!(ecs(b"\x00\x02\x38\x00\x20\x01\x0d\xb8\x00\x01\x02"), subnet(56, 0, "2001:db8:1:200::"));
        assert_eq!(ecs(b"\x00\x01\x00\x00"), subnet(0, 0, "0.0.0.0"));
        for raw in [&b"\x00\x01\x18\x00\x01\x02\x03\x04\x05"[..], b"\x00\x03\x18\x00\x01", b"\x00\x01\x18", b""] {
            assert_eq!(ecs(raw), OptionData::Raw(raw));
        }
    }

    #[test]
    fn client_subnets_have_no_more_bits_than_addresses() {
        for (family, bits) in [(1, 32), (2, 128)] {
            for (source, scope, readable) in
                [(bits, bits, true), (bits + 1, 0, false), (0, bits + 1, false), (255, 0, false)]
            {
                let data = [0, family, source, scope, 0xc6, 0x33];
                let decoded = decoded(OptionCode::ECS, &data);
                assert_eq!(matches!(decoded, OptionData::ClientSubnet(_)), readable, "{data:?}");
                assert!(readable || decoded == OptionData::Raw(&data));
            }
        }
    }

    #[test]
    fn cookies_errors_timeouts_and_padding() {
        let client = b"12345678";
        let cookie = |data| decoded(OptionCode::COOKIE, data);
        assert_eq!(cookie(b"12345678"), OptionData::Cookie(Cookie { client, server: b"" }));
        assert_eq!(cookie(b"12345678abcdefgh"), OptionData::Cookie(Cookie { client, server: b"abcdefgh" }));
        assert_eq!(cookie(b"12345678abc"), OptionData::Raw(b"12345678abc"));
        assert_eq!(cookie(b"1234567"), OptionData::Raw(b"1234567"));
        let error = ExtendedError { code: EdeCode::BLOCKED, text: b"no" };
        assert_eq!(decoded(OptionCode::EDE, b"\x00\x0fno"), OptionData::ExtendedError(error));
        assert_eq!(decoded(OptionCode::EDE, b"\x00"), OptionData::Raw(b"\x00"));
        assert_eq!(decoded(OptionCode::TCP_KEEPALIVE, b""), OptionData::TcpKeepalive(None));
        assert_eq!(decoded(OptionCode::TCP_KEEPALIVE, b"\x01\x02"), OptionData::TcpKeepalive(Some(258)));
        assert_eq!(decoded(OptionCode::TCP_KEEPALIVE, b"\x01"), OptionData::Raw(b"\x01"));
        assert_eq!(decoded(OptionCode::PADDING, &[0; 9]), OptionData::Padding(9));
        assert_eq!(decoded(OptionCode::NSID, b"x"), OptionData::Nsid(b"x"));
        assert_eq!(decoded(OptionCode(65001), b"x"), OptionData::Raw(b"x"));
    }
}
