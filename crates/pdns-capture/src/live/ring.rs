//! A worker's rings.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use pdns_packet::time::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec};

use super::device::Device;
use super::source::Source;
use super::{LiveEvent, LiveStats};
use crate::Frame;

/// One worker's share of the frames of all interfaces.
#[derive(Default)]
pub struct LiveRing {
    devices: Vec<Device>,
    /// Whose turn it is, and how many frames it may still lend.
    turn: usize,
    left: u32,
    /// Whether an interface was left before it had no more.
    more: bool,
    events: VecDeque<LiveEvent>,
    ready: Vec<PollFlags>,
}

/// What ended the waiting.
#[derive(Debug)]
pub enum Wake {
    /// There may be frames: take them from [`LiveRing::next`] until it has none.
    Frames,
    /// Something happened to an interface.
    Event(LiveEvent),
    /// Nothing, for so long.
    Timeout,
}

impl fmt::Debug for LiveRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveRing").field("devices", &self.devices.len()).finish_non_exhaustive()
    }
}

impl LiveRing {
    /// Waits until there are frames, or something happened to an interface, but no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// poll(2) failed for want of memory.
    pub fn poll(&mut self, timeout: Duration) -> io::Result<Wake> {
        let end = Instant::now() + timeout;
        loop {
            let now = Instant::now();
            for device in &mut self.devices {
                self.events.extend(device.look_after(now));
            }
            if let Some(event) = self.events.pop_front() {
                return Ok(Wake::Event(event));
            }
            if std::mem::take(&mut self.more) {
                return Ok(Wake::Frames);
            }
            let until = self.devices.iter().map(Device::due).min().map_or(end, |due| due.min(end));
            match self.wait(until.saturating_duration_since(now)) {
                Ok(true) => return Ok(Wake::Frames),
                Ok(false) => {}
                // A signal: the caller may have it to look at.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Wake::Timeout),
                Err(error) => return Err(error),
            }
            if Instant::now() >= end && self.devices.iter().all(|device| device.due() > end) {
                return Ok(Wake::Timeout);
            }
        }
    }

    /// Lends the next frame; `None` when it is time to [`poll`](Self::poll) again.
    ///
    /// That is when there are no more, and now and then besides, so that several interfaces share the worker fairly and none
    /// that fails goes unnoticed.
    #[expect(clippy::should_implement_trait, reason = "the frame is lent, as no Iterator can")]
    #[inline]
    pub fn next(&mut self) -> Option<Frame<'_>> {
        let Self { devices, turn, left, more, .. } = self;
        for device in devices.iter_mut().skip(*turn) {
            if *left > 0 {
                *left -= 1;
                if let Some(frame) = device.next() {
                    return Some(frame);
                }
            } else {
                *more = true;
            }
            (*turn, *left) = (*turn + 1, BURST);
        }
        *turn = 0;
        None
    }

    /// What was counted since the last call, by all interfaces together.
    pub fn stats(&mut self) -> LiveStats {
        let mut stats = LiveStats::default();
        for device in &mut self.devices {
            stats += device.stats();
        }
        stats
    }

    /// Adds an interface, and what happened when it was opened.
    pub(super) fn add(&mut self, device: Device, event: Option<LiveEvent>) {
        self.devices.push(device);
        self.events.extend(event);
        self.left = BURST;
    }

    /// Frames count from now on.
    pub(super) fn start(&mut self, now: Timestamp) {
        self.devices.iter_mut().for_each(|device| device.start(now));
    }

    /// Waits for frames; whether there are any.
    fn wait(&mut self, mut timeout: Duration) -> io::Result<bool> {
        let Self { devices, ready, .. } = self;
        let without = |device: &Device| device.source().is_some_and(|source| source.descriptor().is_none());
        let mut any = false;
        for device in devices.iter_mut().filter(|device| without(device)) {
            timeout = timeout.min(BLIND);
            if device.source().is_some_and(|source| source.wait(BLIND.as_millis() as u32)) {
                device.wake();
                any = true;
            }
        }
        if any {
            timeout = Duration::ZERO;
        }

        // Lent by the devices, so not to be kept.
        let mut descriptors: Vec<_> = devices.iter().filter_map(watched).collect();
        let timespec = Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: timeout.subsec_nanos().into() };
        rustix::event::poll(&mut descriptors, Some(&timespec))?;
        ready.clear();
        ready.extend(descriptors.iter().map(PollFd::revents));
        drop(descriptors);

        let now = Instant::now();
        let watched = devices.iter_mut().filter(|device| watched(device).is_some());
        for (device, flags) in watched.zip(ready.iter()) {
            if flags.contains(PollFlags::IN) {
                device.wake();
                any = true;
            }
            if flags.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL) {
                device.trouble(now);
            }
        }
        Ok(any)
    }
}

/// What poll(2) is to watch for an interface.
fn watched(device: &Device) -> Option<PollFd<'_>> {
    let descriptor = device.source().and_then(Source::descriptor)?;
    Some(PollFd::from_borrowed_fd(descriptor, PollFlags::IN))
}

/// How many frames an interface may lend before it is the next one's turn.
const BURST: u32 = 1024;

/// How long PF_RING is waited for where it has no descriptor.
const BLIND: Duration = Duration::from_millis(10);
