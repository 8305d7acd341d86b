//! Capture files: all of them as one capture, through one reader to the workers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use pdns_capture::{CaptureFile, FilterError, FilterSet, Frame, OpenError, ReadError};
use pdns_packet::frame::{Decoder, Discard, LinkType, Ports};
use pdns_track::Ingest;
use pdns_track::reassembly::FragmentConfig;

use super::Outcome;
use crate::board::{Board, Pace, Slot};
use crate::handover::Crew;
use crate::log;
use crate::output::Sinks;
use crate::privileges::Privileges;
use crate::progress::Progress;
use crate::settings::Settings;
use crate::signals::Stop;
use crate::worker::Worker;

/// How many frames are read between two looks at the clock and at whether to go on.
const FRAMES_PER_LOOK: u32 = 1024;

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
        let slot = board.slot();
        let new_worker = |number: usize| Worker::new(settings, sinks.cloned(), number as u16);
        let workers = match settings.workers {
            0 | 1 => Workers::Here(Box::new(new_worker(0))),
            count => Workers::There(Crew::start((0..count).map(|number| (new_worker(number), board.slot())))?),
        };
        Ok(Reader {
            paths: self.paths,
            first: self.first,
            ingest: Ingest::new(Decoder::new(self.ports), FragmentConfig::default()),
            filter: self.filter,
            snaplen: settings.snaplen.map_or(usize::MAX, |bytes| bytes as usize),
            workers,
            stop: self.stop,
            slot,
            pace: Pace::new(),
            frames: 0,
            debug: settings.debug,
        })
    }
}

/// Why a file was left before its end.
enum Left {
    /// The run is to end.
    Stopped,
    /// It is cut off or damaged.
    Damaged(ReadError),
    /// It cannot be read as a capture at all, or not with this filter.
    Unusable(anyhow::Error),
    /// Nobody takes records any more.
    OutputGone,
}

impl From<OpenError> for Left {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Read(ReadError::Stopped { .. }) => Self::Stopped,
            error => Self::Unusable(error.into()),
        }
    }
}

impl From<ReadError> for Left {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Stopped { .. } => Self::Stopped,
            error => Self::Damaged(error),
        }
    }
}

impl From<FilterError> for Left {
    fn from(error: FilterError) -> Self {
        Self::Unusable(error.into())
    }
}

/// What frames go through before workers see them.
pub(super) struct Reader {
    paths: Vec<PathBuf>,
    first: Option<Result<CaptureFile, OpenError>>,
    ingest: Ingest,
    filter: Option<FilterSet>,
    snaplen: usize,
    workers: Workers,
    stop: Stop,
    slot: Slot,
    pace: Pace,
    /// Frames since the last look.
    frames: u32,
    debug: bool,
}

/// One worker in this thread, or several in theirs.
enum Workers {
    Here(Box<Worker>),
    There(Crew),
}

impl Reader {
    /// Reads all files to their ends, or until the run is to end.
    pub(super) fn run(mut self) -> Outcome {
        let mut outcome = Outcome::default();
        for path in std::mem::take(&mut self.paths) {
            match self.file(&path) {
                Ok(()) => {}
                Err(Left::Damaged(error)) => {
                    outcome.incomplete = true;
                    log::warn(&format!("{error}; the records up to there are complete"));
                }
                Err(Left::Unusable(error)) => {
                    // What was read of earlier files is still reported, and stands in the account.
                    outcome.unusable = Some(error);
                    break;
                }
                Err(Left::Stopped | Left::OutputGone) => break,
            }
        }
        self.finish(&mut outcome);
        outcome
    }

    fn file(&mut self, path: &Path) -> Result<(), Left> {
        let mut file = self.first.take().unwrap_or_else(|| CaptureFile::open_until(path, self.stop.flag()))?;
        let mut progress = Progress::start(&file);
        log::debug(self.debug, || format!("reading {}", path.display()));
        let is_pipe = file.size().is_none();
        loop {
            progress.update(&file);
            // A pipe may stay silent for long: what has been found is not kept back until it speaks again.
            let before_read = || {
                if is_pipe {
                    self.flush();
                }
            };
            let Some(frame) = file.next_with(before_read)? else { return Ok(()) };
            let link = LinkType(frame.link);
            if !link.is_supported() {
                self.ingest.discard(frame.time, Discard::LinkType);
                if !file.links().any(|link| LinkType(link).is_supported()) {
                    return Err(Left::Unusable(file.unsupported(link.0).into()));
                }
                continue;
            }
            self.frame(&frame, link)?;
            if self.is_to_stop() {
                return Err(Left::Stopped);
            }
            if self.workers.have_failed() {
                return Err(Left::OutputGone);
            }
        }
    }

    fn frame(&mut self, frame: &Frame<'_>, link: LinkType) -> Result<(), FilterError> {
        if let Some(filter) = &mut self.filter
            && !filter.matches(link.0, frame.data, frame.wire_len)?
        {
            self.ingest.discard(frame.time, Discard::Filtered);
            return Ok(());
        }
        let data = &frame.data[..frame.data.len().min(self.snaplen)];
        // Borrowed where it is: a copy would read whole what was just written in parts.
        let Some(packet) = &self.ingest.frame(frame.time, link, data, frame.wire_len) else { return Ok(()) };
        match &mut self.workers {
            Workers::Here(worker) => worker.packet(packet),
            Workers::There(crew) => {
                if let Some(full) = crew.packet(packet) {
                    self.slot.put_up(|counters| counters.frames(&self.ingest));
                    crew.hand_over(full);
                }
            }
        }
        Ok(())
    }

    /// Whether the run is to end. Puts up what was counted when it is time to.
    fn is_to_stop(&mut self) -> bool {
        self.frames += 1;
        if self.frames < FRAMES_PER_LOOK {
            return false;
        }
        self.frames = 0;
        if self.pace.is_due(Instant::now()) {
            self.put_up();
        }
        self.stop.is_set()
    }

    fn put_up(&self) {
        self.slot.put_up(|counters| {
            counters.frames(&self.ingest);
            if let Workers::Here(worker) = &self.workers {
                worker.count(counters);
            }
        });
    }

    /// Hands over what there is, however little.
    fn flush(&mut self) {
        if let Workers::Here(worker) = &mut self.workers {
            worker.flush();
        }
        self.put_up();
        if let Workers::There(crew) = &mut self.workers {
            crew.flush();
        }
    }

    fn finish(mut self, outcome: &mut Outcome) {
        self.ingest.finish();
        let now = self.ingest.clock().now();
        if let Workers::Here(worker) = &mut self.workers {
            worker.finish(now);
        }
        self.put_up();
        match self.workers {
            Workers::Here(worker) => outcome.failures.extend(worker.failure()),
            Workers::There(crew) => {
                for ended in crew.finish(now) {
                    match ended {
                        Ok(failure) => outcome.failures.extend(failure),
                        Err(panicked) => {
                            outcome.incomplete = true;
                            log::error(&panicked.to_string());
                        }
                    }
                }
            }
        }
    }
}

impl Workers {
    fn have_failed(&self) -> bool {
        match self {
            Self::Here(worker) => worker.has_failed(),
            Self::There(crew) => crew.has_failed(),
        }
    }
}
