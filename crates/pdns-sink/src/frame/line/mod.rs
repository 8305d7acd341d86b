//! The waiting line before one sink: what is delivered next, what is tried again and when, and the account.
//!
//! ```text
//!  offer ──> queue ──────────────────────> flights ──> outcome: delivered, dropped
//!              │ when more than half full     ^ │
//!              v                              │ v
//!            spool ──> fetched ──────────────>again: failed, or cut into parts
//! ```
//!
//! A state machine: it reads no clock and does no I/O. Whoever drives it asks [`Line::poll`] what to do, does it, and says
//! how it ended. While anything on disk has not been fetched, what is offered goes through the disk as well, so that the
//! order is kept.

mod disk;
mod limits;
mod news;
mod outcomes;
mod parcel;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::iter;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use self::disk::Disk;
pub(crate) use self::disk::{Append, Damage, Fetched, Left};
use self::limits::Limits;
pub(crate) use self::news::News;
use self::parcel::{Flight, Origin, Parcel};
use super::backoff::Backoff;
use super::settings::{Settings, WhenFull};
use crate::{Batch, DeliveryId, DropReason, Failure, LastError, Needs, SinkStats};

/// How much is written to disk before the line is looked at again.
const APPEND_BYTES: usize = 8 << 20;

/// The line before one sink.
#[derive(Debug)]
pub(crate) struct Line {
    limits: Limits,
    backoff: Backoff,
    /// What was offered and has not been tried, oldest first.
    queue: VecDeque<Waiting>,
    queue_bytes: usize,
    /// What failed or was cut, oldest first; goes before everything else.
    again: VecDeque<Parcel>,
    flights: Vec<Flight>,
    disk: Option<Disk>,
    next_id: u64,
    /// Until when nothing is tried.
    pause: Option<Instant>,
    failing_since: Option<Instant>,
    last_error: Option<(String, Instant)>,
    state: State,
    /// All that was counted; its gauges are filled in when it is asked for.
    stats: SinkStats,
    news: Vec<News>,
}

#[derive(Debug)]
struct Waiting {
    batch: Arc<Batch>,
    since: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// No more is offered, and what is left by this time is left.
    Closing(Instant),
    /// The receiver has gone for good.
    Gone,
    Ended,
}

/// What the driver is to do next.
#[derive(Debug)]
pub(crate) enum Action {
    /// Have the sink deliver a batch.
    Submit(DeliveryId, Arc<Batch>),
    /// Tell the sink that a delivery has taken too long.
    Expire(DeliveryId),
    /// Append batches to the spool, then call [`Line::appended`].
    Append(Vec<Arc<Batch>>),
    /// Read the next batch of the spool, then call [`Line::fetched`].
    Fetch,
    /// Nothing, until this time or until something happens.
    Wait(Option<Instant>),
    /// Nothing any more.
    End,
}

impl Line {
    /// An empty line.
    pub(crate) fn new(settings: &Settings, needs: &Needs, seed: u64) -> Self {
        Self {
            limits: Limits::new(settings, needs),
            backoff: Backoff::new(settings.retry_min, settings.retry_max, seed),
            queue: VecDeque::new(),
            queue_bytes: 0,
            again: VecDeque::new(),
            flights: Vec::new(),
            disk: None,
            next_id: 0,
            pause: None,
            failing_since: None,
            last_error: None,
            state: State::Open,
            stats: SinkStats::default(),
            news: Vec::new(),
        }
    }

    /// With a spool, in which an earlier run left batches; `always` has everything go through it.
    pub(crate) fn with_spool(mut self, always: bool, left: &Left) -> Self {
        self.disk = Some(Disk::new(always, left.batches, left.records));
        self.stats.restored = left.records;
        self.stats.spool_cut_bytes = left.cut_bytes;
        self
    }

