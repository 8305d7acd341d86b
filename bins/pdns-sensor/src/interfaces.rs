//! The interfaces that are captured from, and what is wrong with each.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pdns_capture::live::LiveEvent;

/// Each interface's trouble, if it has any.
#[derive(Debug, Default)]
pub(crate) struct Interfaces(Mutex<BTreeMap<String, Option<Trouble>>>);

#[derive(Debug)]
struct Trouble {
    text: String,
    /// Whether it takes a right that this program has given up.
    is_denied: bool,
}

impl Interfaces {
    /// Takes down the names of interfaces that are captured from.
    pub(crate) fn add(&self, names: &[String]) {
        self.lock().extend(names.iter().map(|name| (name.clone(), None)));
    }

    /// Takes down what happened to one.
    pub(crate) fn note(&self, event: &LiveEvent) {
        let (device, trouble) = match event {
            LiveEvent::Up { device } => (device, None),
            LiveEvent::Down { device, .. } => (device, Some(false)),
            LiveEvent::Stuck { device, error } => (device, Some(error.is_denied())),
        };
        let trouble = trouble.map(|is_denied| Trouble { text: event.to_string(), is_denied });
        self.lock().insert(device.clone(), trouble);
    }

    /// Whether none is left that this process could ever capture from again.
    pub(crate) fn are_lost(&self) -> bool {
        let all = self.lock();
        !all.is_empty() && all.values().all(|trouble| trouble.as_ref().is_some_and(|trouble| trouble.is_denied))
    }

    /// All of them.
    pub(crate) fn troubles(&self) -> BTreeMap<String, Option<String>> {
        let text = |trouble: &Option<Trouble>| trouble.as_ref().map(|trouble| trouble.text.clone());
        self.lock().iter().map(|(name, trouble)| (name.clone(), text(trouble))).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Option<Trouble>>> {
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
        assert!(!interfaces.are_lost());
        interfaces.note(&LiveEvent::Up { device: "eth1".to_owned() });
        assert!(interfaces.troubles().values().all(Option::is_none));
    }
}
