//! From the words that were given to a value of the option's kind.

use std::ffi::{OsStr, OsString};
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use super::table::{Kind, Spec};

/// The longest time that can be asked for.
const YEAR: Duration = Duration::from_secs(366 * 86_400);

/// How long the name of an interface can be: IFNAMSIZ without the closing zero.
const INTERFACE_NAME: usize = 15;

/// A value that makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Switch(bool),
    Number(u64),
    /// In nanoseconds.
    Time(i64),
    Text(String),
    Path(PathBuf),
    Paths(Vec<PathBuf>),
    List(Vec<String>),
    Ports(Vec<u16>),
    Address(SocketAddr),
}

/// A word that is no value of its option.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{word}' is not {allowed}")]
pub(crate) struct Refusal {
    /// What was given, or what stands for a secret.
    pub word: String,
    pub allowed: String,
}

/// What stands for a secret in all that is printed.
pub(crate) const MASK: &str = "***";

impl Spec {
    /// Makes a value of what was given.
    pub(crate) fn parse(&self, words: &[OsString]) -> Result<Value, Refusal> {
        self.kind.parse(words).map_err(|word| self.refusal(&word))
    }

    /// Whether what was given takes back what weaker sources give.
    pub(crate) fn is_reset(&self, words: &[OsString]) -> bool {
        self.kind.can_be_reset() && words.iter().all(|word| word.is_empty())
    }

    /// Says that a word is no value of this option.
    fn refusal(&self, word: &str) -> Refusal {
        let word = if self.secret { MASK } else { word };
        Refusal { word: word.to_owned(), allowed: self.kind.allowed() }
    }
}

impl Kind {
    /// What a value, or each element of a list, may be, as the end of "is not ...".
    pub(crate) fn allowed(self) -> String {
        match self {
            Self::Switch => "true or false (or 1/0, yes/no, on/off)".to_owned(),
            Self::Number { min, max } => format!("a whole number from {min} to {max}"),
            Self::Time => "a time such as 500ms, 30s or 1m30s, up to a year".to_owned(),
            Self::Timeout => "a time such as 500ms, 30s or 1m30s, longer than 0, up to a year".to_owned(),
            Self::Seconds => "a number of seconds, or a time such as 30s or 1m, longer than 0, up to a year".to_owned(),
            Self::Text | Self::Filter => "text in UTF-8".to_owned(),
            Self::Path | Self::Paths => "the name of a file".to_owned(),
            Self::Choice(names) | Self::Choices(names) => format!("one of {}", names.join(", ")),
            Self::Ports => "a port number from 1 to 65535".to_owned(),
            Self::Interfaces => format!("the name of an interface, which has up to {INTERFACE_NAME} characters"),
            Self::Host | Self::Hosts => "a host as HOST or HOST:PORT, an IPv6 address in brackets".to_owned(),
            Self::Address => "an IP address with a port, such as 127.0.0.1:9553".to_owned(),
            Self::Headers => "a header as NAME: VALUE, in ASCII".to_owned(),
        }
    }

    /// What a value has to look like in TOML, as the end of "is not ...".
    pub(crate) fn allowed_in_toml(self) -> String {
        let allowed = self.allowed();
        match self {
            Self::Switch => "true or false, without quotes".to_owned(),
            Self::Number { .. } => format!("{allowed}, without quotes"),
            Self::Seconds => allowed,
            Self::Text | Self::Filter | Self::Path => "a string in quotes".to_owned(),
            Self::Paths => "a string in quotes, or an array of strings".to_owned(),
            Self::Ports => format!("{allowed}, or an array of them"),
            _ if self.is_list() => format!("{allowed}, in quotes, or an array of them"),
            _ => format!("{allowed}, in quotes"),
        }
    }

    /// Whether a value can be several.
    pub(crate) const fn is_list(self) -> bool {
        matches!(self, Self::Paths | Self::Choices(_) | Self::Ports | Self::Interfaces | Self::Hosts | Self::Headers)
    }

    /// Whether an empty value takes back what was given elsewhere, so that the default holds.
    const fn can_be_reset(self) -> bool {
        !matches!(self, Self::Switch | Self::Number { .. } | Self::Time | Self::Timeout | Self::Seconds | Self::Filter)
    }

    /// The elements of what was given: lists are separated by commas.
    pub(crate) fn elements(self, words: &[OsString]) -> Vec<OsString> {
        match self {
            Self::Choices(_) | Self::Ports | Self::Interfaces | Self::Hosts => {
                words.iter().flat_map(|word| split(word)).collect()
            }
            Self::Paths | Self::Headers => words.to_vec(),
            // Where a flag is given twice the last one counts, as in gopassivedns.
            _ => words.last().cloned().into_iter().collect(),
        }
    }

