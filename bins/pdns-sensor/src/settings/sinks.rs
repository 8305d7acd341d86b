//! Where records and metrics go.

// What is behind a sink that is not there yet is read when it is; until then only whether it is asked for.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use pdns_record::Layout;
use pdns_sink::file::{self, File};
#[cfg(feature = "kafka")]
use pdns_sink::kafka::{Config as KafkaConfig, Kafka};
use pdns_sink::stdout::{self, Stdout};
use pdns_sink::{Log, Setup, Sink};

use super::queues::Queues;
use crate::config::{Config, Findings, KINDS, SinkTable};

/// A sink that is to be started.
#[derive(Debug)]
pub(crate) struct SinkPlan {
    /// What is common to all sinks.
    pub settings: pdns_sink::Settings,
    pub target: Target,
}

/// What kind of sink it is, with its own settings. A new kind is added here and in [`SinkPlan::setup`].
#[derive(Debug)]
pub(crate) enum Target {
    Stdout(stdout::Config),
    File(file::Config),
    #[cfg(feature = "kafka")]
    Kafka(Box<KafkaConfig>),
}

impl SinkPlan {
    /// The file that it writes, when it does.
    pub(crate) const fn file(&self) -> Option<&PathBuf> {
        match &self.target {
            Target::File(config) => Some(&config.path),
            _ => None,
        }
    }

    /// The folder in which its spool has its own.
    pub(crate) fn spool_folder(&self) -> Option<&Path> {
        self.settings.spool.as_ref()?.folder.parent()
    }

    /// All files and folders that are written, to be named otherwise.
    pub(crate) fn written_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let file = match &mut self.target {
            Target::File(config) => Some(&mut config.path),
            _ => None,
        };
        let pdns_sink::Settings { spool, dead_letters, .. } = &mut self.settings;
        file.into_iter().chain(spool.as_mut().map(|spool| &mut spool.folder)).chain(dead_letters)
    }

    /// The sink, which has not connected to anything yet.
    pub(crate) fn setup(&self, log: &Log) -> Setup {
        let sink: Box<dyn Sink> = match &self.target {
            Target::Stdout(config) => Box::new(Stdout::new(*config)),
            Target::File(config) => Box::new(File::new(config.clone(), Log::clone(log))),
            #[cfg(feature = "kafka")]
            Target::Kafka(config) => Box::new(Kafka::new(KafkaConfig::clone(config))),
        };
        Setup { settings: self.settings.clone(), sink }
    }

    /// Whether it sends to other machines.
    pub(super) const fn needs_network(&self) -> bool {
        !matches!(self.target, Target::Stdout(_) | Target::File(_))
    }

    /// Files that are read when it connects.
    pub(super) fn reads(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let files = match &mut self.target {
            #[cfg(feature = "kafka")]
            Target::Kafka(config) => config.tls.as_mut().map(super::kafka::files),
            _ => None::<Vec<_>>,
        };
        files.into_iter().flatten()
    }
}

/// All sinks that are asked for, by flags and by `[[sink]]` tables.
pub(super) fn plans(config: &Config, layout: Layout, is_live: bool, findings: &mut Findings) -> Vec<SinkPlan> {
    let queues = Queues { config, is_live };
    let mut plans = Vec::new();
    for kind in KINDS.iter().map(|kind| kind.name) {
        // Standard output has a table of its own, or is asked for by default.
        let has_table = kind == "stdout" && config.sinks.iter().any(|table| table.kind.name == kind);
        if !has_table {
            plans.extend(plan(kind, config, layout, queues.settings(kind, None, findings), findings));
        }
    }
    for table in &config.sinks {
        let SinkTable { kind, name, place, config: own } = table;
        if plans.iter().any(|plan: &SinkPlan| plan.settings.name == *name) {
            findings.problems.push(format!("{place}: there is a sink called '{name}' already: give it another name"));
            continue;
        }
        let layout = if own.place("format").is_some() { super::layout(own) } else { layout };
        let before = findings.problems.len();
        let plan = plan(kind.name, own, layout, queues.settings(kind.name, Some(table), findings), findings);
        if plan.is_none() && findings.problems.len() == before {
            let needs = kind.needs.unwrap_or("more than this version can do");
            findings.problems.push(format!("{place}: a {} sink needs {needs}", kind.name));
        }
        plans.extend(plan);
    }
    plans
}

