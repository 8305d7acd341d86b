//! The command line, checked and made into what the pipeline needs.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use pdns_capture::{CaptureFile, FilterSet};
use pdns_packet::frame::{LinkType, Ports};
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
        let expression = cli.bpf.filter(|expression| !expression.trim().is_empty());
        let mut filter = expression.as_deref().map(FilterSet::new);
        for path in cli.pcap.iter().filter(|path| can_be_read_twice(path)) {
            check_input(path, filter.as_mut())?;
        }
        if let Some(path) = &cli.stats {
            File::options().append(true).create(true).open(path).with_context(|| unwritable_stats(path))?;
        }
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
            filter,
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

/// What to say when the account cannot be written.
pub(crate) fn unwritable_stats(path: &Path) -> String {
    format!("cannot write the account to {}", path.display())
}

/// Whether looking at an input takes nothing away from it: pipes are looked at when their turn comes.
fn can_be_read_twice(path: &Path) -> bool {
    // What cannot be found cannot be opened either, which says why.
    path != Path::new("-") && path.metadata().map_or(true, |input| input.is_file() || input.is_dir())
}

/// Refuses what is no capture, and what is known from the start not to fit: a pcap file's link type is in its header.
fn check_input(path: &Path, filter: Option<&mut FilterSet>) -> Result<()> {
    let file = CaptureFile::open(path)?;
    let links: Vec<u16> = file.links().collect();
    if let [link, ..] = links[..]
        && !links.iter().any(|&link| LinkType(link).is_supported())
    {
        return Err(file.unsupported(link).into());
    }
    if let Some(filter) = filter {
        links.into_iter().try_for_each(|link| filter.filter(link).map(drop))?;
    }
    Ok(())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn host_name() -> Result<String> {
    let name = hostname::get().context("the host has no name that can be read; give one with --name")?;
    Ok(name.to_string_lossy().into_owned())
}
