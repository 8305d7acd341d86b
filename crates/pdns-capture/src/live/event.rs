//! What happens to interfaces while they are captured from.

use std::fmt;

use super::LiveError;

/// Something that the operator should know of.
///
/// Where several rings capture from an interface, only one of them tells of it going and coming.
#[derive(Debug)]
pub enum LiveEvent {
    /// An interface went away. It is waited for.
    Down {
        /// The interface.
        device: String,
        /// How.
        outage: Outage,
    },
    /// It is there again, and captured from.
    Up {
        /// The interface.
        device: String,
    },
    /// It is there again but cannot be captured from. It is tried again, and told of again when the reason changes.
    Stuck {
        /// The interface.
        device: String,
        /// Why; see [`LiveError::is_denied`] for a program that has given its rights up.
        error: LiveError,
    },
}

/// How an interface went away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outage {
    /// It was taken down.
    Down,
    /// It does not exist any more.
    Removed,
    /// It was deleted and made again.
    Replaced,
    /// Reading from it failed, in libpcap's words.
    Failed(String),
}

/// As in a line of the log.
impl fmt::Display for LiveEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down { device, outage } => write!(f, "interface '{device}' {outage}; waiting for it"),
            Self::Up { device } => write!(f, "interface '{device}' is captured from again"),
            Self::Stuck { device, error } => {
                write!(f, "interface '{device}' is there again, but: {error}; trying again")
            }
        }
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down => f.write_str("is down"),
            Self::Removed => f.write_str("is gone"),
            Self::Replaced => f.write_str("was deleted and made again"),
            Self::Failed(message) => write!(f, "failed ({message})"),
        }
    }
}
