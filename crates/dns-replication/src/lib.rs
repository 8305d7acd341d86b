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
//! ```
//! use dns_replication::{DomainName, Server, stamp_name};
//!
//! let zone: DomainName = "local.lan".parse()?;
//! assert_eq!(stamp_name("dns-monitor-stamp", &zone)?.as_str(), "dns-monitor-stamp.local.lan");
//!
//! let server: Server = "[2001:db8::1]:5353".parse()?;
//! assert_eq!(server.port, 5353);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(unsafe_code)]

pub mod discover;
#[cfg(feature = "exporter")]
pub mod exporter;
pub mod exposition;
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
