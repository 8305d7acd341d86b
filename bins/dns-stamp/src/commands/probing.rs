//! What the commands that probe have in common.

use std::future::Future;
use std::io;
use std::sync::Arc;

use anyhow::Context;
use dns_replication::discover::{Resolver, SystemFiles, targets};
use dns_replication::probe::{Plan, probe_all};
use dns_replication::report::Report;
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::config::Zone;

/// Sockets that one target needs at a time: one for the record, one for the serial.
const SOCKETS: u64 = 2;

/// Files that are open besides.
const OTHER_FILES: u64 = 64;

/// Stands for no limit of open files at all.
const NO_LIMIT: u64 = 1 << 16;

/// Threads for what takes the processor a while: the hashing of passwords.
const BLOCKING_THREADS: usize = 2;

/// Runs a future to its end.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> io::Result<T> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    Ok(runtime.enable_all().max_blocking_threads(BLOCKING_THREADS).build()?.block_on(future))
}

/// How a zone is probed.
pub(crate) fn plan(zone: &Zone) -> Arc<Plan> {
    Arc::new(Plan {
        zone: zone.zone.clone(),
        record: zone.record.clone(),
        recurse: zone.recurse,
        limits: zone.limits,
        thresholds: zone.thresholds,
    })
}

/// Who is asked for names.
pub(crate) fn resolver(zone: &Zone) -> anyhow::Result<Arc<Resolver>> {
    let resolver = Resolver::new(SystemFiles::read().context("who is to be asked for names")?, zone.limits);
    let own = zone.resolvers.clone();
    Ok(Arc::new(if own.is_empty() { resolver } else { resolver.with_servers(own) }))
}

/// Finds the servers of a zone, and probes all of them at once.
pub(crate) async fn report(zone: &Zone, concurrency: usize) -> anyhow::Result<Report> {
    let found = targets(&zone.zone, &zone.sources, &resolver(zone)?).await;
    Ok(Report {
        zone: zone.zone.clone(),
        record: zone.record.clone(),
        thresholds: zone.thresholds,
        probes: probe_all(&plan(zone), found.targets, concurrency).await,
        problem: found.problem.map(|problem| problem.to_string()),
    })
}

/// How many targets can be asked at a time: as many as the system allows sockets for. The soft limit of open files, often
/// 1,024 for the sake of programs that use select(2), is raised to the hard one.
pub(crate) fn concurrency() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    let soft = limit.current;
    limit.current = limit.maximum;
    let files = if setrlimit(Resource::Nofile, limit).is_ok() { limit.maximum } else { soft };
    let targets = files.unwrap_or(NO_LIMIT).saturating_sub(OTHER_FILES) / SOCKETS;
    usize::try_from(targets).unwrap_or(usize::MAX).clamp(1, 5000)
}
