//! Asking a server: UDP, TCP where an answer is too long for it, EDNS with NSID, retries, one deadline.

mod message;
mod transport;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use pdns_packet::dns::{Message, Rcode, Rtype};

use crate::name::DomainName;

pub use message::Mismatch;
pub(crate) use message::is_name;
pub use transport::ask;

/// What a server is asked for, in class IN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name of the records.
    pub name: DomainName,
    /// Their type.
    pub rtype: Rtype,
    /// RD: whether the server is to ask others for what it does not have itself. Who measures replication wants to know
    /// what the server has.
    pub recurse: bool,
}

/// How long and how often to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long everything may take, all tries and TCP included.
    pub timeout: Duration,
    /// How often a question is sent by UDP within that time; 0 counts as 1.
    pub tries: u8,
}

impl Default for Limits {
    /// One second, two tries.
    fn default() -> Self {
        Self { timeout: Duration::from_secs(1), tries: 2 }
    }
}

/// An answer: a whole message, which belongs to the question and came from the server that was asked.
#[derive(Clone)]
pub struct Reply {
    bytes: Vec<u8>,
    /// What carried it.
    pub transport: Transport,
    /// From the first sending of the question to the answer.
    pub elapsed: Duration,
}

/// What carries messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// One datagram each way.
    Udp,
    /// A connection, for what a datagram does not hold.
    Tcp,
}

impl Reply {
    /// The message; `None` never, since replies are read before they are accepted.
    fn read(&self) -> Option<Message<'_>> {
        Message::parse(&self.bytes)
    }

    /// Calls `look` with the message.
    pub fn message<T: Default>(&self, look: impl FnOnce(&Message<'_>) -> T) -> T {
        self.read().map_or_else(T::default, |message| look(&message))
    }

    /// The response code, all twelve bits.
    pub fn rcode(&self) -> Rcode {
        self.read().map_or(Rcode::SERVFAIL, |message| message.rcode())
    }

    /// AA: the server speaks for the zone.
    pub fn is_authoritative(&self) -> bool {
        self.read().is_some_and(|message| message.header().aa())
    }

    /// Which of several machines behind one address answered: RFC 5001. Empty identifiers are none.
    pub fn nsid(&self) -> Option<Vec<u8>> {
        message::nsid(&self.read()?)
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("message", &self.read())
            .field("transport", &self.transport)
            .field("elapsed", &self.elapsed)
            .finish()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The time is up.
    #[error("{server} gave no answer within {after:?}{}", ignored(*.mismatches, *.last))]
    Timeout {
        /// The server.
        server: SocketAddr,
        /// The time there was.
        after: Duration,
        /// How many datagrams came that were no answer to the question.
        mismatches: u32,
        /// What was wrong with the last of them.
        last: Option<Mismatch>,
    },
    /// The server, or something on the way to it, says that it cannot be reached.
    #[error("{server} cannot be reached: {error}")]
    Unreachable {
        /// The server.
        server: SocketAddr,
        /// What the system says.
        error: Arc<io::Error>,
    },
    /// What came over TCP is no answer to the question.
    #[error("{server} answers by TCP with a message that is none to the question: {mismatch}")]
    Mismatch {
        /// The server.
        server: SocketAddr,
        /// What is wrong.
        mismatch: Mismatch,
    },
    /// The machine cannot even ask.
    #[error("cannot ask: {0}")]
    Local(Arc<io::Error>),
}

/// Reads an answer to a question that was sent with this id, without a server.
///
/// # Errors
/// The bytes are no answer to it.
#[cfg(feature = "fuzz")]
pub(crate) fn read(bytes: &[u8], question: &Question, id: u16) -> Result<Reply, Mismatch> {
    message::read(bytes, question, id)?;
    Ok(Reply { bytes: bytes.to_vec(), transport: Transport::Udp, elapsed: Duration::ZERO })
}

fn ignored(mismatches: u32, last: Option<Mismatch>) -> String {
    match last {
        Some(last) => format!(", {mismatches} messages ignored, the last for {last}"),
        None => String::new(),
    }
}
