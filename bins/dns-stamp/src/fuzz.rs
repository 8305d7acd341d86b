//! The parts of the program that read what others wrote, for the fuzz targets.

use std::ffi::OsString;

use crate::cli;
use crate::config::{Config, Findings};

/// What was made of settings.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// What the program would not start with.
    pub problems: Vec<String>,
    /// What holds, as `--print-config` shows it.
    pub toml: String,
}

/// Resolves a configuration file, an environment and arguments.
///
/// # Errors
/// What the command line's parser says.
pub fn config(file: &str, variables: &[(OsString, OsString)], arguments: &[OsString]) -> Result<Resolved, String> {
    let arguments = std::iter::once("dns-stamp".into()).chain(arguments.iter().cloned());
    let line = cli::read(arguments).map_err(|error| error.to_string())?;
    let mut findings = Findings::default();
    let config = Config::of(&line, variables.iter().cloned(), file, &mut findings);
    Ok(Resolved { problems: findings.problems, toml: config.to_toml() })
}
