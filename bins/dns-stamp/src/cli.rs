//! The command line, as typed.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::options::{
    CheckOptions, InjectOptions, JudgeOptions, PropagateOptions, ServeOptions, TargetOptions, WriteOptions, ZoneOptions,
};
use crate::exit::Exit;

/// The command line, in the form that every command shares.
#[derive(Debug)]
pub(crate) struct Line {
    pub task: Task,
    pub config: Option<PathBuf>,
    pub check_config: bool,
    pub print_config: bool,
    pub zone: ZoneOptions,
    pub check: CheckOptions,
    pub inject: InjectOptions,
    pub serve: ServeOptions,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Inject,
    Check,
    Serve,
    Propagate,
    Keytab { file: PathBuf },
}

/// Reads the command line.
///
/// # Errors
/// It cannot be understood, or asks for help, which clap counts among errors.
pub(crate) fn read(arguments: impl Iterator<Item = OsString>) -> Result<Line, clap::Error> {
    Ok(Cli::try_parse_from(arguments)?.command.into())
}

/// Prints what clap has to say.
pub(crate) fn refuse(error: &clap::Error) -> Exit {
    // There is nowhere else to say that the stream is closed.
    error.print().ok();
    std::io::stdout().flush().ok();
    if error.use_stderr() { Exit::Unknown } else { Exit::Ok }
}

#[derive(Debug, Parser)]
#[command(
    name = "dns-stamp",
    version,
    about = "Do all DNS servers hold the same data? Writes timestamps into DNS and tells how old every server's is",
    after_help = "Every option can also be given in the environment (--min-interval is DNS_STAMP_MIN_INTERVAL) or in the \
                  configuration file. The command line goes before the environment, that before the file.\n\n\
                  Exit status: 0 all is well; 1 warning: a server is stale, or late; 2 critical: a server is very stale \
                  or gives no usable answer, or nothing could be written; 3 nothing could be tried: wrong settings.",
    max_term_width = 100,
    args_override_self = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the present time into the record, unless it is young enough
    Inject {
        #[command(flatten)]
        general: General,
        #[command(flatten)]
        target: TargetOptions,
        #[command(flatten)]
        write: WriteOptions,
        #[command(flatten)]
        inject: InjectOptions,
    },
    /// Ask every server once how old its record is
    Check {
        #[command(flatten)]
        general: General,
        #[command(flatten)]
        target: TargetOptions,
        #[command(flatten)]
        judge: JudgeOptions,
        #[command(flatten)]
        check: CheckOptions,
    },
    /// Answer Prometheus, and show a page with the state of all servers
    Serve {
        #[command(flatten)]
        general: General,
        #[command(flatten)]
        target: TargetOptions,
        #[command(flatten)]
        judge: JudgeOptions,
        #[command(flatten)]
        serve: ServeOptions,
    },
    /// Write the present time, and watch every server until it has it
    Propagate {
        #[command(flatten)]
        general: General,
        #[command(flatten)]
        target: TargetOptions,
        #[command(flatten)]
        judge: JudgeOptions,
        #[command(flatten)]
        write: WriteOptions,
        #[command(flatten)]
        inject: InjectOptions,
        #[command(flatten)]
        propagate: PropagateOptions,
    },
    /// Show what is in a keytab file
    Keytab {
        /// The keytab
        file: PathBuf,
    },
}

/// Options of every command that has settings.
#[derive(Debug, Args)]
struct General {
    /// Configuration file, in TOML
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    config: Option<PathBuf>,
    /// Check the settings, and do nothing else
    #[arg(long, help_heading = "Configuration")]
    check_config: bool,
    /// Print the settings that hold, as a configuration file
    #[arg(long, help_heading = "Configuration")]
    print_config: bool,
}

impl Line {
    fn new(task: Task, general: General, target: TargetOptions) -> Self {
        Self {
            task,
            config: general.config,
            check_config: general.check_config,
            print_config: general.print_config,
            zone: ZoneOptions { target, ..ZoneOptions::default() },
            check: CheckOptions::default(),
            inject: InjectOptions::default(),
            serve: ServeOptions::default(),
        }
    }
}

impl From<Command> for Line {
    fn from(command: Command) -> Self {
        match command {
            Command::Inject { general, target, write, inject } => {
                let line = Self::new(Task::Inject, general, target);
                Self { zone: ZoneOptions { write, ..line.zone }, inject, ..line }
            }
            Command::Check { general, target, judge, check } => {
                let line = Self::new(Task::Check, general, target);
                Self { zone: ZoneOptions { judge, ..line.zone }, check, ..line }
            }
            Command::Serve { general, target, judge, serve } => {
                let line = Self::new(Task::Serve, general, target);
                Self { zone: ZoneOptions { judge, ..line.zone }, serve, ..line }
            }
            Command::Propagate { general, target, judge, write, inject, propagate } => {
                let line = Self::new(Task::Propagate, general, target);
                Self { zone: ZoneOptions { judge, write, propagate, ..line.zone }, inject, ..line }
            }
            Command::Keytab { file } => {
                let general = General { config: None, check_config: false, print_config: false };
                Self::new(Task::Keytab { file }, general, TargetOptions::default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
