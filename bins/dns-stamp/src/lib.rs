//! Do all DNS servers hold the same data? Writes timestamps into DNS and tells how old every server's is.
//!
//! This is the program's wiring: the command line, the configuration, and what is printed. The method is in
//! [`dns_replication`], whose front page shows how another program uses it. It is a library so that fuzz targets reach it, and offers nothing else.
#![forbid(unsafe_code)]

mod cli;
mod commands;
mod config;
mod exit;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod fuzz;
mod log;

use std::process::ExitCode;

use crate::config::{Config, Findings};
use crate::exit::Exit;

/// The command that runs the Kerberos library for `inject`, in a process that can be killed.
const GSS_HELPER: &str = "gss-helper";

/// Runs the program with the arguments and in the environment of the process.
pub fn main() -> ExitCode {
    // The other half of this program, which it starts itself.
    if std::env::args_os().nth(1).is_some_and(|command| command == GSS_HELPER) {
        return dns_replication::gss::serve(std::io::stdin().lock(), std::io::stdout().lock());
    }
    match cli::read(std::env::args_os()) {
        Ok(line) => run(line).into(),
        Err(error) => cli::refuse(&error).into(),
    }
}

fn run(line: cli::Line) -> Exit {
    if let cli::Task::Keytab { file } = &line.task {
        return commands::keytab(file);
    }
    let mut findings = Findings::default();
    let config = Config::read(&line, &mut findings);
    // What a file is printed for may be another command, which needs more.
    let only_print = line.print_config && !line.check_config;
    let zones = if only_print { Vec::new() } else { config.zones(&line, &mut findings) };
    findings.problems.iter().for_each(|problem| log::error(problem));
    if !findings.problems.is_empty() {
        return Exit::Unknown;
    }
    if line.print_config {
        return log::print(&config.to_toml());
    }
    if line.check_config {
        return Exit::Ok;
    }
    commands::run(&line, config, &zones)
}
