//! `--print-config`: what holds, as a file that can be read back.

use std::ffi::OsString;
use std::fmt::Write;

use toml::Value as Toml;

use super::table::{Fallback, Kind, OPTIONS, Spec};
use super::value::{MASK, Value};
use super::{Config, Setting};

impl Config {
    /// The settings in TOML, each with where it comes from.
    pub(crate) fn to_toml(&self) -> String {
        let mut out = String::new();
        let mut group = "";
        for spec in OPTIONS.iter().filter(|spec| spec.in_file) {
            if spec.group != group {
                group = spec.group;
                let separator = if out.is_empty() { "" } else { "\n" };
                line(&mut out, &format!("{separator}# {group}"));
            }
            let key = spec.key();
            line(
                &mut out,
                &self.settings.get(spec.flag).map_or_else(|| unset(spec), |setting| set(&key, spec, setting)),
            );
        }
        for table in &self.sinks {
            line(&mut out, &format!("\n# {}\n[[sink]]", table.place.replace(char::is_control, "?")));
            line(&mut out, &format!("kind = \"{}\"\nname = \"{}\"", table.kind.name, table.name));
            for spec in OPTIONS {
                let setting = table.config.settings.get(spec.flag).filter(|setting| setting.place.is_some());
                if let (Some(key), Some(setting)) = (table.kind.key(spec), setting) {
                    line(&mut out, &set(&key, spec, setting));
                }
            }
        }
        out
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn set(key: &str, spec: &Spec, setting: &Setting) -> String {
    let source = setting.place.clone().unwrap_or_else(|| default(spec));
    // A comment ends with its line, and a file name may hold another.
    let source = source.replace(char::is_control, "?");
    if spec.secret {
        return format!("# {key} = {MASK}  # {source}; a secret is not printed");
    }
    match to_toml(spec.kind, setting) {
        Some(value) => format!("{key} = {value}  # {source}"),
        None => format!("# {key}: cannot be written in TOML, because it is not UTF-8  # {source}"),
    }
}

fn unset(spec: &Spec) -> String {
    match spec.default {
        Fallback::Words(words) => format!("# {} is not set: {words}", spec.key()),
        _ => format!("# {} is not set", spec.key()),
    }
}

fn default(spec: &Spec) -> String {
    match spec.default {
        Fallback::Words(words) => format!("default: {words}"),
        _ => "default".to_owned(),
    }
}

/// A value as TOML has it; `None` for what is not UTF-8.
fn to_toml(kind: Kind, setting: &Setting) -> Option<String> {
    let value = match &setting.value {
        Value::Switch(on) => Toml::from(*on),
        Value::Number(number) => Toml::from(i64::try_from(*number).ok()?),
        Value::Ports(ports) => Toml::Array(ports.iter().map(|&port| i64::from(port).into()).collect()),
        Value::List(list) => Toml::Array(list.iter().map(|text| text.as_str().into()).collect()),
        Value::Text(text) => Toml::from(text.as_str()),
        Value::Paths(paths) => {
            paths.iter().map(|path| path.to_str().map(Toml::from)).collect::<Option<Vec<_>>>().map(Toml::from)?
        }
        // As it was typed: `1m30s` says more than a number of nanoseconds.
        Value::Path(_) | Value::Time(_) | Value::Address(_) => {
            Toml::from(kind.elements(&setting.words).first().and_then(|word: &OsString| word.to_str())?)
        }
    };
    let mut out = String::new();
    write!(out, "{value}").ok()?;
    Some(out)
}
