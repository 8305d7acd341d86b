//! What makes a response belong to a query.

use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;

use foldhash::quality::RandomState;
use pdns_packet::dns::{Header, MAX_NAME_LEN, Message};
use pdns_packet::frame::Flow;

use crate::transaction::Transport;

/// Everything that a response shares with its query but the question: addresses, ports, transport, VLANs, message id
/// and opcode, which a server copies from the query (RFC 1035 section 4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FlowKey {
    pub client: IpAddr,
    pub server: IpAddr,
    pub client_port: u16,
    pub server_port: u16,
    pub id: u16,
    pub opcode: u8,
    pub transport: Transport,
    pub vlan: u64,
}

impl FlowKey {
    pub(super) fn new(flow: &Flow, transport: Transport, header: &Header, ignore_vlan: bool) -> Self {
        let ends = [(flow.src, flow.src_port), (flow.dst, flow.dst_port)];
        let [client, server] = if header.is_response() { [ends[1], ends[0]] } else { ends };
        Self {
            client: client.0,
            server: server.0,
            client_port: client.1,
            server_port: server.1,
            id: header.id,
            opcode: header.opcode(),
            transport,
            vlan: if ignore_vlan { 0 } else { flow.vlan.bits() },
        }
    }

    pub(super) fn hash(&self, state: &RandomState) -> u64 {
        let mut hasher = state.build_hasher();
        let numbers = u64::from(self.client_port)
            | u64::from(self.server_port) << 16
            | u64::from(self.id) << 32
            | u64::from(self.opcode) << 48
            | (self.transport as u64) << 56;
        hasher.write_u64(numbers);
        hasher.write_u64(self.vlan);
        for address in [self.client, self.server] {
            match address {
                IpAddr::V4(address) => hasher.write_u32(address.to_bits()),
                IpAddr::V6(address) => hasher.write_u128(address.to_bits()),
            }
        }
        hasher.finish()
    }
}

/// A question in the form in which equal ones differ only by case: uncompressed name, type, class. Empty when the
/// message has none, or none that can be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct QuestionKey<'a>(pub &'a [u8]);

impl<'a> QuestionKey<'a> {
    /// The key of the first question of `message`; `buffer` takes it where the message itself cannot lend it.
    pub(super) fn of(message: &Message<'a>, buffer: &'a mut [u8; MAX_NAME_LEN + 4]) -> Self {
        let Some(question) = message.question() else { return Self(&[]) };
        let bytes = message.bytes();
        let start = question.qname.start();
        // A name that ends in its own zero byte was not compressed, and stands just before type and class.
        if let Ok(end) = question.qname.end()
            && bytes[end - 1] == 0
            && is_uncompressed(&bytes[start..end])
        {
            return Self(&bytes[start..end + 4]);
        }
        let mut name = [0; MAX_NAME_LEN];
        let Ok(name) = question.qname.canonical(&mut name) else { return Self(&[]) };
        let len = name.len();
        buffer[..len].copy_from_slice(name);
        buffer[len..len + 2].copy_from_slice(&question.qtype.0.to_be_bytes());
        buffer[len + 2..len + 4].copy_from_slice(&question.qclass.0.to_be_bytes());
        Self(&buffer[..len + 4])
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn hash(&self, flow_hash: u64, state: &RandomState) -> u64 {
        /// Sets the bit in which the cases of a letter differ, in eight bytes at once. That other bytes meet too costs
        /// nothing: equality is decided by `same`.
        const CASE: u64 = 0x2020_2020_2020_2020;
        let mut hasher = state.build_hasher();
        hasher.write_u64(flow_hash);
        let (words, rest) = self.0.as_chunks::<8>();
        for word in words {
            hasher.write_u64(u64::from_le_bytes(*word) | CASE);
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        hasher.write_u64(u64::from_le_bytes(last) | CASE);
        hasher.finish()
    }

    /// Whether both ask the same: names without regard to case (RFC 4343), type and class exactly.
    pub(super) fn same(&self, other: &[u8]) -> bool {
        if self.0.len() != other.len() {
            return false;
        }
        match (self.0.split_last_chunk::<4>(), other.split_last_chunk::<4>()) {
            // Length bytes are below 64, so no case folding touches them.
            (Some((mine, mine_type)), Some((theirs, their_type))) => {
                mine_type == their_type && mine.eq_ignore_ascii_case(theirs)
            }
            _ => true,
        }
    }
}

fn is_uncompressed(name: &[u8]) -> bool {
    let mut at = 0;
    while let Some(&length) = name.get(at) {
        match length {
            0 => return at + 1 == name.len(),
            1..=63 => at += 1 + usize::from(length),
            _ => return false,
        }
    }
    false
}
