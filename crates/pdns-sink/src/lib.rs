//! Where records go.
//!
//! A [`Sink`] takes a [`Batch`] of encoded records and says what became of it, and [`SinkStats`] keeps the account:
//! every record offered is delivered or dropped for a reason.
//!
//! ```
//! use pdns_sink::{Batch, Sink, Writer};
//!
//! let mut batch = Batch::default();
//! batch.bytes.extend_from_slice(b"{\"id\":1}\n{\"id\":2}\n");
//! batch.records = 2;
//! let mut sink = Writer::new("memory", Vec::new());
//! sink.deliver(&batch).unwrap();
//! assert_eq!(sink.stats().delivered, 2);
//! assert_eq!(sink.get_ref(), b"{\"id\":1}\n{\"id\":2}\n");
//! ```
#![forbid(unsafe_code)]

mod writer;

pub use writer::{Writer, stdout};

/// Encoded records, each a line.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The lines, one after another.
    pub bytes: Vec<u8>,
    /// How many there are.
    pub records: u64,
}

impl Batch {
    /// Makes the batch empty and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.records = 0;
    }
}

/// What became of the records offered to a sink: `offered = delivered + dropped`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SinkStats {
    /// Records offered.
    pub offered: u64,
    /// Records that the receiver took.
    pub delivered: u64,
    /// Records lost because the receiver is gone or refuses them.
    pub dropped: u64,
}

/// Why a batch was not delivered. Its records are counted as dropped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// The reader of a pipe has gone: nobody wants the records any more.
    #[error("{sink}: the reader has gone")]
    Closed {
        /// Which sink.
        sink: String,
    },
    /// The records cannot be written.
    #[error("{sink}: cannot write {records} records: {source}")]
    Io {
        /// Which sink.
        sink: String,
        /// How many records are lost.
        records: u64,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// A receiver of records.
pub trait Sink {
    /// Hands over a batch and waits until it is taken.
    ///
    /// # Errors
    /// The batch was not delivered, or only its beginning; all its records are counted as dropped.
    fn deliver(&mut self, batch: &Batch) -> Result<(), SinkError>;

    /// The account so far.
    fn stats(&self) -> SinkStats;
}
