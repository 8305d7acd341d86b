//! One zone, with everything that holds in it.

use std::time::Duration;

use dns_replication::{DomainName, Server, stamp_name};

use super::options::{Discover, WriteOptions, ZoneOptions};
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
    pub servers: Vec<Server>,
    pub discover: Option<Discover>,
    /// Who is asked for names; empty for the machine's own.
    pub resolvers: Vec<Server>,
    pub timeout: Duration,
    pub tries: u8,
    pub warn: Duration,
    pub crit: Duration,
    pub max_clock_skew: Duration,
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
        servers: servers(target.server),
        discover: judge.discover.map(|discover| discover.0),
        resolvers: servers(target.resolver),
        timeout: period(target.timeout, 1),
        tries: target.tries.map_or(2, |tries| tries.0),
        warn: period(judge.warn, 2000),
        crit: period(judge.crit, 4000),
        max_clock_skew: period(target.max_clock_skew, 60),
        deadline: period(propagate.deadline, 60),
        write,
    };
    zone.check(task)?;
    Ok(zone)
}

impl Zone {
    /// The server that is written to.
    pub(crate) fn primary(&self) -> Option<&Server> {
        match (&self.write.primary, self.servers.as_slice()) {
            (Some(primary), _) => Some(&primary.0),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// Finds what fits no command, or not this one.
    fn check(&self, task: &Task) -> Result<(), String> {
        let millisecond = Duration::from_millis(1);
        if self.timeout < millisecond {
            return Err("timeout has to be 1ms or more".to_owned());
        }
        if !(1..=10).contains(&self.tries) {
            return Err(format!("tries is {}; 1 to 10 are possible", self.tries));
        }
        if self.warn > self.crit {
            let (warn, crit) = (Period(self.warn), Period(self.crit));
            return Err(format!("warn is {warn}, which is more than crit, {crit}"));
        }
        if matches!(task, Task::Inject | Task::Propagate) && self.primary().is_none() {
            return Err("it is not clear which server to write to; give --primary HOST".to_owned());
        }
        if matches!(task, Task::Check | Task::Propagate) && self.servers.is_empty() && self.discover.is_none() {
            return Err("no servers; give --server HOST, or have them found by --discover ns or ad".to_owned());
        }
        Ok(())
    }
}

fn servers(words: Option<Vec<Word<Server>>>) -> Vec<Server> {
    words.unwrap_or_default().into_iter().map(|word| word.0).collect()
}

fn period(word: Option<Word<Period>>, default: u64) -> Duration {
    word.map_or_else(|| Duration::from_secs(default), |word| word.0.0)
}
