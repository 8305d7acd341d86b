//! Where records and metrics go.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pdns_record::Layout;
use pdns_sink::file::{self, File};
use pdns_sink::fluentd::{self, Fluentd};
#[cfg(feature = "http")]
use pdns_sink::http::{self, Http};
#[cfg(feature = "kafka")]
use pdns_sink::kafka::{self, Kafka};
use pdns_sink::stdout::{self, Stdout};
use pdns_sink::syslog::{self, Syslog, Transport};
use pdns_sink::{Log, Setup, Sink};

use super::queues::Queues;
use super::tls;
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
    Fluentd(fluentd::Config),
    Syslog(Box<syslog::Config>),
    #[cfg(feature = "http")]
    Http(Box<http::Config>),
    #[cfg(feature = "kafka")]
    Kafka(Box<kafka::Config>),
}

impl SinkPlan {
    /// The file that it writes, when it does.
    pub(crate) const fn file(&self) -> Option<&PathBuf> {
        match &self.target {
            Target::File(config) => Some(&config.path),
            _ => None,
        }
    }

    /// Whether it sends to other machines, or to other programs on this one.
    pub(crate) const fn needs_network(&self) -> bool {
        !matches!(self.target, Target::Stdout(_) | Target::File(_))
    }

    /// Sockets that it connects to. They may come and go.
    pub(crate) fn sockets_mut(&mut self) -> Vec<&mut PathBuf> {
        match &mut self.target {
            Target::Fluentd(fluentd::Config { address: fluentd::Address::Unix(path), .. }) => vec![path],
            Target::Syslog(config) => match &mut config.transport {
                Transport::Local(paths) => paths.iter_mut().collect(),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// Files that are read whenever it connects.
    pub(crate) fn reread_mut(&mut self) -> Vec<&mut PathBuf> {
        match &mut self.target {
            Target::Stdout(_) | Target::File(_) | Target::Fluentd(_) => Vec::new(),
            Target::Syslog(config) => match &mut config.transport {
                Transport::Tls(_, tls) => tls::paths(tls),
                _ => Vec::new(),
            },
            #[cfg(feature = "http")]
            Target::Http(config) => tls::paths(&mut config.tls),
            #[cfg(feature = "kafka")]
            Target::Kafka(config) => config.tls.as_mut().map(tls::paths).unwrap_or_default(),
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
            Target::Fluentd(config) => Box::new(Fluentd::new(config.clone())),
            Target::Syslog(config) => Box::new(Syslog::new(syslog::Config::clone(config))),
            #[cfg(feature = "http")]
            Target::Http(config) => Box::new(Http::new(http::Config::clone(config))),
            #[cfg(feature = "kafka")]
            Target::Kafka(config) => Box::new(Kafka::new(kafka::Config::clone(config))),
        };
        Setup { settings: self.settings.clone(), sink }
    }
}

/// How much longer than a sink itself the frame waits for it: the sink can say more of what happened.
const PATIENCE: Duration = Duration::from_secs(5);

/// All sinks that are asked for, by flags and by `[[sink]]` tables.
pub(super) fn plans(
    config: &Config,
    layout: Layout,
    sensor: &str,
    is_live: bool,
    findings: &mut Findings,
) -> Vec<SinkPlan> {
    let queues = Queues { config, is_live };
    let mut plans = Vec::new();
    for kind in KINDS.iter().map(|kind| kind.name) {
        // Standard output has a table of its own, or is asked for by default.
        let has_table = kind == "stdout" && config.sinks.iter().any(|table| table.kind.name == kind);
        if !has_table {
            plans.extend(plan(kind, config, layout, sensor, queues.settings(kind, None, findings), findings));
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
        let plan = plan(kind.name, own, layout, sensor, queues.settings(kind.name, Some(table), findings), findings);
        if let Some(needs) = kind.needs.filter(|_| plan.is_none() && findings.problems.len() == before) {
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
    sensor: &str,
    settings: pdns_sink::Settings,
    findings: &mut Findings,
) -> Option<SinkPlan> {
    let target = match kind {
        "stdout" => (!config.switch("quiet")).then_some(Target::Stdout(stdout::Config { layout })),
        "file" => log_file(config, layout).map(Target::File),
        "fluentd" => super::fluentd::target(config, layout, sensor, findings),
        "syslog" => super::syslog::target(config, layout, sensor, findings),
        #[cfg(feature = "http")]
        "http" => super::http::target(config, layout, findings),
        #[cfg(feature = "kafka")]
        "kafka" => super::kafka::target(config, layout, findings),
        _ => absent(kind, config, findings),
    }?;
    let (linger, timeout) = (target.linger(config), target.timeout());
    let settings = pdns_sink::Settings {
        linger: linger.unwrap_or(settings.linger),
        timeout: timeout.map_or(settings.timeout, |timeout| timeout + PATIENCE),
        ..settings
    };
    Some(SinkPlan { settings, target })
}

/// Refuses a kind that this build of the program does not have.
fn absent(kind: &str, config: &Config, findings: &mut Findings) -> Option<Target> {
    let asked = ["http-url", "kafka-brokers"].into_iter().filter(|flag| flag.starts_with(kind));
    for place in asked.filter_map(|flag| config.place(flag)) {
        findings.problems.push(format!("{place}: this build of the program has no {kind} sink"));
    }
    None
}

impl Target {
    /// How long a batch that is not full waits for more, where the kind has an option of its own.
    fn linger(&self, config: &Config) -> Option<Duration> {
        match self {
            #[cfg(feature = "kafka")]
            Self::Kafka(_) => config.number("kafka-flush-freq").map(Duration::from_millis),
            _ => None,
        }
    }

    /// How long the sink itself takes until it gives a delivery up.
    fn timeout(&self) -> Option<Duration> {
        match self {
            Self::Stdout(_) | Self::File(_) => None,
            Self::Fluentd(config) => Some(config.timeout),
            Self::Syslog(config) => Some(config.timeout),
            #[cfg(feature = "http")]
            Self::Http(config) => Some(config.timeout),
            #[cfg(feature = "kafka")]
            Self::Kafka(config) => Some(config.timeout + config.connect_timeout * config.brokers.len() as u32),
        }
    }
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

impl Statsd {
    pub(super) fn from(config: &Config) -> Option<Self> {
        Some(Self {
            host: config.text("statsd-host")?,
            interval: Duration::from_nanos(config.time("statsd-interval")?.unsigned_abs()),
            prefix: config.text("statsd-prefix")?,
        })
    }
}

/// A host with the port that is given, or else this one.
pub(super) fn with_port(host: String, port: u16) -> String {
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
    if has_port { host } else { format!("{host}:{port}") }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_without_a_port_have_the_usual_one() {
        for (given, meant) in [
            ("kafka", "kafka:9092"),
            ("kafka:9093", "kafka:9093"),
            ("[2001:db8::1]", "[2001:db8::1]:9092"),
            ("[2001:db8::1]:1", "[2001:db8::1]:1"),
        ] {
            assert_eq!(with_port(given.to_owned(), 9092), meant);
        }
    }
}
