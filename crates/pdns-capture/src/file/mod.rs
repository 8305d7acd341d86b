//! Capture files, read front to back.

mod error;
mod stream;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use pdns_packet::file::{FileError, Framer, Step};
use pdns_packet::time::Timestamp;

pub use error::{OpenError, ReadError, UnsupportedLinkType};
pub use stream::Compression;

use stream::{Stream, Trouble};

/// A capture file that is being read.
///
/// Frames are lent out of one buffer of 64 KiB, which grows only when a single frame needs it, as its bytes arrive, and
/// to little over [`MAX_LENGTH`](pdns_packet::file::MAX_LENGTH) at most.
#[derive(Debug)]
pub struct CaptureFile {
    path: PathBuf,
    stream: Stream,
    framer: Framer,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    over: bool,
}

/// A captured frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// When it was captured.
    pub time: Timestamp,
    /// Its length on the wire; never less than that of `data`.
    pub wire_len: u32,
    /// Its LINKTYPE_ number. In pcapng frames of several link types may be mixed.
    pub link: u16,
    /// What was captured of it.
    pub data: &'a [u8],
}

impl CaptureFile {
    /// Opens the file at `path`, or standard input when that is `-`, and reads as much as tells that it is a capture.
    ///
    /// # Errors
    ///
    /// It cannot be opened or read, or is no capture.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::read_first(stream::open(path, None)?)
    }

    /// Like [`open`](Self::open), for a pipe that may be silent for long: soon after `stop` is set, and before the next read,
    /// reading fails with [`ReadError::Stopped`]. Where there is nothing to wait for, `stop` is not looked at.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open), and `stop` is set.
    pub fn open_until(path: &Path, stop: Arc<AtomicBool>) -> Result<Self, OpenError> {
        Self::read_first(stream::open(path, Some(stop))?)
    }

    fn read_first((path, stream): (PathBuf, Stream)) -> Result<Self, OpenError> {
        let mut file =
            Self { path, stream, framer: Framer::new(), buffer: vec![0; BUFFER_LEN], start: 0, end: 0, over: false };
        file.read_header()?;
        Ok(file)
    }

    /// Lends the next frame; `None` at the end of the file, and after an error.
    ///
    /// Blocks as reading does: frames that a pipe has delivered are handed out before more is waited for.
    ///
    /// # Errors
    ///
    /// The file is cut or damaged, or reading it failed. All frames up to there have been lent; where compressed data is
    /// damaged, decompressors keep some of what they made last, 64 KiB at most, to themselves.
    #[expect(clippy::should_implement_trait, reason = "the frame is lent, as no Iterator can")]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, ReadError> {
        self.next_with(Self::fill)
    }

    /// Like [`next`](Self::next), but reads nothing: `None` when more must be read first, which on a pipe may take long.
    ///
    /// # Errors
    ///
    /// The file is damaged.
    #[inline]
    pub fn next_buffered(&mut self) -> Result<Option<Frame<'_>>, ReadError> {
        self.next_with(|_, _| Ok(false))
    }

    /// Goes on in another buffer, of whatever size, and gives back the one that frames were lent from. What was read and not
    /// framed moves. Threads that take turns stay with a buffer that is in their core's cache.
    pub fn exchange_buffer(&mut self, buffer: &mut Vec<u8>) {
        let rest = &self.buffer[self.start..self.end];
        if buffer.len() < rest.len().max(BUFFER_LEN) {
            buffer.resize(rest.len().max(1).next_multiple_of(BUFFER_LEN), 0);
        }
        buffer[..rest.len()].copy_from_slice(rest);
        (self.start, self.end) = (0, rest.len());
        std::mem::swap(&mut self.buffer, buffer);
        // One that has grown for a long frame is not kept.
        if buffer.len() > BUFFER_LEN {
            buffer.truncate(BUFFER_LEN);
            buffer.shrink_to_fit();
        }
    }

    /// The next frame; `more` gets that many bytes to read on with, or says that there are none to be had.
    #[inline(always)]
    fn next_with(
        &mut self,
        mut more: impl FnMut(&mut Self, usize) -> Result<bool, ReadError>,
    ) -> Result<Option<Frame<'_>>, ReadError> {
        loop {
            match self.framer.next(&self.buffer[self.start..self.end]) {
                Ok(Step::Frame { time, wire_len, link, data, consumed }) => {
                    let at = self.start;
                    self.start += consumed;
                    let data = &self.buffer[at + data.start..at + data.end];
                    return Ok(Some(Frame { time, wire_len, link, data }));
                }
                Ok(Step::Skip { consumed }) => self.start += consumed,
                Ok(Step::Need { bytes }) => {
                    if !more(self, bytes)? {
                        return Ok(None);
                    }
                }
                Err(error) => return self.framing_failed(error).map(|()| None),
            }
        }
    }

    /// How the file is called in messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How the file is compressed.
    pub const fn compression(&self) -> Option<Compression> {
        self.stream.compression()
    }

    /// How many bytes of the file, as it is on disk, have been read.
    pub fn position(&self) -> u64 {
        self.stream.position()
    }

    /// How long the file is on disk; `None` for a pipe.
    pub const fn size(&self) -> Option<u64> {
        self.stream.size()
    }

    /// How many bytes of the uncompressed stream have been framed.
    pub const fn offset(&self) -> u64 {
        self.framer.offset()
    }

    /// The LINKTYPE_ numbers known so far: a pcap file's one, from the start; of a pcapng file those of the present section's
    /// interfaces, as far as they have been read.
    pub fn links(&self) -> impl Iterator<Item = u16> {
        self.framer.links()
    }

    /// The error for a file whose link type the caller does not decode.
    pub fn unsupported(&self, link: u16) -> UnsupportedLinkType {
        UnsupportedLinkType { path: self.path.clone(), number: link }
    }

    fn read_header(&mut self) -> Result<(), OpenError> {
        while !self.framer.is_capture() {
            match self.framer.next(&self.buffer[self.start..self.end]) {
                Ok(Step::Skip { consumed } | Step::Frame { consumed, .. }) => self.start += consumed,
                Ok(Step::Need { bytes }) => {
                    if !self.fill(bytes)? {
                        break;
                    }
                }
                Err(error) => self.framing_failed(error)?,
            }
        }
        Ok(())
    }

    /// Reads once, with room for `need` bytes from `start` on; `false` when the file has ended where it may.
    #[cold]
    fn fill(&mut self, need: usize) -> Result<bool, ReadError> {
        if self.over {
            return Ok(false);
        }
        self.make_room(need);
        match self.stream.read(&mut self.buffer[self.end..]) {
            Ok(0) => {
                self.over = true;
                let rest = &self.buffer[self.start..self.end];
                self.framer.finish(rest).or_else(|error| self.framing_failed(error))?;
                Ok(false)
            }
            Ok(length) => {
                self.end += length;
                Ok(true)
            }
            Err(trouble) => Err(self.stream_failed(trouble)),
        }
    }

    fn make_room(&mut self, need: usize) {
        let have = self.end - self.start;
        if have == 0 || self.start + need > self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, have);
        }
        // Only a buffer full of one record's bytes grows: a length that lies costs no memory.
        if self.end == self.buffer.len() {
            let double = 2 * self.buffer.len();
            self.buffer.resize(double.min(need.next_multiple_of(BUFFER_LEN)), 0);
        }
    }

    #[cold]
    fn framing_failed(&mut self, error: FileError) -> Result<(), ReadError> {
        self.stop();
        let path = self.path.clone();
        Err(match error {
            FileError::Cut { .. } => ReadError::Cut { path, offset: error.offset(), compression: None },
            reason => ReadError::Damaged { path, reason },
        })
    }

    fn stream_failed(&mut self, trouble: Trouble) -> ReadError {
        let path = self.path.clone();
        let offset = self.framer.offset() + (self.end - self.start) as u64;
        self.stop();
        match trouble {
            Trouble::Cut(compression) => ReadError::Cut { path, offset, compression: Some(compression) },
            Trouble::Corrupt(compression, source) => ReadError::Corrupt { path, offset, compression, source },
            Trouble::Io(source) => ReadError::Io { path, offset, source },
            Trouble::Stopped => ReadError::Stopped { path },
        }
    }

    /// Makes `next` answer `None` from now on: there is nothing left, and no more to be read.
    fn stop(&mut self) {
        self.over = true;
        self.start = self.end;
    }
}

