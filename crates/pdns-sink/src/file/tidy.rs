//! Old files are compressed and deleted on a thread of its own, so that nothing waits for it.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::backups::{Backup, Backups};
use super::config::Config;
use crate::{Level, Log};

/// How often old files are looked at without a new one: they grow older.
const INTERVAL: Duration = Duration::from_secs(3600);

/// The thread that looks after old files. It ends, with what it is at, when this is dropped.
#[derive(Debug)]
pub(crate) struct Tidy {
    wake: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Tidy {
    pub(crate) fn start(config: &Config, log: Log) -> io::Result<Self> {
        let (wake, woken) = channel();
        let keeper = Keeper { backups: Backups::of(&config.path), config: config.clone(), log };
        let thread = thread::Builder::new().name("file-tidy".to_owned()).spawn(move || keeper.run(&woken))?;
        Ok(Self { wake: Some(wake), thread: Some(thread) })
    }

    /// There is another old file.
    pub(crate) fn wake(&self) {
        // A thread that has panicked keeps nobody from writing.
        self.wake.as_ref().and_then(|wake| wake.send(()).ok());
    }
}

impl Drop for Tidy {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

struct Keeper {
    backups: Backups,
    config: Config,
    log: Log,
}

impl Keeper {
    fn run(&self, woken: &Receiver<()>) {
        use std::sync::mpsc::RecvTimeoutError::Disconnected;
        while woken.recv_timeout(INTERVAL) != Err(Disconnected) {
            // Several at once are looked at once.
            woken.try_iter().for_each(drop);
            if let Err(error) = self.tidy() {
                let path = self.config.path.display();
                (self.log)(
                    Level::Warning,
                    &format!("file {path}: old files stay as they are: {error}; tried again later"),
                );
            }
        }
    }

    fn tidy(&self) -> io::Result<()> {
        let Config { max_age, max_backups, compress, .. } = self.config;
        for left in self.backups.unfinished()? {
            fs::remove_file(left)?;
        }
        let surplus = Backups::surplus(&self.backups.list()?, SystemTime::now(), max_age, max_backups);
        for backup in surplus {
            ignoring_missing(fs::remove_file(backup.path))?;
        }
        if compress {
            for backup in self.backups.list()?.iter().filter(|backup| !backup.is_compressed) {
                ignoring_missing(compressed(backup))?;
            }
        }
        Ok(())
    }
}

/// Compresses an old file. At any moment one of the two is whole.
fn compressed(backup: &Backup) -> io::Result<()> {
    let (finished, unfinished) = backup.compressed();
    let source = File::open(&backup.path)?;
    let mode = source.metadata()?.permissions();
    let target = File::create(&unfinished)?;
    target.set_permissions(mode)?;
    let mut encoder = GzEncoder::new(target, Compression::default());
    io::copy(&mut BufReader::with_capacity(1 << 16, source), &mut encoder)?;
    encoder.finish()?.sync_all()?;
    fs::rename(unfinished, finished)?;
    fs::remove_file(&backup.path)
}

/// Somebody else may have deleted it.
fn ignoring_missing(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}
