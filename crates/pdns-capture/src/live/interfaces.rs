//! The machine's interfaces.

use std::fmt;

use super::LiveError;

/// The name that stands for all interfaces.
pub const ANY: &str = "any";

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// The system's number of it; another one when it was deleted and made again.
    pub index: u32,
    /// Whether it is administratively up.
    pub up: bool,
    /// Whether it is the loopback interface.
    pub loopback: bool,
}

/// As in a list of those there are: `eth0 (up)`.
impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.up { "up" } else { "down" };
        let loopback = if self.loopback { ", loopback" } else { "" };
        write!(f, "{} ({state}{loopback})", self.name)
    }
}

/// The interfaces of this network namespace, in the system's order.
pub fn interfaces() -> Vec<Interface> {
    let interface = |interface: pnet_datalink::NetworkInterface| Interface {
        index: interface.index,
        up: interface.is_up(),
        loopback: interface.is_loopback(),
        name: interface.name,
    };
    pnet_datalink::interfaces().into_iter().map(interface).collect()
}

/// Checks that all these are interfaces, and none of them twice.
pub(super) fn check(devices: &[String]) -> Result<(), LiveError> {
    if devices.is_empty() {
        return Err(LiveError::NoDevice);
    }
    for (position, device) in devices.iter().enumerate() {
        let others = || devices.iter().enumerate().filter(|(other, _)| *other != position);
        if let Some((_, other)) = others().find(|(_, other)| *other == device || *other == ANY) {
            return Err(LiveError::Overlap { device: device.clone(), other: other.clone() });
        }
    }
    let there = interfaces();
    let known = |device: &String| device == ANY || there.iter().any(|interface| interface.name == *device);
    match devices.iter().find(|device| !known(device)) {
        Some(device) => Err(LiveError::Unknown { device: device.clone(), there }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(devices: &[&str]) -> String {
        check(&devices.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_name_is_answered_with_those_there_are() {
        let text = text(&["lo", "no-such"]);
        assert!(text.starts_with("there is no interface 'no-such'; there are: "), "{text}");
        assert!(text.contains("lo (up, loopback)") || text.contains("lo (down, loopback)"), "{text}");
        assert!(text.ends_with(", any"), "{text}");
    }

    #[test]
    fn what_would_be_seen_twice_is_refused() {
        assert_eq!(text(&[]), "no interface to capture from was named");
        assert!(text(&["lo", "lo"]).starts_with("interface 'lo' is named beside 'lo'"));
        assert!(text(&["lo", "any"]).starts_with("interface 'lo' is named beside 'any'"));
        assert!(check(&["lo".to_owned()]).is_ok());
        assert!(check(&["any".to_owned()]).is_ok());
    }
}
