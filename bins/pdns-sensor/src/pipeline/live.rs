//! Interfaces: a thread for each ring, with everything from decoding to records.
//!
//! Capture time is the wall clock's here, so timers go on while nothing comes. They do so by the time that has passed since
//! the last frame and not by the wall clock itself, which may be set.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use pdns_capture::live::{self, LiveConfig, LiveEvent, LiveRing, LiveStats, Wake};
use pdns_packet::frame::{Decoder, LinkType, Ports};
use pdns_packet::time::Timestamp;
use pdns_sink::DirectError;
use pdns_track::Ingest;
use pdns_track::reassembly::FragmentConfig;

use super::Outcome;
use crate::board::{Board, Pace, Slot};
use crate::log;
use crate::output::Sinks;
use crate::settings::{Live, Settings};
use crate::signals::Stop;
use crate::worker::Worker;

/// How long a worker waits for frames before it looks after its timers, and whether it is to stop.
const IDLE: Duration = Duration::from_millis(100);

/// How long the kernel keeps frames back to hand over more at once.
const LATENCY: Duration = Duration::from_millis(20);

/// How far timers stay behind while nothing comes: a frame may have been captured and not handed over.
const SLACK: Duration = Duration::from_millis(100);

/// How long frames that were captured before the end are read after it, at most.
const LONGEST_DRAIN: Duration = Duration::from_secs(2);

/// How often drops are told of, when there are any, and free memory is given back.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// The interfaces, open.
pub(super) struct Interfaces {
    rings: Vec<LiveRing>,
    names: Vec<String>,
    ports: Ports,
    stop: Stop,
}

impl Interfaces {
    /// Opens a ring for each worker. That takes the right to capture.
    ///
    /// # Errors
    ///
    /// An interface cannot be captured from, or the filter is refused.
    pub(super) fn open(settings: &Settings, live: &Live, stop: &Stop) -> Result<Self> {
        live::share_memory();
        let config = live.capture();
        let snaplen = settings.snaplen.unwrap_or(config.snaplen);
        let config = LiveConfig { rings: settings.workers, snaplen, latency: LATENCY, ..config };
        Ok(Self {
            rings: live::open(config)?,
            names: live.interfaces.clone(),
            ports: settings.ports.clone(),
            stop: stop.clone(),
        })
    }

    /// Starts a thread for each ring.
    ///
    /// # Errors
    ///
    /// There is no thread to be had.
    pub(super) fn start(self, settings: &Settings, sinks: Option<&Sinks>, board: &Arc<Board>) -> Result<Listeners> {
        let workers = self.rings.len();
        let (ends, ended) = mpsc::channel();
        let mut threads = Vec::with_capacity(workers);
        for (index, ring) in self.rings.into_iter().enumerate() {
            let listener = Listener {
                ring,
                ingest: Ingest::new(Decoder::new(self.ports.clone()), share(FragmentConfig::default(), workers)),
                worker: Worker::new(settings, sinks.cloned(), index as u16),
                slot: board.slot(),
                board: Arc::clone(board),
                pace: Pace::new(),
                kernel: LiveStats::default(),
                heard: None,
                news: false,
                unread: false,
                is_blind: false,
                stop: self.stop.clone(),
            };
            threads.push(spawn(index, &ends, move || listener.run())?);
        }
        let plural = if workers == 1 { "" } else { "s" };
        board.interfaces().add(&self.names);
        log::info(&format!("capturing on {} with {workers} worker{plural}", self.names.join(", ")));
        Ok(Listeners { threads, ended, board: Arc::clone(board), stop: self.stop })
    }
}

/// The limits hold for the whole program.
fn share(limits: FragmentConfig, workers: usize) -> FragmentConfig {
    FragmentConfig {
        max_datagrams: (limits.max_datagrams / workers).max(1),
        max_bytes: limits.max_bytes / workers,
        ..limits
    }
}

/// What a listener has to tell at its end.
type End = Result<Option<DirectError>>;

/// All rings' threads.
pub(super) struct Listeners {
    threads: Vec<JoinHandle<End>>,
    ended: Receiver<()>,
    board: Arc<Board>,
    stop: Stop,
}

