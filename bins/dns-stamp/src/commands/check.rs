//! `check`: asks every server once.

use std::path::Path;

use anyhow::Context;
use dns_replication::exposition::Exposition;
use dns_replication::probe::unix_now;
use dns_replication::report::{self, Report};

use super::probing::{block_on, concurrency, report};
use crate::config::Zone;
use crate::config::options::{CheckOptions, Output};
use crate::exit::Exit;
use crate::log;

/// Checks all zones at once, and prints what came of it.
pub(crate) fn run(options: &CheckOptions, zones: &[Zone]) -> Exit {
    let reports = match probed(zones) {
        Ok(reports) => reports,
        Err(error) => {
            log::error(&format!("{error:#}"));
            return Exit::Unknown;
        }
    };
    let exit = Exit::from(report::severity(&reports));
    let is_quiet = options.quiet.is_some_and(|quiet| quiet.0);
    let printed = log::print(&output(options, is_quiet, &reports));
    let written = options.textfile.as_deref().map_or(Exit::Ok, |path| textfile(path, &reports));
    // What was found is more than that it could not be written down.
    if exit == Exit::Ok { printed.max(written) } else { exit }
}

fn probed(zones: &[Zone]) -> anyhow::Result<Vec<Report>> {
    let concurrency = (concurrency() / zones.len().max(1)).max(1);
    block_on(async {
        let tasks: Vec<_> =
            zones.iter().cloned().map(|zone| tokio::spawn(async move { report(&zone, concurrency).await })).collect();
        let mut reports = Vec::with_capacity(tasks.len());
        for task in tasks {
            reports.push(task.await.context("a probe ended early")??);
        }
        Ok(reports)
    })?
}

fn output(options: &CheckOptions, is_quiet: bool, reports: &[Report]) -> String {
    match options.output.as_ref().map(|output| output.0) {
        None | Some(Output::Text) => report::text(reports, is_quiet),
        Some(Output::Json) => report::json(reports),
        Some(Output::Nagios) => report::nagios(reports),
        Some(Output::Prometheus) => {
            let mut metrics = Exposition::default();
            report::metrics(reports, &mut metrics);
            metrics.to_string()
        }
    }
}

fn textfile(path: &Path, reports: &[Report]) -> Exit {
    let mut metrics = Exposition::default();
    report::metrics(reports, &mut metrics);
    metrics
        .gauge("dns_stamp_check_time_seconds", "When the servers were last checked, as Unix time.")
        .sample(&[], unix_now());
    match metrics.write_file(path).with_context(|| path.display().to_string()) {
        Ok(()) => Exit::Ok,
        Err(error) => {
            log::error(&format!("{error:#}"));
            Exit::Unknown
        }
    }
}
