//! A run, from opening its input to its account.
//!
//! The order matters, because rights are given up in it: what takes rights comes before, and what serves strangers, reads
//! packets or starts a thread comes after.

mod files;

use std::sync::Arc;

use anyhow::Result;
use pdns_sink::DirectError;

use self::files::Files;
use crate::account::StatsFile;
use crate::board::Board;
use crate::log;
use crate::output::SharedSink;
use crate::privileges::{self, Needs};
use crate::settings::Settings;

/// How a run that could start has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything was read and written.
    Complete,
    /// Some input was damaged, or some output was lost; it was logged.
    Incomplete,
}

/// What became of the capture, once all its packets and workers have ended.
#[derive(Debug, Default)]
struct Outcome {
    /// What could not be read or done; each was or is to be logged.
    incomplete: bool,
    /// Why there was nothing more to be done.
    unusable: Option<anyhow::Error>,
    /// Why records could not be delivered, for each worker that could not.
    failures: Vec<DirectError>,
}

/// Runs as the settings say.
pub(crate) fn run(mut settings: Settings) -> Result<Ending> {
    let needs = settings.needs();

    // (a) What takes rights: the capture, files that are written at the end, and sockets that others connect to.
    let mut source = Files::open(&mut settings);
    let stats = settings.stats.as_deref().map(StatsFile::open).transpose()?;

    // (b) From here on without them.
    give_up(&settings, &needs)?;
    source.enter_root(&settings.privileges)?;
    settings.enter_root()?;

    // (c) Sinks, and the threads that feed them.
    let sink: Option<SharedSink> = (!settings.quiet).then(|| crate::output::stdout(&settings));
    let board = Arc::new(Board::new(sink.clone()));
    let capture = source.start(&settings, sink.as_ref(), &board)?;

    // (d) Whoever asks how it is going reads the board.

    // (e) The capture itself.
    let outcome = capture.run();

    // (f) The end.
    end(&settings, outcome, &board, stats)
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

fn end(settings: &Settings, outcome: Outcome, board: &Board, stats: Option<StatsFile>) -> Result<Ending> {
    let mut ending = if outcome.incomplete { Ending::Incomplete } else { Ending::Complete };
    if !report_failures(&outcome.failures) {
        ending = Ending::Incomplete;
    }
    let account = board.account();
    log::debug(settings.debug, || account.summary());
    if let Some(stats) = stats
        && let Err(error) = stats.write(&account)
    {
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