impl Listeners {
    /// Waits until one of the threads ends, for whatever reason, and then for all others.
    pub(super) fn run(self) -> Outcome {
        let mut drops = Drops::default();
        while let Err(RecvTimeoutError::Timeout) = self.ended.recv_timeout(REPORT_INTERVAL) {
            drops.report(self.board.account().counters.live);
            // What an outage or a burst needed is needed no more: docs/decisions/0016-allocator.md.
            live::give_back();
        }
        self.stop.set();
        let mut outcome = Outcome::default();
        for thread in self.threads {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            let ended = thread.join().unwrap_or_else(|_| Err(anyhow!("it panicked, and what it was at is lost")));
            match ended {
                Ok(failure) => outcome.failures.extend(failure),
                Err(error) => {
                    outcome.incomplete = true;
                    log::error(&log::with_causes(&error.context(format!("thread {name} failed"))));
                }
            }
        }
        drops.report(self.board.account().counters.live);
        outcome
    }
}

/// Starts a thread that tells when it ends, even by a panic.
fn spawn(index: usize, ends: &Sender<()>, run: impl FnOnce() -> End + Send + 'static) -> Result<JoinHandle<End>> {
    struct Told(Sender<()>);
    impl Drop for Told {
        fn drop(&mut self) {
            // Whoever waits needs to be told once only.
            self.0.send(()).ok();
        }
    }
    let told = Told(ends.clone());
    thread::Builder::new()
        .name(format!("worker-{index}"))
        .spawn(move || {
            let _told = told;
            run()
        })
        .context("cannot start a worker thread")
}

/// Frames that were lost before they could be read, as last told of.
#[derive(Default)]
struct Drops(LiveStats);

impl Drops {
    /// Tells of those since the last time.
    fn report(&mut self, now: LiveStats) {
        let last = std::mem::replace(&mut self.0, now);
        let (kernel, interface) = (now.dropped - last.dropped, now.if_dropped - last.if_dropped);
        if kernel > 0 {
            log::warn(&format!(
                "{kernel} of {} frames lost because they were not read fast enough, {} since the start; see --buffer-size \
                 and --numprocs",
                now.received - last.received,
                now.dropped
            ));
        }
        if interface > 0 {
            log::warn(&format!(
                "{interface} frames dropped by the interface or its driver, {} since the start",
                now.if_dropped
            ));
        }
    }
}

/// One ring with everything behind it.
struct Listener {
    ring: LiveRing,
    ingest: Ingest,
    worker: Worker,
    slot: Slot,
    board: Arc<Board>,
    pace: Pace,
    kernel: LiveStats,
    /// The time of the latest frame, and when it was read.
    heard: Option<(Timestamp, Instant)>,
    /// Whether anything was counted that is not on the board yet.
    news: bool,
    /// Whether nobody takes records any more.
    unread: bool,
    /// Whether there is no interface any more that could be captured from without a restart.
    is_blind: bool,
    stop: Stop,
}

impl Listener {
    fn run(mut self) -> End {
        let listened = self.listen().and_then(|()| self.drain());
        let now = self.pass(Duration::ZERO);
        self.ingest.finish();
        self.worker.finish(now);
        self.put_up();
        listened.context("cannot wait for frames")?;
        if self.is_blind {
            return Err(anyhow!("no interface is left that it may capture from"));
        }
        Ok(self.worker.failure())
    }

    /// Takes frames until the run is to end, nobody takes records any more, or no frames can come any more.
    fn listen(&mut self) -> io::Result<()> {
        while !self.stop.is_set() && !self.unread && !self.is_blind {
            self.turn()?;
        }
        Ok(())
    }

    /// Waits for frames, takes those that there are, and looks after what time brings.
    fn turn(&mut self) -> io::Result<()> {
        match self.ring.poll(IDLE)? {
            Wake::Frames => {
                self.frames(None);
                self.worker.advance(self.ingest.clock().now());
            }
            Wake::Event(event) => self.tell(&event),
            Wake::Timeout => {
                let now = self.pass(SLACK);
                self.worker.advance(now);
                self.worker.flush();
                if self.news {
                    self.put_up();
                }
            }
        }
        if self.pace.is_due(Instant::now()) {
            self.worker.flush();
            self.put_up();
            self.unread = self.worker.is_unread();
        }
        Ok(())
    }

