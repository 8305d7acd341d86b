//! The judgement: fresh, stale, or something else that is wrong. Pure; the clock is a parameter.

use std::fmt;
use std::time::Duration;

use pdns_packet::dns::Rcode;

use crate::query::QueryError;
use crate::stamp::Stamp;

/// When a record is what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// From this age on it is stale, as a warning.
    pub warn: Duration,
    /// From this age on it is stale, critically.
    pub crit: Duration,
    /// How far ahead of our clock it may be.
    pub max_clock_skew: Duration,
}

/// What is to be said of one server's record.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Young enough.
    Fresh {
        /// Its age in seconds; below zero when it is ahead of our clock, within what is allowed.
        age: i64,
    },
    /// Too old.
    Stale {
        /// Its age in seconds.
        age: i64,
        /// The age it should not have reached.
        limit: Duration,
        /// Whether it is old enough to be critical.
        is_critical: bool,
    },
    /// Ahead of our clock: one of the two clocks is wrong, and so is every age.
    Future {
        /// How far ahead, in seconds.
        ahead: u64,
    },
    /// There is a record, and no time in it.
    Garbage {
        /// What is in it instead.
        text: String,
    },
    /// There is no record.
    NotFound,
    /// The server answers with an error: REFUSED where it does not have the zone, SERVFAIL where it cannot load it.
    Refused {
        /// The error.
        rcode: Rcode,
    },
    /// The server does not answer.
    Timeout(QueryError),
    /// The server cannot be reached, or what comes from it is no answer.
    Unreachable(QueryError),
    /// The server's name has no address.
    Unresolved(String),
}

/// A verdict in one word: a closed set, for labels of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Young enough.
    Fresh,
    /// Too old.
    Stale,
    /// Ahead of our clock.
    Future,
    /// No time in the record.
    Garbage,
    /// No record.
    NotFound,
    /// An error from the server.
    Refused,
    /// No answer.
    Timeout,
    /// No way there.
    Unreachable,
    /// No address.
    Unresolved,
}

/// How bad it is: that of monitoring plugins, from good to bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// All is well.
    #[default]
    Ok,
    /// Somebody should look at it.
    Warning,
    /// It cannot be told.
    Unknown,
    /// Somebody has to look at it now.
    Critical,
}

impl Verdict {
    /// Judges what came of asking for the record, at `now` in Unix seconds.
    pub fn of(outcome: &Result<Stamp, QueryError>, now: u64, thresholds: &Thresholds) -> Self {
        match outcome {
            Ok(Stamp::Time(time)) => Self::of_time(*time, now, thresholds),
            Ok(Stamp::Garbage(text)) => Self::Garbage { text: text.clone() },
            Ok(Stamp::Missing) => Self::NotFound,
            Ok(Stamp::Refused(rcode)) => Self::Refused { rcode: *rcode },
            Err(error @ QueryError::Timeout { .. }) => Self::Timeout(error.clone()),
            Err(error) => Self::Unreachable(error.clone()),
        }
    }

    fn of_time(time: u64, now: u64, thresholds: &Thresholds) -> Self {
        if let Some(ahead) = time.checked_sub(now).filter(|&ahead| ahead > thresholds.max_clock_skew.as_secs()) {
            return Self::Future { ahead };
        }
        let age = now.saturating_sub(time);
        let signed = if time > now { -signed(time - now) } else { signed(age) };
        for (limit, is_critical) in [(thresholds.crit, true), (thresholds.warn, false)] {
            if Duration::from_secs(age) >= limit {
                return Self::Stale { age: signed, limit, is_critical };
            }
        }
        Self::Fresh { age: signed }
    }

    /// The verdict in one word.
    pub const fn state(&self) -> State {
        match self {
            Self::Fresh { .. } => State::Fresh,
            Self::Stale { .. } => State::Stale,
            Self::Future { .. } => State::Future,
            Self::Garbage { .. } => State::Garbage,
            Self::NotFound => State::NotFound,
            Self::Refused { .. } => State::Refused,
            Self::Timeout(_) => State::Timeout,
            Self::Unreachable(_) => State::Unreachable,
            Self::Unresolved(_) => State::Unresolved,
        }
    }

