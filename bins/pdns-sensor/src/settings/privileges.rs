//! What is given up once the capture is open, and what has to stay in reach.

use std::path::{self, Path, PathBuf};

use anyhow::Result;

use super::{Settings, SinkPlan};
use crate::config::{Config, Findings};
use crate::privileges::{Group, Needs, Privileges, User};

/// Looks up the user and the group, and the new root.
pub(super) fn privileges(config: &Config, findings: &mut Findings) -> Privileges {
    let user = named(config, findings, "user", User::find);
    let group = named(config, findings, "group", Group::find);
    if user.as_ref().is_some_and(|user| !user.has_group()) && config.text("group").is_none() {
        let place = config.place("user").unwrap_or_default();
        findings
            .problems
            .push(format!("{place}: the system knows this user by number alone, so --group is needed as well"));
    }
    Privileges {
        user,
        group,
        chroot: config.path("chroot").and_then(|root| folder(config, findings, &root)),
        keep_net_raw: config.switch("keep-net-raw"),
        sandbox: !config.switch("no-sandbox"),
    }
}

/// Options that name what is used whenever a sink connects.
const CONNECTED: [&str; 11] = [
    "fluentd-socket",
    "http-tls-ca",
    "http-tls-cert",
    "http-tls-key",
    "kafka-tls-ca",
    "kafka-tls-cert",
    "kafka-tls-key",
    "syslog-socket",
    "syslog-tls-ca",
    "syslog-tls-cert",
    "syslog-tls-key",
];

/// Refuses files that the new root puts out of reach.
pub(super) fn check_root(config: &Config, settings: &Settings, findings: &mut Findings) {
    let later = settings.inputs.iter().skip(1).filter(|path| is_named(path)).map(|path| ("pcap", path));
    let files = settings.sinks.iter().filter_map(SinkPlan::file).map(|path| ("logfile", path));
    let connected = CONNECTED.map(|flag| (flag, config.path(flag)));
    let connected = connected.iter().filter_map(|(flag, path)| Some((*flag, path.as_ref()?)));
    let all = later.chain(files).chain(connected).chain(settings.cpu_profile.iter().map(|path| ("cpuprofile", path)));
    for (flag, error) in all.filter_map(|(flag, path)| Some((flag, settings.privileges.inside(path).err()?))) {
        findings.problems.push(format!("{}: {error}", config.place(flag).unwrap_or_default()));
    }
}

impl Settings {
    /// What has to stay in reach when privileges are given up. The first capture file is open by then.
    pub(crate) fn needs(&mut self) -> Needs {
        let mut needs = Needs {
            reads: self.inputs.iter().skip(1).filter(|path| is_named(path)).cloned().collect(),
            live: self.live.is_some(),
            rereads: self.sinks.iter_mut().flat_map(SinkPlan::reread_mut).map(|path| path.clone()).collect(),
            network: self.statsd.is_some() || self.sinks.iter().any(SinkPlan::needs_network),
            profile: self.cpu_profile.is_some(),
            ..Needs::default()
        };
        needs.folders.extend(self.sinks.iter().filter_map(SinkPlan::spool_folder).map(Path::to_owned));
        let letters = self.sinks.iter().filter_map(|plan| plan.settings.dead_letters.as_ref());
        for path in self.sinks.iter().filter_map(SinkPlan::file).chain(letters).chain(&self.cpu_profile) {
            if is_special(path) {
                needs.writes.push(path.clone());
            } else {
                needs.folders.push(parent(path));
            }
        }
        needs
    }

    /// Names files as they are beneath the new root.
    ///
    /// # Errors
    ///
    /// One is not there. That was checked before.
    pub(crate) fn enter_root(&mut self) -> Result<()> {
        let Self { sinks, cpu_profile, privileges, .. } = self;
        for path in sinks.iter_mut().flat_map(SinkPlan::written_mut).chain(cpu_profile) {
            *path = privileges.inside(path)?;
        }
        for path in sinks.iter_mut().flat_map(SinkPlan::reread_mut) {
            *path = privileges.inside(path)?;
        }
        for path in sinks.iter_mut().flat_map(SinkPlan::sockets_mut) {
            // A daemon's usual socket need not be beneath the new root: another one may be there, or none.
            *path = privileges.inside(path).unwrap_or_else(|_| path.clone());
        }
        Ok(())
    }
}

fn named<T>(config: &Config, findings: &mut Findings, flag: &str, find: impl Fn(&str) -> Result<T>) -> Option<T> {
    find(&config.text(flag)?)
        .map_err(|error| {
            let place = config.place(flag).unwrap_or_default();
            findings.problems.push(format!("{place}: {}", crate::log::with_causes(&error)));
        })
        .ok()
}

/// The absolute path of a folder that is there.
fn folder(config: &Config, findings: &mut Findings, path: &Path) -> Option<PathBuf> {
    let checked = path.read_dir().and_then(|_| path::absolute(path));
    checked
        .map_err(|error| {
            let place = config.place("chroot").unwrap_or_default();
            findings.problems.push(format!("{place}: cannot use {} as the root: {error}", path.display()));
        })
        .ok()
}

/// Whether an input is a file, not standard input.
fn is_named(path: &Path) -> bool {
    path != Path::new("-")
}

/// Whether something is there that is no regular file: there are no older ones beside it.
fn is_special(path: &Path) -> bool {
    path.metadata().is_ok_and(|there| !there.is_file())
}

fn parent(path: &Path) -> PathBuf {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or_else(|| Path::new(".")).to_owned()
}
