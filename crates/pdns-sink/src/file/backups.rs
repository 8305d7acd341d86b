//! Old files: `name-2026-11-21T19-19-39.123.ext` beside `name.ext`, as lumberjack names them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pdns_packet::time::civil;

/// What a compressed file's name ends with.
const COMPRESSED: &str = ".gz";

/// What the name of a file ends with while it is being compressed.
pub(crate) const UNFINISHED: &str = ".gz.tmp";

/// What the time looks like: `2026-11-21T19-19-39.123`, where each digit stands for one.
const TIME: &str = "0000-00-00T00-00-00.000";

/// The old files of one that is written.
#[derive(Clone, Debug)]
pub(crate) struct Backups {
    folder: PathBuf,
    /// What their names begin with.
    prefix: String,
    /// What they end with, when they are not compressed.
    extension: String,
}

/// An old file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Backup {
    /// As in its name, which sorts by age.
    time: String,
    pub is_compressed: bool,
    pub path: PathBuf,
}

impl Backups {
    pub(crate) fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (stem, extension) = name.rfind('.').map_or((name.as_str(), ""), |dot| name.split_at(dot));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        Self {
            folder: folder.unwrap_or_else(|| Path::new(".")).to_owned(),
            prefix: format!("{stem}-"),
            extension: extension.to_owned(),
        }
    }

    /// A name for the file that is put aside now, and the time in it: another one where there is a file of that name.
    pub(crate) fn free_name(&self, now: SystemTime) -> io::Result<(PathBuf, SystemTime)> {
        for millis in 0..10_000 {
            let time = now + Duration::from_millis(millis);
            let path = self.folder.join(format!("{}{}{}", self.prefix, timestamp(time), self.extension));
            if !path.try_exists()? && !appended(&path, COMPRESSED).try_exists()? {
                return Ok((path, time));
            }
        }
        Err(io::Error::other("there is no free name for the old one"))
    }

    /// The old files there are, oldest first.
    pub(crate) fn list(&self) -> io::Result<Vec<Backup>> {
        let mut backups = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if let Some((time, is_compressed)) = name.to_str().and_then(|name| self.parse(name)) {
                backups.push(Backup { time: time.to_owned(), is_compressed, path: entry.path() });
            }
        }
        backups.sort();
        Ok(backups)
    }

    /// What was left of compressing when the program ended.
    pub(crate) fn unfinished(&self) -> io::Result<Vec<PathBuf>> {
        let is_unfinished = |name: &str| {
            let backup = name.strip_suffix(UNFINISHED);
            backup.and_then(|name| self.parse(name)).is_some_and(|(_, is_compressed)| !is_compressed)
        };
        let entries = fs::read_dir(&self.folder)?.collect::<io::Result<Vec<_>>>()?;
        let unfinished = entries.iter().filter(|entry| entry.file_name().to_str().is_some_and(is_unfinished));
        Ok(unfinished.map(fs::DirEntry::path).collect())
    }

    /// The files that have to go, of those there are: too many, or too old.
    pub(crate) fn surplus(
        backups: &[Backup],
        now: SystemTime,
        max_age: Option<Duration>,
        max_backups: Option<usize>,
    ) -> Vec<Backup> {
        let mut times: Vec<_> = backups.iter().map(|backup| backup.time.as_str()).collect();
        times.dedup();
        let too_many = max_backups.map_or(0, |keep| times.len().saturating_sub(keep));
        let oldest_kept = times.get(too_many).copied();
        let youngest_gone = max_age.and_then(|age| now.checked_sub(age)).map(timestamp);
        let goes = |backup: &&Backup| {
            let is_too_many = oldest_kept.is_none_or(|oldest| backup.time.as_str() < oldest);
            is_too_many || youngest_gone.as_ref().is_some_and(|youngest| backup.time < *youngest)
        };
        backups.iter().filter(goes).cloned().collect()
    }

    /// The time in the name of an old file, and whether that is compressed.
    fn parse<'a>(&self, name: &'a str) -> Option<(&'a str, bool)> {
        let rest = name.strip_prefix(&self.prefix)?;
        let (time, ending) = rest.split_at_checked(TIME.len())?;
        let looks_so = time.bytes().zip(TIME.bytes()).all(|(byte, model)| match model {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        });
        let ending = ending.strip_prefix(self.extension.as_str()).filter(|_| looks_so)?;
        match ending {
            "" => Some((time, false)),
            COMPRESSED => Some((time, true)),
            _ => None,
        }
    }
}

impl Backup {
    /// Where it goes when it is compressed, by way of the second name.
    pub(crate) fn compressed(&self) -> (PathBuf, PathBuf) {
        (appended(&self.path, COMPRESSED), appended(&self.path, UNFINISHED))
    }
}

fn appended(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (year, month, day, hour, minute, second) = civil(since.as_secs() as i64);
    let millis = since.subsec_millis();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}-{minute:02}-{second:02}.{millis:03}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lumberjacks() {
        let backups = Backups::of(Path::new("/var/log/dns.x.log"));
        let time = UNIX_EPOCH + Duration::from_millis(1_795_375_179_123);
        let (name, _) = backups.free_name(time).unwrap();
        assert_eq!(name, Path::new("/var/log/dns.x-2026-11-22T19-19-39.123.log"));
        assert_eq!(backups.parse("dns.x-2026-11-22T19-19-39.123.log"), Some(("2026-11-22T19-19-39.123", false)));
        assert_eq!(backups.parse("dns.x-2026-11-22T19-19-39.123.log.gz"), Some(("2026-11-22T19-19-39.123", true)));
        for other in ["dns.x.log", "dns.x-2026-11-22.log", "dns.x-2026-11-22T19-19-39.123.txt", "dns.x-é"] {
            assert_eq!(backups.parse(other), None, "{other}");
        }
        assert_eq!(
            Backups::of(Path::new("log")).parse("log-2026-11-22T19-19-39.123"),
            Some(("2026-11-22T19-19-39.123", false))
        );
    }

    #[test]
    fn the_oldest_go_by_age_and_by_number() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let day = Duration::from_secs(86_400);
        let backup = |days: u32, is_compressed| Backup {
            time: timestamp(now - day * days),
            is_compressed,
            path: PathBuf::from(format!("{days}{is_compressed}")),
        };
        let backups = [backup(9, true), backup(5, false), backup(3, false), backup(3, true), backup(1, false)];
        let gone = |max_age, max_backups| {
            Backups::surplus(&backups, now, max_age, max_backups)
                .into_iter()
                .map(|backup| backup.path)
                .collect::<Vec<_>>()
        };
        assert!(gone(None, None).is_empty());
        assert_eq!(gone(Some(day * 4), None), [Path::new("9true"), Path::new("5false")]);
        // A file and its compressed form are one.
        assert_eq!(gone(None, Some(2)), [Path::new("9true"), Path::new("5false")]);
        assert_eq!(gone(Some(day * 2), Some(3)).len(), 4);
        assert_eq!(gone(None, Some(9)).len(), 0);
    }
}
