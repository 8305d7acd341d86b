//! One interface of one ring, through its comings and goings.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pdns_packet::time::Timestamp;

use super::interfaces::ANY;
use super::source::Source;
use super::sys::pfring::PfRing;
use super::sys::presence::{Inquiry, Presence};
use super::{Group, LiveConfig, LiveError, LiveEvent, LiveStats, Outage};
use crate::{Filter, Frame};

/// An interface that is captured from, or waited for.
pub(super) struct Device {
    name: String,
    config: Arc<LiveConfig>,
    pf_ring: Option<Arc<PfRing>>,
    group: Arc<Group>,
    inquiry: Arc<Inquiry>,
    /// Whether this ring counts what the interface itself dropped, which every ring is told.
    counts_interface: bool,
    source: Option<Source>,
    /// The interface's number when it was opened.
    index: u32,
    state: State,
    /// When to look after the interface next.
    due: Instant,
    /// What reading failed with.
    failure: Option<String>,
    /// Whether there may be frames that have not been read.
    readable: bool,
    /// Until when an interface that went away may have left frames in a block that was not full.
    draining: Instant,
    opening: Option<Opening>,
    /// What was counted by a source that has been closed.
    carried: LiveStats,
}

/// Whether frames can come.
#[derive(Debug)]
enum State {
    Running,
    Waiting {
        /// How often opening it has failed since it is there again.
        failures: u32,
        /// The reason last told of.
        told: Option<String>,
    },
}

/// The time between a source's opening and its start: until the last ring had joined, this one got the others' frames too.
#[derive(Debug)]
struct Opening {
    opened: Timestamp,
    started: Timestamp,
    /// The first frame after it.
    held: Option<Held>,
}

/// A frame that was read but not lent yet.
#[derive(Debug)]
struct Held {
    time: Timestamp,
    wire_len: u32,
    link: u16,
    data: Vec<u8>,
}

impl Device {
    /// Opens the interface; one that is down is waited for.
    ///
    /// # Errors
    ///
    /// It is up and cannot be opened, or the filter is refused.
    pub(super) fn open(
        name: &str,
        config: &Arc<LiveConfig>,
        pf_ring: Option<&Arc<PfRing>>,
        group: &Arc<Group>,
        inquiry: &Arc<Inquiry>,
        counts_interface: bool,
    ) -> Result<(Self, Option<LiveEvent>), LiveError> {
        let mut device = Self {
            name: name.to_owned(),
            config: Arc::clone(config),
            pf_ring: pf_ring.map(Arc::clone),
            group: Arc::clone(group),
            inquiry: Arc::clone(inquiry),
            counts_interface,
            source: None,
            index: 0,
            state: State::Running,
            due: Instant::now() + RUNNING_INTERVAL,
            failure: None,
            readable: false,
            draining: Instant::now(),
            opening: None,
            carried: LiveStats::default(),
        };
        match device.presence() {
            Presence::Up(index) => {
                device.open_source(index)?;
                Ok((device, None))
            }
            Presence::Absent | Presence::Down => {
                check_filter(name, config)?;
                let event = device.went(Outage::Down);
                Ok((device, event))
            }
        }
    }

    /// Frames captured before `now` are not this source's: other rings have them too.
    pub(super) fn start(&mut self, now: Timestamp) {
        if let Some(opening) = &mut self.opening {
            opening.started = now;
        }
    }

