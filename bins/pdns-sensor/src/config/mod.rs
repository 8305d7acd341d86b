//! Settings: where they come from, which of them hold, and what is wrong with them.
//!
//! ```text
//! table ──> command line ─┐
//!   │       .env ─────────┤
//!   │       environment ──┼─ layers of words ─> figment: which holds ─> values ─> Settings
//!   │       --config FILE ┤                                               │
//!   └─────> defaults ─────┘                                               └─> --print-config
//! ```
//!
//! [`table`] holds everything there is to know of an option; the rest of this module goes through it.

mod dotenv;
mod environment;
mod file;
mod layer;
mod names;
mod print;
mod sinks;
pub(crate) mod table;
mod value;

#[cfg(test)]
mod docs;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use figment::{Figment, Profile, Provider};

pub(crate) use self::layer::Layer;
pub(crate) use self::names::{by_any_flag, by_flag};
pub(crate) use self::sinks::{COMMON, KINDS, SinkTable};
use self::table::{Fallback, OPTIONS, Spec};
use self::value::Value;

/// What is wrong, a line for each.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// What the program does not start with.
    pub problems: Vec<String>,
    pub warnings: Vec<String>,
}

/// What holds of all that was given.
#[derive(Debug, Default)]
pub(crate) struct Config {
    settings: BTreeMap<&'static str, Setting>,
    /// The `[[sink]]` tables of the configuration file.
    pub sinks: Vec<SinkTable>,
}

/// The value of one option.
#[derive(Debug)]
struct Setting {
    words: Vec<OsString>,
    value: Value,
    /// Where it was given; for defaults `None`.
    place: Option<String>,
}

impl Config {
    /// Collects what is given anywhere, with the command line's part of it.
    pub(crate) fn read(command_line: &Layer, findings: &mut Findings) -> Self {
        let environment = environment::environment(std::env::vars_os(), findings);
        let dot_env = match read_dot_env() {
            Ok(content) => environment::dot_env(&content, findings),
            Err(error) => {
                findings.problems.push(format!("{}: {error}", environment::DOT_ENV));
                Layer::new(environment::DOT_ENV)
            }
        };
        let mut layers = vec![defaults(), environment, dot_env, command_line.clone()];
        let mut sinks = Vec::new();
        // The file's own name cannot come from the file.
        if let Some(path) = Self::resolve(&layers, &mut Findings::default()).path("config") {
            match fs::read(&path) {
                Ok(content) => {
                    let (layer, tables) = file::read(&path, &content, findings);
                    layers.insert(1, layer);
                    sinks = tables;
                }
                Err(error) => findings.problems.push(format!("configuration file {}: {error}", path.display())),
            }
        }
        Self { sinks, ..Self::resolve(&layers, findings) }
    }

    /// What holds of a file's content, a `.env`'s, and a command line.
    #[cfg(feature = "fuzz")]
    pub(crate) fn of(file: &[u8], dot_env: &[u8], command_line: &Layer, findings: &mut Findings) -> Self {
        let (file, sinks) = file::read(Path::new("pdns-sensor.toml"), file, findings);
        let dot_env = environment::dot_env(dot_env, findings);
        Self { sinks, ..Self::resolve(&[defaults(), file, dot_env, command_line.clone()], findings) }
    }

    /// Finds what holds in layers, the strongest last.
    fn resolve(layers: &[Layer], findings: &mut Findings) -> Self {
        let merged = layers.iter().fold(Figment::new(), |merged, layer| merged.merge(layer));
        // Asked for one by one, figment would copy them all each time.
        let mut values =
            merged.data().ok().and_then(|mut profiles| profiles.remove(&Profile::Default)).unwrap_or_default();
        let mut settings = BTreeMap::new();
        for spec in OPTIONS {
            let held = values.remove(spec.flag).and_then(|value| winner(&merged, spec, value));
            report_mistakes(layers, spec, held.as_ref().map(|(_, place)| place.as_str()), findings);
            let Some((mut words, place)) = held else { continue };
            let default = layers.first().and_then(|defaults| defaults.given(spec));
            if spec.is_reset(&words) {
                words = default.map(|default| default.words.clone()).unwrap_or_default();
            }
            if let (Ok(value), false) = (spec.parse(&words), words.is_empty()) {
                let is_default = default.is_some_and(|default| default.place == place);
                settings.insert(spec.flag, Setting { words, value, place: (!is_default).then_some(place) });
            }
        }
        Self { settings, sinks: Vec::new() }
    }