    /// How bad it is. A server that does not answer as it should may be as stale as it likes: that is critical.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Fresh { .. } => Severity::Ok,
            Self::Stale { is_critical: false, .. } => Severity::Warning,
            _ => Severity::Critical,
        }
    }
}

/// What is said of a server, after its name.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fresh { age } => write!(f, "fresh, {age} s old"),
            Self::Stale { age, limit, .. } => write!(f, "stale, {age} s old (limit {} s)", limit.as_secs()),
            Self::Future { ahead } => write!(f, "{ahead} s in the future: a clock is wrong"),
            Self::Garbage { text } => write!(f, "no time in the record: {text:?}"),
            Self::NotFound => f.write_str("no such record"),
            Self::Refused { rcode } => write!(f, "answers {rcode}"),
            Self::Timeout(error) | Self::Unreachable(error) => error.fmt(f),
            Self::Unresolved(reason) => f.write_str(reason),
        }
    }
}

impl State {
    /// All there are.
    pub const ALL: [Self; 9] = [
        Self::Fresh,
        Self::Stale,
        Self::Future,
        Self::Garbage,
        Self::NotFound,
        Self::Refused,
        Self::Timeout,
        Self::Unreachable,
        Self::Unresolved,
    ];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Future => "future",
            Self::Garbage => "garbage",
            Self::NotFound => "not_found",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Unresolved => "unresolved",
        }
    }
}

impl Severity {
    /// As monitoring plugins write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Unknown => "UNKNOWN",
            Self::Critical => "CRITICAL",
        }
    }
}

fn signed(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn judged(stamp: Stamp) -> (State, Severity, String) {
        let thresholds = Thresholds {
            warn: Duration::from_secs(2000),
            crit: Duration::from_secs(4000),
            max_clock_skew: Duration::from_secs(60),
        };
        let verdict = Verdict::of(&Ok(stamp), NOW, &thresholds);
        (verdict.state(), verdict.severity(), verdict.to_string())
    }

    fn of_time(time: u64) -> (State, Severity, String) {
        judged(Stamp::Time(time))
    }

    #[test]
    fn age_decides_to_the_second() {
        let is = |time, state, severity, text: &str| {
            assert_eq!(of_time(time), (state, severity, text.to_owned()));
        };
        is(NOW, State::Fresh, Severity::Ok, "fresh, 0 s old");
        is(NOW - 1999, State::Fresh, Severity::Ok, "fresh, 1999 s old");
        is(NOW - 2000, State::Stale, Severity::Warning, "stale, 2000 s old (limit 2000 s)");
        is(NOW - 3999, State::Stale, Severity::Warning, "stale, 3999 s old (limit 2000 s)");
        is(NOW - 4000, State::Stale, Severity::Critical, "stale, 4000 s old (limit 4000 s)");
        is(0, State::Stale, Severity::Critical, "stale, 1800000000 s old (limit 4000 s)");
    }

    #[test]
    fn times_ahead_are_a_wrong_clock_beyond_the_skew() {
        assert_eq!(of_time(NOW + 60), (State::Fresh, Severity::Ok, "fresh, -60 s old".to_owned()));
        let text = "61 s in the future: a clock is wrong".to_owned();
        assert_eq!(of_time(NOW + 61), (State::Future, Severity::Critical, text));
        assert_eq!(of_time(u64::MAX).0, State::Future);
    }

    #[test]
    fn what_is_no_time_is_critical() {
        let is = |stamp, state, text: &str| assert_eq!(judged(stamp), (state, Severity::Critical, text.to_owned()));
        is(Stamp::Missing, State::NotFound, "no such record");
        is(Stamp::Garbage("x\"".to_owned()), State::Garbage, "no time in the record: \"x\\\"\"");
        is(Stamp::Refused(Rcode::SERVFAIL), State::Refused, "answers SERVFAIL");
    }

    #[test]
    fn any_thresholds_and_any_time_give_a_verdict() {
        let extremes = [0, 1, u64::MAX / 2, u64::MAX];
        for time in extremes {
            for now in extremes {
                for limit in extremes.map(Duration::from_secs) {
                    let thresholds = Thresholds { warn: limit, crit: limit, max_clock_skew: limit };
                    let verdict = Verdict::of(&Ok(Stamp::Time(time)), now, &thresholds);
                    assert!(!verdict.to_string().is_empty());
                }
            }
        }
    }
}
