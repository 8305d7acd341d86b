//! Values as they are written: on the command line, in the environment, or in a file.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

/// What stands for a secret wherever settings are shown.
pub(crate) const MASK: &str = "********";

/// A value that is read from text, whatever the source: in a file a string, a number or a truth value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word<T>(pub T);

impl<T: FromStr> FromStr for Word<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        text.parse().map(Self)
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written).and_then(|text| parse(&text)).map(Self)
    }
}

impl<T: fmt::Display> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Reads a list: an array, or one text with commas.
pub(crate) fn list<'de, T, D>(deserializer: D) -> Result<Option<Vec<Word<T>>>, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    let texts = deserializer.deserialize_any(WrittenList)?;
    texts.iter().map(|text| parse(text).map(Word)).collect::<Result<_, _>>().map(Some)
}

/// A time: `90s`, `1m 30s`, or a number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Period(pub Duration);

/// The longest [`Period`], so that sums of times cannot overflow.
const MAX_PERIOD: Duration = Duration::from_secs(366 * 24 * 3600);

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let period = number.map(Duration::from_secs).or_else(|| humantime::parse_duration(text).ok());
        match period {
            Some(period) if period <= MAX_PERIOD => Ok(Self(period)),
            Some(_) => Err(format!("{text:?} is more than a year")),
            None => Err(format!("{text:?} is not a time such as 90s, 30m or a number of seconds")),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

/// A text that is shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub String);

impl FromStr for Secret {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

fn parse<T: FromStr<Err: fmt::Display>, E: de::Error>(text: &str) -> Result<T, E> {
    text.parse().map_err(E::custom)
}

struct Written;

impl Visitor<'_> for Written {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a whole number or a truth value")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_bool<E: de::Error>(self, on: bool) -> Result<String, E> {
        Ok(on.to_string())
    }
}

struct WrittenList;

impl<'de> Visitor<'de> for WrittenList {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, or an array of strings")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<String>, E> {
        Ok(text.split(',').map(|part| part.trim().to_owned()).collect())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<String>, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = sequence.next_element()? {
            texts.push(text);
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_unless_they_say_otherwise() {
        let seconds = |text: &str| text.parse::<Period>().map(|period| period.0.as_secs());
        assert_eq!(seconds("2000"), Ok(2000));
        assert_eq!(seconds("2000s"), Ok(2000));
        assert_eq!(seconds("1m 30s"), Ok(90));
        assert_eq!(seconds("400days"), Err("\"400days\" is more than a year".to_owned()));
        assert_eq!(seconds("-1"), Err("\"-1\" is not a time such as 90s, 30m or a number of seconds".to_owned()));
        assert!(seconds("").is_err() && seconds("soon").is_err());
    }

    #[test]
    fn secrets_are_not_shown() {
        let secret: Word<Secret> = "abc".parse().unwrap();
        assert_eq!(format!("{secret:?} {}", secret.0), "Word(********) ********");
    }
}