    /// Takes a batch, or drops it and counts that. Gives it back where whoever offers it is to wait for room.
    pub(crate) fn offer(&mut self, now: Instant, batch: Arc<Batch>) -> Result<(), Arc<Batch>> {
        let records = batch.records();
        let refusal = match self.state {
            State::Gone => Some(DropReason::Closed),
            State::Closing(_) | State::Ended => Some(DropReason::Shutdown),
            State::Open if self.has_room(batch.size()) => None,
            State::Open if self.limits.when_full == WhenFull::Block => return Err(batch),
            State::Open if self.disk.as_ref().is_some_and(Disk::is_full) => Some(DropReason::SpoolFull),
            State::Open => Some(DropReason::QueueFull),
        };
        self.stats.offered += records;
        match refusal {
            Some(reason) => self.drop_records(reason, records),
            None => {
                self.queue_bytes += batch.size();
                self.queue.push_back(Waiting { batch, since: now });
            }
        }
        Ok(())
    }

    /// Whether what was just offered is a reason to [ask](Self::poll) what to do: otherwise an outcome is waited for, or a time
    /// that is known.
    pub(crate) fn is_stirred(&self, now: Instant) -> bool {
        let is_quiet = self.disk.is_none() && self.state == State::Open && self.news.is_empty();
        !is_quiet || (self.may_submit(now) && (self.queue.len() == 1 || self.is_ready(now)))
    }

    /// What to do next. To be asked again after each action but [`Action::Wait`].
    pub(crate) fn poll(&mut self, now: Instant) -> Action {
        if self.state == State::Ended {
            return Action::End;
        }
        if let Some(id) = self.expire(now) {
            return Action::Expire(id);
        }
        if let State::Closing(deadline) = self.state
            && let Some(action) = self.close_down(now, deadline)
        {
            return action;
        }
        if let Some(batches) = self.take_for_disk(now) {
            return Action::Append(batches);
        }
        if self.may_submit(now) {
            if let Some(parcel) = self.next_parcel(now) {
                return self.launch(now, parcel);
            }
            if self.disk.as_mut().is_some_and(Disk::begin_fetch) {
                return Action::Fetch;
            }
        }
        Action::Wait(self.next_time(now))
    }

    /// The sink could not start. Deliveries are tried all the same.
    pub(crate) fn start_failed(&mut self, now: Instant, failure: &Failure) {
        self.note(now, failure, false, Duration::ZERO);
    }

    /// Batches were appended to the spool, or not.
    pub(crate) fn appended(&mut self, now: Instant, append: Append) {
        let Some(disk) = &mut self.disk else { return };
        let left = disk.appended(now, &append);
        self.stats.spool_written += append.records;
        if append.failure.as_ref() != disk.last_failure() {
            disk.set_last_failure(append.failure.clone());
            self.news.extend(append.failure.clone().map(News::SpoolFailed));
        }
        for batch in left.into_iter().rev() {
            self.queue_bytes += batch.size();
            self.queue.push_front(Waiting { batch, since: now });
        }
    }

    /// The size of the spool on disk.
    pub(crate) const fn set_spool_bytes(&mut self, bytes: u64) {
        self.stats.spooled_bytes = bytes;
    }

    /// The next batch of the spool was read, or there is something else to say of it.
    pub(crate) fn fetched(&mut self, now: Instant, fetched: Fetched) {
        let Some(disk) = &mut self.disk else { return };
        match disk.fetched(fetched) {
            Ok(Some((batch, number, age))) => {
                let since = now.checked_sub(age).unwrap_or(now);
                self.again(Parcel::new(Arc::new(batch), since, Origin::Spool(number)));
            }
            Ok(None) => {}
            Err(damage) => {
                self.stats.drop(DropReason::SpoolDamaged, damage.records);
                self.stats.spool_cut_bytes += damage.bytes;
                self.news.push(News::SpoolDamaged(damage));
            }
        }
    }

    /// The number of the last batch of the spool up to which all are done with, when there are new ones.
    pub(crate) fn take_done(&mut self) -> Option<u64> {
        self.disk.as_mut()?.take_done()
    }

