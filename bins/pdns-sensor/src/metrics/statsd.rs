//! Metrics for statsd: what was counted since the last time, at every interval.
//!
//! All metrics of the catalogue but histograms are sent, as `<prefix>.<sensor>.<metric>`, and beside them those of
//! gopassivedns, by its names, where it counts the same.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use cadence::{BufferedUdpMetricSink, Counted, DEFAULT_PORT, Gauged, MetricResult, StatsdClient};

use super::catalogue::families;
use super::family::{Family, Kind, Value};
use crate::account::Account;
use crate::board::Board;
use crate::log;
use crate::settings::Statsd;

/// Bytes of a packet. One of this size passes an Ethernet without being taken apart, in a tunnel too.
const PACKET_BYTES: usize = 1400;

/// How long a resolved name holds.
const RESOLVE_INTERVAL: Duration = Duration::from_mins(10);

/// How long the end of the program waits for the last packets: nothing but a name server can take longer.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// A thread that sends what the board shows.
pub(crate) struct Exporter {
    /// Hung up at the end.
    stop: Sender<Infallible>,
    /// Hung up by the thread when it ends.
    stopped: Receiver<Infallible>,
}

impl Exporter {
    /// Starts the thread.
    pub(crate) fn start(settings: Statsd, sensor: &str, board: Arc<Board>) -> io::Result<Self> {
        let (stop, stops) = channel();
        let (stopping, stopped) = channel();
        let interval = settings.interval;
        let mut server = Server::new(settings, sensor);
        let run = move || {
            let _stopping = stopping;
            loop {
                let goes_on = stops.recv_timeout(interval) == Err(RecvTimeoutError::Timeout);
                server.send(&board.account(), Instant::now());
                if !goes_on {
                    return;
                }
            }
        };
        thread::Builder::new().name("statsd".to_owned()).spawn(run)?;
        Ok(Self { stop, stopped })
    }

    /// Sends what has been counted since the last time.
    pub(crate) fn finish(self) {
        drop(self.stop);
        self.stopped.recv_timeout(LAST_WAIT).ok();
    }
}

/// The way to one statsd server.
struct Server {
    host: String,
    prefix: String,
    client: Option<(StatsdClient, Instant)>,
    /// What was sent of each counter so far.
    sent: HashMap<String, u64>,
    /// Whether the last try failed, so that only changes are logged.
    failing: bool,
}

impl Server {
    fn new(settings: Statsd, sensor: &str) -> Self {
        Self {
            prefix: format!("{}.{}", prefix(&settings.prefix), part(sensor)),
            host: settings.host,
            client: None,
            sent: HashMap::new(),
            failing: false,
        }
    }

    fn send(&mut self, account: &Account, now: Instant) {
        let result = self.connect(now).and_then(|()| Ok(self.metrics(account)?));
        match (&result, self.failing) {
            (Err(error), false) => {
                log::warn(&format!(
                    "statsd {}: {}; it is tried again at each interval",
                    self.host,
                    log::with_causes(error)
                ));
            }
            (Ok(()), true) => log::info(&format!("statsd {}: metrics are sent again", self.host)),
            _ => {}
        }
        self.failing = result.is_err();
    }

    /// Finds the server, anew from time to time: in the months that a sensor runs it may move.
    fn connect(&mut self, now: Instant) -> Result<()> {
        if let Some((_, resolved)) = self.client
            && now.duration_since(resolved) < RESOLVE_INTERVAL
        {
            return Ok(());
        }
        match (client(&self.host, &self.prefix), &mut self.client) {
            (Ok(client), _) => self.client = Some((client, now)),
            // Where it was is still the best guess.
            (Err(_), Some((_, resolved))) => *resolved = now,
            (Err(error), None) => return Err(error),
        }
        Ok(())
    }

    fn metrics(&mut self, account: &Account) -> MetricResult<()> {
        let Some((client, _)) = &self.client else { return Ok(()) };
        let mut result = Ok(());
        for (name, kind, value) in families(account).iter().flat_map(named).chain(old_names(account)) {
            let sent = match kind {
                Kind::Counter => {
                    let before = self.sent.insert(name.clone(), value).unwrap_or_default();
                    client.count(&name, value.saturating_sub(before)).map(drop)
                }
                _ => client.gauge(&name, value).map(drop),
            };
            // What is behind it in the buffer still has its chance.
            result = result.and(sent);
        }
        let flushed = client.flush();
        result.and(flushed)
    }
}

/// The samples of a family that statsd can take, by name: without `pdns_`, and the labels' values as further parts.
fn named(family: &Family) -> Vec<(String, Kind, u64)> {
    let name = family.name.strip_prefix("pdns_").unwrap_or(family.name);
    let counts = family.samples.iter().filter_map(|sample| match sample.value {
        Value::Count(count) => Some((sample, count)),
        _ => None,
    });
    counts
        .map(|(sample, count)| {
            let labels = sample.labels.iter().map(|(_, value)| format!(".{}", part(value)));
            (name.to_owned() + &labels.collect::<String>(), family.kind, count)
        })
        .collect()
}

/// What gopassivedns counts, by its own names and in its own spelling.
fn old_names(account: &Account) -> Vec<(String, Kind, u64)> {
    let report = account.report();
    let messages = report.queries + report.responses;
    let counters = [
        ("packets", report.frames_accepted),
        ("packets_received", report.frames_received + report.kernel_dropped),
        ("packets_dropped", report.kernel_dropped),
        ("packets_ifdropped", report.interface_dropped),
        ("reassembed_tcp", account.counters.tracker.streams.messages),
        ("dns_lookups", messages - account.counters.tracker.streams.messages.min(messages)),
        ("cache_entries_dropped", report.unanswered + report.orphan),
    ];
    let counters = counters.map(|(name, count)| (name.to_owned(), Kind::Counter, count));
    let gauge = ("incoming_log_depth".to_owned(), Kind::Gauge, report.records_queued);
    counters.into_iter().chain([gauge]).collect()
}

fn client(host: &str, prefix: &str) -> Result<StatsdClient> {
    let address = resolve(host)?;
    let local: SocketAddr =
        if address.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(local)?;
    socket.set_nonblocking(true)?;
    let sink = BufferedUdpMetricSink::with_capacity(address, socket, PACKET_BYTES)?;
    Ok(StatsdClient::from_sink(prefix, sink))
}

/// The first address of `HOST` or `HOST:PORT`.
fn resolve(host: &str) -> io::Result<SocketAddr> {
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let with_port = if has_port && !host.ends_with(']') { host.to_owned() } else { format!("{host}:{DEFAULT_PORT}") };
    with_port.to_socket_addrs()?.next().ok_or_else(|| io::Error::other("the name has no address"))
}

/// A prefix that can be part of a metric's name. Its dots stay: they are meant.
fn prefix(text: &str) -> String {
    text.trim_matches('.').split('.').map(part).collect::<Vec<_>>().join(".")
}

/// Text as one part of a metric's name: dots would make several of it, and what statsd gives a meaning would break it.
fn part(text: &str) -> String {
    let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    text.chars().map(|character| if allowed(character) { character } else { '_' }).collect()
}
