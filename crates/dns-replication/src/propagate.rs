//! Watching a new value spread: each server is asked again and again until it has it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::probe::{Plan, Probe, Target, at_once, probe};

/// How often a server is asked: often enough that a lag of seconds is measured well, and no load.
const INTERVAL: Duration = Duration::from_millis(250);

/// How the new value reached a server, or did not.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// From the writing until the server first showed the value, or a newer one, to within the time between two questions;
    /// `None` when it never did.
    pub lag: Option<Duration>,
    /// What the server said last.
    pub last: Probe,
}

/// Watches all targets until each shows `value` or a newer one, or `deadline` has passed since `written`.
///
/// The outcomes are in the order of the targets.
pub async fn watch(
    plan: &Arc<Plan>,
    targets: Vec<Target>,
    value: u64,
    written: Instant,
    deadline: Duration,
    concurrency: usize,
) -> Vec<Arrival> {
    let watched = targets.into_iter().map(|target| {
        let plan = Arc::clone(plan);
        async move { watch_one(&plan, target, value, written, deadline).await }
    });
    at_once(watched, concurrency).await
}

async fn watch_one(plan: &Plan, target: Target, value: u64, written: Instant, deadline: Duration) -> Arrival {
    loop {
        let asked = Instant::now();
        let last = probe(plan, target.clone()).await;
        if last.timestamp.is_some_and(|time| time >= value) {
            return Arrival { lag: Some(lag(written, asked, &last)), last };
        }
        let is_over = written.elapsed() + INTERVAL > deadline;
        if is_over || target.address.is_err() {
            return Arrival { lag: None, last };
        }
        tokio::time::sleep(INTERVAL.saturating_sub(asked.elapsed())).await;
    }
}

/// When the answer was there. The probe itself may have waited longer, for the serial.
fn lag(written: Instant, asked: Instant, last: &Probe) -> Duration {
    let answered = last.answer.as_ref().map_or(last.duration, |answer| answer.elapsed);
    (asked + answered).saturating_duration_since(written)
}
