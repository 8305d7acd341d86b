//! Where frames come from: files that are looked at beforehand, or interfaces.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use pdns_capture::live::{self, Backend, LiveConfig, Sharing};
use pdns_capture::{CaptureFile, FilterSet};
use pdns_packet::frame::LinkType;

use super::{DNS_PORT, Settings};
use crate::config::{Config, Findings};
use crate::log;

/// Capture from interfaces.
#[derive(Debug)]
pub(crate) struct Live {
    pub interfaces: Vec<String>,
    /// The filter as given; `Some` of nothing for none, `None` where none was given and the usual one holds.
    pub filter: Option<String>,
    /// Bytes of each worker's ring.
    pub buffer_size: usize,
    pub promiscuous: bool,
    pub pfring: bool,
    pub sharing: Sharing,
    /// The ports that the usual filter passes.
    pub ports: Vec<u16>,
}

impl Live {
    pub(super) fn from(config: &Config) -> Option<Self> {
        let interfaces = config.list("dev");
        (!interfaces.is_empty()).then(|| Self {
            interfaces,
            filter: config.text("bpf").map(|filter| filter.trim().to_owned()),
            buffer_size: config.number::<usize>("buffer-size").unwrap_or(1) << 20,
            promiscuous: config.switch("promisc"),
            pfring: config.switch("pfring"),
            sharing: match config.text("fanout") {
                Some(fanout) if fanout.eq_ignore_ascii_case("flows") => Sharing::Flows,
                _ => Sharing::Hosts,
            },
            ports: Some(config.ports("ports")).filter(|ports| !ports.is_empty()).unwrap_or_else(|| vec![DNS_PORT]),
        })
    }

    /// What the capture is opened with, but for what it has in common with files.
    pub(crate) fn capture(&self) -> LiveConfig {
        LiveConfig {
            filter: self.filter.clone(),
            ports: self.ports.clone(),
            buffer_bytes: self.buffer_size,
            promiscuous: self.promiscuous,
            sharing: self.sharing,
            backend: if self.pfring { Backend::PfRing { library: None } } else { Backend::Kernel },
            ..LiveConfig::new(self.interfaces.iter().cloned())
        }
    }
}

/// What to say when the account cannot be written.
pub(crate) fn unwritable_stats(path: &Path) -> String {
    format!("cannot write the account to {}", path.display())
}

/// Refuses to guess between interfaces and files.
pub(super) fn check_source(config: &Config, settings: &Settings, findings: &mut Findings) {
    match (&settings.live, settings.inputs.as_slice()) {
        // What was given and refused has been told of.
        (None, []) if findings.problems.is_empty() && !config.switch("test-sinks") => {
            findings
                .problems
                .push("nothing to capture from: give interfaces with --dev or files with --pcap".to_owned());
        }
        (Some(_), [_, ..]) => {
            let place = |flag| config.place(flag).unwrap_or_default();
            findings.problems.push(format!(
                "{} and {} are both given: capture either from interfaces or from files; --dev '' or --pcap '' takes \
                 one back",
                place("dev"),
                place("pcap")
            ));
        }
        _ => {}
    }
}

/// Looks at the interfaces, and at the files that are read and written, and compiles the filter.
pub(super) fn checked(config: &Config, mut settings: Settings, findings: &mut Findings) -> Settings {
    let mut filter = settings.filter.take();
    let inputs: Vec<PathBuf> = settings.inputs.iter().filter(|path| can_be_read_twice(path)).cloned().collect();
    let mut errors: Vec<_> = inputs.iter().filter_map(|path| check_input(path, filter.as_mut()).err()).collect();
    if let Some(live) = &settings.live
        && let Err(error) = live::check(&live.capture())
    {
        errors.push(error.into());
    }
    errors.extend(settings.stats.as_deref().and_then(|path| check_stats(path, config.switch("check-config")).err()));
    for message in errors.iter().map(log::with_causes) {
        // The same filter is as wrong for the next file.
        if !findings.problems.contains(&message) {
            findings.problems.push(message);
        }
    }
    Settings { filter, ..settings }
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

/// Refuses what cannot be written. A mere check leaves no file behind.
fn check_stats(path: &Path, only_check: bool) -> Result<()> {
    if only_check && !path.exists() {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let listing = folder.unwrap_or_else(|| Path::new(".")).read_dir();
        return listing.map(drop).with_context(|| unwritable_stats(path));
    }
    File::options().append(true).create(true).open(path).with_context(|| unwritable_stats(path))?;
    Ok(())
}
