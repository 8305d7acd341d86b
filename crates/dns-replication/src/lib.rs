//! Do all DNS servers hold the same data?
//!
//! The method: somebody writes the present Unix time into a TXT record on one server, now and then, and asks every server
//! for that record. How old the time is that a server answers with is how far its data is behind. It works where serials
//! do not, as in Active Directory, whose servers count for themselves.
//!
//! - [`DomainName`], [`stamp_name`] and [`Server`] say which record, and who is asked for it.
//! - [`discover`] finds the servers of a zone, and the addresses of servers.
//! - [`query`] asks a server, [`Stamp`] reads what time is in its answer, [`Verdict`] judges it, and [`probe`](mod@probe)
//!   does all that for many servers at once.
//! - [`update`] writes the record, with the keys of [`tsig`] or by the Kerberos of [`gss`]; [`keytab`] reads Kerberos keytabs.
//! - [`propagate`] watches a new time spread.
//! - `exporter` (feature of that name) is the HTTP server that Prometheus asks.
//! - [`report`] says what came of it, in the forms that people and monitoring read; [`exposition`] writes metrics.
//!
//! From an answer to the judgement. [`query::ask`] gets the answer, and [`probe`](mod@probe) does all of it:
//!
//! ```
//! use std::time::Duration;
//!
//! use dns_replication::{DomainName, Server, Severity, Stamp, Thresholds, Verdict, stamp_name};
//! use pdns_packet::dns::Message;
//!
//! let zone: DomainName = "local.lan".parse()?;
//! let record = stamp_name("stamp", &zone)?;
//! assert_eq!(record.as_str(), "stamp.local.lan");
//! let server: Server = "[2001:db8::1]:5353".parse()?;
//! assert_eq!(server.port, 5353);
//!
//! // The server answers: stamp.local.lan. 60 IN TXT "1585917601".
//! let answer = b"\x12\x34\x84\0\0\x01\0\x01\0\0\0\0\x05stamp\x05local\x03lan\0\0\x10\0\x01\
//!     \xc0\x0c\0\x10\0\x01\0\0\0\x3c\0\x0b\x0a1585917601";
//! let stamp = Stamp::read(&Message::parse(answer).ok_or("no message")?, &record);
//! assert_eq!(stamp, Stamp::Time(1_585_917_601));
//!
//! let thresholds = Thresholds {
//!     warn: Duration::from_secs(2000),
//!     crit: Duration::from_secs(4000),
//!     max_clock_skew: Duration::from_secs(60),
//! };
//! let now = 1_585_917_601 + 2500;
//! let verdict = Verdict::of(&Ok(stamp), now, &thresholds);
//! assert_eq!(verdict.severity(), Severity::Warning);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(unsafe_code)]

pub mod discover;
#[cfg(feature = "exporter")]
pub mod exporter;
pub mod exposition;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod fuzz;
pub mod gss;
pub mod keytab;
mod name;
pub mod probe;
pub mod propagate;
pub mod query;
pub mod report;
mod server;
mod stamp;
pub mod tsig;
pub mod update;
pub mod verdict;

pub use name::{DomainName, DomainNameError, StampNameError, stamp_name};
pub use server::{DNS_PORT, Host, Server, ServerError};
pub use stamp::Stamp;
pub use verdict::{Severity, State, Thresholds, Verdict};
