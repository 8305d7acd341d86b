//! Settings: where they come from, which of them hold, and what is wrong with them.
//!
//! ```text
//! command line ──> groups ─┐
//! DNS_STAMP_* ───> groups ─┼─ the stronger or the weaker ─> one ZoneOptions a zone ─> Zone
//! --config FILE ─> groups ─┘                                        └─> --print-config
//! ```

mod environment;
mod file;
pub(crate) mod options;
mod set;
pub(crate) mod word;
mod zone;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use serde::Serialize;

use self::options::{CheckOptions, Group, InjectOptions, ServeOptions, ZoneOptions};
pub(crate) use self::zone::Zone;
use crate::cli::Line;

/// What is wrong, a line for each.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub problems: Vec<String>,
}

/// Settings of one source, or all that hold.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Config {
    /// What holds in every zone that says nothing else.
    pub defaults: ZoneOptions,
    pub zones: BTreeMap<String, ZoneOptions>,
    pub check: CheckOptions,
    pub inject: InjectOptions,
    pub serve: ServeOptions,
}

impl Config {
    /// Collects what is given anywhere.
    pub(crate) fn read(line: &Line, findings: &mut Findings) -> Self {
        let environment = environment::read(std::env::vars_os(), findings);
        let file = line.config.clone().or_else(config_path).map(|path| match fs::read_to_string(&path) {
            Ok(text) => file::read(&path.display().to_string(), &text, findings),
            Err(error) => {
                findings.problems.push(format!("configuration file {}: {error}", path.display()));
                Self::default()
            }
        });
        Self::merge(line, environment, file.unwrap_or_default())
    }

    /// What holds of a command line, an environment and a file's text.
    #[cfg(feature = "fuzz")]
    pub(crate) fn of(
        line: &Line,
        variables: impl Iterator<Item = (OsString, OsString)>,
        text: &str,
        findings: &mut Findings,
    ) -> Self {
        let environment = environment::read(variables, findings);
        Self::merge(line, environment, file::read("dns-stamp.toml", text, findings))
    }

    /// Lets what is given for this run hold in every zone of the file.
    fn merge(line: &Line, environment: Self, file: Self) -> Self {
        let mut given = line.zone.clone().or(environment.defaults);
        // Chooses among zones, where there are any.
        let zone = given.target.zone.take();
        let zones: BTreeMap<_, _> =
            file.zones.into_iter().map(|(name, options)| (name, given.clone().or(options))).collect();
        let mut defaults = given.or(file.defaults);
        // Where there are none the file may name its only one here, as `--print-config` does.
        let only_one = defaults.target.zone.filter(|_| zones.is_empty());
        defaults.target.zone = zone.or(only_one);
        Self {
            defaults,
            zones,
            check: line.check.clone().or(environment.check).or(file.check),
            inject: line.inject.clone().or(environment.inject).or(file.inject),
            serve: line.serve.clone().or(environment.serve).or(file.serve),
        }
    }

    /// The zones that a command is for, with all that holds in each.
    pub(crate) fn zones(&self, line: &Line, findings: &mut Findings) -> Vec<Zone> {
        zone::resolve(self, &line.task, findings)
    }

    /// The settings that hold, as a configuration file, without secrets.
    pub(crate) fn to_toml(&self) -> String {
        // Groups hold nothing but strings and arrays of strings.
        toml::to_string_pretty(self).unwrap_or_else(|error| format!("# {error}\n"))
    }
}

/// The file that the environment names.
fn config_path() -> Option<PathBuf> {
    std::env::var_os(environment::CONFIG).filter(|path: &OsString| !path.is_empty()).map(PathBuf::from)
}