/// Small enough to stay in a core's cache between being read into and being decoded.
const BUFFER_LEN: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// A pcap file of one frame that claims `length` bytes and has `there`.
    fn file(length: u32, there: usize) -> CaptureFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let header = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 1, 0, 0, 0];
        file.write_all(&[&header[..], &[0; 8], &length.to_le_bytes(), &length.to_le_bytes(), &vec![7; there]].concat())
            .unwrap();
        CaptureFile::open(file.path()).unwrap()
    }

    #[test]
    fn the_buffer_grows_with_what_is_there_not_with_what_is_claimed() {
        let mut liar = file(16 << 20, 100);
        assert!(matches!(liar.next(), Err(ReadError::Cut { offset: 140, .. })));
        assert_eq!(liar.buffer.len(), BUFFER_LEN);

        let mut half = file(16 << 20, 600_000);
        assert!(matches!(half.next(), Err(ReadError::Cut { offset: 600_040, .. })));
        assert_eq!(half.buffer.len(), 1 << 20);

        let mut longest = file(16 << 20, 16 << 20);
        assert_eq!(longest.next().unwrap().unwrap().data.len(), 16 << 20);
        assert_eq!(longest.buffer.len(), (16 << 20) + BUFFER_LEN);
        assert!(longest.next().unwrap().is_none());
    }

    #[test]
    fn frames_are_the_same_whatever_buffer_they_are_read_into() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let header = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 1, 0, 0, 0];
        file.write_all(&header).unwrap();
        let lengths = (0..400u32).map(|number| if number == 200 { 300_000 } else { number * 7 % 1500 });
        for (number, length) in lengths.clone().enumerate() {
            file.write_all(
                &[[0; 8], [length.to_le_bytes(), length.to_le_bytes()].concat().try_into().unwrap()].concat(),
            )
            .unwrap();
            file.write_all(&vec![number as u8; length as usize]).unwrap();
        }
        for every in [1, 3, 50] {
            let (mut file, mut other) = (CaptureFile::open(file.path()).unwrap(), Vec::new());
            for (number, length) in lengths.clone().enumerate() {
                if number % every == 0 {
                    file.exchange_buffer(&mut other);
                    assert_eq!(other.len(), BUFFER_LEN, "none that has grown is kept");
                }
                // What is there comes without reading.
                let buffered = file.next_buffered().unwrap().map(|frame| frame.data.to_vec());
                let data = buffered.unwrap_or_else(|| file.next().unwrap().unwrap().data.to_vec());
                assert!(data.len() == length as usize && data.iter().all(|&byte| byte == number as u8), "{number}");
            }
            assert!(file.next_buffered().unwrap().is_none() && file.next().unwrap().is_none());
        }
    }
}
