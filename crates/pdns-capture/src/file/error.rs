//! Why a file cannot be read, in words that name it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use pdns_packet::file::FileError;

use super::stream::Compression;
use crate::filter::link_name;

/// Why a file could not be opened as a capture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The operating system refused it.
    #[error("{}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said: no such file, permission denied.
        source: io::Error,
    },
    /// It is a directory.
    #[error("{}: is a directory, not a capture", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// It is empty, or something else.
    #[error("{}: {reason}", path.display())]
    NotACapture {
        /// The file.
        path: PathBuf,
        /// What it is instead, as far as its first bytes tell.
        reason: FileError,
    },
    /// It broke off or failed within its first header.
    #[error(transparent)]
    Read(ReadError),
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Damaged {
                path,
                reason: reason @ (FileError::Empty | FileError::TooShort { .. } | FileError::NotACapture { .. }),
            } => Self::NotACapture { path, reason },
            error => Self::Read(error),
        }
    }
}

/// Why a capture file could not be read to its end. Offsets count uncompressed bytes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file ends in the middle of a frame or block, or of its compressed data.
    #[error("{}: {}", path.display(), describe_cut(*offset, *compression))]
    Cut {
        /// The file.
        path: PathBuf,
        /// How many bytes there are.
        offset: u64,
        /// The compression, when it is the compressed data that is cut.
        compression: Option<Compression>,
    },
    /// The bytes are not what the format allows.
    #[error("{}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        reason: FileError,
    },
    /// The compressed data is damaged.
    #[error("{}: the {compression} data is damaged after byte {offset} of its content: {source}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// How many bytes came out before.
        offset: u64,
        /// The compression.
        compression: Compression,
        /// What the decompressor said.
        source: io::Error,
    },
    /// Reading failed.
    #[error("{}: cannot be read after byte {offset}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// How many bytes came out before.
        offset: u64,
        /// What the system said.
        source: io::Error,
    },
    /// It was not to be read any more; see [`CaptureFile::open_until`](crate::CaptureFile::open_until).
    #[error("{}: reading was stopped", path.display())]
    Stopped {
        /// The file.
        path: PathBuf,
    },
}

/// A file's link type is not one that the program decodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsupportedLinkType {
    /// The file.
    pub path: PathBuf,
    /// The LINKTYPE_ number.
    pub number: u16,
}

impl fmt::Display for UnsupportedLinkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: frames of link type {}", self.path.display(), self.number)?;
        if let Some(name) = link_name(self.number) {
            write!(f, " ({name})")?;
        }
        f.write_str(" cannot be decoded")
    }
}

impl std::error::Error for UnsupportedLinkType {}

fn describe_cut(offset: u64, compression: Option<Compression>) -> String {
    match compression {
        None => format!("cut at byte {offset}, within a frame or header"),
        Some(compression) => format!("the {compression} data is cut, after byte {offset} of its content"),
    }
}
