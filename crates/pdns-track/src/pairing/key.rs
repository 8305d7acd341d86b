//! What makes a response belong to a query.

use std::hash::{BuildHasher, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pdns_packet::bytes;
use pdns_packet::dns::{Header, MAX_NAME_LEN, Message};
use pdns_packet::frame::Flow;

use crate::seed::Quality;
use crate::transaction::Transport;

/// Everything that a response shares with its query but the question: addresses, ports, transport, VLANs, message id
/// and opcode, which a server copies from the query (RFC 1035 section 4.1.1). In words, which compare and hash fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FlowKey {
    /// The client's address in two words, then the server's.
    addresses: [u64; 4],
    /// From the lowest bit up: the client's port, the server's port, the id, the opcode, and the flags below.
    numbers: u64,
    vlan: u64,
}

/// In [`FlowKey::numbers`]: the message came over TCP.
const TCP: u64 = 1 << 52;

/// In [`FlowKey::numbers`]: the client's address is IPv6. An IPv4 address is not the IPv6 address that it maps to.
const CLIENT_V6: u64 = 1 << 53;

/// In [`FlowKey::numbers`]: the server's address is IPv6.
const SERVER_V6: u64 = 1 << 54;

impl FlowKey {
    #[inline]
    pub(super) fn new(flow: &Flow, transport: Transport, header: &Header, ignore_vlan: bool) -> Self {
        let ends = [(words(&flow.src), flow.src_port), (words(&flow.dst), flow.dst_port)];
        let [(client, client_port), (server, server_port)] =
            if header.is_response() { [ends[1], ends[0]] } else { ends };
        let numbers = u64::from(client_port)
            | u64::from(server_port) << 16
            | u64::from(header.id) << 32
            | u64::from(header.opcode()) << 48
            | if transport == Transport::Tcp { TCP } else { 0 }
            | if client.is_v6 { CLIENT_V6 } else { 0 }
            | if server.is_v6 { SERVER_V6 } else { 0 };
        Self {
            addresses: [client.high, client.low, server.high, server.low],
            numbers,
            vlan: if ignore_vlan { 0 } else { flow.vlan.bits() },
        }
    }

    pub(super) const fn client(&self) -> IpAddr {
        let [high, low, _, _] = self.addresses;
        address(self.numbers & CLIENT_V6 != 0, high, low)
    }

    pub(super) const fn client_port(&self) -> u16 {
        self.numbers as u16
    }

    pub(super) const fn server(&self) -> IpAddr {
        let [_, _, high, low] = self.addresses;
        address(self.numbers & SERVER_V6 != 0, high, low)
    }

    pub(super) const fn server_port(&self) -> u16 {
        (self.numbers >> 16) as u16
    }

    pub(super) const fn transport(&self) -> Transport {
        if self.numbers & TCP != 0 { Transport::Tcp } else { Transport::Udp }
    }

    /// A number that differs between flows in most cases, for where it costs little when it does not.
    #[inline]
    pub(super) const fn rough_hash(&self) -> u64 {
        let [_, client, _, _] = self.addresses;
        (self.numbers ^ client).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    #[inline]
    pub(super) fn hash(&self, state: &Quality) -> u64 {
        let mut hasher = state.build_hasher();
        for word in self.addresses {
            hasher.write_u64(word);
        }
        hasher.write_u64(self.numbers);
        hasher.write_u64(self.vlan);
        hasher.finish()
    }
}

/// An address in words.
#[derive(Clone, Copy)]
struct Words {
    high: u64,
    low: u64,
    is_v6: bool,
}

#[inline]
const fn words(address: &IpAddr) -> Words {
    match address {
        IpAddr::V4(address) => Words { high: 0, low: address.to_bits() as u64, is_v6: false },
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            Words { high: (bits >> 64) as u64, low: bits as u64, is_v6: true }
        }
    }
}

const fn address(v6: bool, high: u64, low: u64) -> IpAddr {
    if v6 {
        IpAddr::V6(Ipv6Addr::from_bits((high as u128) << 64 | low as u128))
    } else {
        IpAddr::V4(Ipv4Addr::from_bits(low as u32))
    }
}

/// Room for the longest question that is not in its message as it is.
pub(super) const QUESTION_BUFFER: usize = MAX_NAME_LEN + 4;

/// A question in the form in which equal ones differ only by case: uncompressed name, type, class. Empty when the
/// message has none, or none that can be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuestionKey<'a> {
    pub bytes: &'a [u8],
    /// The message itself holds these bytes, behind its header.
    pub in_message: bool,
}

impl<'a> QuestionKey<'a> {
    pub(super) const NONE: Self = Self { bytes: &[], in_message: false };

