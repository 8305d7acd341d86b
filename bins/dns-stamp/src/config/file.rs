//! Settings from the configuration file, in TOML.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::options::{Group, ZoneOptions};
use super::set::{hint, set};
use super::{Config, Findings};

/// What stands at the top of a file.
const SECTIONS: [&str; 5] = ["defaults", "zones", "check", "inject", "serve"];

/// Reads a file's text. Zones have what `[defaults]` gives them.
pub(super) fn read(file: &str, text: &str, findings: &mut Findings) -> Config {
    let mut reader = Reader { file, text, findings };
    // Once for the places of keys, once for the values.
    let (places, errors) = DeTable::parse_recoverable(text);
    match text.parse::<toml::Table>() {
        Ok(values) if errors.is_empty() => reader.config(places.get_ref(), &values),
        _ => {
            // What is read around an error is not what was meant, so nothing is said of it.
            for error in errors {
                let line = reader.line(error.span().map_or(0, |span| span.start));
                reader.findings.problems.push(format!("{file} line {line}: {}", error.message().replace('\n', ", ")));
            }
            Config::default()
        }
    }
}

/// A key and where it stands.
type Key<'a> = Spanned<DeString<'a>>;

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    findings: &'a mut Findings,
}

impl Reader<'_> {
    fn config(&mut self, places: &DeTable<'_>, values: &toml::Table) -> Config {
        let mut config = Config::default();
        for (key, place, value) in entries(places, values) {
            let section = key.get_ref().as_ref();
            if !SECTIONS.contains(&section) {
                self.problem(key, &no_such_section(section));
                continue;
            }
            let (Some(places), Some(values)) = (place.as_table(), value.as_table()) else {
                self.problem(key, &format!("is a section: [{section}]"));
                continue;
            };
            match section {
                "defaults" => {
                    self.set_each(places, values, ZoneOptions::keys, |key, value| config.defaults.set(key, value));
                }
                "zones" => config.zones = self.zones(places, values),
                "check" => self.group(places, values, &mut config.check),
                "inject" => self.group(places, values, &mut config.inject),
                _ => self.group(places, values, &mut config.serve),
            }
        }
        for zone in config.zones.values_mut() {
            *zone = std::mem::take(zone).or(config.defaults.clone());
        }
        config
    }

    fn zones(&mut self, places: &DeTable<'_>, values: &toml::Table) -> BTreeMap<String, ZoneOptions> {
        let mut zones = BTreeMap::new();
        for (key, place, value) in entries(places, values) {
            let (Some(places), Some(values)) = (place.as_table(), value.as_table()) else {
                self.problem(key, "is a section: [zones.\"ZONE\"]");
                continue;
            };
            let mut zone = ZoneOptions::default();
            self.set_each(places, values, ZoneOptions::keys, |key, value| zone.set(key, value));
            // A zone is called by its name unless it says otherwise.
            if zone.target.zone.is_none() {
                match key.get_ref().parse() {
                    Ok(name) => zone.target.zone = Some(name),
                    Err(error) => self.problem(key, &format!("{error}; name the zone by zone = \"ZONE\"")),
                }
            }
            zones.insert(key.get_ref().to_string(), zone);
        }
        zones
    }

    fn group<G: Group + serde::de::DeserializeOwned>(
        &mut self,
        places: &DeTable<'_>,
        values: &toml::Table,
        group: &mut G,
    ) {
        self.set_each(places, values, G::keys, |key, value| set(group, key, value));
    }

    fn set_each<K: Iterator<Item = String>>(
        &mut self,
        places: &DeTable<'_>,
        values: &toml::Table,
        known: impl Fn() -> K,
        mut set: impl FnMut(&str, &toml::Value) -> Option<Result<(), String>>,
    ) {
        for (key, _, value) in entries(places, values) {
            match set(key.get_ref(), value) {
                Some(Ok(())) => {}
                Some(Err(message)) => self.problem(key, &message),
                None => {
                    self.problem(key, &format!("there is no such setting{}", hint(key.get_ref(), known())));
                }
            }
        }
    }

    fn problem(&mut self, key: &Key<'_>, message: &str) {
        let line = self.line(key.span().start);
        self.findings.problems.push(format!("{} in {} line {line}: {message}", key.get_ref(), self.file));
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
    }
}

