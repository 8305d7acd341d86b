//! `propagate`: writes the present time, and watches every server until it has it.

use std::time::{Duration, Instant};

use dns_replication::Severity;
use dns_replication::discover::targets;
use dns_replication::propagate::{Arrival, watch};
use dns_replication::report::server;
use dns_replication::update::{self, Injection, Lock, Outcome};

use super::inject::injection;
use super::probing::{block_on, concurrency, plan, resolver};
use crate::config::Zone;
use crate::config::word::Period;
use crate::exit::Exit;
use crate::log;

/// Stamps each zone in turn, and reports the lag of each of its servers.
pub(crate) fn run(zones: &[Zone]) -> Exit {
    zones.iter().map(zone).max().unwrap_or(Exit::Unknown)
}

fn zone(zone: &Zone) -> Exit {
    let fail = |exit, error: String| {
        log::error(&format!("zone {}: {error}", zone.label));
        exit
    };
    let injection = match injection(zone) {
        // A record as young as it likes is written anew, since it is its way that counts.
        Ok(injection) => Injection { min_interval: Duration::ZERO, ..injection },
        Err(error) => return fail(Exit::Unknown, error),
    };
    match block_on(propagate(zone, &injection)) {
        Ok(Ok(arrivals)) => report(zone, &arrivals),
        Ok(Err((exit, error))) => fail(exit, error),
        Err(error) => fail(Exit::Unknown, error.to_string()),
    }
}

async fn propagate(zone: &Zone, injection: &Injection) -> Result<Vec<Arrival>, (Exit, String)> {
    let unknown = |error: String| (Exit::Unknown, error);
    let resolver = resolver(zone).map_err(|error| unknown(format!("{error:#}")))?;
    // Before writing: afterwards every moment counts.
    let found = targets(&zone.zone, &zone.sources, &resolver).await;
    if let Some(problem) = found.problem {
        return Err(unknown(problem.to_string()));
    }
    let _lock = Lock::take(injection).map_err(|error| (Exit::Critical, error.to_string()))?;
    let outcome = update::inject(injection, update::system_clock).await;
    let written = Instant::now();
    let value = match outcome.map_err(|error| (Exit::Critical, error.to_string()))? {
        Outcome::Stamped(stamped) => stamped.value,
        // Written by somebody else in this very second.
        Outcome::Young { value, .. } => value,
    };
    Ok(watch(&plan(zone), found.targets, value, written, zone.deadline, concurrency()).await)
}

fn report(zone: &Zone, arrivals: &[Arrival]) -> Exit {
    let mut out = String::new();
    for Arrival { lag, last } in arrivals {
        let server = server(last);
        let (severity, text) = match lag {
            Some(lag) => (Severity::Ok, format!("after {:.2} s", lag.as_secs_f64())),
            None => (Severity::Warning, format!("not within {}: {}", Period(zone.deadline), last.verdict)),
        };
        out.push_str(&format!("{:<8}  {}  {server}  {text}\n", severity.as_str(), zone.record));
    }
    let exit = if arrivals.iter().all(|arrival| arrival.lag.is_some()) { Exit::Ok } else { Exit::Warning };
    log::print(&out).max(exit)
}
