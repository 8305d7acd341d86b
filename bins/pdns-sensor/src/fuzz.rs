//! The parts of the program that read what others wrote, for the fuzz targets.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pdns_record::Layout;
use pdns_sink::Tee;
use pdns_sink::stdout::{self, Stdout};

use crate::config::{Config, Findings};
use crate::settings::Settings;
use crate::{cli, pipeline};

/// What was made of settings.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// What the program would not start with.
    pub problems: Vec<String>,
    /// What it would warn of.
    pub warnings: Vec<String>,
    /// What holds, as `--print-config` shows it.
    pub toml: String,
}

/// Resolves a configuration file, a `.env` and arguments.
///
/// # Errors
/// What the command line's parser says.
pub fn config(file: &[u8], dot_env: &[u8], arguments: &[OsString]) -> Result<Resolved, String> {
    let arguments = std::iter::once("pdns-sensor".into()).chain(arguments.iter().cloned());
    let line = cli::try_read(arguments).map_err(|error| error.to_string())?;
    let mut findings = Findings::default();
    let config = Config::of(file, dot_env, &line, &mut findings);
    Ok(Resolved { problems: findings.problems, warnings: findings.warnings, toml: config.to_toml() })
}

/// What came of a capture file.
#[derive(Clone, Debug)]
pub struct Run {
    /// Whether all of it could be read.
    pub is_complete: bool,
    /// The records, a line each.
    pub records: Vec<u8>,
    /// The account, as `--stats` writes it.
    pub account: serde_json::Value,
}

/// Reads a capture file as `--pcap` does; `None` when the program would not start with it.
pub fn read(capture: &Path, layout: Layout, workers: usize) -> Option<Run> {
    SILENT.store(true, Ordering::Relaxed);
    let layout_name = if layout == Layout::Answer { "answer" } else { "transaction" };
    let workers = workers.to_string();
    let words = ["pdns-sensor", "--name", "fuzz", "--format", layout_name, "--numprocs", &workers, "--pcap"];
    let words = words.map(OsString::from).into_iter().chain([capture.into()]);
    let mut findings = Findings::default();
    let line = cli::try_read(words).ok()?;
    let config = Config::of(b"", b"", &line, &mut findings);
    let settings = Settings::resolve(&config, &mut findings)?;
    let records = Records::default();
    let sink = Stdout::on(stdout::Config { layout }, records.clone());
    let sinks = Arc::new(Tee::direct(&settings.sinks.first()?.settings, Box::new(sink)));
    let (is_complete, account) = pipeline::read(settings, sinks).ok()?;
    let records = std::mem::take(&mut *records.0.lock().unwrap_or_else(PoisonError::into_inner));
    Some(Run { is_complete, records, account: serde_json::to_value(account.report()).ok()? })
}

/// Whether the log is kept to itself: what is wrong with thousands of captures nobody wants to read.
pub(crate) fn is_silent() -> bool {
    SILENT.load(Ordering::Relaxed)
}

static SILENT: AtomicBool = AtomicBool::new(false);

/// Records in memory.
#[derive(Clone, Debug, Default)]
struct Records(Arc<Mutex<Vec<u8>>>);

impl Write for Records {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
