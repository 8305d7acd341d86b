//! All sinks together.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use pdns_record::Encoding;

use super::direct::{Direct, DirectError};
use super::journal::{Level, Log};
use super::lane::Lane;
use super::line::{Left, Line};
use super::settings::Settings;
use crate::spool::{self, SpoolError};
use crate::{Batch, Deliver, Sink, SinkStats};

/// A sink with its settings, before it is started.
pub struct Setup {
    /// How records wait for it.
    pub settings: Settings,
    /// The sink.
    pub sink: Box<dyn Sink>,
}

/// All sinks: what is offered goes to each one that takes its encoding.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use std::time::Duration;
///
/// use pdns_record::{Encoding, Layout};
/// use pdns_sink::{Batch, Deliver, Needs, Outcome, Settings, Setup, Tee};
///
/// struct Memory(Arc<Mutex<Vec<u8>>>);
///
/// impl Deliver for Memory {
///     fn needs(&self) -> Needs {
///         Needs::new(Encoding::json(Layout::Answer))
///     }
///     fn target(&self) -> String {
///         "a vector".to_owned()
///     }
///     fn deliver(&mut self, batch: &Batch) -> Outcome {
///         self.0.lock().unwrap().extend_from_slice(batch.bytes());
///         Outcome::Delivered
///     }
/// }
///
/// let memory = Arc::default();
/// let setup = Setup { settings: Settings::new("memory"), sink: Box::new(Memory(Arc::clone(&memory))) };
/// let tee = Tee::start(vec![setup], Arc::new(|_, message| eprintln!("{message}")), 1)?;
/// let mut batch = Batch::new(tee.encodings()[0].encoding, tee.encodings()[0].detailed);
/// batch.write(|bytes| {
///     bytes.extend_from_slice(b"{}\n");
///     1
/// });
/// tee.offer(&mut batch)?;
/// tee.shutdown(Duration::from_secs(10));
/// assert_eq!(memory.lock().unwrap().as_slice(), b"{}\n");
/// assert_eq!(tee.reports()[0].stats.delivered, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Tee {
    sinks: Sinks,
    encodings: Vec<EncodingInUse>,
}

enum Sinks {
    /// The only one, on the thread of whoever offers.
    Direct(Box<Mutex<Direct<Box<dyn Deliver>>>>),
    Lanes(Vec<Lane>),
}

/// An encoding that some sink takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodingInUse {
    /// How records are encoded.
    pub encoding: Encoding,
    /// Whether any of these sinks wants the details of each record.
    pub detailed: bool,
}

/// What became of the records offered to one sink.
#[derive(Clone, Debug)]
pub struct SinkReport {
    /// What the sink is called.
    pub name: String,
    /// What kind of sink it is.
    pub kind: &'static str,
    /// Where records go.
    pub target: String,
    /// The account at this moment.
    pub stats: SinkStats,
}

/// Says what an earlier run has left.
fn tell_left(name: &str, left: &Left, log: &Log) {
    if left.cut_bytes > 0 {
        let text = format!("{name}: {} torn bytes cut off the spool; it goes on with what is whole", left.cut_bytes);
        log(Level::Warning, &text);
    }
    if left.records > 0 {
        log(Level::Info, &format!("{name}: {} records in the spool are delivered first", left.records));
    }
}

/// Why sinks could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The spool cannot be used.
    #[error("{sink}: {source}")]
    Spool {
        /// The sink's name.
        sink: String,
        /// Why.
        source: SpoolError,
    },
    /// There is no thread to be had.
    #[error("{sink}: cannot start a thread: {source}")]
    Thread {
        /// The sink's name.
        sink: String,
        /// The system's reason.
        source: io::Error,
    },
}

impl Tee {
    /// Starts sinks, each with threads and a queue of its own. `log` gets their messages; `seed` decides on the pauses
    /// between tries.
    ///
    /// # Errors
    /// A spool cannot be used, or there is no thread to be had.
    pub fn start(setups: Vec<Setup>, log: Log, seed: u64) -> Result<Self, StartError> {
        let mut lanes = Vec::new();
        for (number, Setup { settings, sink }) in setups.into_iter().enumerate() {
            let needs = sink.needs();
            let mut line = Line::new(&settings, &needs, seed.wrapping_add(number as u64));
            let mut store = None;
            if let Some(spool) = &settings.spool {
                let (opened, left) = spool::open(spool, needs.encoding)
                    .map_err(|source| StartError::Spool { sink: settings.name.clone(), source })?;
                line = line.with_spool(spool.always, &left);
                line.set_spool_bytes(opened.bytes());
                tell_left(&settings.name, &left, &log);
                store = Some(opened);
            }
            let lane = Lane::start(&settings, sink, line, store, Arc::clone(&log))
                .map_err(|source| StartError::Thread { sink: settings.name.clone(), source })?;
            lanes.push(lane);
        }
        let encodings = in_use(&lanes);
        Ok(Self { sinks: Sinks::Lanes(lanes), encodings })
    }

