//! Capture file formats: pcap and pcapng, framed out of bytes that somebody else reads.
//!
//! A [`Framer`] is handed what has been read from its position in the stream onward and answers with one [`Step`]: a
//! frame, bytes to skip, or how many bytes must be there before it can go on. It holds no bytes itself, so one reused
//! buffer serves a whole file, and the answer does not depend on how the stream was split into reads.
//!
//! ```
//! use pdns_packet::file::{Framer, Step};
//!
//! # fn main() -> Result<(), pdns_packet::file::FileError> {
//! let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 1, 0, 0, 0];
//! file.extend([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 60, 0, 0, 0, b'a', b'b', b'c']);
//!
//! let mut framer = Framer::new();
//! let mut at = 0;
//! let mut frames = Vec::new();
//! loop {
//!     let rest = &file[at..];
//!     match framer.next(rest)? {
//!         Step::Frame { wire_len, data, consumed, .. } => {
//!             frames.push((wire_len, &rest[data]));
//!             at += consumed;
//!         }
//!         Step::Skip { consumed } => at += consumed,
//!         Step::Need { .. } => break framer.finish(rest)?,
//!     }
//! }
//! assert_eq!(frames, [(60, &b"abc"[..])]);
//! # Ok(())
//! # }
//! ```

mod error;
mod order;
mod pcap;
mod pcapng;

use std::ops::Range;

pub use error::FileError;

use crate::time::Timestamp;

/// The longest frame, and the longest pcapng block that holds or describes one: 16 MiB. No link layer comes near it, so
/// a longer one is damage. Blocks that are only skipped may have any length.
pub const MAX_LENGTH: u32 = 16 << 20;

/// Frames one capture file, pcap or pcapng by its first bytes.
#[derive(Debug, Default)]
pub struct Framer {
    offset: u64,
    needed: usize,
    format: Format,
}

/// What to do next, and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A captured frame.
    Frame {
        /// When it was captured.
        time: Timestamp,
        /// Its length on the wire; never less than what was captured.
        wire_len: u32,
        /// Its LINKTYPE_ number.
        link: u16,
        /// Where in the buffer its captured bytes are.
        data: Range<usize>,
        /// How many bytes of the buffer are done with: at least one.
        consumed: usize,
    },
    /// Nothing to report about these bytes: a header, or a block that holds no frame.
    Skip {
        /// How many bytes of the buffer are done with: at least one.
        consumed: usize,
    },
    /// The buffer must hold this many bytes to go on: more than it does, and at most a little over [`MAX_LENGTH`].
    Need {
        /// The buffer length that the next call wants, if the stream has that many.
        bytes: usize,
    },
}

impl Framer {
    /// At the beginning of a file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next step in `buffer`, which holds the stream from [`offset`](Self::offset) onward, as far as it is known.
    ///
    /// # Errors
    ///
    /// The stream is no capture, or is damaged. There is no going on after that: the next record cannot be found.
    #[inline(always)]
    pub fn next(&mut self, buffer: &[u8]) -> Result<Step, FileError> {
        let step = match &mut self.format {
            Format::Pcap(pcap) => pcap.next(buffer, self.offset)?,
            Format::PcapNg(section) => section.next(buffer, self.offset)?,
            Format::Unknown => self.detect(buffer)?,
        };
        match step {
            Step::Frame { consumed, .. } | Step::Skip { consumed } => self.offset += consumed as u64,
            Step::Need { bytes } => self.needed = bytes,
        }
        Ok(step)
    }

    /// Whether the file may end here, with `rest` left over after the last [`Step::Need`].
    ///
    /// # Errors
    ///
    /// It may not: it is empty, or cut in the middle of a record.
    pub fn finish(&self, rest: &[u8]) -> Result<(), FileError> {
        if let Format::PcapNg(section) = &self.format
            && let Some(cut) = section.cut_while_skipping(rest.len())
        {
            return Err(cut);
        }
        match (&self.format, rest) {
            (Format::Unknown, []) => Err(FileError::Empty),
            (_, []) => Ok(()),
            (Format::Unknown, _) if rest.len() < MAGIC_LEN => Err(FileError::TooShort { length: rest.len() }),
            _ => Err(FileError::Cut { offset: self.offset, need: self.needed as u64, have: rest.len() as u64 }),
        }
    }

    /// How many bytes of the stream are done with.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether the file's first header has been read, so that it is known to be a capture.
    pub const fn is_capture(&self) -> bool {
        !matches!(self.format, Format::Unknown)
    }

    /// The LINKTYPE_ numbers declared so far: a pcap file's only one, or those of the section's interfaces in order.
    pub fn links(&self) -> impl Iterator<Item = u16> {
        let (one, many) = match &self.format {
            Format::Unknown => (None, None),
            Format::Pcap(pcap) => (Some(pcap.link()), None),
            Format::PcapNg(section) => (None, Some(section.links())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    #[cold]
    fn detect(&mut self, buffer: &[u8]) -> Result<Step, FileError> {
        let Some(&magic) = buffer.first_chunk::<MAGIC_LEN>() else {
            return Ok(Step::Need { bytes: MAGIC_LEN });
        };
        if magic == pcapng::MAGIC {
            let mut section = pcapng::Section::default();
            let step = section.next(buffer, self.offset)?;
            if !matches!(step, Step::Need { .. }) {
                self.format = Format::PcapNg(section);
            }
            return Ok(step);
        }
        if !pcap::is_magic(magic) {
            return Err(FileError::NotACapture { magic });
        }
        let Some(header) = buffer.first_chunk() else {
            return Ok(Step::Need { bytes: pcap::HEADER_LEN });
        };
        self.format = Format::Pcap(pcap::Pcap::parse(header)?);
        Ok(Step::Skip { consumed: pcap::HEADER_LEN })
    }
}

/// What the first bytes said the file is.
#[derive(Debug, Default)]
enum Format {
    #[default]
    Unknown,
    Pcap(pcap::Pcap),
    PcapNg(pcapng::Section),
}

/// How many bytes tell the formats apart.
const MAGIC_LEN: usize = 4;

#[cfg(test)]
mod tests;
