//! What can be wrong with a capture file.

/// Why a file cannot be framed, or not further. Offsets count bytes of the uncompressed stream from its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// There are no bytes at all.
    #[error("not a capture: empty")]
    Empty,
    /// There are fewer bytes than would tell what it is.
    #[error("not a capture: only {length} bytes long")]
    TooShort {
        /// How many there are.
        length: usize,
    },
    /// The first bytes are neither pcap's nor pcapng's.
    #[error(
        "not a capture: begins with {:02x} {:02x} {:02x} {:02x}, which is neither pcap nor pcapng",
        magic[0], magic[1], magic[2], magic[3]
    )]
    NotACapture {
        /// The first four bytes.
        magic: [u8; 4],
    },
    /// A format version that nobody has written yet, or that is too old to be known.
    #[error("format version {major}.{minor} at byte {offset} is not known")]
    Version {
        /// Where the header is.
        offset: u64,
        /// Major version.
        major: u16,
        /// Minor version.
        minor: u16,
    },
    /// The stream ends inside a header, record or block.
    #[error("cut at byte {}: what starts at byte {offset} takes at least {need} bytes and {have} are there", offset + have)]
    Cut {
        /// Where the header, record or block starts.
        offset: u64,
        /// How many bytes of it are needed to go on.
        need: u64,
        /// How many there are.
        have: u64,
    },
    /// A frame, or a block that must be whole in memory, claims more than [`MAX_LENGTH`](super::MAX_LENGTH).
    #[error("damaged at byte {offset}: a length of {length} bytes, more than {max}")]
    TooLong {
        /// Where the record or block starts.
        offset: u64,
        /// The length it claims.
        length: u32,
        /// The longest there may be.
        max: u32,
    },
    /// A pcapng block's length is too short for its kind, or no multiple of four.
    #[error("damaged at byte {offset}: a block length of {length} bytes")]
    BlockLength {
        /// Where the block starts.
        offset: u64,
        /// The length it claims.
        length: u32,
    },
    /// A pcapng block's two lengths differ.
    #[error("damaged at byte {offset}: a block of {leading} bytes ends with the length {trailing}")]
    Trailer {
        /// Where the second length is.
        offset: u64,
        /// The length at the block's beginning.
        leading: u32,
        /// The length at its end.
        trailing: u32,
    },
    /// A pcapng section's byte order mark is none.
    #[error("damaged at byte {offset}: {magic:#010x} is not a section's byte order mark")]
    ByteOrder {
        /// Where the section starts.
        offset: u64,
        /// The mark, read as big-endian.
        magic: u32,
    },
    /// A pcapng frame comes from an interface that was not described.
    #[error("damaged at byte {offset}: a frame of interface {interface}, when only {known} are described")]
    Interface {
        /// Where the block starts.
        offset: u64,
        /// The interface's number.
        interface: u32,
        /// How many interfaces the section has described.
        known: usize,
    },
    /// A pcapng section describes more interfaces than any machine has.
    #[error("damaged at byte {offset}: more than {max} interfaces")]
    Interfaces {
        /// Where the block of the first one too many starts.
        offset: u64,
        /// The most there may be.
        max: usize,
    },
    /// A pcapng frame claims more captured bytes than its block holds.
    #[error("damaged at byte {offset}: a frame of {length} bytes in a block with room for {room}")]
    Data {
        /// Where the block starts.
        offset: u64,
        /// How many bytes the frame claims.
        length: u32,
        /// How many the block holds.
        room: usize,
    },
}

impl FileError {
    /// The byte of the uncompressed stream at which it was noticed; for [`Cut`](Self::Cut), where the stream ends.
    pub const fn offset(&self) -> u64 {
        match *self {
            Self::Empty | Self::TooShort { .. } | Self::NotACapture { .. } => 0,
            Self::Cut { offset, have, .. } => offset + have,
            Self::Version { offset, .. }
            | Self::TooLong { offset, .. }
            | Self::BlockLength { offset, .. }
            | Self::Trailer { offset, .. }
            | Self::ByteOrder { offset, .. }
            | Self::Interface { offset, .. }
            | Self::Interfaces { offset, .. }
            | Self::Data { offset, .. } => offset,
        }
    }
}