    /// A single sink without a thread and a queue: whoever offers records waits for it, and a failure is final.
    pub fn direct(settings: &Settings, sink: Box<dyn Deliver>) -> Self {
        let needs = Deliver::needs(&sink);
        let encodings = vec![EncodingInUse { encoding: needs.encoding, detailed: needs.detailed }];
        Self { sinks: Sinks::Direct(Box::new(Mutex::new(Direct::new(&settings.name, settings.kind, sink)))), encodings }
    }

    /// The encodings that sinks take. Records are to be encoded once for each, into batches that are offered.
    pub fn encodings(&self) -> &[EncodingInUse] {
        &self.encodings
    }

    /// Offers the records of a batch to all sinks that take its encoding, and empties it. Waits for room where a sink's
    /// policy is to [block](crate::WhenFull::Block), after all others have got theirs.
    ///
    /// # Errors
    /// A single [direct](Self::direct) sink has not taken them, or the receivers of all sinks have gone for good. Other
    /// failures are the sinks' own affair.
    pub fn offer(&self, batch: &mut Batch) -> Result<(), DirectError> {
        if batch.is_empty() {
            return Ok(());
        }
        match &self.sinks {
            Sinks::Direct(direct) => deliver(&mut locked(direct), batch),
            Sinks::Lanes(lanes) => {
                let batch = Arc::new(batch.take());
                let full: Vec<_> = lanes
                    .iter()
                    .filter(|lane| lane.needs.encoding == batch.encoding())
                    .filter_map(|lane| lane.offer(Arc::clone(&batch)).err().map(|batch| (lane, batch)))
                    .collect();
                full.into_iter().for_each(|(lane, batch)| lane.offer_and_wait(batch));
                match lanes.first() {
                    Some(first) if self.is_gone() => Err(DirectError::Closed { sink: first.name.clone() }),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Like [`offer`](Self::offer), but leaves the batch as it is while a [direct](Self::direct) sink is busy with another
    /// thread's: instead of waiting, the caller may go on to fill it.
    ///
    /// # Errors
    /// As for [`offer`](Self::offer).
    pub fn try_offer(&self, batch: &mut Batch) -> Result<(), DirectError> {
        match &self.sinks {
            Sinks::Direct(direct) if !batch.is_empty() => match direct.try_lock() {
                Ok(mut direct) => deliver(&mut direct, batch),
                Err(TryLockError::Poisoned(direct)) => deliver(&mut direct.into_inner(), batch),
                Err(TryLockError::WouldBlock) => Ok(()),
            },
            _ => self.offer(batch),
        }
    }

    /// Whether nobody takes records any more: all receivers have gone for good.
    pub fn is_gone(&self) -> bool {
        match &self.sinks {
            Sinks::Direct(direct) => locked(direct).is_gone(),
            Sinks::Lanes(lanes) => !lanes.is_empty() && lanes.iter().all(Lane::is_gone),
        }
    }

    /// The account of each sink.
    pub fn reports(&self) -> Vec<SinkReport> {
        match &self.sinks {
            Sinks::Direct(direct) => vec![locked(direct).report()],
            Sinks::Lanes(lanes) => lanes
                .iter()
                .map(|lane| SinkReport {
                    name: lane.name.clone(),
                    kind: lane.kind,
                    target: lane.target.clone(),
                    stats: lane.stats(),
                })
                .collect(),
        }
    }

    /// Has all sinks open anew what they write to, because somebody has moved or replaced it.
    pub fn reopen(&self) {
        if let Sinks::Lanes(lanes) = &self.sinks {
            lanes.iter().for_each(Lane::reopen);
        }
    }

    /// Ends all sinks. What waits is delivered within `timeout`; what is left then goes to the spool, or is dropped and
    /// counted. Whatever is offered afterwards is dropped.
    pub fn shutdown(&self, timeout: Duration) {
        if let Sinks::Lanes(lanes) = &self.sinks {
            let deadline = Instant::now() + timeout;
            lanes.iter().for_each(|lane| lane.close(deadline));
            lanes.iter().for_each(|lane| lane.wait(deadline));
        }
    }
}

impl fmt::Debug for Tee {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tee").field("encodings", &self.encodings).finish_non_exhaustive()
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Setup").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn in_use(lanes: &[Lane]) -> Vec<EncodingInUse> {
    let mut encodings: Vec<EncodingInUse> = Vec::new();
    for needs in lanes.iter().map(|lane| lane.needs) {
        match encodings.iter_mut().find(|other| other.encoding == needs.encoding) {
            Some(other) => other.detailed |= needs.detailed,
            None => encodings.push(EncodingInUse { encoding: needs.encoding, detailed: needs.detailed }),
        }
    }
    encodings
}

fn deliver(direct: &mut Direct<Box<dyn Deliver>>, batch: &mut Batch) -> Result<(), DirectError> {
    let delivered = direct.deliver(batch);
    batch.clear();
    delivered
}

fn locked<T>(direct: &Mutex<T>) -> MutexGuard<'_, T> {
    // A worker that panicked while it held the sink is reported by its own join.
    direct.lock().unwrap_or_else(PoisonError::into_inner)
}
