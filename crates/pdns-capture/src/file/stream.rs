//! The bytes of a file, uncompressed.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::bufread::MultiGzDecoder;
use rustix::event::{PollFd, PollFlags, Timespec};

use super::{OpenError, ReadError};

/// How a file is compressed, told by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// RFC 1952; several members are one stream.
    Gzip,
    /// RFC 8878; several frames are one stream.
    Zstd,
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

/// Opens a file, or standard input as `-`, and finds out how it is compressed. Tells also what to call it.
///
/// A pipe is read until `stop` is set.
pub(super) fn open(path: &Path, stop: Option<Arc<AtomicBool>>) -> Result<(PathBuf, Stream), OpenError> {
    let stdin = path == Path::new("-");
    let name = if stdin { PathBuf::from("standard input") } else { path.to_owned() };
    let opened = if stdin { standard_input() } else { open_file(path, stop.is_some()) };
    match opened.and_then(|file| Ok((file.metadata()?, file))) {
        Ok((metadata, _)) if metadata.is_dir() => Err(OpenError::Directory { path: name }),
        Ok((metadata, file)) => {
            let size = metadata.is_file().then_some(metadata.len());
            match Stream::new(file, size, stop.clone().filter(|_| size.is_none())) {
                Ok(stream) => Ok((name, stream)),
                Err(_) if stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) => {
                    Err(OpenError::Read(ReadError::Stopped { path: name }))
                }
                Err(source) => Err(OpenError::Open { path: name, source }),
            }
        }
        Err(source) => Err(OpenError::Open { path: name, source }),
    }
}

/// A file's uncompressed bytes.
#[derive(Debug)]
pub(super) struct Stream {
    decoder: Decoder,
    size: Option<u64>,
}

/// Why reading a stream failed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The compressed data ends too early.
    Cut(Compression),
    /// The compressed data is damaged.
    Corrupt(Compression, io::Error),
    /// The file could not be read.
    Io(io::Error),
    /// It was not to be read any more.
    Stopped,
}

impl Stream {
    fn new(file: File, size: Option<u64>, stop: Option<Arc<AtomicBool>>) -> io::Result<Self> {
        let source = Source::new(file, stop)?;
        let decoder = match source.compression() {
            None => Decoder::Plain(source),
            Some(Compression::Gzip) => {
                Decoder::Gzip(Box::new(MultiGzDecoder::new(BufReader::with_capacity(COMPRESSED_LEN, source))))
            }
            Some(Compression::Zstd) => {
                Decoder::Zstd(zstd::Decoder::with_buffer(BufReader::with_capacity(COMPRESSED_LEN, source))?)
            }
        };
        Ok(Self { decoder, size })
    }

    /// Reads once; 0 is the end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Trouble> {
        // A decompressor loses what it has made in the call that meets damage, so it gets little room for each.
        let window = buffer.len().min(WINDOW_LEN);
        let result = match &mut self.decoder {
            Decoder::Plain(source) => source.read(buffer),
            Decoder::Gzip(decoder) => decoder.read(&mut buffer[..window]),
            Decoder::Zstd(decoder) => decoder.read(&mut buffer[..window]),
        };
        result.map_err(|error| match self.compression() {
            _ if self.source().stopped => Trouble::Stopped,
            Some(compression) if !self.source().failed => {
                if error.kind() == io::ErrorKind::UnexpectedEof {
                    Trouble::Cut(compression)
                } else {
                    Trouble::Corrupt(compression, error)
                }
            }
            _ => Trouble::Io(error),
        })
    }

    /// How the stream is compressed.
    pub(super) const fn compression(&self) -> Option<Compression> {
        match self.decoder {
            Decoder::Plain(_) => None,
            Decoder::Gzip(_) => Some(Compression::Gzip),
            Decoder::Zstd(_) => Some(Compression::Zstd),
        }
    }

    /// How many bytes of the file have been read.
    pub(super) fn position(&self) -> u64 {
        self.source().read
    }

    /// The file's length, when it has one.
    pub(super) const fn size(&self) -> Option<u64> {
        self.size
    }

    fn source(&self) -> &Source {
        match &self.decoder {
            Decoder::Plain(source) => source,
            Decoder::Gzip(decoder) => decoder.get_ref().get_ref(),
            Decoder::Zstd(decoder) => decoder.get_ref().get_ref(),
        }
    }
}

enum Decoder {
    Plain(Source),
    Gzip(Box<MultiGzDecoder<BufReader<Source>>>),
    Zstd(zstd::Decoder<'static, BufReader<Source>>),
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Gzip(_) => "Gzip",
            Self::Zstd(_) => "Zstd",
        })
    }
}

/// The file itself, of which the first bytes have been looked at.
#[derive(Debug)]
struct Source {
    file: File,
    magic: [u8; MAGIC_LEN],
    /// Which part of `magic` has been read from the file but not from here.
    pending: std::ops::Range<usize>,
    read: u64,
    failed: bool,
    /// Set from elsewhere when a file that may keep its reader waiting is not to be read any more.
    stop: Option<Arc<AtomicBool>>,
    stopped: bool,
}

impl Source {
    fn new(file: File, stop: Option<Arc<AtomicBool>>) -> io::Result<Self> {
        let mut source =
            Self { file, magic: [0; MAGIC_LEN], pending: 0..0, read: 0, failed: false, stop, stopped: false };
        let mut magic = [0; MAGIC_LEN];
        let mut length = 0;
        while length < MAGIC_LEN {
            match source.read(&mut magic[length..])? {
                0 => break,
                more => length += more,
            }
        }
        (source.magic, source.pending) = (magic, 0..length);
        Ok(source)
    }

    /// Waits until there is something to read, or the end. Reading itself would not return when it is to stop.
    fn wait(&mut self) -> io::Result<()> {
        let Some(stop) = &self.stop else { return Ok(()) };
        loop {
            if stop.load(Ordering::Relaxed) {
                self.stopped = true;
                return Err(io::Error::other("stopped"));
            }
            match rustix::event::poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&LOOK)) {
                // Nothing yet, or a signal.
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn compression(&self) -> Option<Compression> {
        match self.magic[self.pending.clone()] {
            [0x1f, 0x8b, ..] => Some(Compression::Gzip),
            // RFC 8878 sections 3.1.1 and 3.1.2: a frame, or a skippable one before it.
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Some(Compression::Zstd),
            _ => None,
        }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.pending.is_empty() {
            let pending = &self.magic[self.pending.clone()];
            let length = pending.len().min(buffer.len());
            buffer[..length].copy_from_slice(&pending[..length]);
            self.pending.start += length;
            return Ok(length);
        }
        loop {
            self.wait()?;
            match self.file.read(buffer) {
                Ok(length) => {
                    self.read += length as u64;
                    return Ok(length);
                }
                Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {}
                Err(error) => {
                    self.failed = true;
                    return Err(error);
                }
            }
        }
    }
}

/// A file, or a named pipe. To open one waits for whoever writes to it; where waiting may be given up, reading waits instead.
fn open_file(path: &Path, may_stop: bool) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    if may_stop && path.metadata()?.file_type().is_fifo() {
        options.custom_flags(libc::O_NONBLOCK);
    }
    options.open(path)
}

/// Standard input without the standard library's buffer and lock.
fn standard_input() -> io::Result<File> {
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// How often a pipe's reader looks whether it is to stop.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

const MAGIC_LEN: usize = 4;
const COMPRESSED_LEN: usize = 64 << 10;
const WINDOW_LEN: usize = 64 << 10;
