//! Sets one option by its name: what the environment and the file have in common.

use serde::de::DeserializeOwned;

use super::Config;
use super::options::{Group, JudgeOptions, PropagateOptions, TargetOptions, WriteOptions, ZoneOptions};

/// Sets an option of a group; `None` when the group does not have it, else what is wrong with the value.
pub(super) fn set<G: Group + DeserializeOwned>(
    group: &mut G,
    key: &str,
    value: &toml::Value,
) -> Option<Result<(), String>> {
    G::keys().find(|known| known == key)?;
    let table = toml::Table::from_iter([(key.to_owned(), value.clone())]);
    Some(match G::deserialize(table) {
        Ok(given) => {
            *group = given.or(std::mem::take(group));
            Ok(())
        }
        Err(error) => Err(error.message().trim_end().to_owned()),
    })
}

impl ZoneOptions {
    /// Sets an option of a zone, as [`set`].
    pub(super) fn set(&mut self, key: &str, value: &toml::Value) -> Option<Result<(), String>> {
        set(&mut self.target, key, value)
            .or_else(|| set(&mut self.judge, key, value))
            .or_else(|| set(&mut self.write, key, value))
            .or_else(|| set(&mut self.propagate, key, value))
    }

    /// All options of a zone.
    pub(super) fn keys() -> impl Iterator<Item = String> {
        TargetOptions::keys().chain(JudgeOptions::keys()).chain(WriteOptions::keys()).chain(PropagateOptions::keys())
    }
}

impl Config {
    /// Sets an option of no zone in particular, in every group that has it.
    pub(super) fn set_anywhere(&mut self, key: &str, value: &toml::Value) -> Option<Result<(), String>> {
        let tries = [
            self.defaults.set(key, value),
            set(&mut self.check, key, value),
            set(&mut self.inject, key, value),
            set(&mut self.serve, key, value),
        ];
        tries.into_iter().flatten().reduce(Result::and)
    }
}

/// "did you mean" and what it may have been, or nothing.
pub(super) fn hint(name: &str, known: impl Iterator<Item = String>) -> String {
    let slips = known.map(|known| (strsim::damerau_levenshtein(name, &known), known));
    match slips.min_by_key(|&(slips, _)| slips) {
        // One slip in three characters; a name of two letters is not any other name of two letters.
        Some((slips, known)) if slips <= known.len().min(name.len()) / 3 => format!("; did you mean {known}?"),
        _ => String::new(),
    }
}
