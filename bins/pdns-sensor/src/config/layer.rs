//! One source of settings, as figment sees it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;

use figment::value::{Dict, Map, Value};
use figment::{Metadata, Profile, Provider};

use super::table::Spec;

/// What one source gives, as typed: figment's own readers of the environment turn `007` into a number and strip quotes,
/// so words stay words until the option's kind is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    name: &'static str,
    given: BTreeMap<&'static str, Given>,
    /// What is said of options whose words could not even be read.
    unreadable: BTreeMap<&'static str, String>,
}

/// The words of one option in one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub words: Vec<OsString>,
    /// Where they stand, as the beginning of a message: `PDNS_THREADS in .env line 3`.
    pub place: String,
}

impl Layer {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self { name, given: BTreeMap::new(), unreadable: BTreeMap::new() }
    }

    /// Sets an option; what was set before is forgotten.
    pub(crate) fn set(&mut self, spec: &'static Spec, words: Vec<OsString>, place: String) {
        self.given.insert(spec.flag, Given { words, place });
    }

    /// Notes that an option is given, but not as words.
    pub(crate) fn set_unreadable(&mut self, spec: &'static Spec, message: String) {
        self.unreadable.insert(spec.flag, message);
    }

    /// Takes back what was set.
    pub(crate) fn unset(&mut self, spec: &Spec) {
        self.given.remove(spec.flag);
    }

    pub(crate) fn given(&self, spec: &Spec) -> Option<&Given> {
        self.given.get(spec.flag)
    }

    /// What is wrong with an option as it is given here.
    pub(crate) fn mistake(&self, spec: &Spec) -> Option<String> {
        if let Some(message) = self.unreadable.get(spec.flag) {
            return Some(message.clone());
        }
        let given = self.given(spec).filter(|given| !spec.is_reset(&given.words))?;
        let refusal = spec.parse(&given.words).err()?;
        Some(format!("{}: {refusal}", given.place))
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        let places: BTreeMap<_, _> = self.given.iter().map(|(&flag, given)| (flag, given.place.clone())).collect();
        Metadata::named(self.name).interpolater(move |_: &Profile, keys: &[&str]| {
            keys.first().and_then(|&flag| places.get(flag)).cloned().unwrap_or_default()
        })
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let words = |given: &Given| Value::from(given.words.iter().map(|word| to_value(word)).collect::<Vec<_>>());
        let dict = self.given.iter().map(|(&flag, given)| (flag.to_owned(), words(given))).collect();
        Ok(Map::from([(Profile::Default, dict)]))
    }
}

/// The words that [`Layer`] made a value of.
pub(crate) fn words(value: Value) -> Vec<OsString> {
    value.into_array().into_iter().flatten().filter_map(from_value).collect()
}

/// A string, or an array of bytes for a word that is no string: file names need not be UTF-8.
fn to_value(word: &OsStr) -> Value {
    match word.to_str() {
        Some(text) => Value::from(text),
        None => Value::from(word.as_encoded_bytes()),
    }
}

fn from_value(value: Value) -> Option<OsString> {
    match value {
        Value::String(_, text) => Some(text.into()),
        Value::Array(_, bytes) => {
            let bytes = bytes.into_iter().map(|byte| byte.to_u128().and_then(|byte| u8::try_from(byte).ok()));
            bytes.collect::<Option<Vec<_>>>().map(OsString::from_vec)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_word_survives(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let word = OsString::from_vec(bytes);
            prop_assert_eq!(from_value(to_value(&word)), Some(word));
        }
    }
}
