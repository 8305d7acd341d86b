//! What is asked for of Fluentd.

use pdns_record::Layout;
use pdns_sink::fluentd::{Address, Config as Fluentd};

use super::sinks::{Target, with_port};
use crate::config::{Config, Findings};

/// The sink, when it is asked for.
pub(super) fn target(config: &Config, layout: Layout, sensor: &str, findings: &mut Findings) -> Option<Target> {
    let address = match (config.path("fluentd-socket"), config.text("fluentd-address")) {
        (Some(_), Some(_)) => {
            let place = |flag| config.place(flag).unwrap_or_default();
            findings.problems.push(format!(
                "{} and {} are both given: send either to a socket or to an address",
                place("fluentd-socket"),
                place("fluentd-address")
            ));
            return None;
        }
        (Some(path), None) => Address::Unix(path),
        (None, Some(host)) => Address::Tcp(with_port(host, Fluentd::PORT)),
        (None, None) => return None,
    };
    // As gopassivedns has it.
    let tag = config.text("fluentd-tag").unwrap_or_else(|| format!("{sensor}.service"));
    let fluentd = Fluentd::new(layout, address, tag);
    let fluentd = Fluentd {
        gzip: config.given_switch("fluentd-compress").unwrap_or(fluentd.gzip),
        timeout: config.duration("fluentd-timeout").unwrap_or(fluentd.timeout),
        ..fluentd
    };
    Some(Target::Fluentd(fluentd))
}
