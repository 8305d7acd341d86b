//! Metrics: the account of every moment, for Prometheus to fetch and for statsd to be sent.
//!
//! Nothing here counts. All comes from the [`Board`], which has a copy of each thread's counters: who asks for metrics, and
//! how often, is nothing to the capture.

mod catalogue;
mod family;
mod health;
mod http;
mod process;
mod sinks;
mod site;
mod statsd;

use std::sync::Arc;

use anyhow::{Context, Result};

use self::health::Health;
use self::http::Listener;
use self::process::Usage;
pub(crate) use self::process::count_heap_by;
use self::site::Pages;
use self::statsd::Exporter;
use crate::board::Board;
use crate::log;
use crate::settings::{Settings, Statsd};

/// Metrics that are to be given out, with what that takes rights for.
pub(crate) struct Metrics {
    listener: Option<(Listener, Usage)>,
    statsd: Option<(Statsd, String)>,
    is_live: bool,
    debug: bool,
}

impl Metrics {
    /// Takes what later there may be no right to: the port.
    ///
    /// # Errors
    /// The port cannot be had.
    pub(crate) fn open(settings: &mut Settings) -> Result<Self> {
        let listen = |address| Listener::bind(address).with_context(|| format!("cannot serve metrics on {address}"));
        let listener = settings.metrics.map(listen).transpose()?;
        Ok(Self {
            listener: listener.map(|listener| (listener, Usage::new())),
            statsd: settings.statsd.take().map(|statsd| (statsd, settings.sensor.clone())),
            is_live: settings.live.is_some(),
            debug: settings.debug,
        })
    }

    /// Gives out what the board shows, from threads of their own.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(crate) fn start(self, board: &Arc<Board>) -> Result<Exporters> {
        if let Some((listener, usage)) = self.listener {
            let address = listener.address().context("cannot serve metrics")?;
            let health = Health::new(Arc::clone(board), self.is_live);
            let pages = Pages::new(Arc::clone(board), health, usage);
            listener.serve(pages).context("cannot serve metrics")?;
            log::debug(self.debug, || format!("metrics are served on http://{address}/metrics"));
        }
        let start = |(settings, sensor): (_, String)| Exporter::start(settings, &sensor, Arc::clone(board));
        let statsd = self.statsd.map(start).transpose().context("cannot send metrics to statsd")?;
        Ok(Exporters { statsd })
    }
}

/// What gives out metrics while the program runs.
pub(crate) struct Exporters {
    statsd: Option<Exporter>,
}

impl Exporters {
    /// Gives out the last counts. Pages are served to the very end.
    pub(crate) fn finish(self) {
        if let Some(statsd) = self.statsd {
            statsd.finish();
        }
    }
}
