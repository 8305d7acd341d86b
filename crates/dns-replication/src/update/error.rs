//! Why a stamp was not written.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::exchange::Step;
use super::message::TooLong;
use super::refusal::Refusal;
use super::reply::ReplyError;
use super::samba_tool::SambaToolError;
use super::session::SignatureError;
use crate::gss::{self, CredentialError, GssError};

/// Why a stamp was not written. Each text is one line that says what is wrong and, where it can be known, what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InjectError {
    /// The server's name has no address.
    #[error("{server} has no address: {problem}")]
    Resolve {
        /// The server.
        server: String,
        /// What the resolver says.
        problem: String,
    },
    /// No address of the server accepts connections.
    #[error("{server} cannot be reached over TCP: {}", show_failures(failures))]
    Unreachable {
        /// The server.
        server: String,
        /// What each address said.
        failures: Vec<(SocketAddr, io::Error)>,
    },
    /// The connection broke.
    #[error("{server} broke the connection off while {step}: {source}")]
    Broken {
        /// The server.
        server: String,
        /// When.
        step: Step,
        /// How.
        source: io::Error,
    },
    /// Not all was over in time.
    #[error("{server}: not done within {after:?}; time ran out while {step}{}", hint(*step))]
    Deadline {
        /// The server.
        server: String,
        /// When.
        step: Step,
        /// How long was allowed.
        after: Duration,
    },
    /// What came back is no reply to the request.
    #[error("{server} sent, while {step}, {source}")]
    Reply {
        /// The server.
        server: String,
        /// When.
        step: Step,
        /// What it is instead.
        source: ReplyError,
    },
    /// What came back is not signed rightly.
    #[error("{server} sent, while {step}, {source}; it was not believed")]
    Signature {
        /// The server.
        server: String,
        /// When.
        step: Step,
        /// What is wrong.
        source: SignatureError,
    },
    /// What came back says that all is well, and has no signature.
    #[error("{server} sent, while {step}, a reply without a signature; it was not believed{}", hint(*step))]
    Unsigned {
        /// The server.
        server: String,
        /// When.
        step: Step,
    },
    /// The server says no.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// The clocks are apart, so that the time written would be wrong.
    #[error(
        "the clock here is {} s {} that of {server}, more than the {} s that are allowed; nothing was written",
        offset.unsigned_abs(),
        if *offset < 0 { "ahead of" } else { "behind" },
        limit.as_secs()
    )]
    Clock {
        /// The server.
        server: String,
        /// Its time less ours, in seconds.
        offset: i64,
        /// How far they may be apart.
        limit: Duration,
    },
    /// Others wrote the record again and again.
    #[error("{server}: others change {name} as fast as it is read; nothing was written")]
    Conflict {
        /// The server.
        server: String,
        /// The record.
        name: String,
    },
    /// The name is an alias.
    #[error("{server}: {name} is an alias (CNAME) of {target}, and can have no TXT record")]
    Alias {
        /// The server.
        server: String,
        /// The record.
        name: String,
        /// What it stands for.
        target: String,
    },
    /// The keytab cannot be used.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// Kerberos does not work.
    #[error("{server}: no Kerberos ticket for {service} as {principal}: {}", gss::advice(source))]
    Kerberos {
        /// The server.
        server: String,
        /// Who was to write.
        principal: String,
        /// Whom the ticket was to be for.
        service: String,
        /// What is wrong.
        source: GssError,
    },
    /// The server takes part in opening a session, and does not end it.
    #[error("{server} does not complete the session (TKEY) as RFC 3645 has it")]
    Session {
        /// The server.
        server: String,
    },
    /// A program that was to write did not.
    #[error("{server}: {source}")]
    SambaTool {
        /// The server.
        server: String,
        /// What is wrong.
        source: SambaToolError,
    },
    /// The record as it is does not fit into a request.
    #[error("{server}: {name} has so many TXT records that they cannot be replaced at once; delete them")]
    TooLong {
        /// The server.
        server: String,
        /// The record.
        name: String,
        /// What does not fit.
        source: TooLong,
    },
}

impl From<Refusal> for InjectError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// What there is to know when a reply is missing.
fn hint(step: Step) -> &'static str {
    match step {
        Step::Ticket => "; does a KDC of the realm answer?",
        Step::Update | Step::Command => "; whether it was written is not known",
        _ => "",
    }
}

fn show_failures(failures: &[(SocketAddr, io::Error)]) -> String {
    failures.iter().map(|(address, error)| format!("{address}: {error}")).collect::<Vec<_>>().join("; ")
}