    /// Takes frames as long as there are some, or until one was captured after `end`; whether one was.
    fn frames(&mut self, end: Option<Timestamp>) -> bool {
        let mut ended = false;
        while let Some(frame) = self.ring.next() {
            if end.is_some_and(|end| frame.time > end) {
                ended = true;
                break;
            }
            self.ingest.frame(frame.time, LinkType(frame.link), frame.data, frame.wire_len, |packet| {
                self.worker.packet(packet);
            });
        }
        self.heard = self.ingest.clock().latest().map(|latest| (latest, Instant::now()));
        self.news = true;
        ended
    }

    /// Takes what was captured before now.
    fn drain(&mut self) -> io::Result<()> {
        let (start, end) = (Instant::now(), now_on_the_wall());
        while start.elapsed() < LONGEST_DRAIN && !self.unread {
            match self.ring.poll(3 * LATENCY)? {
                Wake::Frames => {
                    if self.frames(Some(end)) {
                        break;
                    }
                }
                Wake::Event(event) => self.tell(&event),
                Wake::Timeout => break,
            }
        }
        Ok(())
    }

    /// Lets the time pass in which nothing was heard, but for `slack`.
    fn pass(&mut self, slack: Duration) -> Timestamp {
        let Some((latest, read)) = self.heard else { return self.ingest.clock().now() };
        let silence = i64::try_from(read.elapsed().saturating_sub(slack).as_nanos()).unwrap_or(i64::MAX);
        self.ingest.pass(latest.plus(silence))
    }

    /// Logs what happened to an interface, and takes it down.
    fn tell(&mut self, event: &LiveEvent) {
        match event {
            LiveEvent::Up { .. } => log::info(&event.to_string()),
            LiveEvent::Stuck { error, .. } if error.is_denied() => {
                log::error(&format!("{event}; a restart helps, and --keep-net-raw would have"));
            }
            LiveEvent::Down { .. } | LiveEvent::Stuck { .. } => log::warn(&event.to_string()),
        }
        self.board.interfaces().note(event);
        self.is_blind = self.board.interfaces().are_lost();
    }

    fn put_up(&mut self) {
        self.news = false;
        self.kernel += self.ring.stats();
        self.slot.put_up(|counters| {
            counters.frames(&self.ingest);
            counters.live = self.kernel;
            self.worker.count(counters);
        });
    }
}

/// The clock that frames' times come from.
fn now_on_the_wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::new(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Run = Box<dyn FnOnce(&Stop) -> End + Send>;

    fn listeners(runs: Vec<Run>) -> Listeners {
        let stop = Stop::default();
        let (ends, ended) = mpsc::channel();
        let start = |(index, run): (_, Run)| {
            let stop = stop.clone();
            spawn(index, &ends, move || run(&stop)).unwrap()
        };
        let threads = runs.into_iter().enumerate().map(start).collect();
        Listeners { threads, ended, board: Arc::new(Board::new(None)), stop }
    }

    fn until_stopped(stop: &Stop) -> End {
        while !stop.is_set() {
            thread::sleep(Duration::from_millis(1));
        }
        Ok(None)
    }

    #[test]
    fn a_thread_that_fails_or_panics_ends_all_and_the_run_is_incomplete() {
        let panic: Run = Box::new(|_| panic!("as the test wants it"));
        let error: Run = Box::new(|_| Err(anyhow!("as the test wants it")));
        for broken in [panic, error] {
            let outcome = listeners(vec![Box::new(until_stopped), broken, Box::new(until_stopped)]).run();
            assert!(outcome.incomplete && outcome.unusable.is_none());
        }
    }

    #[test]
    fn a_thread_that_ends_ends_all() {
        let outcome = listeners(vec![Box::new(until_stopped), Box::new(|_| Ok(None))]).run();
        assert!(!outcome.incomplete);
    }

    #[test]
    fn workers_share_the_room_for_fragments() {
        let all = FragmentConfig::default();
        let one = share(all, 3);
        assert_eq!((one.max_datagrams, one.max_bytes), (all.max_datagrams / 3, all.max_bytes / 3));
        assert_eq!(share(FragmentConfig { max_datagrams: 1, ..all }, 3).max_datagrams, 1);
    }
}
