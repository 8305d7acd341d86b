//! Where records go.
//!
//! ```text
//!  encoders ──> Arc<Batch>, one for each encoding ──┬──> frame: queue, retries, spool, account ──> Sink: Kafka
//!                                                   ├──> frame ─────────────────────────────────> Sink: file
//!                                                   └──> ...
//! ```
//!
//! - A [`Batch`] is encoded records; it is shared by all sinks that take its encoding.
//! - A [`Sink`] tries to deliver a batch once and says what became of it, as an [`Outcome`]. A sink that delivers one batch
//!   at a time is written as [`Deliver`].
//! - The frame stands before each sink and does what all have in common, so that one that is slow or dead disturbs nobody.
//! - [`SinkStats`] is the account: every record offered is delivered, dropped for a reason, queued, or spooled.
//!
//! **Each sink has a folder of the same shape**: `config.rs` with `Config`, its settings with their usual values; `mod.rs`
//! with the sink itself, made by `new(config)`; the protocol and whatever else it needs in files beside them.
//!
//! ```
//! use pdns_record::{Encoding, Layout};
//! use pdns_sink::stdout::{self, Stdout};
//! use pdns_sink::{Batch, Direct};
//!
//! let config = stdout::Config { layout: Layout::Answer };
//! let mut batch = Batch::new(Encoding::json(config.layout), false);
//! batch.write(|bytes| {
//!     bytes.extend_from_slice(b"{\"id\":1}\n{\"id\":2}\n");
//!     2
//! });
//! let mut sink = Direct::new("memory", "stdout", Stdout::on(config, Vec::new()));
//! sink.deliver(&batch).unwrap();
//! assert_eq!(sink.stats().delivered, 2);
//! assert_eq!(sink.get_ref().get_ref(), b"{\"id\":1}\n{\"id\":2}\n");
//! ```
#![forbid(unsafe_code)]

mod batch;
pub mod file;
pub mod fluentd;
mod frame;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod fuzz;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "kafka")]
pub mod kafka;
mod outcome;
mod sink;
mod socket;
pub mod spool;
mod stats;
pub mod stdout;
pub mod syslog;
#[cfg(feature = "tls")]
pub mod tls;

pub use self::batch::{Batch, Detail, Record, RecordId, Records};
pub use self::frame::{
    Direct, DirectError, EncodingInUse, Level, Log, Settings, Setup, SinkReport, StartError, Tee, WhenFull,
};
pub use self::outcome::{Failure, Outcome, Partly};
pub use self::sink::{Deliver, Delivery, DeliveryId, Needs, Sink};
pub use self::stats::{DropReason, LastError, SinkStats};
