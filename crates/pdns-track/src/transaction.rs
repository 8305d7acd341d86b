//! What the tracker hands out: a query with its response, or one of them alone.

use std::net::IpAddr;

use pdns_packet::dns::Message;
use pdns_packet::frame::VlanTags;
use pdns_packet::time::Timestamp;

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// A query and its response.
    Answered,
    /// A query whose response did not come within the query timeout, or before the capture ended.
    Unanswered,
    /// A response that no query was seen for.
    Orphan,
    /// A further response to a query answered shortly before.
    Duplicate,
}

impl Status {
    /// All statuses.
    pub const ALL: [Self; 4] = [Self::Answered, Self::Unanswered, Self::Orphan, Self::Duplicate];

    /// The status as records and statistics name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Unanswered => "unanswered",
            Self::Orphan => "orphan",
            Self::Duplicate => "duplicate",
        }
    }
}

/// What carried the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// One message a datagram.
    Udp,
    /// Messages in a stream, each after its length (RFC 1035 section 4.2.2).
    Tcp,
}

impl Transport {
    /// The transport as records name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }
}

/// A message as it was seen on the wire.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// Capture time; over TCP and for fragments, that of the packet that completed the message.
    pub time: Timestamp,
    /// The message, as far as it was captured.
    pub message: &'a Message<'a>,
    /// How many bytes of the message the capture cut off.
    pub missing: usize,
    /// Length on the wire, in bytes, of the frame that carried it, or of all its fragments' frames; 0 over TCP.
    pub frame_len: u32,
}

impl Observed<'_> {
    /// Length of the DNS message on the wire, in bytes.
    pub const fn wire_len(&self) -> usize {
        self.message.bytes().len() + self.missing
    }
}

/// A DNS transaction. At least one of `query` and `response` is there.
#[derive(Clone, Copy, Debug)]
pub struct Transaction<'a> {
    /// How it ended.
    pub status: Status,
    /// The client's address.
    pub client: IpAddr,
    /// The client's port.
    pub client_port: u16,
    /// The server's address.
    pub server: IpAddr,
    /// The server's port.
    pub server_port: u16,
    /// What carried it.
    pub transport: Transport,
    /// VLAN ids, outermost first: those of the query where there is one.
    pub vlan: VlanTags,
    /// The query; for a duplicate, the one answered before.
    pub query: Option<&'a Observed<'a>>,
    /// The response.
    pub response: Option<&'a Observed<'a>>,
    /// How often the query was repeated before its response or timeout.
    pub retransmits: u32,
}

/// Takes transactions as they end.
pub trait Consumer {
    /// Takes one transaction. It borrows from the packet at hand, so whoever wants to keep it copies.
    fn transaction(&mut self, transaction: &Transaction<'_>);
}

impl<F: FnMut(&Transaction<'_>)> Consumer for F {
    fn transaction(&mut self, transaction: &Transaction<'_>) {
        self(transaction);
    }
}
