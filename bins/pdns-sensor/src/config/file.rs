//! Settings from the configuration file, in TOML.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Findings;
use super::environment::line_of;
use super::layer::Layer;
use super::names;
use super::sinks::{self, SinkTable};
use super::table::{Kind, Spec};
use super::value::MASK;

/// Reads a file's content.
pub(crate) fn read(path: &Path, content: &[u8], findings: &mut Findings) -> (Layer, Vec<SinkTable>) {
    let mut layer = Layer::new("file");
    let mut tables = Vec::new();
    let file = path.display();
    let text = match str::from_utf8(content) {
        Ok(text) => text,
        Err(error) => {
            let line = line_of(content, error.valid_up_to());
            findings.problems.push(format!("{file} line {line}: not UTF-8"));
            return (layer, tables);
        }
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        // What is read around an error is not what was meant, so nothing is said of it.
        findings.problems.extend(syntax_errors(&file.to_string(), text, &errors));
        return (layer, tables);
    }
    let mut entries: Vec<_> = table.into_inner().into_iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (key, value) in entries {
        if key.get_ref() == "sink" {
            tables = sinks::read(path, text, &value, findings);
            continue;
        }
        let line = line_of(content, key.span().start);
        let place = format!("{} in {file} line {line}", key.get_ref());
        match names::by_key(key.get_ref()) {
            Some(spec) => entry(&mut layer, spec, place, &value, text),
            None => {
                let meant = names::meant_key(key.get_ref());
                let hint = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
                findings.problems.push(format!("{place}: there is no such setting{hint}"));
            }
        }
    }
    (layer, tables)
}

/// Sets an option to a value of the file.
pub(crate) fn entry(layer: &mut Layer, spec: &'static Spec, place: String, value: &Spanned<DeValue<'_>>, text: &str) {
    match words(spec.kind, value) {
        Ok(words) => layer.set(spec, words.into_iter().map(Into::into).collect(), place),
        Err(span) => {
            let raw = if spec.secret { MASK } else { text.get(span).unwrap_or_default() };
            layer.set_unreadable(spec, format!("{place}: {raw} is not {}", spec.kind.allowed_in_toml()));
        }
    }
}

/// The words of a value of the right type, or where something of another type stands.
fn words(kind: Kind, value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, Range<usize>> {
    let word = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
        DeValue::String(text) if takes_text(kind) => Ok(text.to_string()),
        DeValue::Boolean(on) if kind == Kind::Switch => Ok(on.to_string()),
        DeValue::Integer(number) if takes_numbers(kind) => {
            // A negative number keeps its sign and is refused for it.
            i64::from_str_radix(number.as_str(), number.radix())
                .map(|number| number.to_string())
                .map_err(|_| value.span())
        }
        _ => Err(value.span()),
    };
    match value.get_ref() {
        DeValue::Array(elements) if kind.is_list() => elements.iter().map(word).collect(),
        _ => word(value).map(|word| vec![word]),
    }
}

const fn takes_text(kind: Kind) -> bool {
    !matches!(kind, Kind::Switch | Kind::Number { .. })
}

const fn takes_numbers(kind: Kind) -> bool {
    matches!(kind, Kind::Number { .. } | Kind::Seconds | Kind::Ports)
}

/// One message for each line that cannot be read.
fn syntax_errors(file: &str, text: &str, errors: &[toml::de::Error]) -> Vec<String> {
    let mut lines: Vec<_> = errors
        .iter()
        .map(|error| (line_of(text.as_bytes(), error.span().map_or(0, |span| span.start)), error.message()))
        .collect();
    lines.sort_by_key(|&(line, _)| line);
    lines.dedup_by_key(|&mut (line, _)| line);
    lines.into_iter().map(|(line, message)| format!("{file} line {line}: {}", message.replace('\n', ", "))).collect()
}