/// The sink of a kind, when it is asked for. A new kind is added here.
fn plan(
    kind: &'static str,
    config: &Config,
    layout: Layout,
    settings: pdns_sink::Settings,
    findings: &mut Findings,
) -> Option<SinkPlan> {
    let target = match kind {
        "stdout" => (!config.switch("quiet")).then_some(Target::Stdout(stdout::Config { layout })),
        "file" => log_file(config, layout).map(Target::File),
        #[cfg(feature = "kafka")]
        "kafka" => return super::kafka::plan(config, layout, settings, findings),
        #[cfg(not(feature = "kafka"))]
        "kafka" => {
            if let Some(place) = config.place("kafka-brokers") {
                findings.problems.push(format!("{place}: this build of the program has no Kafka"));
            }
            None
        }
        _ => None,
    };
    target.map(|target| SinkPlan { settings, target })
}

/// The local syslog, by names in lower case.
#[derive(Debug)]
pub(crate) struct Syslog {
    pub facility: String,
    pub priority: String,
}

/// A statsd server.
#[derive(Debug)]
pub(crate) struct Statsd {
    /// `HOST` or `HOST:PORT`.
    pub host: String,
    pub interval: Duration,
    pub prefix: String,
}

/// The file that `--logfile` and its companions ask for.
fn log_file(config: &Config, layout: Layout) -> Option<file::Config> {
    const DAY: u64 = 86_400;
    const USUAL_SIZE: u64 = 100;
    // As in lumberjack, which gopassivedns writes with: 0 is no limit, but for the size the usual one, and a megabyte is
    // 2^20 bytes.
    let age = config.number("log-max-age").filter(|&days: &u64| days > 0);
    Some(file::Config {
        layout,
        path: config.path("logfile")?,
        max_age: age.map(|days| Duration::from_secs(days * DAY)),
        max_backups: config.number("log-max-backups").filter(|&backups: &usize| backups > 0),
        max_size: config.number("log-max-size").filter(|&size: &u64| size > 0).unwrap_or(USUAL_SIZE) << 20,
        compress: config.switch("log-compress"),
    })
}

impl Syslog {
    pub(super) fn from(config: &Config, findings: &mut Findings) -> Option<Self> {
        let (facility, priority) = (config.text("syslog-facility"), config.text("syslog-priority"));
        // gopassivedns logs to syslog when it has both. The priority alone is the level of the records.
        if let (Some(place), None) = (config.place("syslog-facility"), &priority) {
            findings.warnings.push(format!("{place}: nothing goes to syslog without --syslog-priority"));
        }
        Some(Self { facility: facility?.to_ascii_lowercase(), priority: priority?.to_ascii_lowercase() })
    }
}

impl Statsd {
    pub(super) fn from(config: &Config) -> Option<Self> {
        Some(Self {
            host: config.text("statsd-host")?,
            interval: Duration::from_nanos(config.time("statsd-interval")?.unsigned_abs()),
            prefix: config.text("statsd-prefix")?,
        })
    }
}

/// Refuses one of two options that only mean something together.
pub(super) fn both(config: &Config, flags: [&str; 2], given: [bool; 2], findings: &mut Findings) {
    let (place, missing) = match given {
        [true, false] => (config.place(flags[0]), flags[1]),
        [false, true] => (config.place(flags[1]), flags[0]),
        _ => return,
    };
    findings.problems.push(format!("{}: --{missing} is needed as well", place.unwrap_or_default()));
}
