//! `[[sink]]` tables of the configuration file: the options of one kind of sink, under shorter names.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::environment::line_of;
use super::layer::Layer;
use super::names::nearest;
use super::table::{OPTIONS, Spec};
use super::{Config, Findings, file};

/// A kind of sink: the one place where its keys in tables are tied to options.
#[derive(Debug)]
pub(crate) struct SinkKind {
    pub name: &'static str,
    /// What the flags of its options begin with; the rest is the key.
    prefix: &'static str,
    /// What it cannot do without, where it cannot.
    pub needs: Option<&'static str>,
    /// Keys that are called otherwise, with their flags.
    renamed: &'static [(&'static str, &'static str)],
}

/// All kinds. What a new kind can be told is added to the table of options, with flags that begin with its prefix.
pub(crate) static KINDS: &[SinkKind] = &[
    SinkKind { name: "stdout", needs: None, prefix: "stdout-", renamed: &[] },
    SinkKind { name: "file", needs: Some("path"), prefix: "log-", renamed: &[("path", "logfile")] },
    SinkKind { name: "kafka", needs: Some("brokers and topic"), prefix: "kafka-", renamed: &[] },
    SinkKind { name: "fluentd", needs: Some("socket or address"), prefix: "fluentd-", renamed: &[] },
    SinkKind { name: "syslog", needs: Some("facility and priority"), prefix: "syslog-", renamed: &[] },
    SinkKind { name: "http", needs: Some("url"), prefix: "http-", renamed: &[] },
];

/// Options that hold for all sinks, and that each table may have otherwise.
pub(crate) const COMMON: &[&str] = &[
    "format",
    "when-full",
    "queue-size",
    "retry-max",
    "dead-letters",
    "spool-dir",
    "spool-size",
    "spool-sync",
    "spool-always",
];

/// One table.
#[derive(Debug)]
pub(crate) struct SinkTable {
    pub kind: &'static SinkKind,
    /// What it is called; its kind unless it says otherwise.
    pub name: String,
    /// Where it stands: `sink 2 in pdns.toml line 7`.
    pub place: String,
    /// Its options, and the defaults of all others.
    pub config: Config,
}

impl SinkKind {
    /// The key of an option in tables of this kind.
    pub(crate) fn key(&self, spec: &Spec) -> Option<String> {
        let renamed = self.renamed.iter().find(|(_, flag)| *flag == spec.flag);
        let key = match renamed {
            Some((key, _)) => key,
            None if COMMON.contains(&spec.flag) => spec.flag,
            None => spec.flag.strip_prefix(self.prefix)?,
        };
        spec.in_file.then(|| key.replace('-', "_"))
    }

    fn spec(&self, key: &str) -> Option<&'static Spec> {
        OPTIONS.iter().find(|spec| self.key(spec).is_some_and(|known| known == key))
    }

    /// What a key may have been meant to be.
    fn meant(&self, key: &str) -> Option<String> {
        let keys = OPTIONS.iter().filter_map(|spec| self.key(spec)).chain(["kind", "name"].map(str::to_owned));
        nearest(key, keys.map(|known| (known.replace('_', ""), known)))
    }
}

/// Reads the tables.
pub(crate) fn read(
    path: &Path,
    content: &str,
    value: &Spanned<DeValue<'_>>,
    findings: &mut Findings,
) -> Vec<SinkTable> {
    let DeValue::Array(tables) = value.get_ref() else {
        let line = line_of(content.as_bytes(), value.span().start);
        findings.problems.push(format!("sink in {} line {line} is no [[sink]] table", path.display()));
        return Vec::new();
    };
    let mut sinks: Vec<SinkTable> = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let line = line_of(content.as_bytes(), table.span().start);
        let place = format!("sink {} in {} line {line}", index + 1, path.display());
        let DeValue::Table(entries) = table.get_ref() else {
            findings.problems.push(format!("{place} is no table"));
            continue;
        };
        let Some(sink) = one(path, content, &place, entries, findings) else { continue };
        match sinks.iter().find(|other| other.name == sink.name) {
            Some(other) => findings.problems.push(format!(
                "{place}: there is a sink called '{}' already, {}: give one of them another name",
                sink.name, other.place
            )),
            None => sinks.push(sink),
        }
    }
    sinks
}

fn one(path: &Path, content: &str, place: &str, table: &DeTable<'_>, findings: &mut Findings) -> Option<SinkTable> {
    let names = || KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ");
    let text = |key: &str| table.get(key).and_then(|value| value.get_ref().as_str());
    let Some(kind) = text("kind") else {
        findings.problems.push(format!("{place}: it has no kind, which is one of {}", names()));
        return None;
    };
    let Some(kind) = KINDS.iter().find(|known| known.name == kind) else {
        findings.problems.push(format!("{place}: kind '{kind}' is not one of {}", names()));
        return None;
    };
    let name = text("name").unwrap_or(kind.name);
    if !is_name(name) {
        findings
            .problems
            .push(format!("{place}: name '{name}' is not one of letters, digits, '-', '_' and '.', up to 64 of them"));
        return None;
    }
    let mut layer = Layer::new("file");
    let mut entries: Vec<_> =
        table.iter().filter(|(key, _)| !matches!(key.get_ref().as_ref(), "kind" | "name")).collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        let line = line_of(content.as_bytes(), key.span().start);
        let place = format!("{} of {} '{name}' in {} line {line}", key.get_ref(), kind.name, path.display());
        match kind.spec(key.get_ref()) {
            Some(spec) => file::entry(&mut layer, spec, place, value, content),
            None => {
                let meant = kind.meant(key.get_ref());
                let hint = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
                findings.problems.push(format!("{place}: a {} sink has no such setting{hint}", kind.name));
            }
        }
    }
    let config = Config::resolve(&[super::defaults(), layer], findings);
    Some(SinkTable { kind, name: name.to_owned(), place: place.to_owned(), config })
}

/// Whether a name can be that of a folder, and a label.
fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&name.len()) && name.bytes().all(is_plain) && !name.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::by_flag;

    #[test]
    fn common_options_are_in_the_table_and_no_key_means_two() {
        for flag in COMMON {
            assert!(by_flag(flag).is_some(), "{flag}");
        }
        for kind in KINDS {
            let mut keys: Vec<_> = OPTIONS.iter().filter_map(|spec| kind.key(spec)).collect();
            keys.sort();
            let count = keys.len();
            keys.dedup();
            assert_eq!(keys.len(), count, "{}", kind.name);
            assert!(!keys.iter().any(|key| key == "kind" || key == "name"), "{}", kind.name);
        }
        assert_eq!(KINDS[1].key(by_flag("logfile").unwrap()).as_deref(), Some("path"));
        assert_eq!(KINDS[1].key(by_flag("log-max-age").unwrap()).as_deref(), Some("max_age"));
        assert_eq!(KINDS[1].key(by_flag("kafka-topic").unwrap()), None);
    }
}
