//! One zone, with everything that holds in it.

use std::net::SocketAddr;
use std::time::Duration;

use dns_replication::discover::{Family, Search, Sources};
use dns_replication::query::Limits;
use dns_replication::{DNS_PORT, DomainName, Server, Thresholds, stamp_name};

use super::options::{self, Discover, WriteOptions, ZoneOptions};
use super::word::{Period, Word};
use super::{Config, Findings};
use crate::cli::Task;

/// A record, who has it, and what is to be done with it.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    /// What it is called in the file, and as a module of `serve`.
    pub label: String,
    pub zone: DomainName,
    /// The full name of the record.
    pub record: DomainName,
    /// Whom to probe.
    pub sources: Sources,
    /// Who is asked for names; empty for the machine's own.
    pub resolvers: Vec<SocketAddr>,
    pub limits: Limits,
    pub thresholds: Thresholds,
    pub recurse: bool,
    pub deadline: Duration,
    pub write: WriteOptions,
}

/// The zones that a command is for. Without any, except for `serve`, there is a problem.
pub(super) fn resolve(config: &Config, task: &Task, findings: &mut Findings) -> Vec<Zone> {
    let wanted = config.defaults.target.zone.as_ref().map(|zone| &zone.0);
    let chosen = choose(config, wanted, findings);
    let zones: Vec<_> = chosen
        .into_iter()
        .filter_map(|(label, options)| match zone(&label, options, task) {
            Ok(zone) => Some(zone),
            Err(problem) => {
                findings.problems.push(format!("zone {label}: {problem}"));
                None
            }
        })
        .collect();
    if zones.is_empty() && findings.problems.is_empty() && *task != Task::Serve {
        findings.problems.push("no zone; give --zone ZONE, or --config FILE with [zones.\"ZONE\"] in it".to_owned());
    }
    zones
}

/// The options of the zones that are meant: all of the file, the one asked for, or the one given without a file.
fn choose(config: &Config, wanted: Option<&DomainName>, findings: &mut Findings) -> Vec<(String, ZoneOptions)> {
    let all = config.zones.iter().map(|(label, options)| (label.clone(), options.clone()));
    let Some(wanted) = wanted else { return all.collect() };
    if config.zones.is_empty() {
        return vec![(wanted.to_string(), config.defaults.clone())];
    }
    let is_wanted = |label: &str, options: &ZoneOptions| {
        label == wanted.as_str() || options.target.zone.as_ref().is_some_and(|zone| zone.0 == *wanted)
    };
    let chosen: Vec<_> = all.filter(|(label, options)| is_wanted(label, options)).collect();
    if chosen.is_empty() {
        let known = config.zones.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        findings.problems.push(format!("--zone {wanted}: the configuration file has only {known}"));
    }
    chosen
}

fn zone(label: &str, options: ZoneOptions, task: &Task) -> Result<Zone, String> {
    let ZoneOptions { target, judge, write, propagate } = options;
    let zone = target.zone.ok_or("it has no name; add zone = \"ZONE\"")?.0;
    let record = target.record.map_or_else(|| "dns-monitor-stamp".to_owned(), |record| record.0);
    let record = stamp_name(&record, &zone).map_err(|error| format!("record: {error}"))?;
    let zone = Zone {
        label: label.to_owned(),
        zone,
        record,
        sources: Sources {
            servers: servers(target.server),
            search: judge.discover.map(|how| how.0.into()),
            port: judge.discover_port.map_or(DNS_PORT, |port| port.0),
            family: judge.family.map_or(Family::Any, |family| family.0.into()),
        },
        resolvers: addresses(target.resolver)?,
        limits: Limits { timeout: period(target.timeout, 1), tries: target.tries.map_or(2, |tries| tries.0) },
        thresholds: Thresholds {
            warn: period(judge.warn, 2000),
            crit: period(judge.crit, 4000),
            max_clock_skew: period(target.max_clock_skew, 60),
        },
        recurse: target.recurse.is_some_and(|recurse| recurse.0),
        deadline: period(propagate.deadline, 60),
        write,
    };
    zone.check(task)?;
    Ok(zone)
}

impl Zone {
    /// The server that is written to.
    pub(crate) fn primary(&self) -> Option<&Server> {
        match (&self.write.primary, self.sources.servers.as_slice()) {
            (Some(primary), _) => Some(&primary.0),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// Finds what fits no command, or not this one.
    fn check(&self, task: &Task) -> Result<(), String> {
        let millisecond = Duration::from_millis(1);
        if self.limits.timeout < millisecond {
            return Err("timeout has to be 1ms or more".to_owned());
        }
        if !(1..=10).contains(&self.limits.tries) {
            return Err(format!("tries is {}; 1 to 10 are possible", self.limits.tries));
        }
        if self.thresholds.warn > self.thresholds.crit {
            let (warn, crit) = (Period(self.thresholds.warn), Period(self.thresholds.crit));
            return Err(format!("warn is {warn}, which is more than crit, {crit}"));
        }
        if matches!(task, Task::Inject | Task::Propagate) && self.primary().is_none() {
            return Err("it is not clear which server to write to; give --primary HOST".to_owned());
        }
        let is_empty = self.sources.servers.is_empty() && self.sources.search.is_none();
        if is_empty && matches!(task, Task::Check | Task::Propagate) {
            return Err("no servers; give --server HOST, or have them found by --discover ns or ad".to_owned());
        }
        Ok(())
    }
}

fn servers(words: Option<Vec<Word<Server>>>) -> Vec<Server> {
    words.unwrap_or_default().into_iter().map(|word| word.0).collect()
}

/// Those who are asked for names cannot be named themselves.
fn addresses(words: Option<Vec<Word<Server>>>) -> Result<Vec<SocketAddr>, String> {
    let address = |server: Server| server.address().ok_or_else(|| format!("resolver {server}: has to be an address"));
    servers(words).into_iter().map(address).collect()
}

impl From<Discover> for Search {
    fn from(how: Discover) -> Self {
        match how {
            Discover::Ns => Self::NameServers,
            Discover::Ad => Self::DomainControllers,
        }
    }
}

impl From<options::Family> for Family {
    fn from(family: options::Family) -> Self {
        match family {
            options::Family::Any => Self::Any,
            options::Family::V4 => Self::V4,
            options::Family::V6 => Self::V6,
        }
    }
}

fn period(word: Option<Word<Period>>, default: u64) -> Duration {
    word.map_or_else(|| Duration::from_secs(default), |word| word.0.0)
}
