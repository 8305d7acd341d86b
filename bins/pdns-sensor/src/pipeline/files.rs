//! Capture files, and who reads them: the only worker, or all workers in turns.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use pdns_capture::{CaptureFile, FilterSet, OpenError};
use pdns_packet::frame::Ports;

use super::Outcome;
use super::source::{Setup, Source, Turn, Wants};
use crate::board::{Board, Pace};
use crate::crew::Crew;
use crate::output::Sinks;
use crate::privileges::Privileges;
use crate::settings::Settings;
use crate::signals::Stop;
use crate::worker::Worker;

/// The files that are to be read.
pub(super) struct Files {
    paths: Vec<PathBuf>,
    /// The first one; the others are opened when their turn comes.
    first: Option<Result<CaptureFile, OpenError>>,
    filter: Option<FilterSet>,
    ports: Ports,
    stop: Stop,
}

impl Files {
    pub(super) fn open(settings: &mut Settings, stop: &Stop) -> Self {
        let paths = std::mem::take(&mut settings.inputs);
        Self {
            first: paths.first().map(|path| CaptureFile::open_until(path, stop.flag())),
            paths,
            filter: settings.filter.take(),
            ports: settings.ports.clone(),
            stop: stop.clone(),
        }
    }

    /// Names the files that are still to be opened as they are beneath a new root.
    ///
    /// # Errors
    ///
    /// One is not there.
    pub(super) fn enter_root(&mut self, privileges: &Privileges) -> Result<()> {
        for path in self.paths.iter_mut().skip(1).filter(|path| **path != *"-") {
            *path = privileges.inside(path)?;
        }
        Ok(())
    }

    /// Starts the workers.
    ///
    /// # Errors
    ///
    /// There is no thread to be had.
    pub(super) fn start(self, settings: &Settings, sinks: Option<&Sinks>, board: &Arc<Board>) -> Result<Reader> {
        let source = Source::new(Setup {
            paths: self.paths,
            first: self.first,
            filter: self.filter,
            ports: self.ports,
            snaplen: settings.snaplen,
            stop: self.stop,
            slot: board.slot(),
            debug: settings.debug,
        });
        let new_worker = |number: usize| Worker::new(settings, sinks.cloned(), number as u16);
        let workers = match settings.workers {
            0 | 1 => Workers::Here(Box::new(new_worker(0))),
            count => Workers::There(Crew::start((0..count).map(|number| (new_worker(number), board.slot())))?),
        };
        Ok(Reader { source, workers })
    }
}

/// The files with those who read them.
pub(super) struct Reader {
    source: Source,
    workers: Workers,
}

/// One worker in this thread, or several in theirs.
enum Workers {
    Here(Box<Worker>),
    There(Crew),
}

impl Reader {
    /// Reads all files to their ends, or until the run is to end.
    pub(super) fn run(self) -> Outcome {
        match self.workers {
            Workers::Here(worker) => alone(self.source, *worker),
            Workers::There(crew) => crew.run(self.source),
        }
    }
}

/// Reads in this thread, with everything lent on the way and nothing handed over.
fn alone(mut source: Source, mut worker: Worker) -> Outcome {
    let mut pace = Pace::new();
    loop {
        let turn = source.turn(|packet| {
            worker.packet(packet);
            if worker.has_failed() { Wants::Nothing } else { Wants::More }
        });
        if turn == Turn::Ended || worker.has_failed() {
            break;
        }
        if turn == Turn::Dry {
            worker.flush();
        }
        if turn == Turn::Dry || pace.is_due(Instant::now()) {
            source.put_up_with(|counters| worker.count(counters));
        }
    }
    source.finish();
    worker.finish(source.now());
    source.put_up_with(|counters| worker.count(counters));
    let mut outcome = source.into_outcome();
    outcome.failures.extend(worker.failure());
    outcome
}
