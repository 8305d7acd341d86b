//! What can be set for any sink.

use std::path::PathBuf;
use std::time::Duration;

use crate::spool;

/// How records wait for a sink and how often it is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What the sink is called in messages and statistics. No two have the same name.
    pub name: String,
    /// What kind of sink it is: `kafka`.
    pub kind: &'static str,
    /// How many bytes of memory may hold records that wait or are under way.
    pub queue_bytes: usize,
    /// What happens when the queue is full.
    pub when_full: WhenFull,
    /// How long a batch that is not full waits for more.
    pub linger: Duration,
    /// The pause after the first failure. It doubles with each further one.
    pub retry_min: Duration,
    /// The longest pause.
    pub retry_max: Duration,
    /// How long a delivery may take before it counts as failed.
    pub timeout: Duration,
    /// Where refused records are kept, as lines of JSON.
    pub dead_letters: Option<PathBuf>,
    /// Where records wait for which there is no room in memory.
    pub spool: Option<spool::Settings>,
}

/// What happens to records for which there is no room in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// Whoever offers them waits. Nothing is lost, and a sink that takes nothing stops everything.
    Block,
    /// They are dropped and counted.
    Drop,
}

impl Settings {
    /// The usual settings of a sink of this kind, which is also its name.
    pub fn new(kind: &'static str) -> Self {
        Self {
            name: kind.to_owned(),
            kind,
            queue_bytes: 64 << 20,
            when_full: WhenFull::Block,
            linger: Duration::from_millis(200),
            retry_min: Duration::from_millis(250),
            retry_max: Duration::from_secs(30),
            timeout: Duration::from_secs(30),
            dead_letters: None,
            spool: None,
        }
    }
}
