//! A zone that is watched: its servers, looked up now and then, and what came of asking them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, Semaphore};

use super::machines::Machines;
use super::stats::Stats;
use crate::discover::{Resolver, Sources, targets};
use crate::probe::{Plan, Probe, Target, at_once, probe};
use crate::query::Limits;
use crate::report::Report;
use crate::server::Server;

/// How often servers are looked for anew.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(60);

/// How long the page shows the same state, however often it is asked for.
const SHOWN_FOR: Duration = Duration::from_secs(5);

/// A zone to watch.
#[derive(Clone, Debug)]
pub struct Watched {
    /// What it is called: the module of `/probe`.
    pub label: String,
    /// What is asked.
    pub plan: Arc<Plan>,
    /// Whom.
    pub sources: Sources,
    /// Who knows their addresses.
    pub resolver: Arc<Resolver>,
}

/// A zone, and what is known of it.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) zone: Watched,
    found: Mutex<Option<Known>>,
    machines: Machines,
    shown: Mutex<Option<(Instant, Report)>>,
}

/// The servers of a zone.
#[derive(Clone, Debug)]
struct Known {
    targets: Vec<Target>,
    /// Why these are old, or not all, if they are.
    problem: Option<String>,
}

impl Watch {
    pub(super) fn new(zone: Watched) -> Self {
        Self { zone, found: Mutex::new(None), machines: Machines::default(), shown: Mutex::new(None) }
    }

    /// The zone's servers, and what is wrong with the list. Only the first time is there anything to wait for.
    pub(super) async fn targets(&self, stats: &Stats) -> (Vec<Target>, Option<String>) {
        // Others that want the same wait for this.
        let mut found = self.found.lock().await;
        let known = match found.take() {
            Some(known) => known,
            None => self.look(stats).await,
        };
        let known = found.insert(known);
        (known.targets.clone(), known.problem.clone())
    }

    /// Looks for the servers anew. While they cannot be found, the old ones count.
    pub(super) async fn refresh(&self, stats: &Stats) {
        let fresh = self.look(stats).await;
        let mut found = self.found.lock().await;
        let old = found.take().filter(|_| fresh.problem.is_some());
        *found = Some(Known { targets: old.map_or(fresh.targets, |old| old.targets), problem: fresh.problem });
    }

    async fn look(&self, stats: &Stats) -> Known {
        let found = targets(&self.zone.plan.zone, &self.zone.sources, &self.zone.resolver).await;
        if found.problem.is_some() {
            stats.search_failed(&self.zone.label);
        }
        Known { targets: found.targets, problem: found.problem.map(|problem| problem.to_string()) }
    }

    /// The server, or its addresses, if it is one of the zone's.
    pub(super) async fn find(&self, server: &Server, stats: &Stats) -> Vec<Target> {
        let (targets, _) = self.targets(stats).await;
        targets.into_iter().filter(|target| is_target(target, server)).collect()
    }

    /// Asks these servers.
    pub(super) async fn probe(&self, targets: Vec<Target>, limits: Limits, asking: &Asking<'_>) -> Vec<Probe> {
        let plan = Arc::new(Plan { limits, ..(*self.zone.plan).clone() });
        let probes = targets.into_iter().map(|target| {
            let (plan, permits) = (Arc::clone(&plan), Arc::clone(asking.permits));
            async move {
                // Nobody closes the semaphore, so that this is a permit.
                let _permit = permits.acquire_owned().await;
                probe(&plan, target).await
            }
        });
        let mut probes = at_once(probes, asking.concurrency).await;
        for probe in &mut probes {
            asking.stats.probed(probe.verdict.state());
            self.machines.note(probe);
        }
        probes
    }

    /// Asks all servers.
    pub(super) async fn report(&self, limits: Limits, asking: &Asking<'_>) -> Report {
        let (targets, problem) = self.targets(asking.stats).await;
        let probes = self.probe(targets, limits, asking).await;
        self.report_of(probes, problem)
    }

    /// The state of all servers, a few seconds old at most.
    pub(super) async fn recent(&self, asking: &Asking<'_>) -> Report {
        let mut shown = self.shown.lock().await;
        if let Some((_, report)) = shown.as_ref().filter(|(at, _)| at.elapsed() < SHOWN_FOR) {
            return report.clone();
        }
        let report = self.report(self.zone.plan.limits, asking).await;
        *shown = Some((Instant::now(), report.clone()));
        report
    }

    pub(super) fn report_of(&self, probes: Vec<Probe>, problem: Option<String>) -> Report {
        let plan = &self.zone.plan;
        let (zone, record) = (plan.zone.clone(), plan.record.clone());
        Report { zone, record, thresholds: plan.thresholds, probes, problem }
    }
}

/// What asking needs besides the servers.
pub(super) struct Asking<'a> {
    pub(super) stats: &'a Stats,
    pub(super) permits: &'a Arc<Semaphore>,
    pub(super) concurrency: usize,
}

/// Whether a server, as somebody names it, is this one, by its name or by its address.
fn is_target(target: &Target, server: &Server) -> bool {
    target.server == *server || server.address().is_some_and(|address| target.address.as_ref() == Ok(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_go_by_name_and_by_address() {
        let target = Target { server: "dc1.local.lan".parse().unwrap(), address: Ok("10.0.0.1:53".parse().unwrap()) };
        for (name, is) in [
            ("dc1.local.lan", true),
            ("DC1.local.lan:53", true),
            ("10.0.0.1", true),
            ("10.0.0.1:54", false),
            ("dc1", false),
            ("10.0.0.2", false),
        ] {
            assert_eq!(is_target(&target, &name.parse().unwrap()), is, "{name}");
        }
    }
}
