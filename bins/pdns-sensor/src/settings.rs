//! The settings, checked against one another and made into what the parts of the program need.

mod fluentd;
#[cfg(feature = "http")]
mod http;
mod input;
#[cfg(feature = "kafka")]
mod kafka;
mod privileges;
mod queues;
mod sinks;
mod syslog;
mod tls;

use std::path::PathBuf;
use std::time::Duration;

use pdns_capture::FilterSet;
use pdns_packet::frame::Ports;
use pdns_record::Layout;
use pdns_track::{PairingConfig, Status, TrackerConfig};

pub(crate) use self::input::{Live, unwritable_stats};
pub(crate) use self::sinks::{SinkPlan, Statsd, Target};
use crate::config::{Config, Findings};
use crate::privileges::Privileges;

/// The port of DNS, RFC 1035 section 4.2.
const DNS_PORT: u16 = 53;

/// What the program was asked to do, known to make sense.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Capture files; empty when interfaces are captured from.
    pub inputs: Vec<PathBuf>,
    /// Interfaces, when there are no capture files.
    pub live: Option<Live>,
    pub sensor: String,
    /// The `level` of each record: the priority in syslog as it was typed, or nothing.
    pub level: String,
    pub filter: Option<FilterSet>,
    pub ports: Ports,
    pub workers: usize,
    pub tracker: TrackerConfig,
    pub statuses: Vec<Status>,
    pub snaplen: Option<u32>,
    pub stats: Option<PathBuf>,
    pub debug: bool,
    /// A number by which this run's records are known.
    pub run: u64,
    pub sinks: Vec<SinkPlan>,
    /// How long records that wait at the end may take.
    pub drain_timeout: Duration,
    pub statsd: Option<Statsd>,
    /// Where metrics for Prometheus are served.
    pub metrics: Option<std::net::SocketAddr>,
    pub privileges: Privileges,
    pub cpu_profile: Option<PathBuf>,
}

impl Settings {
    /// Checks everything that can be checked before the first record. `None` when there is a problem.
    pub(crate) fn resolve(config: &Config, findings: &mut Findings) -> Option<Self> {
        let expression = config.text("bpf").filter(|expression| !expression.trim().is_empty());
        let ports = match (config.ports("ports").as_slice(), &expression) {
            ([], Some(_)) => Ports::any(),
            ([], None) => Ports::of(&[DNS_PORT]),
            (ports, _) => Ports::of(ports),
        };
        let statuses = config.list("statuses");
        if config.text("name").is_none() {
            findings.problems.push("the host has no name that can be read: give one with --name".to_owned());
        }
        let layout = layout(config);
        let live = Live::from(config);
        let sensor = config.text("name").unwrap_or_default();
        let settings = Self {
            inputs: config.paths("pcap"),
            sinks: sinks::plans(config, layout, &sensor, live.is_some(), findings),
            run: by_chance(),
            drain_timeout: Duration::from_nanos(config.time("drain-timeout").unwrap_or_default().unsigned_abs()),
            live,
            sensor,
            level: config.text("syslog-priority").unwrap_or_default(),
            filter: expression.as_deref().map(FilterSet::new),
            ports,
            workers: config.number("numprocs").unwrap_or(1),
            tracker: tracker(config),
            statuses: Status::ALL
                .into_iter()
                .filter(|status| statuses.iter().any(|name| name == status.name()))
                .collect(),
            snaplen: config.number("snaplen"),
            stats: config.path("stats"),
            debug: config.switch("debug"),
            statsd: Statsd::from(config),
            metrics: config.address("metrics-listen"),
            privileges: privileges::privileges(config, findings),
            cpu_profile: config.path("cpuprofile"),
        };
        privileges::check_root(config, &settings, findings);
        input::check_source(config, &settings, findings);
        let settings = input::checked(config, settings, findings);
        findings.problems.is_empty().then_some(settings)
    }
}

/// The layout that is asked for.
fn layout(config: &Config) -> Layout {
    let is_transaction = config.text("format").is_some_and(|format| format.eq_ignore_ascii_case("transaction"));
    if is_transaction { Layout::Transaction } else { Layout::Answer }
}

/// A number that another run will not have.
fn by_chance() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    // The keys of the hash are the system's random numbers.
    RandomState::new().hash_one(std::process::id())
}

fn tracker(config: &Config) -> TrackerConfig {
    let usual = PairingConfig::default();
    let pairing = PairingConfig {
        query_timeout: config.time("gc-age").unwrap_or(usual.query_timeout),
        duplicate_window: config.time("duplicate-window").unwrap_or(usual.duplicate_window),
        ignore_vlan: config.switch("ignore-vlan"),
        ..usual
    };
    TrackerConfig { pairing, ..TrackerConfig::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::table::{FORMATS, STATUSES};

    #[test]
    fn the_table_has_the_names_of_statuses_and_layouts() {
        assert_eq!(STATUSES, Status::ALL.map(Status::name));
        assert_eq!(FORMATS, ["answer", "transaction"]);
    }
}