    /// A value, or the word that is none.
    fn parse(self, words: &[OsString]) -> Result<Value, String> {
        let elements = self.elements(words);
        if self == Self::Paths {
            return each(&elements, |word| (!word.is_empty()).then(|| PathBuf::from(word))).map(Value::Paths);
        }
        if self.is_list() {
            return self.list(&elements);
        }
        let word = elements.first().map(OsString::as_os_str).unwrap_or_default();
        self.single(word).ok_or_else(|| word.to_string_lossy().into_owned())
    }

    fn single(self, word: &OsStr) -> Option<Value> {
        if self == Self::Path {
            return Some(Value::Path(word.into()));
        }
        let text = word.to_str()?;
        match self {
            Self::Switch => switch(text).map(Value::Switch),
            Self::Number { min, max } => number(text).filter(|number| (min..=max).contains(number)).map(Value::Number),
            Self::Time => time(text).map(Value::Time),
            Self::Timeout => time(text.strip_prefix('-').unwrap_or(text)).filter(|&nanos| nanos > 0).map(Value::Time),
            Self::Seconds => seconds(text).filter(|&nanos| nanos > 0).map(Value::Time),
            // As it was typed: gopassivedns has the priority so in its records.
            Self::Choice(names) => choice(names, text).map(|_| Value::Text(text.to_owned())),
            Self::Host => is_host(text).then(|| Value::Text(text.to_owned())),
            Self::Address => text.parse().ok().map(Value::Address),
            _ => Some(Value::Text(text.to_owned())),
        }
    }

    fn list(self, elements: &[OsString]) -> Result<Value, String> {
        match self {
            Self::Ports => each(elements, |word| number(word.to_str()?).and_then(port)).map(Value::Ports),
            Self::Choices(names) => each(elements, |word| choice(names, word.to_str()?)).map(Value::List),
            Self::Headers => each(elements, |word| word.to_str().filter(|header| is_header(header)).map(str::to_owned))
                .map(Value::List),
            Self::Interfaces => {
                each(elements, |word| word.to_str().filter(|name| is_interface(name)).map(str::to_owned))
                    .map(Value::List)
            }
            _ => each(elements, |word| word.to_str().filter(|host| is_host(host)).map(str::to_owned)).map(Value::List),
        }
    }
}

/// The parts of a list, without the spaces around them.
fn split(word: &OsStr) -> Vec<OsString> {
    // What is not UTF-8 is no element of any list, and is refused as a whole.
    word.to_str().map_or_else(|| vec![word.to_owned()], |text| text.split(',').map(|part| part.trim().into()).collect())
}

/// All values, or the first word that is none.
fn each<T>(words: &[OsString], value: impl Fn(&OsStr) -> Option<T>) -> Result<Vec<T>, String> {
    words.iter().map(|word| value(word).ok_or_else(|| word.to_string_lossy().into_owned())).collect()
}

