//! The run: files through the reader to the workers, and the account at the end.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use pdns_capture::{CaptureFile, FilterError, FilterSet, Frame, OpenError, ReadError};
use pdns_packet::frame::{Decoder, Discard, LinkType};
use pdns_sink::SinkError;
use pdns_track::Ingest;
use pdns_track::reassembly::FragmentConfig;

use crate::account::Account;
use crate::handover::Crew;
use crate::log;
use crate::progress::Progress;
use crate::settings::{Settings, unwritable_stats};
use crate::worker::{SharedSink, Worker};

/// How a run that could start has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything was read and written.
    Complete,
    /// Some input was damaged, or some output was lost; it was logged.
    Incomplete,
}

/// Reads all inputs as one capture.
pub(crate) fn run(mut settings: Settings) -> Result<Ending> {
    let sink: Option<SharedSink> = (!settings.quiet).then(|| Arc::new(Mutex::new(pdns_sink::stdout())) as SharedSink);
    let mut reader = Reader::start(&mut settings, sink.as_ref())?;
    let mut ending = Ending::Complete;
    let mut unusable = None;
    for path in &settings.inputs {
        match reader.file(path) {
            Ok(()) => {}
            Err(Stop::Damaged(error)) => {
                ending = Ending::Incomplete;
                log::warn(&format!("{error}; the records up to there are complete"));
            }
            Err(Stop::Unusable(error)) => {
                // What was read of earlier files is still reported, and stands in the account.
                unusable = Some(error);
                break;
            }
            Err(Stop::OutputGone) => break,
        }
    }
    let mut account = reader.finish()?;
    if let Some(sink) = &sink {
        account.sink = sink.lock().unwrap_or_else(PoisonError::into_inner).stats();
    }
    if !report_failures(&mut account) {
        ending = Ending::Incomplete;
    }
    log::debug(settings.debug, || account.summary());
    if let Some(path) = &settings.stats
        && let Err(error) = account.write(path).with_context(|| unwritable_stats(path))
    {
        ending = Ending::Incomplete;
        log::error(&log::with_causes(&error));
    }
    unusable.map_or(Ok(ending), Err)
}

/// Logs why records could not be written. A reader of standard output that has gone has seen enough: that is no failure.
fn report_failures(account: &mut Account) -> bool {
    let failures = std::mem::take(&mut account.failures);
    let serious = failures.iter().find(|failure| !matches!(failure, SinkError::Closed { .. }));
    if let Some(failure) = serious {
        log::error(&failure.to_string());
    }
    serious.is_none()
}

/// Why a file was left before its end.
enum Stop {
    /// It is cut off or damaged.
    Damaged(ReadError),
    /// It cannot be read as a capture at all, or not with this filter.
    Unusable(anyhow::Error),
    /// Nobody takes records any more.
    OutputGone,
}

impl From<OpenError> for Stop {
    fn from(error: OpenError) -> Self {
        Self::Unusable(error.into())
    }
}

impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Damaged(error)
    }
}

impl From<FilterError> for Stop {
    fn from(error: FilterError) -> Self {
        Self::Unusable(error.into())
    }
}

/// What frames go through before workers see them.
struct Reader {
    ingest: Ingest,
    filter: Option<FilterSet>,
    snaplen: usize,
    workers: Workers,
    debug: bool,
}

/// One worker in this thread, or several in theirs.
enum Workers {
    Here(Box<Worker>),
    There(Crew),
}

impl Reader {
    fn start(settings: &mut Settings, sink: Option<&SharedSink>) -> Result<Self> {
        let decoder = Decoder::new(std::mem::take(&mut settings.ports));
        let filter = settings.filter.take();
        let new_worker = || Worker::new(settings, sink.cloned());
        let workers = match settings.workers {
            0 | 1 => Workers::Here(Box::new(new_worker())),
            count => Workers::There(Crew::start((0..count).map(|_| new_worker()))?),
        };
        Ok(Self {
            ingest: Ingest::new(decoder, FragmentConfig::default()),
            filter,
            snaplen: settings.snaplen.map_or(usize::MAX, |bytes| bytes as usize),
            workers,
            debug: settings.debug,
        })
    }

    fn file(&mut self, path: &Path) -> Result<(), Stop> {
        let mut file = CaptureFile::open(path)?;
        let mut progress = Progress::start(&file);
        log::debug(self.debug, || format!("reading {}", path.display()));
        let is_pipe = file.size().is_none();
        loop {
            progress.update(&file);
            // A pipe may stay silent for long: what has been found is not kept back until it speaks again.
            let workers = &mut self.workers;
            let Some(frame) = file.next_with(|| {
                if is_pipe {
                    workers.flush();
                }
            })?
            else {
                return Ok(());
            };
            let link = LinkType(frame.link);
            if !link.is_supported() {
                self.ingest.discard(frame.time, Discard::LinkType);
                if !file.links().any(|link| LinkType(link).is_supported()) {
                    return Err(Stop::Unusable(file.unsupported(link.0).into()));
                }
                continue;
            }
            self.frame(&frame, link)?;
            if self.workers.have_failed() {
                return Err(Stop::OutputGone);
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
        if let Some(packet) = self.ingest.frame(frame.time, link, data, frame.wire_len) {
            match &mut self.workers {
                Workers::Here(worker) => worker.packet(&packet),
                Workers::There(crew) => crew.packet(&packet),
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Account> {
        self.ingest.finish();
        let now = self.ingest.clock().now();
        let reports = match self.workers {
            Workers::Here(worker) => vec![worker.finish(now)],
            Workers::There(crew) => crew.finish(now)?,
        };
        Ok(Account::new(&self.ingest, reports))
    }
}

impl Workers {
    fn flush(&mut self) {
        match self {
            Self::Here(worker) => worker.flush(),
            Self::There(crew) => crew.flush(),
        }
    }

    fn have_failed(&self) -> bool {
        match self {
            Self::Here(worker) => worker.has_failed(),
            Self::There(crew) => crew.has_failed(),
        }
    }
}
