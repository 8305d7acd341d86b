//! What is asked for of syslog.

use pdns_record::Layout;
use pdns_sink::syslog::{Config as Syslog, Facility, Severity, Transport};

use super::sinks::{Target, with_port};
use super::tls;
use crate::config::{Config, Findings};

/// The sink, when it is asked for: gopassivedns logs to syslog when it has a facility and a priority.
pub(super) fn target(config: &Config, layout: Layout, sensor: &str, findings: &mut Findings) -> Option<Target> {
    let (facility, priority) = (config.text("syslog-facility"), config.text("syslog-priority"));
    let missing = match (&facility, &priority) {
        (Some(_), None) => Some(("syslog-facility", "syslog-priority")),
        // The priority alone is the level of the records.
        (None, _) => ["syslog-address", "syslog-socket"]
            .into_iter()
            .find(|flag| config.place(flag).is_some())
            .map(|flag| (flag, "syslog-facility")),
        (Some(_), Some(_)) => None,
    };
    if let Some((flag, missing)) = missing {
        let place = config.place(flag).unwrap_or_default();
        findings.warnings.push(format!("{place}: nothing goes to syslog without --{missing}"));
    }
    // The table has no other names.
    let (facility, severity) = (Facility::from_name(&facility?)?, Severity::from_name(&priority?)?);
    let syslog = Syslog::new(layout, transport(config, findings)?, facility, severity, sensor);
    let syslog = Syslog {
        app_name: config.text("syslog-app-name").unwrap_or(syslog.app_name),
        max_bytes: config.number("syslog-max-bytes").unwrap_or(syslog.max_bytes),
        ..syslog
    };
    Some(Target::Syslog(Box::new(syslog)))
}

fn transport(config: &Config, findings: &mut Findings) -> Option<Transport> {
    let protocol = config.text("syslog-protocol").unwrap_or_default().to_ascii_lowercase();
    let files = tls::files(config, "syslog", findings);
    match (config.text("syslog-address"), config.path("syslog-socket")) {
        (Some(_), Some(_)) => {
            let place = |flag| config.place(flag).unwrap_or_default();
            findings.problems.push(format!(
                "{} and {} are both given: send either to another host or to this one",
                place("syslog-address"),
                place("syslog-socket")
            ));
            None
        }
        (Some(host), None) => Some(match protocol.as_str() {
            "tls" => Transport::Tls(with_port(host, Transport::TLS_PORT), files.unwrap_or_default()),
            "tcp" => Transport::Tcp(with_port(host, Transport::PORT)),
            _ => Transport::Udp(with_port(host, Transport::PORT)),
        }),
        (None, Some(path)) => Some(Transport::Local(vec![path])),
        (None, None) => Some(Transport::local()),
    }
}
