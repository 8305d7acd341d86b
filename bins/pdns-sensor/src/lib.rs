//! Passive DNS sensor: reads DNS off the wire or out of capture files and writes a record of every transaction.
//!
//! This is the program's wiring: configuration, threads, and the account at the end. What packets and records are is in the
//! crates below it, whose front pages show how another program uses them: [`pdns_capture`], [`pdns_packet`], [`pdns_track`],
//! [`pdns_record`] and [`pdns_sink`]. It is a library so that fuzz targets reach it, and offers nothing else.
#![forbid(unsafe_code)]

mod account;
mod board;
mod cli;
mod config;
mod crew;
mod delays;
mod desk;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod fuzz;
mod handover;
mod interfaces;
mod log;
mod metrics;
mod output;
mod pipeline;
mod privileges;
mod profile;
mod progress;
mod service;
mod settings;
mod signals;
mod trial;
mod worker;

use std::io::{self, Write};
use std::process::ExitCode;

use crate::config::{Config, Findings};
use crate::pipeline::Ending;
use crate::settings::Settings;

/// Everything that could be read was; the records are complete.
const COMPLETE: u8 = 0;
/// Some input was damaged, or some output was lost.
const INCOMPLETE: u8 = 1;
/// Nothing could be done: a wrong setting, no such file, not a capture.
const UNUSABLE: u8 = 2;

/// Runs the program with the arguments and in the environment of the process. `heap` tells how many bytes its allocator has
/// handed out.
pub fn main(heap: fn() -> usize) -> ExitCode {
    metrics::count_heap_by(heap);
    let mut findings = Findings::default();
    let config = Config::read(&cli::read(std::env::args_os()), &mut findings);
    // What a file is printed for may be another run, with other inputs.
    let only_print = config.switch("print-config") && !config.switch("check-config");
    let settings = if only_print { None } else { Settings::resolve(&config, &mut findings) };
    findings.warnings.iter().for_each(|warning| log::warn(warning));
    findings.problems.iter().for_each(|problem| log::error(problem));
    if !findings.problems.is_empty() {
        return ExitCode::from(UNUSABLE);
    }
    if config.switch("print-config") {
        return print(&config.to_toml());
    }
    match settings {
        Some(settings) if config.switch("test-sinks") => test_sinks(&settings),
        Some(settings) if !config.switch("check-config") => run(settings),
        _ => ExitCode::from(COMPLETE),
    }
}

/// Tries all sinks; the status says whether all took the record.
fn test_sinks(settings: &Settings) -> ExitCode {
    let (text, all) = trial::run(settings, &output::log());
    // Records go to standard output, so that what is said of it does not.
    text.lines().for_each(log::info);
    ExitCode::from(if all { COMPLETE } else { INCOMPLETE })
}

fn run(settings: Settings) -> ExitCode {
    match pipeline::run(settings) {
        Ok(Ending::Complete) => ExitCode::from(COMPLETE),
        Ok(Ending::Incomplete) => ExitCode::from(INCOMPLETE),
        Err(error) => {
            log::error(&log::with_causes(&error));
            ExitCode::from(UNUSABLE)
        }
    }
}

/// Prints to standard output. A reader that has gone has seen enough.
fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            log::error(&format!("standard output: {error}"));
            ExitCode::from(INCOMPLETE)
        }
        _ => ExitCode::from(COMPLETE),
    }
}
