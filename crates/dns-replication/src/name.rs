//! Names of zones and records, as people write them.

use std::fmt;
use std::str::FromStr;

/// A domain name of letters, digits, hyphens and underscores, without its trailing dot and in lower case.
///
/// Names of zones and hosts need no more; escapes are refused rather than misread.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(String);

/// Why a text is no [`DomainName`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainNameError {
    /// Nothing, or nothing but the root.
    #[error("an empty name")]
    Empty,
    /// Two dots with nothing between them, or one at the start.
    #[error("{name:?} has an empty label")]
    EmptyLabel {
        /// The text.
        name: String,
    },
    /// RFC 1035 section 2.3.4: a label has 63 bytes at most.
    #[error("{name:?} has a label of {len} bytes, which may have 63")]
    LongLabel {
        /// The text.
        name: String,
        /// How long the label is, in bytes.
        len: usize,
    },
    /// RFC 1035 section 2.3.4: a name has 255 bytes on the wire, which is 253 characters without the trailing dot.
    #[error("{name:?} has {} bytes, which may have 253", name.len())]
    Long {
        /// The text.
        name: String,
    },
    /// Something besides letters, digits, hyphens and underscores.
    #[error("{name:?} holds {character:?}; letters, digits, hyphens and underscores are allowed")]
    Character {
        /// The text.
        name: String,
        /// The first character that is not allowed.
        character: char,
    },
}

impl DomainName {
    /// The name without a trailing dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is `parent` or a name below it.
    pub fn is_within(&self, parent: &Self) -> bool {
        self.0.strip_suffix(parent.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// This name below another.
    ///
    /// # Errors
    /// The two together are too long.
    pub fn below(&self, parent: &Self) -> Result<Self, DomainNameError> {
        format!("{self}.{parent}").parse()
    }
}

impl FromStr for DomainName {
    type Err = DomainNameError;

    fn from_str(text: &str) -> Result<Self, DomainNameError> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(DomainNameError::Empty);
        }
        let name = || text.to_owned();
        let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
        for label in text.split('.') {
            if label.is_empty() {
                return Err(DomainNameError::EmptyLabel { name: name() });
            }
            if let Some(character) = label.chars().find(|&character| !allowed(character)) {
                return Err(DomainNameError::Character { name: name(), character });
            }
            if label.len() > 63 {
                return Err(DomainNameError::LongLabel { name: name(), len: label.len() });
            }
        }
        if text.len() > 253 {
            return Err(DomainNameError::Long { name: name() });
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The full name of a record: `@` is the zone itself; a name that ends in a dot, or in the zone, is full already.
///
/// # Errors
/// The record is no name, or is full and not in the zone.
pub fn stamp_name(record: &str, zone: &DomainName) -> Result<DomainName, StampNameError> {
    if record == "@" {
        return Ok(zone.clone());
    }
    let name: DomainName = record.parse()?;
    if name.is_within(zone) {
        return Ok(name);
    }
    if record.ends_with('.') {
        return Err(StampNameError::Outside { name, zone: zone.clone() });
    }
    Ok(name.below(zone)?)
}

/// Why a record is none of a zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StampNameError {
    /// It is no name.
    #[error(transparent)]
    Name(#[from] DomainNameError),
    /// It is a full name of another zone.
    #[error("{name} is not in the zone {zone}")]
    Outside {
        /// The record's name.
        name: DomainName,
        /// The zone it was to be in.
        zone: DomainName,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DomainName {
        text.parse().unwrap()
    }

    #[test]
    fn names_are_what_hosts_and_zones_are_called() {
        for (text, read) in [("Local.LAN", "local.lan"), ("local.lan.", "local.lan"), ("_ldap._tcp", "_ldap._tcp")] {
            assert_eq!(name(text).as_str(), read);
        }
        let long = "a.".repeat(126) + "b";
        assert_eq!(name(&long).as_str().len(), 253);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let message = |text: &str| text.parse::<DomainName>().unwrap_err().to_string();
        assert_eq!(message(""), "an empty name");
        assert_eq!(message("."), "an empty name");
        assert_eq!(message("a..b"), "\"a..b\" has an empty label");
        assert_eq!(message("a b"), "\"a b\" holds ' '; letters, digits, hyphens and underscores are allowed");
        assert_eq!(
            message("\\000.x"),
            "\"\\\\000.x\" holds '\\\\'; letters, digits, hyphens and underscores are allowed"
        );
        assert!(message(&"x".repeat(64)).ends_with("has a label of 64 bytes, which may have 63"));
        assert!(message(&("a.".repeat(127) + "b")).ends_with("has 255 bytes, which may have 253"));
    }

    #[test]
    fn records_are_relative_unless_they_are_full() {
        let zone = name("local.lan");
        let stamp = |record: &str| stamp_name(record, &zone).map(|name| name.to_string());
        assert_eq!(stamp("stamp").unwrap(), "stamp.local.lan");
        assert_eq!(stamp("stamp.local.lan").unwrap(), "stamp.local.lan");
        assert_eq!(stamp("stamp.local.lan.").unwrap(), "stamp.local.lan");
        assert_eq!(stamp("notlocal.lan").unwrap(), "notlocal.lan.local.lan");
        assert_eq!(stamp("@").unwrap(), "local.lan");
        assert_eq!(stamp("x.example.").unwrap_err().to_string(), "x.example is not in the zone local.lan");
    }
}
