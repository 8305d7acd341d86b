//! What is wrong with the program at the moment, for whoever watches it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The troubles there are. Empty is healthy.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<BTreeMap<String, String>>);

impl Health {
    #[allow(dead_code)]
    /// Says what is wrong with something, or that nothing is any more.
    pub(crate) fn set(&self, what: &str, trouble: Option<String>) {
        let mut troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match trouble {
            Some(trouble) => troubles.insert(what.to_owned(), trouble),
            None => troubles.remove(what),
        };
    }

    /// What is wrong, each in a line.
    pub(crate) fn troubles(&self) -> Vec<String> {
        let troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        troubles.iter().map(|(what, trouble)| format!("{what}: {trouble}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_lasts_until_it_is_over() {
        let health = Health::default();
        health.set("eth0", Some("is gone".to_owned()));
        health.set("eth1", Some("is down".to_owned()));
        health.set("eth1", Some("is gone".to_owned()));
        assert_eq!(health.troubles(), ["eth0: is gone", "eth1: is gone"]);
        health.set("eth1", None);
        health.set("eth2", None);
        assert_eq!(health.troubles(), ["eth0: is gone"]);
    }
}
