//! The interfaces that are captured from, and what is wrong with each.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pdns_capture::live::LiveEvent;

/// Each interface's trouble, if it has any.
#[derive(Debug, Default)]
pub(crate) struct Interfaces(Mutex<BTreeMap<String, Option<String>>>);

impl Interfaces {
    /// Takes down the names of interfaces that are captured from.
    pub(crate) fn add(&self, names: &[String]) {
        self.lock().extend(names.iter().map(|name| (name.clone(), None)));
    }

    /// Takes down what happened to one.
    pub(crate) fn note(&self, event: &LiveEvent) {
        let (device, trouble) = match event {
            LiveEvent::Up { device } => (device, None),
            LiveEvent::Down { device, .. } | LiveEvent::Stuck { device, .. } => (device, Some(event.to_string())),
        };
        self.lock().insert(device.clone(), trouble);
    }

    /// All of them.
    pub(crate) fn troubles(&self) -> BTreeMap<String, Option<String>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Option<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pdns_capture::live::Outage;

    #[test]
    fn a_trouble_lasts_until_the_interface_is_up_again() {
        let interfaces = Interfaces::default();
        interfaces.add(&["eth0".to_owned(), "eth1".to_owned()]);
        let down = |outage| LiveEvent::Down { device: "eth1".to_owned(), outage };
        for outage in [Outage::Down, Outage::Removed] {
            interfaces.note(&down(outage));
        }
        let expected = [("eth0", None), ("eth1", Some("interface 'eth1' is gone; waiting for it"))];
        let of = |(name, trouble): (&str, Option<&str>)| (name.to_owned(), trouble.map(str::to_owned));
        assert_eq!(interfaces.troubles(), expected.map(of).into());
        interfaces.note(&LiveEvent::Up { device: "eth1".to_owned() });
        assert!(interfaces.troubles().values().all(Option::is_none));
    }
}
