//! Exit statuses, the same in every command and every form of output: those of monitoring plugins.

use std::process::ExitCode;

use dns_replication::Severity;

/// How a run ended; the worst counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// 0: all is well. Stamped, or young enough; every server is fresh; propagated everywhere.
    #[default]
    Ok,
    /// 1: `check`: a server is stale beyond `--warn`. `propagate`: written, but not seen everywhere in time.
    Warning,
    /// 2: `check`: a server is stale beyond `--crit`, or gives no usable answer. `inject`, `propagate`: not written.
    /// `serve`: cannot go on.
    Critical,
    /// 3: nothing could be tried: a wrong setting, no such file, no server found.
    Unknown,
}

impl From<Severity> for Exit {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Ok => Self::Ok,
            Severity::Warning => Self::Warning,
            Severity::Critical => Self::Critical,
            Severity::Unknown => Self::Unknown,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
