//! Records to a file, as lines of JSON, with rotation.
//!
//! - `target`: the open file: appending whole records or none.
//! - `backups`: old files: their names, which of them go.
//! - `tidy`: compressing and deleting old files, on a thread of its own.

mod backups;
mod config;
mod target;
mod tidy;

#[cfg(test)]
mod tests;

use std::io;
use std::time::{Duration, SystemTime};

use pdns_record::Encoding;

use self::backups::Backups;
pub use self::config::Config;
use self::target::{Target, Written};
use self::tidy::Tidy;
use crate::{Batch, Deliver, Failure, Level, Log, Needs, Outcome, Partly};

/// A sink that appends to a file.
///
/// The file never holds a part of a record but at its end, while it is written: what a failed write leaves is cut off, and
/// so is what a crash has left. A file larger than allowed is renamed and another one begun. A full disk is waited for.
///
/// The file is opened by its name again when it is asked to [reopen](Deliver::reopen), so that others can rotate it.
pub struct File {
    config: Config,
    log: Log,
    target: Option<Target>,
    tidy: Option<Tidy>,
    /// The time in the name of the file that was put aside last.
    put_aside: Option<SystemTime>,
    /// That the file could not be renamed was told.
    is_stuck: bool,
}

impl File {
    /// A sink on the file of `config`; `log` gets what is told of old files.
    pub fn new(config: Config, log: Log) -> Self {
        Self { config, log, target: None, tidy: None, put_aside: None, is_stuck: false }
    }

    /// The open file; opens it where it is not.
    fn open(&mut self) -> io::Result<&mut Target> {
        let target = match self.target.take() {
            Some(target) => target,
            None => {
                let target = Target::open(&self.config.path)?;
                if target.cut > 0 {
                    let text = format!("{} bytes of an unfinished record cut off its end", target.cut);
                    self.say(Level::Warning, &text);
                }
                target
            }
        };
        if target.is_regular() && self.tidy.is_none() {
            let tidy = Tidy::start(&self.config, self.log.clone())?;
            tidy.wake();
            self.tidy = Some(tidy);
        }
        Ok(self.target.insert(target))
    }

    /// Begins another file where this one would become too large.
    fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        let target = self.open()?;
        let (size, is_regular) = (target.size()?, target.is_regular());
        if !is_regular || size == 0 || size + bytes <= self.config.max_size {
            return Ok(());
        }
        match self.rotate() {
            Ok(()) => {
                self.is_stuck = false;
                self.tidy.iter().for_each(Tidy::wake);
            }
            Err(error) => {
                // It goes on in the same file: too large is better than lost.
                if !std::mem::replace(&mut self.is_stuck, true) {
                    let text = format!("cannot begin another file: {error}; it grows beyond its size");
                    self.say(Level::Error, &text);
                }
            }
        }
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let Config { path, .. } = &self.config;
        // What was put aside later has a later name, however fast files fill up: the oldest go first.
        let after_last = self.put_aside.map(|last| last + Duration::from_millis(1));
        let now = SystemTime::now();
        let (backup, time) = Backups::of(path).free_name(after_last.map_or(now, |earliest| earliest.max(now)))?;
        if let Some(target) = &self.target {
            self.target = Some(target.rotate(path, &backup)?);
            self.put_aside = Some(time);
        }
        Ok(())
    }

    fn write(&mut self, batch: &Batch) -> io::Result<Written> {
        self.make_room(batch.bytes().len() as u64)?;
        self.open()?.append(batch.bytes())
    }

    fn say(&self, level: Level, text: &str) {
        (self.log)(level, &format!("file {}: {text}", self.config.path.display()));
    }
}

impl Deliver for File {
    fn needs(&self) -> Needs {
        Needs::new(Encoding::json(self.config.layout))
    }

    fn target(&self) -> String {
        self.config.path.display().to_string()
    }

    fn start(&mut self) -> Result<(), Failure> {
        self.open()?;
        Ok(())
    }

    fn deliver(&mut self, batch: &Batch) -> Outcome {
        match self.write(batch) {
            Ok(Written { error: None, .. }) => Outcome::Delivered,
            Ok(Written { records: 0, error: Some(error) }) => Outcome::Retry(error.into()),
            Ok(Written { records, error: Some(error) }) => Outcome::Partly(Partly {
                refused: Vec::new(),
                again: (records..batch.records() as usize).collect(),
                cut: 0,
                reason: Some(error.into()),
            }),
            Err(error) => {
                // Whatever it was, the next try begins with opening it.
                self.target = None;
                Outcome::Retry(error.into())
            }
        }
    }

    fn reopen(&mut self) -> Result<(), Failure> {
        self.target = None;
        self.open()?;
        Ok(())
    }
}

impl std::fmt::Debug for File {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("File").field("config", &self.config).finish_non_exhaustive()
    }
}