    /// The key of the first question as it stands in `message`; `None` when its name is compressed, which needs
    /// [`uncompressed`](Self::uncompressed).
    #[inline]
    pub(super) fn of(message: &Message<'a>) -> Option<Self> {
        match message.uncompressed_question() {
            Some(bytes) => Some(Self { bytes, in_message: true }),
            None if message.question().is_some() => None,
            None => Some(Self::NONE),
        }
    }

    /// The key of a first question with a compressed name: weird, but nothing in RFC 1035 section 4.1.4 is against it.
    #[cold]
    pub(super) fn uncompressed(message: &Message<'_>, buffer: &'a mut [u8; QUESTION_BUFFER]) -> Self {
        let Some(question) = message.question() else { return Self::NONE };
        let mut name = [0; MAX_NAME_LEN];
        let Ok(name) = question.qname.canonical(&mut name) else { return Self::NONE };
        let len = name.len();
        buffer[..len].copy_from_slice(name);
        buffer[len..len + 2].copy_from_slice(&question.qtype.0.to_be_bytes());
        buffer[len + 2..len + 4].copy_from_slice(&question.qclass.0.to_be_bytes());
        Self { bytes: &buffer[..len + 4], in_message: false }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// A hash that is equal for what [`same`](Self::same) calls equal, and for nothing else that a sender could find:
    /// whoever can make hashes meet can make every search long. That of the flow comes in at the end, so that both are
    /// computed at the same time.
    #[inline]
    pub(super) fn hash(&self, flow_hash: u64, state: &Quality) -> u64 {
        let mut hasher = state.build_hasher();
        let type_and_class = self.hash_name(&mut hasher);
        hasher.write_u64(type_and_class);
        hasher.write_u64(flow_hash);
        hasher.finish()
    }

    /// Hashes the name and returns type and class.
    #[inline]
    fn hash_name(&self, hasher: &mut impl Hasher) -> u64 {
        let Some((name, type_and_class)) = self.bytes.split_last_chunk::<4>() else { return u64::MAX };
        let type_and_class = u64::from(u32::from_le_bytes(*type_and_class));
        // A name tells by itself how long it is, so the last block may repeat bytes of the one before, or be filled up.
        let Some((first, last)) = name.first_chunk().zip(name.last_chunk()) else {
            let mut block = [0; BLOCK];
            block[..name.len()].copy_from_slice(name);
            hasher.write_u128(lowercase(&block));
            return type_and_class;
        };
        hasher.write_u128(lowercase(first));
        if name.len() > 2 * BLOCK {
            let between = name.get(BLOCK..name.len() - BLOCK).unwrap_or_default();
            let (blocks, rest) = between.as_chunks();
            blocks.iter().for_each(|block| hasher.write_u128(lowercase(block)));
            if !rest.is_empty() {
                let block = name.get(..name.len() - BLOCK).and_then(<[u8]>::last_chunk).unwrap_or(first);
                hasher.write_u128(lowercase(block));
            }
        }
        hasher.write_u128(lowercase(last));
        type_and_class
    }

    /// Whether both ask the same: names without regard to case (RFC 4343), type and class exactly.
    #[inline]
    pub(super) fn same(&self, other: &[u8]) -> bool {
        bytes::equal(self.bytes, other) || self.same_but_for_case(other)
    }

    #[inline(never)]
    fn same_but_for_case(&self, other: &[u8]) -> bool {
        match (self.bytes.split_last_chunk::<4>(), other.split_last_chunk::<4>()) {
            // Length bytes are below 64, so no case folding touches them.
            (Some((mine, mine_type)), Some((theirs, their_type))) => {
                mine_type == their_type && mine.eq_ignore_ascii_case(theirs)
            }
            _ => false,
        }
    }
}

/// How many bytes of a name are hashed at once.
const BLOCK: usize = 16;

/// The bytes of `block` in one word, with ASCII capitals made small.
#[inline]
fn lowercase(block: &[u8; BLOCK]) -> u128 {
    let (words, _) = block.as_chunks::<8>();
    words.iter().rev().fold(0, |all, &word| all << 64 | u128::from(small(u64::from_le_bytes(word))))
}

/// The eight bytes of `word` with ASCII capitals made small, as [`u8::to_ascii_lowercase`] does it.
#[inline]
const fn small(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH_BITS: u64 = 0x80 * ONES;
    // Sums of seven-bit values do not carry into the next byte; each sum's high bit answers a question.
    let low = word & !HIGH_BITS;
    let at_least_a = low + ONES * (0x80 - b'A' as u64);
    let beyond_z = low + ONES * (0x7f - b'Z' as u64);
    let capital = at_least_a & !beyond_z & !word & HIGH_BITS;
    word | capital >> 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_and_nothing_else_become_small() {
        for byte in 0..=u8::MAX {
            for lane in 0..BLOCK {
                for filler in [0, b'@', b'A', b'Z', b'[', b'a', 0xc1, 0xff] {
                    let mut bytes = [filler; BLOCK];
                    bytes[lane] = byte;
                    let expected = bytes.map(|byte| byte.to_ascii_lowercase());
                    assert_eq!(lowercase(&bytes).to_le_bytes(), expected);
                }
            }
        }
    }

    #[test]
    fn questions_that_differ_have_different_hashes_also_where_case_bits_do() {
        let state = Quality::default();
        let hash = |bytes: &[u8]| QuestionKey { bytes, in_message: false }.hash(1, &state);
        let mut seen = std::collections::HashSet::new();
        // Bytes that differ only in the bit that tells small letters from capitals, in every place of a label.
        for bits in 0..1u32 << 12 {
            let label = (0..12).map(|at| if bits >> at & 1 == 1 { b'@' } else { b'`' });
            let question: Vec<u8> = [12].into_iter().chain(label).chain([0, 0, 1, 0, 1]).collect();
            assert!(seen.insert(hash(&question)));
        }
        for (len, at) in (1..63).flat_map(|len| (0..len).map(move |at| (len, at))) {
            let mut label = vec![b'a'; len];
            let question = |label: &[u8]| [&[len as u8], label, &[0, 0, 1, 0, 1]].concat();
            let plain = hash(&question(&label));
            label[at] = b'A';
            assert_eq!(hash(&question(&label)), plain);
            label[at] = b'!';
            assert!(hash(&question(&label)) != plain && seen.insert(hash(&question(&label))), "{len} {at}");
        }
        for qtype in [1, 0x21] {
            assert!(seen.insert(hash(&[1, b'a', 0, 0, qtype, 0, 1])));
        }
        assert_eq!(hash(b"\x03wWw\x0aExAmPlE-42\0\0\x01\0\x01"), hash(b"\x03www\x0aexample-42\0\0\x01\0\x01"));
        assert_eq!(hash(b"\x02Aq\0\0\x01\0\x01"), hash(b"\x02aQ\0\0\x01\0\x01"));
    }

    #[test]
    fn questions_chosen_to_share_a_bucket_do_not_share_it_in_another_run() {
        let [known, other] = [0, 1].map(|_| Quality::default());
        let bucket = |bytes: &[u8], state| QuestionKey { bytes, in_message: false }.hash(1, state) % 64;
        let questions = (0..64_000u32).map(|number| format!("\x08{number:08x}\0\0\x01\0\x01"));
        let chosen: Vec<String> = questions.filter(|question| bucket(question.as_bytes(), &known) == 0).collect();
        let still = chosen.iter().filter(|question| bucket(question.as_bytes(), &other) == 0).count();
        assert!(chosen.len() > 700 && still < chosen.len() / 10, "{still} of {}", chosen.len());
    }

    #[test]
    fn names_are_the_same_without_case_but_types_are_not() {
        let key = |bytes| QuestionKey { bytes, in_message: false };
        let question = b"\x04wWw@\0\0\x41\0\x01";
        assert!(key(question).same(question));
        assert!(key(question).same(b"\x04WwW@\0\0\x41\0\x01"));
        for other in
            [&b"\x04wWw`\0\0\x41\0\x01"[..], b"\x04wWw@\0\0\x61\0\x01", b"\x04wWw@\0\0\x41\0\x03", &question[1..], b""]
        {
            assert!(!key(question).same(other) && !key(other).same(question), "{other:?}");
        }
        assert!(QuestionKey::NONE.same(b""));
    }

    #[test]
    fn a_key_gives_back_what_it_was_made_of() {
        let addresses = [IpAddr::from([192, 0, 2, 1]), IpAddr::from([0x2001, 0xdb8, 1, 2, 3, 4, 5, 6])];
        let query = Header { id: 0xffff, flags: 0x7fff, counts: [0; 4] };
        let response = Header { flags: 0xffff, ..query };
        let vlan = pdns_packet::frame::VlanTags::NONE;
        for (src, dst) in addresses.into_iter().flat_map(|src| addresses.map(|dst| (src, dst))) {
            let flow = Flow { src, dst, src_port: 40_000, dst_port: 53, vlan };
            for transport in [Transport::Udp, Transport::Tcp] {
                let key = FlowKey::new(&flow, transport, &query, false);
                assert_eq!((key.client(), key.client_port()), (src, 40_000));
                assert_eq!((key.server(), key.server_port()), (dst, 53));
                assert_eq!(key.transport(), transport);
                let back = Flow { src: dst, dst: src, src_port: 53, dst_port: 40_000, vlan };
                assert_eq!(FlowKey::new(&back, transport, &response, false), key);
                assert_ne!(FlowKey::new(&flow, transport, &response, false), key);
            }
        }
    }
}
