//! Settings of the Fluentd sink.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use pdns_record::Layout;

/// Where a Fluentd is, and what it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The fields of the records.
    pub layout: Layout,
    /// Where it listens.
    pub address: Address,
    /// What its configuration matches records by.
    pub tag: String,
    /// Whether batches are compressed by gzip.
    pub gzip: bool,
    /// How long it may take to connect, send a batch, and acknowledge it.
    pub timeout: Duration,
    /// How many bytes of records a chunk has at most, before compression.
    pub batch_bytes: usize,
}

/// Where a Fluentd listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A Unix socket.
    Unix(PathBuf),
    /// `HOST:PORT`.
    Tcp(String),
}

impl Config {
    /// The port of the Forward protocol.
    pub const PORT: u16 = 24_224;

    /// What is usual: chunks of 1 MiB, compressed where they go over a network, each acknowledged within 30 seconds.
    pub const fn new(layout: Layout, address: Address, tag: String) -> Self {
        let gzip = matches!(address, Address::Tcp(_));
        Self { layout, address, tag, gzip, timeout: Duration::from_secs(30), batch_bytes: 1 << 20 }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => path.display().fmt(formatter),
            Self::Tcp(host) => formatter.write_str(host),
        }
    }
}