    /// The next frame, if one is there.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Frame<'_>> {
        if self.opening.is_some() {
            self.pass_opening();
        }
        if let Some(Opening { held: Some(held), .. }) = &self.opening {
            return Some(Frame { time: held.time, wire_len: held.wire_len, link: held.link, data: &held.data });
        }
        let Self { source, failure, readable, .. } = self;
        match source.as_mut()?.next() {
            Ok(Some(frame)) => Some(frame),
            Ok(None) => {
                *readable = false;
                None
            }
            Err(message) => {
                *failure = Some(message);
                *readable = false;
                None
            }
        }
    }

    /// The source, while it is of use to wait for its frames.
    pub(super) fn source(&self) -> Option<&Source> {
        self.source.as_ref().filter(|source| self.is_running() || !source.is_pf_ring())
    }

    /// Notes that there are frames.
    pub(super) const fn wake(&mut self) {
        self.readable = true;
    }

    /// Something is wrong with the descriptor: looks after the interface at once.
    pub(super) fn trouble(&mut self, now: Instant) {
        if let Some(descriptor) = self.source.as_ref().and_then(Source::descriptor) {
            // That takes the error off the socket, lest poll(2) should return for it again and again. What it was, a look at
            // the interface tells.
            rustix::net::sockopt::socket_error(descriptor).ok();
        }
        if self.is_running() {
            self.due = now;
        }
    }

    /// When to look after the interface, unless something happens before.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Looks after the interface when it is time to.
    pub(super) fn look_after(&mut self, now: Instant) -> Option<LiveEvent> {
        if now < self.due && !(self.failure.is_some() && self.is_running()) {
            return None;
        }
        if self.is_running() { self.look_after_running(now) } else { self.look_after_waiting(now) }
    }

    /// What was counted since the last call.
    pub(super) fn stats(&mut self) -> LiveStats {
        let mut stats = std::mem::take(&mut self.carried);
        if let Some(source) = &mut self.source {
            stats += source.stats();
        }
        if !self.counts_interface {
            stats.if_dropped = 0;
        }
        stats
    }

    fn look_after_running(&mut self, now: Instant) -> Option<LiveEvent> {
        self.due = now + RUNNING_INTERVAL;
        let failure = self.failure.take();
        let outage = match (self.presence(), failure) {
            (Presence::Absent, _) => Outage::Removed,
            (Presence::Down, _) => Outage::Down,
            (Presence::Up(index), _) if index != self.index => Outage::Replaced,
            (Presence::Up(_), Some(message)) => {
                self.index = NONE;
                Outage::Failed(message)
            }
            (Presence::Up(_), None) => return None,
        };
        self.went(outage)
    }

    fn look_after_waiting(&mut self, now: Instant) -> Option<LiveEvent> {
        self.due = now + WAITING_INTERVAL;
        self.failure = None;
        let index = match self.presence() {
            Presence::Absent | Presence::Down => {
                self.state = State::Waiting { failures: 0, told: None };
                return None;
            }
            Presence::Up(index) => index,
        };
        // The kernel takes a socket up again by itself, as long as the interface is the same one.
        if index == self.index && self.source.is_some() {
            return self.came_back();
        }
        // What was captured before is read first.
        if self.source.is_some() && (self.readable || now < self.draining) {
            return None;
        }
        self.close();
        match self.open_source(index) {
            Ok(()) => {
                self.start(now_on_the_wall());
                self.came_back()
            }
            Err(error) => self.stuck(now, error),
        }
    }

    /// Notes that the interface went away.
    fn went(&mut self, outage: Outage) -> Option<LiveEvent> {
        self.state = State::Waiting { failures: 0, told: None };
        let now = Instant::now();
        (self.due, self.draining) = (now + WAITING_INTERVAL, now + 2 * self.config.latency);
        let first = self.group.went();
        first.then(|| LiveEvent::Down { device: self.name.clone(), outage })
    }

    fn came_back(&mut self) -> Option<LiveEvent> {
        self.state = State::Running;
        self.due = Instant::now() + RUNNING_INTERVAL;
        let last = self.group.came_back();
        last.then(|| LiveEvent::Up { device: self.name.clone() })
    }

    fn stuck(&mut self, now: Instant, error: LiveError) -> Option<LiveEvent> {
        let State::Waiting { failures, told } = &mut self.state else { return None };
        *failures = failures.saturating_add(1);
        if *failures > PATIENCE {
            self.due = now + STUCK_INTERVAL;
        }
        // An interface that has just come up may refuse for a moment.
        if *failures < PATIENCE && !error.is_denied() {
            return None;
        }
        let reason = error.to_string();
        if told.as_ref() == Some(&reason) {
            return None;
        }
        *told = Some(reason);
        Some(LiveEvent::Stuck { device: self.name.clone(), error })
    }

    fn open_source(&mut self, index: u32) -> Result<(), LiveError> {
        let opened = now_on_the_wall();
        let source = Source::open(&self.name, index, &self.config, self.pf_ring.as_ref(), &self.group)?;
        (self.source, self.index, self.readable) = (Some(source), index, false);
        self.opening = (self.config.rings > 1).then_some(Opening { opened, started: opened, held: None });
        Ok(())
    }

    fn close(&mut self) {
        if let Some(mut source) = self.source.take() {
            self.carried += source.stats();
        }
        self.opening = None;
    }

    fn presence(&self) -> Presence {
        // PF_RING has names of its own, such as `zc:eth0@1`.
        if self.name == ANY || self.pf_ring.is_some() {
            return Presence::Up(0);
        }
        self.inquiry.presence(&self.name)
    }

    const fn is_running(&self) -> bool {
        matches!(self.state, State::Running)
    }

    /// Discards what was captured before the start; holds the first frame after it.
    #[cold]
    fn pass_opening(&mut self) {
        let Self { source: Some(source), opening, failure, .. } = self else { return };
        let Some(Opening { opened, started, held }) = opening else { return };
        if held.is_some() {
            // It was lent by the call before.
            *opening = None;
            return;
        }
        loop {
            match source.next() {
                // A clock that was set back in between makes the times say nothing.
                Ok(Some(frame)) if (*opened..*started).contains(&frame.time) => {}
                Ok(Some(Frame { time, wire_len, link, data })) => {
                    *held = Some(Held { time, wire_len, link, data: data.to_vec() });
                    return;
                }
                Ok(None) => return,
                Err(message) => {
                    *failure = Some(message);
                    return;
                }
            }
        }
    }
}

