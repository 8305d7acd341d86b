//! The file system, as far as the spool needs it: a trait, so that tests can have every operation fail.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What the names of segments end with.
const ENDING: &str = ".seg";

/// A folder with segments.
pub(crate) trait Folder: Send {
    /// An open file.
    type File: SegmentFile;

    /// The numbers of the segments, in order.
    fn segments(&self) -> io::Result<Vec<u64>>;

    /// Makes a segment that is not there.
    fn create(&self, number: u64) -> io::Result<Self::File>;

    /// Opens a segment.
    fn open(&self, number: u64) -> io::Result<Self::File>;

    /// Opens a file by its name.
    fn open_or_create(&self, name: &str) -> io::Result<Self::File>;

    /// Deletes a segment.
    fn remove(&self, number: u64) -> io::Result<()>;

    /// Makes new names survive a crash of the machine.
    fn sync(&self) -> io::Result<()>;
}

/// An open file.
pub(crate) trait SegmentFile: Send {
    fn len(&self) -> io::Result<u64>;

    /// Reads some bytes; 0 at the end.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize>;

    /// Writes some bytes.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize>;

    fn set_len(&mut self, len: u64) -> io::Result<()>;

    /// Makes content survive a crash of the machine.
    fn sync(&mut self) -> io::Result<()>;
}

pub(crate) fn read_exact_at(file: &impl SegmentFile, mut offset: u64, mut bytes: &mut [u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.read_at(offset, bytes) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                offset += read as u64;
                bytes = &mut bytes[read..];
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub(crate) fn write_all_at(file: &mut impl SegmentFile, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_at(offset, bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => {
                offset += written as u64;
                bytes = &bytes[written..];
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A folder on disk, which no other process uses meanwhile.
#[derive(Debug)]
pub(crate) struct Disk {
    path: PathBuf,
    /// Kept open for its lock.
    _lock: File,
}

impl Disk {
    /// Opens a folder and makes it where it is not there.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] when another process uses it.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let lock = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path.join("lock"))?;
        lock.try_lock().map_err(io::Error::from)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    fn segment(&self, number: u64) -> PathBuf {
        self.path.join(format!("{number:016x}{ENDING}"))
    }
}

impl Folder for Disk {
    type File = File;

    fn segments(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(ENDING)).filter(|name| name.len() == 16);
            numbers.extend(number.and_then(|number| u64::from_str_radix(number, 16).ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn create(&self, number: u64) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(self.segment(number))
    }

    fn open(&self, number: u64) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).open(self.segment(number))
    }

    fn open_or_create(&self, name: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600).open(self.path.join(name))
    }

    fn remove(&self, number: u64) -> io::Result<()> {
        fs::remove_file(self.segment(number))
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }
}

impl SegmentFile for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        FileExt::read_at(self, bytes, offset)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset)
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        Self::set_len(self, len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}
