//! What each command does: a file each.

mod check;
mod inject;
mod keytab;
mod probing;
mod propagate;
mod serve;

pub(crate) use self::keytab::run as keytab;

use crate::cli::{Line, Task};
use crate::config::{Config, Zone};
use crate::exit::Exit;

/// Runs the command for the zones it is for.
pub(crate) fn run(line: &Line, config: Config, zones: &[Zone]) -> Exit {
    match &line.task {
        Task::Inject => inject::run(&config.inject, zones),
        Task::Keytab { file } => keytab::run(file),
        Task::Check => check::run(&config.check, zones),
        Task::Serve => serve::run(line, &config.serve, zones),
        Task::Propagate => propagate::run(zones),
    }
}
