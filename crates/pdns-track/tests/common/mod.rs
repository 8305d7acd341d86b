//! What the tests of this crate share: messages, a harness with virtual time, and transactions that can be compared.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::net::IpAddr;

use pdns_packet::dns::Message;
use pdns_packet::frame::{Flow, VlanTags};
use pdns_packet::time::Timestamp;
use pdns_track::{Arrival, Observed, Pairing, PairingConfig, PairingStats, SECOND, Status, Transaction, Transport};

/// A millisecond, in nanoseconds.
pub(crate) const MS: i64 = SECOND / 1000;

/// Where the virtual clock starts.
pub(crate) const START: i64 = 1_000 * SECOND;

/// A query and what belongs to it.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) client: IpAddr,
    pub(crate) client_port: u16,
    pub(crate) server: IpAddr,
    pub(crate) vlan: VlanTags,
    pub(crate) transport: Transport,
    pub(crate) id: u16,
    pub(crate) opcode: u8,
    pub(crate) qname: String,
    pub(crate) qtype: u16,
    pub(crate) qclass: u16,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            client: [192, 0, 2, 1].into(),
            client_port: 40_000,
            server: [192, 0, 2, 53].into(),
            vlan: VlanTags::NONE,
            transport: Transport::Udp,
            id: 7,
            opcode: 0,
            qname: "www.example".to_owned(),
            qtype: 1,
            qclass: 1,
        }
    }
}

impl Ask {
    pub(crate) fn named(qname: &str) -> Self {
        Self { qname: qname.to_owned(), ..Self::default() }
    }

    pub(crate) fn flow(&self, is_response: bool) -> Flow {
        let ends = [(self.client, self.client_port), (self.server, 53)];
        let [(src, src_port), (dst, dst_port)] = if is_response { [ends[1], ends[0]] } else { ends };
        Flow { src, dst, src_port, dst_port, vlan: self.vlan }
    }

    pub(crate) fn question(&self) -> Vec<u8> {
        question(&self.qname, self.qtype, self.qclass)
    }

    pub(crate) fn message(&self, is_response: bool) -> Vec<u8> {
        self.with_questions(is_response, 1, &self.question())
    }

    /// A message that claims `count` questions, which are `bytes`.
    pub(crate) fn with_questions(&self, is_response: bool, count: u16, bytes: &[u8]) -> Vec<u8> {
        let flags = u16::from(is_response) << 15 | u16::from(self.opcode) << 11;
        let mut message = Vec::new();
        for word in [self.id, flags, count, 0, 0, 0] {
            message.extend_from_slice(&word.to_be_bytes());
        }
        message.extend_from_slice(bytes);
        message
    }
}

/// A question with the labels of `qname`, which has no escapes.
pub(crate) fn question(qname: &str, qtype: u16, qclass: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in qname.split('.').filter(|label| !label.is_empty()) {
        bytes.push(label.len() as u8);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend_from_slice(&qtype.to_be_bytes());
    bytes.extend_from_slice(&qclass.to_be_bytes());
    bytes
}

/// A message of a transaction, on its own: capture time, bytes, how many were cut off, length of the frame.
pub(crate) type Part = (i64, Vec<u8>, usize, u32);

/// A transaction that borrows nothing and can be sorted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seen {
    pub(crate) status: &'static str,
    pub(crate) client: (IpAddr, u16),
    pub(crate) server: (IpAddr, u16),
    pub(crate) transport: &'static str,
    pub(crate) vlan: u64,
    pub(crate) query: Option<Part>,
    pub(crate) response: Option<Part>,
    pub(crate) retransmits: u32,
}

impl From<&Transaction<'_>> for Seen {
    fn from(transaction: &Transaction<'_>) -> Self {
        let part = |observed: Option<&Observed<'_>>| {
            observed.map(|observed| {
                let bytes = observed.message.bytes().to_vec();
                (observed.time.nanos(), bytes, observed.missing, observed.frame_len)
            })
        };
        Self {
            status: transaction.status.name(),
            client: (transaction.client, transaction.client_port),
            server: (transaction.server, transaction.server_port),
            transport: transaction.transport.name(),
            vlan: transaction.vlan.bits(),
            query: part(transaction.query),
            response: part(transaction.response),
            retransmits: transaction.retransmits,
        }
    }
}

