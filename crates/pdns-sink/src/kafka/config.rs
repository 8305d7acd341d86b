//! Settings of a Kafka sink.

use std::fmt;
use std::time::Duration;

use pdns_record::Encoding;

use crate::tls::Tls;

/// Where records go, and how.
#[derive(Clone, Debug)]
pub struct Config {
    /// `HOST:PORT` of brokers to begin with; the others are learnt from them.
    pub brokers: Vec<String>,
    /// The topic.
    pub topic: String,
    /// JSON or Avro.
    pub encoding: Encoding,
    /// How batches are compressed.
    pub compression: Compression,
    /// Which partition a record goes to.
    pub partitioner: Partitioner,
    /// How many bytes a batch has at most before compression. A broker takes 1 MiB unless it is told otherwise
    /// (`message.max.bytes`), after compression.
    pub batch_bytes: usize,
    /// How many batches may be under way at once.
    pub in_flight: usize,
    /// How long a batch may be under way before its connection is given up.
    pub timeout: Duration,
    /// How long a broker has for a connection and the first answers.
    pub connect_timeout: Duration,
    /// How often the topic is asked for new partitions.
    pub metadata_interval: Duration,
    /// TLS, when the brokers want it.
    pub tls: Option<Tls>,
    /// A login, when the brokers want it.
    pub login: Option<Login>,
}

impl Config {
    /// The usual settings.
    pub fn new(brokers: Vec<String>, topic: impl Into<String>, encoding: Encoding) -> Self {
        Self {
            brokers,
            topic: topic.into(),
            encoding,
            compression: Compression::default(),
            partitioner: Partitioner::default(),
            batch_bytes: 1_000_000,
            in_flight: 5,
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            metadata_interval: Duration::from_secs(60),
            tls: None,
            login: None,
        }
    }
}

/// How batches are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// Snappy.
    Snappy,
    /// LZ4.
    Lz4,
    /// Zstandard.
    #[default]
    Zstd,
}

impl Compression {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// As settings name it, and Kafka's own producer.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

/// Which partition a record goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Partitioner {
    /// Records have the client's address as their key, and its hash tells the partition as in Kafka's own clients: all
    /// records of a client are in one partition, in order.
    #[default]
    Client,
    /// Records have no key, and batches go to the partitions in turn.
    RoundRobin,
}

impl Partitioner {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Client, Self::RoundRobin];

    /// As settings name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::RoundRobin => "round-robin",
        }
    }
}

/// A name with its password, and how it is proved.
#[derive(Clone)]
pub struct Login {
    /// How the password is proved.
    pub mechanism: Mechanism,
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
}

/// How a password is proved to the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// It is sent as it is: RFC 4616. For TLS only.
    Plain,
    /// It is not sent: RFC 7677.
    ScramSha256,
    /// As that, with a longer hash.
    ScramSha512,
}

impl Mechanism {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Plain, Self::ScramSha256, Self::ScramSha512];

    /// As settings name it, and SASL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

/// Without the password.
impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Login")
            .field("mechanism", &self.mechanism)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}
