//! How records are written down: which fields, in which bytes.

use crate::Layout;
use crate::binary::avro;

/// What the bytes of a record are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// A JSON object and a line feed.
    Json,
    /// An Avro single object: marker, schema fingerprint, datum.
    Avro,
    /// An entry of Fluentd's Forward protocol: an array of time and map.
    MessagePack,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::Json, Self::Avro, Self::MessagePack];

    /// The format as settings and statistics name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Avro => "avro",
            Self::MessagePack => "msgpack",
        }
    }
}

/// A layout in a format. Records are encoded once for each encoding in use, however many sinks take it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Encoding {
    /// Which fields there are, and how many records a transaction is.
    pub layout: Layout,
    /// How they are written.
    pub format: Format,
}

impl Encoding {
    /// Lines of JSON.
    pub const fn json(layout: Layout) -> Self {
        Self { layout, format: Format::Json }
    }

    /// The CRC-64-AVRO fingerprint of the schema by which [`Format::Avro`] writes a layout. Each record begins with it, the
    /// least significant byte first, behind the marker `c3 01`.
    pub const fn avro_fingerprint(layout: Layout) -> u64 {
        avro::fingerprint(layout)
    }
}
