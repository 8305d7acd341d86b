//! Where frames come from.
//!
//! - [`CaptureFile`] reads pcap and pcapng, plain or compressed with gzip or zstd, from a file or from standard input, and
//!   lends one [`Frame`] after another out of a single buffer.
//! - [`live`] captures from network interfaces, and lends the same frames.
//! - [`Filter`] is a capture filter in libpcap's language, for one link type, and [`FilterSet`] one for as many as turn up.
//!
//! ```
//! use std::path::Path;
//! use pdns_capture::{CaptureFile, FilterSet};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("query.pcap");
//! # let mut bytes = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 101, 0, 0, 0];
//! # bytes.extend([1, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28, 0, 0, 0]);
//! # bytes.extend([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 4, 0, 0, 53, 0, 8, 0, 0]);
//! # std::fs::write(&path, bytes)?;
//! let mut file = CaptureFile::open(Path::new(&path))?;
//! let mut filter = FilterSet::new("udp port 53");
//! let mut passed = 0;
//! while let Some(frame) = file.next()? {
//!     if filter.matches(frame.link, frame.data, frame.wire_len)? {
//!         assert_eq!(frame.time.nanos(), 1_000_002_000);
//!         passed += 1;
//!     }
//! }
//! assert_eq!(passed, 1);
//! # Ok(())
//! # }
//! ```
#![deny(unsafe_code)]

mod file;
mod filter;
pub mod live;

pub use file::{CaptureFile, Compression, Frame, OpenError, ReadError, UnsupportedLinkType};
pub use filter::{Filter, FilterError, FilterSet};

/// Files, rings and filters move between threads.
const _: () = {
    const fn sendable<T: Send>() {}
    sendable::<CaptureFile>();
    sendable::<FilterSet>();
    sendable::<live::LiveRing>();
};
