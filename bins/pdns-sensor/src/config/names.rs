//! Names of options: those that are known, and what an unknown one may have meant.

use super::table::{OPTIONS, Spec};

/// How all names in the environment begin.
pub(crate) const PREFIX: &str = "PDNS_";

/// The option of a flag's name.
pub(crate) fn by_flag(flag: &str) -> Option<&'static Spec> {
    OPTIONS.iter().find(|spec| spec.flag == flag)
}

/// The option that is meant by a flag without its dashes, in our spelling or in gopassivedns's.
pub(crate) fn by_any_flag(flag: &str) -> Option<&'static Spec> {
    let kebab = flag.replace('_', "-");
    OPTIONS.iter().find(|spec| spec.flag == kebab || spec.old.contains(&flag))
}

/// The option of a name in the environment.
pub(crate) fn by_env(name: &str) -> Option<&'static Spec> {
    OPTIONS.iter().find(|spec| spec.env == Some(name))
}

/// The option of a key in the configuration file.
pub(crate) fn by_key(key: &str) -> Option<&'static Spec> {
    OPTIONS.iter().find(|spec| spec.in_file && spec.key() == key)
}

/// What somebody may have meant who wrote a name that the environment of this program does not have.
pub(crate) fn meant_env(name: &str) -> Option<&'static str> {
    let with_env = OPTIONS.iter().filter_map(|spec| Some((spec, spec.env?)));
    nearest(name, with_env.flat_map(|(spec, env)| spellings(spec).map(move |spelling| (spelling, env))))
}

/// What somebody may have meant who wrote a key that the configuration file does not have.
pub(crate) fn meant_key(key: &str) -> Option<String> {
    let in_file = OPTIONS.iter().filter(|spec| spec.in_file);
    nearest(key, in_file.flat_map(|spec| spellings(spec).map(move |spelling| (spelling, spec)))).map(Spec::key)
}

/// What an option is called anywhere, in one form.
fn spellings(spec: &'static Spec) -> impl Iterator<Item = String> {
    [spec.flag].into_iter().chain(spec.old.iter().copied()).chain(spec.env).map(canonical)
}

/// A name as it is compared: `logMaxAge`, `PDNS_LOG_MAX_AGE` and `log-max-age` are the same.
fn canonical(name: &str) -> String {
    let name = name.strip_prefix(PREFIX).unwrap_or(name);
    name.chars()
        .filter(|character| !matches!(character, '-' | '_'))
        .map(|character| character.to_ascii_lowercase())
        .collect()
}

/// The nearest of some names, when it is near enough to be a slip.
pub(crate) fn nearest<T>(name: &str, names: impl Iterator<Item = (String, T)>) -> Option<T> {
    let name = canonical(name);
    let slips = names.map(|(spelling, meant)| (strsim::damerau_levenshtein(&name, &spelling), spelling.len(), meant));
    let (slips, length, meant) = slips.min_by_key(|&(slips, ..)| slips)?;
    // One slip in three characters; a name of two letters is not any other name of two letters.
    (slips <= length.min(name.len()) / 3).then_some(meant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_options_share_a_name() {
        let flags = || OPTIONS.iter().flat_map(|spec| [spec.flag].into_iter().chain(spec.old.iter().copied()));
        let distinct: BTreeSet<_> = flags().collect();
        assert_eq!(distinct.len(), flags().count());
        let names: Vec<_> = OPTIONS.iter().filter_map(|spec| spec.env).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(names.iter().all(|name| name.starts_with(PREFIX)));
    }

    #[test]
    fn defaults_and_examples_are_values() {
        use crate::config::table::Fallback;
        for spec in OPTIONS {
            let parse =
                |word: &str| spec.parse(&[word.into()]).unwrap_or_else(|error| panic!("--{}: {error}", spec.flag));
            if let Fallback::Value(word) = spec.default {
                parse(word);
            }
            assert_ne!(parse(spec.examples[0]), parse(spec.examples[1]), "--{}", spec.flag);
        }
    }

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        assert_eq!(meant_env("PDNS_TREADS"), Some("PDNS_THREADS"));
        assert_eq!(meant_env("PDNS_NUMPROCS"), Some("PDNS_THREADS"));
        assert_eq!(meant_env("PDNS_LOGFILE"), Some("PDNS_LOG_FILE"));
        assert_eq!(meant_env("PDNS_CORPUS"), None);
        assert_eq!(meant_env("PDNS_"), None);
        assert_eq!(meant_key("threads").as_deref(), Some("numprocs"));
        assert_eq!(meant_key("log-max-age").as_deref(), Some("log_max_age"));
        assert_eq!(meant_key("logMaxAge").as_deref(), Some("log_max_age"));
        assert_eq!(meant_key("kafka_peers").as_deref(), Some("kafka_brokers"));
        assert_eq!(meant_key("check_config"), None);
    }
}
