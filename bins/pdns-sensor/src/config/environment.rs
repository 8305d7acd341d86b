//! Settings from the environment and from `.env`.

use std::ffi::{OsStr, OsString};

use super::Findings;
use super::dotenv;
use super::layer::Layer;
use super::names::{self, PREFIX};

/// The file in the working directory.
pub(crate) const DOT_ENV: &str = ".env";

/// The settings in the environment.
pub(crate) fn environment(variables: impl Iterator<Item = (OsString, OsString)>, findings: &mut Findings) -> Layer {
    let mut layer = Layer::new("environment");
    let mut variables: Vec<_> = variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value))).collect();
    // The order of the environment means nothing, so that of the messages had better not follow it.
    variables.sort();
    for (name, value) in variables {
        assign(&mut layer, &name, &value, "in the environment", findings);
    }
    layer
}

/// The settings in `.env`, of which this is the content.
pub(crate) fn dot_env(content: &[u8], findings: &mut Findings) -> Layer {
    let mut layer = Layer::new(DOT_ENV);
    let text = match str::from_utf8(content) {
        Ok(text) => text,
        Err(error) => {
            let line = line_of(content, error.valid_up_to());
            findings.problems.push(format!("{DOT_ENV}: line {line} is not UTF-8"));
            return layer;
        }
    };
    let (assignments, errors) = dotenv::parse(text);
    findings.problems.extend(errors.into_iter().map(|error| format!("{DOT_ENV}: {error}")));
    for assignment in assignments {
        let place = format!("in {DOT_ENV} line {}", assignment.line);
        assign(&mut layer, &assignment.name, assignment.value.as_ref(), &place, findings);
    }
    layer
}

/// The line that a byte is on, counted from 1.
pub(crate) fn line_of(content: &[u8], at: usize) -> usize {
    1 + content.iter().take(at).filter(|&&byte| byte == b'\n').count()
}

fn assign(layer: &mut Layer, name: &str, value: &OsStr, place: &str, findings: &mut Findings) {
    if !name.starts_with(PREFIX) {
        return;
    }
    match names::by_env(name) {
        // As with gopassivedns, what is empty is not set. A later line of `.env` takes back an earlier one.
        Some(spec) if value.is_empty() => layer.unset(spec),
        Some(spec) => layer.set(spec, vec![value.to_owned()], format!("{name} {place}")),
        None => {
            let hint = names::meant_env(name).map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
            findings.warnings.push(format!("{name} {place} is no setting of this program{hint}"));
        }
    }
}
