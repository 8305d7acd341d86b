//! The file that is written.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::Path;

/// The mode of a new file, as lumberjack makes it: records of who asked for what are for their owner.
const FILE_MODE: u32 = 0o600;

/// The mode of a new folder.
const FOLDER_MODE: u32 = 0o755;

/// How far back the end of the last whole record is searched for. No record is as long.
const TORN: u64 = 16 << 20;

/// An open file to which whole records are appended.
#[derive(Debug)]
pub(crate) struct Target {
    file: File,
    is_regular: bool,
    /// Bytes of an unfinished record that were cut off when it was opened.
    pub cut: u64,
    /// Where the file ends without what a failed write has left, as long as that could not be cut off.
    torn: Option<u64>,
}

/// How much of some records was written.
#[derive(Debug)]
pub(crate) struct Written {
    /// Whole records that are in the file, where not all are.
    pub records: usize,
    /// Why the others are not.
    pub error: Option<io::Error>,
}

impl Target {
    /// Opens a file to append to it, and makes it and its folder where they are not there.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
        }
        let new = || OpenOptions::new().append(true).create(true).mode(FILE_MODE).open(path);
        let is_regular = fs::metadata(path).map_or(true, |old| old.is_file());
        if !is_regular {
            // A pipe or a device cannot be read back.
            return Ok(Self { file: new()?, is_regular, cut: 0, torn: None });
        }
        let file = match OpenOptions::new().read(true).append(true).create(true).mode(FILE_MODE).open(path) {
            // It may be that we may write and not read: then what a crash has left stays.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Ok(Self { file: new()?, is_regular, cut: 0, torn: None });
            }
            opened => opened?,
        };
        let mut target = Self { file, is_regular, cut: 0, torn: None };
        target.cut = target.cut_unfinished()?;
        Ok(target)
    }

    /// Whether it is a file that has a size and can be renamed.
    pub(crate) const fn is_regular(&self) -> bool {
        self.is_regular
    }

    /// How large it is now: others may have cut it.
    pub(crate) fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Appends records that end with line feeds. Those that do not fit wholly are not there.
    ///
    /// # Errors
    /// What a write has left could not be cut off: nothing was written after it.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<Written> {
        if let Some(end) = self.torn {
            self.file.set_len(end)?;
            self.torn = None;
        }
        let start = self.size()?;
        let (written, error) = self.write(bytes);
        if error.is_none() {
            return Ok(Written { records: 0, error });
        }
        let whole = bytes[..written].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        if self.is_regular && whole < written {
            let end = start + whole as u64;
            self.torn = Some(end);
            if self.file.set_len(end).is_ok() {
                self.torn = None;
            }
        }
        let records = bytes[..whole].iter().filter(|&&byte| byte == b'\n').count();
        Ok(Written { records, error })
    }

    /// How many bytes were written, and why not more.
    fn write(&mut self, bytes: &[u8]) -> (usize, Option<io::Error>) {
        let mut written = 0;
        while written < bytes.len() {
            match self.file.write(&bytes[written..]) {
                Ok(0) => return (written, Some(ErrorKind::WriteZero.into())),
                Ok(more) => written += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return (written, Some(error)),
            }
        }
        (written, None)
    }

    /// Renames the file and begins another one, of the same owner and mode.
    pub(crate) fn rotate(&self, path: &Path, backup: &Path) -> io::Result<Self> {
        let old = self.file.metadata()?;
        match fs::rename(path, backup) {
            // Others have moved it.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            renamed => renamed?,
        }
        let next = Self::open(path)?;
        next.file.set_permissions(Permissions::from_mode(old.mode() & 0o7777))?;
        // Only root can give files away, and who is not owns them anyway.
        drop(chown(path, Some(old.uid()), Some(old.gid())));
        Ok(next)
    }

    /// Cuts off what a crash in the middle of a write has left; how many bytes.
    fn cut_unfinished(&mut self) -> io::Result<u64> {
        let size = self.size()?;
        let from = size.saturating_sub(TORN);
        let mut last = [0];
        if size == 0 {
            return Ok(0);
        }
        self.file.seek(SeekFrom::Start(size - 1))?;
        self.file.read_exact(&mut last)?;
        if last == *b"\n" {
            return Ok(0);
        }
        self.file.seek(SeekFrom::Start(from))?;
        let mut tail = Vec::new();
        (&self.file).take(size - from).read_to_end(&mut tail)?;
        let Some(end) =
            tail.iter().rposition(|&byte| byte == b'\n').map(|end| end as u64 + 1).or_else(|| (from == 0).then_some(0))
        else {
            // That is no file of records; it is not ours to cut.
            return Ok(0);
        };
        self.file.set_len(from + end)?;
        Ok(size - from - end)
    }
}
