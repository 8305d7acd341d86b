//! A run, from opening its input to its account.
//!
//! The order matters, because rights are given up in it: what takes rights comes before, and what serves strangers, reads
//! packets or starts a thread comes after.

mod files;
mod live;
mod source;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use pdns_sink::{DirectError, DropReason};

use self::files::{Files, Reader};
use self::live::{Interfaces, Listeners};
pub(crate) use self::source::{Source, Turn, Wants};
use crate::account::StatsFile;
use crate::board::{self, Board};
use crate::log;
use crate::metrics::Metrics;
use crate::output::{self, Sinks};
use crate::privileges::{self, Needs, Privileges};
use crate::profile::{Profile, ProfileFile};
use crate::service::{Service, Watch};
use crate::settings::Settings;
use crate::signals::{Signals, Stop};

/// How a run that could start has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything was read and written.
    Complete,
    /// Some input was damaged, or some output was lost; it was logged.
    Incomplete,
}

/// What became of the capture, once all its threads have ended.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Whether something could not be read or done; it was logged.
    pub incomplete: bool,
    /// Why there was nothing more to be done.
    pub unusable: Option<anyhow::Error>,
    /// Why records could not be delivered, for each worker that could not.
    pub failures: Vec<DirectError>,
}

/// Runs as the settings say.
pub(crate) fn run(mut settings: Settings) -> Result<Ending> {
    let needs = settings.needs();
    let signals = Signals::take().context("cannot take signals")?;

    // (a) What takes rights: the capture, files that are written at the end, and sockets that others connect to.
    let service = Service::find();
    let mut input = Input::open(&mut settings, &signals.stop())?;
    let stats = settings.stats.as_deref().map(StatsFile::open).transpose()?;
    let profile = settings.cpu_profile.as_deref().map(ProfileFile::open).transpose()?;
    let metrics = Metrics::open(&mut settings)?;

    // (b) From here on without them.
    give_up(&settings, &needs)?;
    input.enter_root(&settings.privileges)?;
    settings.enter_root()?;
    let profile = profile.zip(settings.cpu_profile.as_deref()).map(|(file, path)| file.start(path)).transpose()?;

    // (c) Sinks, and the threads that feed them.
    let sinks = output::start(&settings)?;
    let to_reopen = sinks.clone();
    let _watch = signals.watch(move || {
        if let Some(sinks) = &to_reopen {
            sinks.reopen();
        }
    })?;
    let board = Arc::new(Board::new(sinks.clone()));
    let capture = input.start(&settings, sinks.as_ref(), &board)?;

    // (d) Whoever asks how it is going reads the board.
    let metrics = metrics.start(&board)?;
    let watchdog = watchdog(&service, &settings, &board)?;
    service.ready();

    // (e) The capture itself.
    let outcome = capture.run();

    // (f) The end.
    service.stopping();
    watchdog.iter().for_each(Watch::ending);
    if let Some(sinks) = sinks {
        sinks.shutdown(settings.drain_timeout);
    }
    metrics.finish();
    end(&settings, outcome, &board, stats, profile)
}

/// Reads the capture files of settings into sinks, in this process and without its rights, signals and metrics. Says
/// whether all could be read.
///
/// # Errors
///
/// There is no thread to be had.
#[cfg(feature = "fuzz")]
pub(crate) fn read(mut settings: Settings, sinks: Sinks) -> Result<(bool, crate::account::Account)> {
    let board = Arc::new(Board::new(Some(Arc::clone(&sinks))));
    let files = Files::open(&mut settings, &Stop::default());
    let outcome = files.start(&settings, Some(&sinks), &board)?.run();
    sinks.shutdown(settings.drain_timeout);
    Ok((!outcome.incomplete && outcome.unusable.is_none(), board.account()))
}

/// Gives up what is no longer needed, and says so where that is of interest: of a sensor that goes on running.
fn give_up(settings: &Settings, needs: &Needs) -> Result<()> {
    let state = privileges::give_up(&settings.privileges, needs)?;
    if settings.live.is_some() {
        log::info(&state.to_string());
        state.warnings.iter().for_each(|warning| log::warn(warning));
    } else {
        log::debug(settings.debug, || state.to_string());
    }
    Ok(())
}

/// Shows the service manager that the capture goes on. A capture from files may wait for input for as long as it takes.
fn watchdog(service: &Service, settings: &Settings, board: &Arc<Board>) -> Result<Option<Watch>> {
    let live = settings.live.is_some().then(|| Arc::clone(board));
    let lives = move |interval: Duration| {
        let silence = live.as_ref().map(|board| board.silence(Instant::now()));
        silence.is_none_or(|silence| silence <= interval.max(2 * board::INTERVAL))
    };
    service.watch(lives).context("cannot start the watchdog's thread")
}

/// Where frames come from, open.
enum Input {
    Files(Box<Files>),
    Interfaces(Interfaces),
}

/// A capture whose threads have started.
enum Capture {
    Files(Box<Reader>),
    Interfaces(Listeners),
}

impl Input {
    fn open(settings: &mut Settings, stop: &Stop) -> Result<Self> {
        Ok(match &settings.live {
            Some(live) => Self::Interfaces(Interfaces::open(settings, live, stop)?),
            None => Self::Files(Box::new(Files::open(settings, stop))),
        })
    }

    /// Names what is still to be opened as it is beneath a new root.
    fn enter_root(&mut self, privileges: &Privileges) -> Result<()> {
        match self {
            Self::Files(files) => files.enter_root(privileges),
            Self::Interfaces(_) => Ok(()),
        }
    }

    fn start(self, settings: &Settings, sinks: Option<&Sinks>, board: &Arc<Board>) -> Result<Capture> {
        Ok(match self {
            Self::Files(files) => Capture::Files(Box::new(files.start(settings, sinks, board)?)),
            Self::Interfaces(interfaces) => Capture::Interfaces(interfaces.start(settings, sinks, board)?),
        })
    }
}

impl Capture {
    fn run(self) -> Outcome {
        match self {
            Self::Files(reader) => reader.run(),
            Self::Interfaces(listeners) => listeners.run(),
        }
    }
}

fn end(
    settings: &Settings,
    outcome: Outcome,
    board: &Board,
    stats: Option<StatsFile>,
    profile: Option<Profile>,
) -> Result<Ending> {
    let mut ending = if outcome.incomplete { Ending::Incomplete } else { Ending::Complete };
    if !report_failures(&outcome.failures) {
        ending = Ending::Incomplete;
    }
    let account = board.account();
    // Of a capture file all records are wanted; a sensor has said what it dropped when it did.
    if settings.live.is_none() && account.sink.dropped_total() > account.sink.dropped(DropReason::Closed) {
        ending = Ending::Incomplete;
    }
    log::debug(settings.debug, || account.summary());
    let written = [stats.map(|stats| stats.write(&account)), profile.map(Profile::finish)];
    for error in written.into_iter().flatten().filter_map(Result::err) {
        ending = Ending::Incomplete;
        log::error(&log::with_causes(&error));
    }
    outcome.unusable.map_or(Ok(ending), Err)
}

/// Logs why records could not be written. A reader of standard output that has gone has seen enough: that is no failure.
fn report_failures(failures: &[DirectError]) -> bool {
    let serious = failures.iter().find(|failure| !matches!(failure, DirectError::Closed { .. }));
    if let Some(failure) = serious {
        log::error(&failure.to_string());
    }
    serious.is_none()
}
