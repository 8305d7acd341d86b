//! Passive DNS sensor: reads DNS off the wire or out of capture files and writes a record of every transaction.
//!
//! This binary is wiring: the command line, threads, and the account at the end. What packets and records are is in the
//! crates below it.
#![forbid(unsafe_code)]

mod account;
mod cli;
mod handover;
mod log;
mod pipeline;
mod progress;
mod settings;
mod worker;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::Cli;
use crate::pipeline::Ending;
use crate::settings::Settings;

/// Everything that could be read was; the records are complete.
const COMPLETE: u8 = 0;
/// Some input was damaged, or some output was lost.
const INCOMPLETE: u8 = 1;
/// Nothing could be done: a wrong flag, no such file, not a capture.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    // clap prints help and its own errors, and ends with status 2 for the latter.
    let cli = Cli::parse_from(cli::normalised(std::env::args_os()));
    match Settings::resolve(cli).and_then(pipeline::run) {
        Ok(Ending::Complete) => ExitCode::from(COMPLETE),
        Ok(Ending::Incomplete) => ExitCode::from(INCOMPLETE),
        Err(error) => {
            log::error(&log::with_causes(&error));
            ExitCode::from(UNUSABLE)
        }
    }
}
