//! What came of probing, in the forms that people and monitoring read.

mod json;
mod metrics;
mod nagios;
mod text;

use crate::name::DomainName;
use crate::probe::Probe;
use crate::verdict::{Severity, Thresholds};

pub use json::json;
pub use metrics::metrics;
pub use nagios::nagios;
pub use text::text;

/// The outcome for one record.
#[derive(Clone, Debug)]
pub struct Report {
    /// What the zone is called.
    pub zone: DomainName,
    /// The full name of the record.
    pub record: DomainName,
    /// When a record is stale.
    pub thresholds: Thresholds,
    /// A probe of each server.
    pub probes: Vec<Probe>,
    /// Why it is not known which servers there are.
    pub problem: Option<String>,
}

impl Report {
    /// The worst of all.
    pub fn severity(&self) -> Severity {
        let own = if self.problem.is_some() || self.probes.is_empty() { Severity::Unknown } else { Severity::Ok };
        self.probes.iter().map(|probe| probe.verdict.severity()).max().map_or(own, |worst| worst.max(own))
    }
}

/// The worst of several reports; without any, nothing is known.
pub fn severity(reports: &[Report]) -> Severity {
    reports.iter().map(Report::severity).max().unwrap_or(Severity::Unknown)
}

/// The server of a probe as people see it: its name, its address where that is another, and the machine behind it.
pub fn server(probe: &Probe) -> String {
    let mut text = probe.target.server.to_string();
    if let Some(address) = address(probe).filter(|address| *address != text) {
        text.push_str(&format!(" ({address})"));
    }
    if let Some(nsid) = probe.answer.as_ref().and_then(|answer| answer.nsid.as_deref()) {
        text.push_str(&format!(" [nsid {nsid}]"));
    }
    text
}

/// The address that was asked, as a server is written.
pub(crate) fn address(probe: &Probe) -> Option<String> {
    probe.target.address.as_ref().ok().map(|&address| crate::server::Server::from(address).to_string())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use pdns_packet::dns::Rcode;

    use super::*;
    use crate::probe::{Answer, Target};
    use crate::stamp::Stamp;
    use crate::verdict::Verdict;

    const NOW: u64 = 1_800_000_000;

    pub(crate) fn thresholds() -> Thresholds {
        let seconds = Duration::from_secs;
        Thresholds { warn: seconds(2000), crit: seconds(4000), max_clock_skew: seconds(60) }
    }

    fn probe(server: &str, address: &str, stamp: Stamp, nsid: Option<&str>) -> Probe {
        let timestamp = if let Stamp::Time(time) = stamp { Some(time) } else { None };
        Probe {
            target: Target { server: server.parse().unwrap(), address: Ok(address.parse().unwrap()) },
            at: NOW,
            duration: Duration::from_millis(2),
            timestamp,
            verdict: Verdict::of(&Ok(stamp), NOW, &thresholds()),
            answer: Some(Answer {
                rcode: Rcode::NOERROR,
                elapsed: Duration::from_micros(1500),
                nsid: nsid.map(str::to_owned),
                is_authoritative: true,
                by_tcp: false,
            }),
            serial: Some(7),
        }
    }

    /// Three servers: fresh, very stale, and one without an address.
    pub(crate) fn report() -> Report {
        let unresolved = Probe {
            target: Target { server: "dc3.local.lan".parse().unwrap(), address: Err("no address".to_owned()) },
            at: NOW,
            duration: Duration::ZERO,
            timestamp: None,
            verdict: Verdict::Unresolved("dc3.local.lan has no address".to_owned()),
            answer: None,
            serial: None,
        };
        Report {
            zone: "local.lan".parse().unwrap(),
            record: "stamp.local.lan".parse().unwrap(),
            thresholds: thresholds(),
            probes: vec![
                probe("10.0.0.1", "10.0.0.1:53", Stamp::Time(NOW - 12), None),
                probe("dc2.local.lan", "10.0.0.2:53", Stamp::Time(NOW - 5000), Some("fra-2")),
                unresolved,
            ],
            problem: None,
        }
    }

    #[test]
    fn the_worst_counts() {
        let mut report = report();
        assert_eq!(report.severity(), Severity::Critical);
        report.probes.truncate(1);
        assert_eq!(report.severity(), Severity::Ok);
        report.problem = Some("no name servers".to_owned());
        assert_eq!(report.severity(), Severity::Unknown);
        report.problem = None;
        report.probes.clear();
        assert_eq!(report.severity(), Severity::Unknown);
        assert_eq!(severity(&[]), Severity::Unknown);
    }
}