    /// No more will be offered; what is left at `deadline` goes to the spool, or is dropped.
    pub(crate) fn close(&mut self, now: Instant, deadline: Instant) {
        if matches!(self.state, State::Open | State::Gone) {
            self.state = State::Closing(deadline);
            self.pause = self.pause.map(|pause| pause.min(now));
        }
    }

    /// Whether the receiver has gone for good.
    pub(crate) fn is_gone(&self) -> bool {
        self.state == State::Gone
    }

    /// Whether a batch of this size could be taken.
    pub(crate) fn has_room(&self, size: usize) -> bool {
        let memory = self.memory();
        memory == 0 || memory.saturating_add(size) <= self.limits.memory || self.state != State::Open
    }

    /// What is to be told, since this was last asked.
    pub(crate) fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// The account at this moment.
    pub(crate) fn stats(&self, now: Instant, wall: SystemTime) -> SinkStats {
        let wall_of = |then: Instant| wall.checked_sub(now.saturating_duration_since(then)).unwrap_or(wall);
        let parcels = || self.again.iter().chain(self.flights.iter().map(|flight| &flight.parcel));
        let oldest = parcels().map(|parcel| parcel.since).chain(self.queue.front().map(|waiting| waiting.since)).min();
        SinkStats {
            queued_records: self.queued_records(),
            queued_bytes: self.memory() as u64,
            queue_limit_bytes: self.limits.memory as u64,
            spooled_records: self.disk.as_ref().map_or(0, Disk::records),
            in_flight: self.flights.len() as u64,
            lag: oldest.map_or(Duration::ZERO, |oldest| now.saturating_duration_since(oldest)),
            last_error: self.last_error.as_ref().map(|(text, at)| LastError { text: text.clone(), at: wall_of(*at) }),
            failing_since: self.failing_since.map(wall_of),
            ..self.stats.clone()
        }
    }

    //---- What is delivered next ----

    fn may_submit(&self, now: Instant) -> bool {
        if self.pause.is_some_and(|pause| now < pause) {
            return false;
        }
        // After a failure one delivery finds out whether the receiver is back.
        let window = if self.failing_since.is_some() { 1 } else { self.limits.window };
        self.state != State::Gone && self.flights.len() < window && self.leaves_room()
    }

    /// Whether one more delivery leaves half of the memory to what comes, which the spool can then take. One is always under way.
    fn leaves_room(&self) -> bool {
        let under_way: usize = self.flights.iter().map(|flight| flight.parcel.batch.size()).sum();
        under_way == 0 || self.disk.is_none() || under_way + self.limits.batch_bytes <= self.limits.memory / 2
    }

    fn next_parcel(&mut self, now: Instant) -> Option<Parcel> {
        if let Some(parcel) = self.due_again() {
            return Some(self.fitting(parcel));
        }
        if self.disk.as_ref().is_some_and(|disk| disk.goes_before_memory(now)) || !self.is_ready(now) {
            let is_drained = self.disk.as_ref().is_none_or(Disk::is_drained);
            // Only what is set aside is there, and with nothing else to try it is.
            return if is_drained { self.again.pop_front() } else { None };
        }
        let first = self.queue.pop_front()?;
        self.queue_bytes -= first.batch.size();
        let batch = self.merged(first.batch);
        Some(self.fitting(Parcel::new(batch, first.since, Origin::Memory)))
    }

    /// What failed or was cut, but for what is set aside until another delivery succeeds.
    fn due_again(&mut self) -> Option<Parcel> {
        let delivered = self.stats.batches;
        let is_due = |parcel: &Parcel| parcel.aside.is_some_and(|then| delivered > then);
        let first = || self.again.front().filter(|parcel| parcel.aside.is_none()).map(|_| 0);
        let place = self.again.iter().position(is_due).or_else(first)?;
        self.again.remove(place)
    }

    /// Whether the batches that wait are worth a delivery: enough of them, or old enough.
    fn is_ready(&self, now: Instant) -> bool {
        // Where the queue is smaller than a delivery, whoever feeds it does not wait for what cannot come.
        let enough = self.limits.batch_bytes.min(self.limits.memory / 2);
        self.queue
            .front()
            .is_some_and(|oldest| self.queue_bytes >= enough || now >= self.ripe(oldest) || self.state != State::Open)
    }