    /// Where an option was given, unless it has its default.
    pub(crate) fn place(&self, flag: &str) -> Option<&str> {
        self.settings.get(flag)?.place.as_deref()
    }

    /// Whether a switch is on.
    pub(crate) fn switch(&self, flag: &str) -> bool {
        matches!(self.value(flag), Some(Value::Switch(true)))
    }

    /// Whether a switch without a default is on, where it is given.
    pub(crate) fn given_switch(&self, flag: &str) -> Option<bool> {
        let Value::Switch(is_on) = self.value(flag)? else { return None };
        Some(*is_on)
    }

    pub(crate) fn number<T: TryFrom<u64>>(&self, flag: &str) -> Option<T> {
        let Value::Number(number) = self.value(flag)? else { return None };
        T::try_from(*number).ok()
    }

    /// A time in nanoseconds.
    pub(crate) fn time(&self, flag: &str) -> Option<i64> {
        let Value::Time(nanos) = self.value(flag)? else { return None };
        Some(*nanos)
    }

    /// A time that is not negative.
    pub(crate) fn duration(&self, flag: &str) -> Option<Duration> {
        self.time(flag).map(|nanos| Duration::from_nanos(nanos.unsigned_abs()))
    }

    pub(crate) fn text(&self, flag: &str) -> Option<String> {
        let Value::Text(text) = self.value(flag)? else { return None };
        Some(text.clone())
    }

    pub(crate) fn path(&self, flag: &str) -> Option<PathBuf> {
        let Value::Path(path) = self.value(flag)? else { return None };
        Some(path.clone())
    }

    pub(crate) fn paths(&self, flag: &str) -> Vec<PathBuf> {
        let Some(Value::Paths(paths)) = self.value(flag) else { return Vec::new() };
        paths.clone()
    }

    pub(crate) fn list(&self, flag: &str) -> Vec<String> {
        let Some(Value::List(list)) = self.value(flag) else { return Vec::new() };
        list.clone()
    }

    pub(crate) fn ports(&self, flag: &str) -> Vec<u16> {
        let Some(Value::Ports(ports)) = self.value(flag) else { return Vec::new() };
        ports.clone()
    }

    pub(crate) fn address(&self, flag: &str) -> Option<SocketAddr> {
        let Value::Address(address) = self.value(flag)? else { return None };
        Some(*address)
    }

    fn value(&self, flag: &str) -> Option<&Value> {
        debug_assert!(by_flag(flag).is_some(), "--{flag} is in the table");
        Some(&self.settings.get(flag)?.value)
    }
}

/// The words that hold, and where they stand.
fn winner(merged: &Figment, spec: &Spec, value: figment::value::Value) -> Option<(Vec<OsString>, String)> {
    let place = merged.get_metadata(value.tag())?.interpolate(&Profile::Default, &[spec.flag]);
    Some((layer::words(value), place))
}

/// Says what is wrong with an option in any layer. Where a stronger one gives the option, that is only a warning.
fn report_mistakes(layers: &[Layer], spec: &Spec, held: Option<&str>, findings: &mut Findings) {
    for (index, layer) in layers.iter().enumerate() {
        let Some(mistake) = layer.mistake(spec) else { continue };
        let is_overridden = layers.iter().skip(index + 1).any(|stronger| stronger.given(spec).is_some());
        match held.filter(|_| is_overridden) {
            Some(held) => findings.warnings.push(format!("{mistake}; {held} is used")),
            None => findings.problems.push(mistake),
        }
    }
}

/// What holds when nothing is given.
fn defaults() -> Layer {
    let mut layer = Layer::new("default");
    for spec in OPTIONS {
        let value = match spec.default {
            Fallback::Value(value) => Some(value.into()),
            Fallback::Words(_) => computed(spec.flag),
            Fallback::Unset => None,
        };
        if let Some(value) = value {
            layer.set(spec, vec![value], format!("the default of --{}", spec.flag));
        }
    }
    layer
}

/// Defaults that depend on the machine.
fn computed(flag: &str) -> Option<OsString> {
    match flag {
        "name" => hostname::get().ok(),
        "numprocs" => {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            Some(cores.to_string().into())
        }
        _ => None,
    }
}

/// The content of `.env`, empty when there is none.
fn read_dot_env() -> io::Result<Vec<u8>> {
    let path = Path::new(environment::DOT_ENV);
    match fs::read(path) {
        // Other programs keep folders of that name.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => Ok(Vec::new()),
        read => read,
    }
}
