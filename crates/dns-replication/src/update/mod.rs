//! Writing the present time into a record: dynamic update, RFC 2136.
//!
//! ```text
//! read the record ── young? leave it alone
//!        │ old or missing
//! learn the server's time, signed ── clocks apart? refuse
//!        │
//! update: "if the record is still what was read, replace it" ── changed by others? read it once more, and decide again
//! ```
//!
//! The first read is not signed: who can forge it can as well hold the packets back, and all that follows depends on a
//! prerequisite that the server itself checks. What says that a record was written is signed, when there is a key.

mod error;
mod exchange;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
mod inject;
mod lock;
mod message;
mod metrics;
mod negotiate;
mod present;
mod refusal;
mod reply;
mod samba_tool;
mod session;

pub use error::InjectError;
pub use exchange::Step;
pub use inject::{Auth, Injection, Outcome, Stamped, inject, system_clock};
pub use lock::{Lock, LockError};
pub use message::TooLong;
pub use metrics::{Run, metrics};
pub use refusal::{Refusal, Signer};
pub use reply::ReplyError;
pub use samba_tool::{SambaTool, SambaToolError};
pub use session::{MacForm, Rejection, SignatureError};

pub(crate) use inject::random;
pub(crate) use message::{GSS_TSIG, WireName};
pub(crate) use reply::Tsig;
#[cfg(test)]
pub(crate) use reply::{Asked, Reply};