    fn ripe(&self, oldest: &Waiting) -> Instant {
        oldest.since + self.limits.linger
    }

    /// A batch with those after it, as far as they fit. One that already has half of a delivery's size is not copied.
    fn merged(&mut self, first: Arc<Batch>) -> Arc<Batch> {
        let more = self.how_many_fit_behind(&first);
        if more == 0 {
            return first;
        }
        let batches: Vec<_> = iter::once(first).chain(self.queue.drain(..more).map(|waiting| waiting.batch)).collect();
        self.queue_bytes -= batches[1..].iter().map(|batch| batch.size()).sum::<usize>();
        Arc::new(Batch::of_all(&batches))
    }

    fn how_many_fit_behind(&self, first: &Batch) -> usize {
        let limits = &self.limits;
        if first.bytes().len() >= limits.batch_bytes / 2 {
            return 0;
        }
        let (mut bytes, mut records) = (first.bytes().len(), first.records());
        let fits = |next: &&Waiting| {
            bytes += next.batch.bytes().len();
            records += next.batch.records();
            bytes <= limits.batch_bytes && records <= limits.batch_records && first.can_hold(&next.batch)
        };
        self.queue.iter().take_while(fits).count()
    }

    /// The beginning of a parcel that is small enough for a delivery. The rest goes after it.
    fn fitting(&mut self, mut parcel: Parcel) -> Parcel {
        while parcel.batch.bytes().len() > self.limits.batch_bytes || parcel.records() > self.limits.batch_records {
            let Some([first, second]) = parcel.batch.halves() else { break };
            self.again.push_front(parcel.part(second));
            parcel = parcel.part(first);
        }
        parcel
    }

    fn launch(&mut self, now: Instant, parcel: Parcel) -> Action {
        self.next_id += 1;
        let id = DeliveryId(self.next_id);
        if parcel.tries > 0 {
            self.stats.retried += parcel.records();
        }
        let batch = Arc::clone(&parcel.batch);
        let deadline = self.limits.timeout.map(|timeout| now + timeout);
        self.flights.push(Flight {
            id,
            deadline,
            parcel: Parcel { tries: parcel.tries + 1, last: Some(id), ..parcel },
        });
        Action::Submit(id, batch)
    }

    fn expire(&mut self, now: Instant) -> Option<DeliveryId> {
        let late = self.flights.iter().position(|flight| flight.deadline.is_some_and(|deadline| now >= deadline))?;
        let flight = self.flights.swap_remove(late);
        let timeout = self.limits.timeout.unwrap_or_default();
        self.fail(now, &Failure::new(format!("no answer within {timeout:?}")), false);
        self.again(flight.parcel);
        Some(flight.id)
    }

    fn next_time(&self, now: Instant) -> Option<Instant> {
        let expiry = self.flights.iter().filter_map(|flight| flight.deadline);
        let closing = if let State::Closing(deadline) = self.state { Some(deadline) } else { None };
        let can_go = self.disk.is_some() || self.may_submit(now);
        let ripe = self.queue.front().filter(|_| can_go).map(|oldest| self.ripe(oldest));
        let disk = self.disk.as_ref().and_then(Disk::retry_time);
        // What is over and due has been done, unless it waits for an outcome: then that wakes the driver.
        expiry.chain(closing).chain(ripe).chain(self.pause).chain(disk).filter(|&time| time > now).min()
    }

    //---- The spool, and the end ----

    /// What is to go to disk now.
    fn take_for_disk(&mut self, now: Instant) -> Option<Vec<Arc<Batch>>> {
        let is_ready = self.is_ready(now);
        let is_crowded = self.memory() > self.limits.memory / 2;
        let disk = self.disk.as_mut()?;
        if self.queue.is_empty() || !disk.takes(now, is_ready, is_crowded) {
            return None;
        }
        Some(self.take_queue())
    }

