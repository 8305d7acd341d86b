//! Settings from the environment.

use std::ffi::OsString;

use super::options::{CheckOptions, Group, InjectOptions, ServeOptions, ZoneOptions};
use super::set::hint;
use super::{Config, Findings};

/// How all names in the environment begin.
const PREFIX: &str = "DNS_STAMP_";

/// Names the configuration file.
pub(super) const CONFIG: &str = "DNS_STAMP_CONFIG";

/// Reads what concerns this program. An empty value is none.
pub(super) fn read(variables: impl Iterator<Item = (OsString, OsString)>, findings: &mut Findings) -> Config {
    let mut config = Config::default();
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX) && *name != CONFIG) else { continue };
        let Some(value) = value.to_str() else {
            findings.problems.push(format!("{name}: not UTF-8"));
            continue;
        };
        let value = toml::Value::String(value.to_owned());
        match config.set_anywhere(&key(name), &value) {
            Some(Err(_)) if value.as_str() == Some("") => {}
            Some(Ok(())) => {}
            Some(Err(message)) => findings.problems.push(format!("{name}: {message}")),
            None => {
                let hint = hint(name, keys().map(|key| format!("{PREFIX}{}", key.replace('-', "_").to_uppercase())));
                findings.problems.push(format!("{name}: there is no such setting{hint}"));
            }
        }
    }
    config
}

fn key(name: &str) -> String {
    name.trim_start_matches(PREFIX).replace('_', "-").to_lowercase()
}

fn keys() -> impl Iterator<Item = String> {
    let others = CheckOptions::keys().chain(InjectOptions::keys()).chain(ServeOptions::keys());
    ZoneOptions::keys().chain(others).chain(["config".to_owned()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(variables: &[(&str, &str)]) -> (Config, Vec<String>) {
        let mut findings = Findings::default();
        let variables = variables.iter().map(|&(name, value)| (name.into(), value.into()));
        let config = read(variables, &mut findings);
        (config, findings.problems)
    }

    #[test]
    fn every_option_has_a_name_there() {
        let (config, problems) = read_all(&[
            ("HOME", "/root"),
            ("DNS_STAMP_MIN_INTERVAL", "30m"),
            ("DNS_STAMP_SERVER", "10.0.0.1, [::1]:5353"),
            ("DNS_STAMP_OUTPUT", "json"),
            ("DNS_STAMP_ALLOW_ANY", "true"),
            ("DNS_STAMP_WARN", ""),
            ("DNS_STAMP_CONFIG", "/etc/dns-stamp.toml"),
        ]);
        assert_eq!(problems, [""; 0]);
        assert_eq!(config.defaults.write.min_interval.unwrap().0.0.as_secs(), 1800);
        let servers: Vec<_> = config.defaults.target.server.unwrap().iter().map(|word| word.0.to_string()).collect();
        assert_eq!(servers, ["10.0.0.1", "[::1]:5353"]);
        assert!(config.serve.allow_any.unwrap().0);
        assert!(config.defaults.judge.warn.is_none());
    }

    #[test]
    fn mistakes_name_the_variable() {
        let (_, problems) = read_all(&[
            ("DNS_STAMP_WRAN", "1"),
            ("DNS_STAMP_CRIT", "soon"),
            ("DNS_STAMP_DISCOVER", "mdns"),
            ("DNS_STAMP_SERVER", "10.0.0.1,"),
        ]);
        assert_eq!(
            problems,
            [
                "DNS_STAMP_WRAN: there is no such setting; did you mean DNS_STAMP_WARN?",
                "DNS_STAMP_CRIT: \"soon\" is not a time such as 90s, 30m or a number of seconds",
                "DNS_STAMP_DISCOVER: \"mdns\" is none of: ns, ad",
                "DNS_STAMP_SERVER: \"\" is no server; write an address, [ADDRESS]:PORT, NAME or NAME:PORT",
            ]
        );
    }
}