/// Checks the filter of an interface that is not open, as if it were Ethernet.
pub(super) fn check_filter(device: &str, config: &LiveConfig) -> Result<(), LiveError> {
    let Some(expression) = &config.filter else { return Ok(()) };
    refuse_loops(device, expression)?;
    Filter::compile(expression, 1).map(drop).map_err(|error| LiveError::Filter {
        device: device.to_owned(),
        expression: expression.clone(),
        message: match error {
            crate::FilterError::Refused { message, .. } => message,
            error => error.to_string(),
        },
    })
}

/// Refuses a filter that jumps back. The kernel takes none, so that libpcap's machine would run it, and an IPv6 frame with an
/// Authentication header can keep that in a circle for ever: libpcap goes on at the length of that header instead of behind
/// it. Capture files are filtered by a machine that gives up.
pub(super) fn refuse_loops(device: &str, expression: &str) -> Result<(), LiveError> {
    if !expression.contains("protochain") {
        return Ok(());
    }
    Err(LiveError::Filter {
        device: device.to_owned(),
        expression: expression.to_owned(),
        message: "protochain is for capture files only: one frame could keep libpcap busy for ever".to_owned(),
    })
}

/// The wall clock, which the kernel takes the frames' times from.
pub(super) fn now_on_the_wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::new(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos())
}

/// How often an interface that frames come from is looked after, in case the kernel's word went missing.
const RUNNING_INTERVAL: Duration = Duration::from_millis(500);

/// How often an interface that is waited for is looked for.
const WAITING_INTERVAL: Duration = Duration::from_millis(200);

/// How often one that cannot be opened is tried.
const STUCK_INTERVAL: Duration = Duration::from_secs(5);

/// How many failures to open an interface that is there again are taken for teething troubles.
const PATIENCE: u32 = 5;

/// No interface's number.
const NONE: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_may_not_end_is_refused() {
        let error = refuse_loops("eth0", "udp or ip6 protochain 17").unwrap_err().to_string();
        assert!(
            error.starts_with("filter 'udp or ip6 protochain 17' on 'eth0': protochain is for capture files"),
            "{error}"
        );
        assert!(refuse_loops("eth0", "udp port 53").is_ok());
    }
}
