//! The HTTP server: metrics for Prometheus, and a page for people.
//!
//! | path | answer |
//! |---|---|
//! | `/` | the state of all servers as a page, and a form |
//! | `/probe?module=ZONE&target=SERVER` | metrics of one server, or of all without `target`; the multi-target convention |
//! | `/metrics?server=SERVER` | three metrics, as the exporter of the replication-monitoring method had them |
//! | `/metrics` | metrics of this program itself |
//! | `/-/healthy` | `ok`, without a password |

mod access;
mod legacy;
mod machines;
mod page;
mod params;
mod routes;
mod server;
mod stats;
mod tls;
mod watch;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Semaphore;

pub use self::access::{AccessError, Users};
pub use self::server::serve;
pub use self::tls::{TlsError, TlsSettings};
pub use self::watch::Watched;

use self::stats::Stats;
use self::watch::Watch;

/// What can be changed while the server runs.
#[derive(Debug, Default)]
pub struct Settings {
    /// The zones, which are the modules of `/probe`.
    pub zones: Vec<Watched>,
    /// Whether servers may be asked that are not configured.
    pub allow_any: bool,
    /// Who may see anything; everybody without.
    pub users: Option<Users>,
    /// How connections are encrypted, if they are.
    pub tls: Option<TlsSettings>,
}

/// The server's state, shared by all connections.
#[derive(Debug)]
pub struct Exporter {
    current: RwLock<Arc<Current>>,
    stats: Stats,
    /// One for each server that is being asked.
    permits: Arc<Semaphore>,
    concurrency: usize,
}

/// What holds until the next reload.
#[derive(Debug)]
struct Current {
    watches: Vec<Arc<Watch>>,
    allow_any: bool,
    users: Option<Users>,
    tls: Option<TlsSettings>,
}

impl Exporter {
    /// A server that asks `concurrency` servers at a time, each over two sockets.
    pub fn new(settings: Settings, concurrency: usize) -> Self {
        let concurrency = concurrency.clamp(1, Semaphore::MAX_PERMITS);
        let stats = Stats::new();
        stats.reloaded(true);
        Self {
            current: RwLock::new(Arc::new(Current::new(settings))),
            stats,
            permits: Arc::new(Semaphore::new(concurrency)),
            concurrency,
        }
    }

    /// Goes on with other settings. Requests that are being answered keep the old ones.
    pub fn reload(&self, settings: Settings) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Current::new(settings));
        self.stats.reloaded(true);
    }

    /// Notes that other settings were to be had and are no good, so that a metric tells it.
    pub fn reload_failed(&self) {
        self.stats.reloaded(false);
    }

    /// Looks for the servers of all zones now and then, for ever.
    async fn keep_looking(&self) {
        loop {
            for watch in &self.current().watches {
                watch.refresh(&self.stats).await;
            }
            tokio::time::sleep(watch::LOOK_EVERY).await;
        }
    }

    fn current(&self) -> Arc<Current> {
        // A reload that panicked has not changed anything.
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Current {
    fn new(settings: Settings) -> Self {
        let watches = settings.zones.into_iter().map(|zone| Arc::new(Watch::new(zone))).collect();
        Self { watches, allow_any: settings.allow_any, users: settings.users, tls: settings.tls }
    }
}

/// The time for probing of a scrape that Prometheus gives up after `scrape_timeout`: some of it goes into everything else.
fn within(own: Duration, scrape_timeout: Option<Duration>) -> Duration {
    const REST: Duration = Duration::from_millis(500);
    match scrape_timeout {
        Some(timeout) => own.min(timeout.checked_sub(REST).filter(|left| *left >= REST).unwrap_or(timeout / 2)),
        None => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrapes_end_before_prometheus_gives_up() {
        let millis = Duration::from_millis;
        assert_eq!(within(millis(1000), None), millis(1000));
        assert_eq!(within(millis(1000), Some(millis(10_000))), millis(1000));
        assert_eq!(within(millis(30_000), Some(millis(10_000))), millis(9500));
        assert_eq!(within(millis(30_000), Some(millis(600))), millis(300));
        assert_eq!(within(millis(30_000), Some(millis(1000))), millis(500));
    }
}
