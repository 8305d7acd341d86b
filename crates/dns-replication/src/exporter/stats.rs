//! Metrics of the exporter itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::exposition::Exposition;
use crate::probe::unix_now;
use crate::verdict::State;

/// Counters, all of a bounded number of labels.
#[derive(Debug)]
pub(super) struct Stats {
    started: u64,
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
    in_flight: AtomicI64,
    connections: AtomicU64,
    probes: [AtomicU64; State::ALL.len()],
    failed_searches: Mutex<BTreeMap<String, u64>>,
    is_reloaded: AtomicU64,
    reloaded_at: AtomicU64,
}

impl Stats {
    pub(super) fn new() -> Self {
        Self {
            started: unix_now(),
            requests: Mutex::default(),
            in_flight: AtomicI64::new(0),
            connections: AtomicU64::new(0),
            probes: Default::default(),
            failed_searches: Mutex::default(),
            is_reloaded: AtomicU64::new(1),
            reloaded_at: AtomicU64::new(0),
        }
    }

    pub(super) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request as being answered until the guard is dropped.
    pub(super) fn request(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self)
    }

    /// `path` is one of those that there are, or one word for all others.
    pub(super) fn answered(&self, path: &'static str, code: u16) {
        *locked(&self.requests).entry((path, code)).or_default() += 1;
    }

    pub(super) fn probed(&self, state: State) {
        let index = State::ALL.iter().position(|known| *known == state);
        if let Some(count) = index.and_then(|index| self.probes.get(index)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The servers of a configured zone could not be found.
    pub(super) fn search_failed(&self, zone: &str) {
        *locked(&self.failed_searches).entry(zone.to_owned()).or_default() += 1;
    }

    pub(super) fn reloaded(&self, is_good: bool) {
        self.is_reloaded.store(u64::from(is_good), Ordering::Relaxed);
        if is_good {
            self.reloaded_at.store(unix_now(), Ordering::Relaxed);
        }
    }

    pub(super) fn metrics(&self, zones: impl Iterator<Item = String>) -> Exposition {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let mut out = Exposition::default();
        out.gauge("dns_stamp_build_info", "The program's version.")
            .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
        out.gauge("process_start_time_seconds", "When the program was started, as Unix time.")
            .sample(&[], self.started);
        let mut family = out.counter("dns_stamp_http_requests_total", "Requests answered, by path and status.");
        for ((path, code), count) in locked(&self.requests).iter() {
            family.sample(&[("path", path), ("code", &code.to_string())], count);
        }
        out.gauge("dns_stamp_http_requests_in_flight", "Requests being answered.")
            .sample(&[], self.in_flight.load(Ordering::Relaxed));
        out.counter("dns_stamp_http_connections_total", "Connections accepted.").sample(&[], load(&self.connections));
        let mut family = out.counter("dns_stamp_probes_total", "Servers asked, by what came of it.");
        for (state, count) in State::ALL.iter().zip(&self.probes) {
            family.sample(&[("state", state.as_str())], load(count));
        }
        let failed = locked(&self.failed_searches).clone();
        let mut family =
            out.counter("dns_stamp_discovery_failures_total", "How often a zone's servers could not be found.");
        for zone in zones {
            family.sample(&[("module", &zone)], failed.get(&zone).copied().unwrap_or_default());
        }
        out.gauge(
            "dns_stamp_config_last_reload_successful",
            "Whether the settings last asked for are those that hold.",
        )
        .sample(&[], load(&self.is_reloaded));
        out.gauge(
            "dns_stamp_config_last_reload_success_timestamp_seconds",
            "When settings were last taken, as Unix time.",
        )
        .sample(&[], load(&self.reloaded_at));
        out
    }
}

/// A request that is being answered.
pub(super) struct InFlight<'a>(&'a Stats);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counters are whole whatever happened to the thread that counted.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
