//! The command line, checked and made into what the pipeline needs.

use std::path::PathBuf;

use anyhow::{Context, Result};
use pdns_capture::{CaptureFile, FilterSet};
use pdns_packet::frame::Ports;
use pdns_record::Layout;
use pdns_track::{PairingConfig, Status, TrackerConfig};

use crate::cli::Cli;

/// The port of DNS, RFC 1035 section 4.2.
const DNS_PORT: u16 = 53;

/// What the program was asked to do, known to make sense.
#[derive(Debug)]
pub(crate) struct Settings {
    pub inputs: Vec<PathBuf>,
    pub layout: Layout,
    pub sensor: String,
    pub filter: Option<FilterSet>,
    pub ports: Ports,
    pub workers: usize,
    pub tracker: TrackerConfig,
    pub statuses: Vec<Status>,
    pub snaplen: Option<u32>,
    pub stats: Option<PathBuf>,
    pub quiet: bool,
    pub debug: bool,
}

impl Settings {
    /// Checks everything that can be checked before the first record.
    pub(crate) fn resolve(cli: Cli) -> Result<Self> {
        for path in cli.pcap.iter().filter(|path| path.is_file()) {
            CaptureFile::open(path)?;
        }
        let expression = cli.bpf.filter(|expression| !expression.trim().is_empty());
        let ports = match (cli.ports.as_slice(), &expression) {
            ([], Some(_)) => Ports::any(),
            ([], None) => Ports::of(&[DNS_PORT]),
            (ports, _) => Ports::of(ports),
        };
        let pairing = PairingConfig {
            query_timeout: cli.gc_age,
            duplicate_window: cli.duplicate_window,
            ignore_vlan: cli.ignore_vlan,
            ..PairingConfig::default()
        };
        let workers = cli.numprocs.map_or_else(cores, usize::from);
        Ok(Self {
            inputs: cli.pcap,
            layout: cli.format.into(),
            sensor: cli.name.map_or_else(host_name, Ok)?,
            filter: expression.map(|expression| FilterSet::new(&expression)),
            ports,
            workers,
            tracker: TrackerConfig { pairing, ..TrackerConfig::default() },
            statuses: cli.statuses,
            snaplen: cli.snaplen,
            stats: cli.stats,
            quiet: cli.quiet,
            debug: cli.debug,
        })
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn host_name() -> Result<String> {
    let name = hostname::get().context("the host has no name that can be read; give one with --name")?;
    Ok(name.to_string_lossy().into_owned())
}