impl Seen {
    /// Nanoseconds from query to response.
    pub(crate) fn elapsed(&self) -> Option<i64> {
        Some(self.response.as_ref()?.0 - self.query.as_ref()?.0)
    }
}

/// A pairing table on virtual time. After every step it checks that the account adds up.
pub(crate) struct Harness {
    pub(crate) pairing: Pairing,
    pub(crate) now: i64,
    pub(crate) seen: Vec<Seen>,
}

impl Harness {
    pub(crate) fn new(config: PairingConfig) -> Self {
        Self { pairing: Pairing::new(config), now: START, seen: Vec::new() }
    }

    pub(crate) fn query(&mut self, ask: &Ask) {
        self.send(ask, false, &ask.message(false));
    }

    pub(crate) fn response(&mut self, ask: &Ask) {
        self.send(ask, true, &ask.message(true));
    }

    /// A response that leaves out the question.
    pub(crate) fn bare_response(&mut self, ask: &Ask) {
        self.send(ask, true, &ask.with_questions(true, 0, &[]));
    }

    /// Sends `bytes` from one end of `ask` to the other.
    pub(crate) fn send(&mut self, ask: &Ask, is_response: bool, bytes: &[u8]) {
        let message = Message::parse(bytes).expect("there is a header");
        let time = Timestamp::from_nanos(self.now);
        let observed = Observed { time, message: &message, missing: 0, frame_len: 42 + bytes.len() as u32 };
        let arrival = Arrival { flow: &ask.flow(is_response), transport: ask.transport, observed };
        self.pairing.message(time, &arrival, &mut |transaction: &Transaction<'_>| self.seen.push(transaction.into()));
        self.check();
    }

    /// Lets time pass until just before the next packet.
    pub(crate) fn advance(&mut self, nanos: i64) {
        self.now += nanos;
    }

    /// Lets time pass, and has the table hand out what is due.
    pub(crate) fn wake_after(&mut self, nanos: i64) {
        self.advance(nanos);
        let now = Timestamp::from_nanos(self.now);
        self.pairing.advance(now, &mut |transaction: &Transaction<'_>| self.seen.push(transaction.into()));
        self.check();
    }

    pub(crate) fn finish(&mut self) {
        self.pairing.finish(&mut |transaction: &Transaction<'_>| self.seen.push(transaction.into()));
        self.check();
        let stats = self.pairing.stats();
        assert_eq!(waiting(stats), (0, 0), "{stats:?}");
        assert_eq!((self.pairing.len(), self.pairing.held_bytes()), (0, 0));
        assert!(self.pairing.is_empty());
    }

    /// What was handed out since the last call, by status.
    pub(crate) fn statuses(&mut self) -> Vec<&'static str> {
        self.take().into_iter().map(|seen| seen.status).collect()
    }

    /// What was handed out since the last call, the end of the capture included.
    pub(crate) fn finished(&mut self) -> Vec<&'static str> {
        self.finish();
        self.statuses()
    }

    /// What was handed out since the last call.
    pub(crate) fn take(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.seen)
    }

    fn check(&self) {
        let stats = self.pairing.stats();
        let (queries, responses) = waiting(stats);
        assert!(queries >= 0 && responses >= 0 && queries + responses <= self.pairing.len() as i64, "{stats:?}");
    }
}

impl Default for Harness {
    fn default() -> Self {
        Self::new(PairingConfig::default())
    }
}

/// How many queries and responses have not been accounted for.
pub(crate) fn waiting(stats: &PairingStats) -> (i64, i64) {
    let statuses: u64 = Status::ALL.iter().map(|&status| stats.transactions(status)).sum();
    assert_eq!(statuses, stats.answered + stats.unanswered + stats.orphan + stats.duplicate);
    let queries = stats.queries - stats.answered - stats.unanswered - stats.retransmissions;
    let responses = stats.responses - stats.answered - stats.orphan - stats.duplicate;
    (queries as i64, responses as i64)
}
