//! What is told of a sink, in words and not too often.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::line::{Damage, News};
use crate::DropReason;

/// How often the same thing is said again while it lasts.
const REMINDER: Duration = Duration::from_secs(60);

/// How soon another failure is told, when it is a different one.
const CHANGE: Duration = Duration::from_secs(5);

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something is well again.
    Info,
    /// Something is wrong, and nothing is lost.
    Warning,
    /// Records were lost, or someone has to act.
    Error,
}

/// Where messages go.
pub type Log = Arc<dyn Fn(Level, &str) + Send + Sync>;

/// The messages of one sink. Each begins with the sink and its target and ends with what happens next.
pub(crate) struct Journal {
    sink: String,
    log: Log,
    failure: Option<Told>,
    drops: [Drops; DropReason::ALL.len()],
}

/// A failure that was told.
#[derive(Debug)]
struct Told {
    reason: String,
    at: Instant,
}

#[derive(Clone, Copy, Debug, Default)]
struct Drops {
    untold: u64,
    told: Option<Instant>,
}

impl Journal {
    pub(crate) fn new(name: &str, target: &str, log: Log) -> Self {
        Self { sink: format!("{name} ({target})"), log, failure: None, drops: Default::default() }
    }

    pub(crate) fn tell(&mut self, now: Instant, news: News) {
        match news {
            News::Failed { reason, is_final, pause, failures, waiting } => {
                if !self.is_worth_telling(now, &reason) {
                    return;
                }
                let times = if failures > 1 { format!(", {failures} times in a row") } else { String::new() };
                let next = if pause.is_zero() {
                    "it is tried again with the first records".to_owned()
                } else {
                    format!("{waiting} records wait, next try in {}", Short(pause))
                };
                let level = if is_final { Level::Error } else { Level::Warning };
                self.say(level, format_args!("{reason}{times}; {next}"));
                self.failure = Some(Told { reason, at: now });
            }
            News::Recovered { after } => {
                if self.failure.take().is_some() {
                    self.say(Level::Info, format_args!("takes records again after {}", Short(after)));
                }
            }
            News::Refused { batch, reason } => {
                self.drop(now, DropReason::Refused, batch.records(), &format!("refused: {reason}"));
            }
            News::Dropped { reason, records } => self.drop(now, reason, records, why(reason)),
            News::Gone => self.say(Level::Info, format_args!("the reader has gone; nothing more is written")),
            News::SpoolFailed(reason) => {
                self.say(
                    Level::Error,
                    format_args!(
                        "the spool cannot be written: {reason}; records wait in memory, it is tried every second"
                    ),
                );
            }
            News::SpoolDamaged(Damage { records, bytes, reason, .. }) => self.say(
                Level::Error,
                format_args!(
                    "the spool is damaged: {reason}; {records} records in {bytes} bytes are lost, it goes on after them"
                ),
            ),
        }
    }

    /// Says what has not been said yet.
    pub(crate) fn flush(&mut self, now: Instant, at_the_end: bool) {
        for reason in DropReason::ALL {
            let drops = self.drops[reason as usize];
            let is_due = drops.told.is_none_or(|told| at_the_end || now.saturating_duration_since(told) >= REMINDER);
            if drops.untold > 0 && is_due {
                self.say_dropped(now, reason, why(reason));
            }
        }
    }

    /// A message that is neither rare nor frequent.
    pub(crate) fn say(&self, level: Level, text: fmt::Arguments<'_>) {
        (self.log)(level, &format!("{}: {text}", self.sink));
    }

    fn is_worth_telling(&self, now: Instant, reason: &str) -> bool {
        self.failure.as_ref().is_none_or(|told| {
            let after = if told.reason == reason { REMINDER } else { CHANGE };
            now.saturating_duration_since(told.at) >= after
        })
    }

    fn drop(&mut self, now: Instant, reason: DropReason, records: u64, why: &str) {
        // That the reader has gone was told.
        if reason == DropReason::Closed {
            return;
        }
        let drops = &mut self.drops[reason as usize];
        drops.untold += records;
        if drops.told.is_none_or(|told| now.saturating_duration_since(told) >= REMINDER) {
            self.say_dropped(now, reason, why);
        }
    }

    fn say_dropped(&mut self, now: Instant, reason: DropReason, why: &str) {
        let drops = &mut self.drops[reason as usize];
        let records = std::mem::take(&mut drops.untold);
        drops.told = Some(now);
        self.say(Level::Error, format_args!("{records} records dropped: {why}"));
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Journal").field("sink", &self.sink).finish_non_exhaustive()
    }
}

/// Why records were dropped, and what that means for those to come.
const fn why(reason: DropReason) -> &'static str {
    match reason {
        DropReason::QueueFull => "its queue is full; more will be, until it takes records again",
        DropReason::SpoolFull => "its spool is full; more will be, until it takes records again",
        DropReason::SpoolFailed => "its spool cannot be written",
        DropReason::SpoolDamaged => "its spool is damaged",
        DropReason::Refused => "refused",
        DropReason::Closed => "the reader has gone",
        DropReason::WriteFailed => "they could not be written",
        DropReason::Shutdown => "the time for the end is over, and there is no spool",
    }
}

/// A time as people say it: `0.5 s`, `12 s`, `3 min`.
struct Short(Duration);

impl fmt::Display for Short {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        match seconds {
            ..10.0 => write!(formatter, "{seconds:.1} s"),
            ..180.0 => write!(formatter, "{seconds:.0} s"),
            ..10_800.0 => write!(formatter, "{:.0} min", seconds / 60.0),
            _ => write!(formatter, "{:.0} h", seconds / 3600.0),
        }
    }
}