/// What Go's `ParseBool` takes, and what people write.
fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "t" | "true" | "y" | "yes" | "on" => Some(true),
        "0" | "f" | "false" | "n" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn number(text: &str) -> Option<u64> {
    // A sign is no part of any number here.
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn port(number: u64) -> Option<u16> {
    u16::try_from(number).ok().filter(|&port| port > 0)
}

fn time(text: &str) -> Option<i64> {
    let time = humantime::parse_duration(text).ok().filter(|&time| time <= YEAR)?;
    i64::try_from(time.as_nanos()).ok()
}

fn seconds(text: &str) -> Option<i64> {
    let Some(seconds) = number(text) else { return time(text) };
    let time = Duration::from_secs(seconds);
    i64::try_from(time.as_nanos()).ok().filter(|_| time <= YEAR)
}

/// The name as the table has it.
fn choice(names: &[&str], text: &str) -> Option<String> {
    names.iter().find(|name| name.eq_ignore_ascii_case(text)).map(|&name| name.to_owned())
}

fn is_interface(name: &str) -> bool {
    let printable = name.chars().all(|character| !character.is_whitespace() && !character.is_control());
    // PF_RING's names have a colon, as in `zc:eth0@1`, which Linux allows in none of its own.
    let is_pf_ring = name.contains(':');
    printable && (is_pf_ring || (1..=INTERFACE_NAME).contains(&name.len()) && !name.contains('/'))
}

/// A name and a value of HTTP, RFC 9110 sections 5.1 and 5.5.
fn is_header(text: &str) -> bool {
    let Some((name, value)) = text.split_once(':') else { return false };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let value = value.trim();
    !name.is_empty() && name.bytes().all(allowed) && value.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
}

fn is_host(text: &str) -> bool {
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let is_end = rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port);
        return is_end && address.parse::<Ipv6Addr>().is_ok();
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !host.is_empty() && host.bytes().all(allowed) && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    number(text).and_then(port).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(kind: Kind, words: &[&str]) -> Result<Value, String> {
        kind.parse(&words.iter().map(OsString::from).collect::<Vec<_>>())
    }

    fn accepted(kind: Kind, words: &[&str], value: Value) {
        assert_eq!(parse(kind, words), Ok(value), "{kind:?} {words:?}");
    }

    fn refused(kind: Kind, words: &[&str]) {
        for word in words {
            assert!(parse(kind, &[word]).is_err(), "{kind:?} {word:?}");
        }
    }

    #[test]
    fn switches_are_what_go_takes_and_more() {
        for word in ["1", "t", "T", "TRUE", "true", "True", "yes", "ON"] {
            accepted(Kind::Switch, &[word], Value::Switch(true));
        }
        for word in ["0", "f", "F", "FALSE", "false", "False", "no", "Off"] {
            accepted(Kind::Switch, &[word], Value::Switch(false));
        }
        refused(Kind::Switch, &["", "2", "maybe", " true"]);
    }

    #[test]
    fn numbers_are_decimal_and_within_their_range() {
        let kind = Kind::Number { min: 1, max: 1024 };
        accepted(kind, &["1"], Value::Number(1));
        accepted(kind, &["007"], Value::Number(7));
        accepted(kind, &["1024"], Value::Number(1024));
        refused(kind, &["", "0", "1025", "-1", "+1", "0x10", "1.0", "1 ", "99999999999999999999"]);
    }

    #[test]
    fn times_have_units_and_timeouts_may_have_a_sign() {
        accepted(Kind::Time, &["0s"], Value::Time(0));
        accepted(Kind::Time, &["1m30s"], Value::Time(90_000_000_000));
        accepted(Kind::Timeout, &["-1m"], Value::Time(60_000_000_000));
        accepted(Kind::Seconds, &["5"], Value::Time(5_000_000_000));
        accepted(Kind::Seconds, &["1m"], Value::Time(60_000_000_000));
        refused(Kind::Time, &["", "2", "-1s", "soon", "367days"]);
        refused(Kind::Timeout, &["0s", "--1m", "3000000000s"]);
        refused(Kind::Seconds, &["0", "-5", "18446744073709551615", "31622401"]);
    }

    #[test]
    fn text_is_kept_as_it_is() {
        for text in ["007", " x ", "'a'", "\"q\"", "true", "1.0", "$HOME", "a,b"] {
            accepted(Kind::Text, &[text], Value::Text(text.to_owned()));
            accepted(Kind::Paths, &[text], Value::Paths(vec![text.into()]));
        }
        accepted(Kind::Text, &["first", "last"], Value::Text("last".to_owned()));
    }

    #[test]
    fn lists_are_separated_by_commas_or_repeated() {
        accepted(Kind::Ports, &["53, 853", "5353"], Value::Ports(vec![53, 853, 5353]));
        accepted(Kind::Interfaces, &["eth0,any"], Value::List(vec!["eth0".to_owned(), "any".to_owned()]));
        accepted(Kind::Interfaces, &["zc:enp129s0f0np0@1"], Value::List(vec!["zc:enp129s0f0np0@1".to_owned()]));
        accepted(Kind::Choices(&["a", "b"]), &["B,a"], Value::List(vec!["b".to_owned(), "a".to_owned()]));
        refused(Kind::Ports, &["53,", "0", "65536", "domain", "53 54"]);
        refused(Kind::Interfaces, &["eth 0", "eth/0", "a-name-of-16-char", "eth0,,eth1"]);
        refused(Kind::Choices(&["a", "b"]), &["a,c"]);
    }

    #[test]
    fn hosts_have_ports_or_not() {
        for host in ["kafka", "kafka:9092", "10.0.0.1:1", "[2001:db8::1]", "[::1]:65535", "my_host.example."] {
            accepted(Kind::Hosts, &[host], Value::List(vec![host.to_owned()]));
        }
        refused(
            Kind::Host,
            &[":9092", "kafka:", "kafka:0", "kafka:65536", "::1", "[kafka]:1", "[::1]x", "a b", "a/b:1"],
        );
        accepted(Kind::Address, &["[::1]:9553"], Value::Address("[::1]:9553".parse().unwrap()));
        refused(Kind::Address, &["9553", ":9553", "localhost:9553", "127.0.0.1"]);
    }

    #[test]
    fn headers_have_a_name_and_a_value() {
        let header = "X-Tags: a,b";
        accepted(Kind::Headers, &[header, "a:"], Value::List(vec![header.to_owned(), "a:".to_owned()]));
        refused(Kind::Headers, &["", "name", ": value", "na me: x", "name: \u{e9}", "name: a\nb"]);
    }

    #[test]
    fn what_is_not_utf_8_can_only_be_a_file() {
        use std::os::unix::ffi::OsStringExt;
        let word = [OsString::from_vec(vec![b'a', 0xff])];
        assert_eq!(Kind::Path.parse(&word), Ok(Value::Path(word[0].clone().into())));
        assert_eq!(Kind::Text.parse(&word), Err("a\u{fffd}".to_owned()));
        assert_eq!(Kind::Ports.parse(&word), Err("a\u{fffd}".to_owned()));
    }
}