fn no_such_section(name: &str) -> String {
    if ZoneOptions::keys().any(|key| key == name) {
        return "belongs into [defaults] or [zones.\"ZONE\"]".to_owned();
    }
    let sections = SECTIONS.iter().map(|&section| section.to_owned());
    format!("there is no such section{}", hint(name, sections))
}

/// The entries of a table in the order of the file.
fn entries<'t, 'i>(
    places: &'t DeTable<'i>,
    values: &'t toml::Table,
) -> impl Iterator<Item = (&'t Key<'i>, &'t DeValue<'i>, &'t toml::Value)> {
    let mut entries: Vec<_> = places
        .iter()
        .filter_map(|(key, place)| Some((key, place.get_ref(), values.get(key.get_ref().as_ref())?)))
        .collect();
    entries.sort_by_key(|(key, ..)| key.span().start);
    entries.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> (Config, Vec<String>) {
        let mut findings = Findings::default();
        let config = read("f.toml", text, &mut findings);
        (config, findings.problems)
    }

    #[test]
    fn one_file_holds_several_zones() {
        let (config, problems) = read_all(
            "[defaults]\nwarn = 2000\nrecord = 'stamp'\n\
             [zones.'local.lan']\nserver = ['10.0.0.1', '[::1]:5353']\ncrit = '2h'\n\
             [zones.office]\nzone = 'office.example'\nserver = '10.0.1.1'\nwarn = '1h'\n\
             [serve]\nallow-any = true\n",
        );
        assert_eq!(problems, [""; 0]);
        let zone = |name: &str| config.zones[name].clone();
        assert_eq!(zone("local.lan").target.zone.unwrap().0.as_str(), "local.lan");
        assert_eq!(zone("local.lan").target.server.unwrap().len(), 2);
        assert_eq!(zone("local.lan").judge.warn.unwrap().0.0.as_secs(), 2000);
        assert_eq!(zone("office").target.zone.unwrap().0.as_str(), "office.example");
        assert_eq!(zone("office").judge.warn.unwrap().0.0.as_secs(), 3600);
        assert_eq!(zone("office").target.record.unwrap().0, "stamp");
        assert!(config.serve.allow_any.unwrap().0);
    }

    #[test]
    fn mistakes_name_key_and_line() {
        let (_, problems) = read_all(
            "warn = 1\nservr = 1\nserve = 1\n[defaults]\nwran = 1\ncrit = 'soon'\nttl = -1\nrecord = 1.5\n\
             [zones]\n'a b' = {}\nx = 1\n",
        );
        assert_eq!(
            problems,
            [
                "warn in f.toml line 1: belongs into [defaults] or [zones.\"ZONE\"]",
                "servr in f.toml line 2: there is no such section; did you mean serve?",
                "serve in f.toml line 3: is a section: [serve]",
                "wran in f.toml line 5: there is no such setting; did you mean warn?",
                "crit in f.toml line 6: \"soon\" is not a time such as 90s, 30m or a number of seconds",
                "ttl in f.toml line 7: invalid digit found in string",
                "record in f.toml line 8: invalid type: floating point `1.5`, expected a string, a whole number or a \
                 truth value",
                "a b in f.toml line 10: \"a b\" holds ' '; letters, digits, hyphens and underscores are allowed; name \
                 the zone by zone = \"ZONE\"",
                "x in f.toml line 11: is a section: [zones.\"ZONE\"]",
            ]
        );
        let (_, problems) = read_all("[defaults]\nwarn = \n");
        assert_eq!(problems.len(), 1);
        assert!(problems[0].starts_with("f.toml line 2: "), "{problems:?}");
    }
}