    /// What has waited longest in memory, merged. It counts as queued until it is on disk.
    fn take_queue(&mut self) -> Vec<Arc<Batch>> {
        let (mut batches, mut bytes) = (Vec::new(), 0);
        while bytes < APPEND_BYTES
            && let Some(first) = self.queue.pop_front()
        {
            self.queue_bytes -= first.batch.size();
            let batch = self.merged(first.batch);
            bytes += batch.size();
            batches.push(batch);
        }
        if let Some(disk) = &mut self.disk {
            disk.begin_append(&batches);
        }
        batches
    }

    /// What to do about the end, when it is time to do something.
    fn close_down(&mut self, now: Instant, deadline: Instant) -> Option<Action> {
        let is_failing = self.failing_since.is_some();
        let is_over = now >= deadline || (is_failing && self.disk.is_some());
        if is_over {
            return Some(self.leave(now, deadline));
        }
        let is_drained = self.disk.as_ref().is_none_or(Disk::is_drained);
        let is_done = is_drained && self.queue.is_empty() && self.again.is_empty() && self.flights.is_empty();
        is_done.then(|| self.end())
    }

    /// The time is over: what is in memory goes to disk, and what cannot is dropped.
    fn leave(&mut self, now: Instant, deadline: Instant) -> Action {
        self.again.extend(self.flights.drain(..).map(|flight| flight.parcel));
        let mut parcels: Vec<_> = std::mem::take(&mut self.again).into();
        parcels.retain(|parcel| parcel.origin == Origin::Memory);
        parcels.sort_by_key(Parcel::order);
        for parcel in parcels.into_iter().rev() {
            self.queue_bytes += parcel.batch.size();
            self.queue.push_front(Waiting { batch: parcel.batch, since: parcel.since });
        }
        let can_append = self.disk.as_ref().is_some_and(|disk| disk.can_append(now));
        if can_append && !self.queue.is_empty() {
            return Action::Append(self.take_queue());
        }
        let reason = match &self.disk {
            None => DropReason::Shutdown,
            Some(disk) if disk.is_full() => DropReason::SpoolFull,
            Some(disk) if now < deadline && !self.queue.is_empty() => {
                return Action::Wait(disk.retry_time().map(|retry| retry.min(deadline)));
            }
            Some(_) => DropReason::SpoolFailed,
        };
        self.drop_queue(reason);
        self.end()
    }

    fn end(&mut self) -> Action {
        self.state = State::Ended;
        Action::End
    }

    fn drop_queue(&mut self, reason: DropReason) {
        let records = self.queue.drain(..).map(|waiting| waiting.batch.records()).sum();
        self.queue_bytes = 0;
        if records > 0 {
            self.drop_records(reason, records);
        }
    }

    fn drop_records(&mut self, reason: DropReason, records: u64) {
        self.stats.drop(reason, records);
        self.news.push(News::Dropped { reason, records });
    }

    //---- Sums ----

    /// The memory that is held, in bytes.
    fn memory(&self) -> usize {
        let parcels = self.again.iter().chain(self.flights.iter().map(|flight| &flight.parcel));
        let parcels: usize = parcels.map(|parcel| parcel.batch.size()).sum();
        self.queue_bytes + parcels + self.disk.as_ref().map_or(0, Disk::bytes_on_the_way)
    }

    fn queued_records(&self) -> u64 {
        let parcels = self.again.iter().chain(self.flights.iter().map(|flight| &flight.parcel));
        let parcels = parcels.filter(|parcel| parcel.origin == Origin::Memory).map(Parcel::records).sum::<u64>();
        let queue = self.queue.iter().map(|waiting| waiting.batch.records()).sum::<u64>();
        queue + parcels + self.disk.as_ref().map_or(0, Disk::records_on_the_way)
    }

    fn waiting_records(&self) -> u64 {
        self.queued_records() + self.disk.as_ref().map_or(0, Disk::records)
    }
}
