//! Who does what next, when several workers share one source: read on for all, or work on what was read for oneself.
//!
//! There is no thread that only reads: with N workers there are N threads for N cores. The source lies on the desk, and
//! whoever takes it up reads for everybody. That keeps the order of packets, and whoever has less to do reads more.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use pdns_packet::time::Timestamp;

use crate::board::INTERVAL;
use crate::handover::{Dealer, Packets};
use crate::pipeline::{Source, Turn};

/// How many batches may wait for a worker; then nobody reads on.
const MOST_WAITING: usize = 4;

/// With fewer batches waiting for a worker, it is time to read on.
const FEW_WAITING: usize = 2;

/// What all workers share.
pub(crate) struct Desk {
    state: Mutex<State>,
    /// One for each worker.
    bells: Vec<Condvar>,
}

/// What a worker is to do.
pub(crate) enum Task {
    /// Have a [turn](Source::turn) for all, and put the source back.
    Read(Box<Source>),
    /// Take these packets, and give their memory back.
    Work(Packets),
    /// Nothing has come for a while.
    Idle,
    /// The capture has ended.
    End(Timestamp),
}

#[derive(Default)]
struct State {
    /// Here, unless it was not put down yet, or somebody reads.
    source: Option<Box<Source>>,
    lanes: Vec<Lane>,
    /// What timers see after all that was handed over.
    now: Timestamp,
    /// Nothing more is to be read: a worker has gone before the end.
    given_up: bool,
    ended: bool,
}

/// One worker's part.
#[derive(Default)]
struct Lane {
    waiting: VecDeque<Packets>,
    /// Batches that it dealt out and that have come back.
    emptied: Vec<Packets>,
    /// Its worker waits for its bell.
    sleeps: bool,
    /// Its worker has the source.
    reads: bool,
    /// Its worker takes no more packets.
    gone: bool,
}

impl Desk {
    /// A desk for so many workers, who wait until there is a source.
    pub(crate) fn new(workers: usize) -> Self {
        let lanes = (0..workers).map(|_| Lane::default()).collect();
        Self {
            state: Mutex::new(State { lanes, ..State::default() }),
            bells: (0..workers).map(|_| Condvar::new()).collect(),
        }
    }

    /// Lets the workers begin.
    pub(crate) fn open(&self, source: Source) {
        let mut state = self.lock();
        state.source = Some(Box::new(source));
        self.wake_one(&mut state);
    }

    /// Waits until there is something to do for a worker.
    pub(crate) fn next(&self, worker: usize) -> Task {
        let mut state = self.lock();
        let mut waited = false;
        loop {
            let is_idle = state.lanes[worker].waiting.is_empty();
            // Whoever has work reads ahead only where nobody else is there for it.
            if state.is_to_read(worker)
                && (is_idle || !self.wake_one(&mut state))
                && let Some(source) = state.take_up(worker)
            {
                return Task::Read(source);
            }
            if let Some(batch) = state.lanes[worker].waiting.pop_front() {
                return Task::Work(batch);
            }
            if state.ended {
                return Task::End(state.now);
            }
            if waited {
                return Task::Idle;
            }
            state.lanes[worker].sleeps = true;
            let bell = &self.bells[worker];
            let (woken, wait) = bell.wait_timeout(state, INTERVAL).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.lanes[worker].sleeps = false;
            waited = wait.timed_out();
        }
    }

    /// Takes the source back after a turn, and what was dealt out in it. Gives emptied batches back.
    pub(crate) fn put_back(&self, worker: usize, source: Box<Source>, turn: Turn, dealer: &mut Dealer) {
        // Whoever has the source may take its time: the order is kept.
        for (to, batch) in dealer.hand_out(turn == Turn::Dry) {
            let lane = &mut self.lock().lanes[to];
            if !lane.gone {
                lane.waiting.push_back(batch);
                lane.wake(&self.bells[to]);
            }
        }
        let mut state = self.lock();
        let lane = &mut state.lanes[worker];
        lane.reads = false;
        dealer.take_back(&mut lane.emptied);
        state.now = source.now();
        state.source = Some(source);
        if turn == Turn::Ended {
            state.ended = true;
            self.wake_all(&mut state);
        }
    }

    /// Takes the memory of a batch back.
    pub(crate) fn give_back(&self, mut batch: Packets) {
        batch.clear();
        self.lock().lanes[batch.dealer()].emptied.push(batch);
    }

    /// Tells that a worker takes no more packets. Before the end of the capture that is a failure, which ends it.
    pub(crate) fn leave(&self, worker: usize) {
        let mut state = self.lock();
        let lane = &mut state.lanes[worker];
        lane.gone = true;
        lane.waiting.clear();
        // One that panicked while it read has taken the source with it.
        state.ended |= state.lanes[worker].reads;
        state.given_up = true;
        self.wake_all(&mut state);
    }

    /// What is left when all workers have gone: the source, unless one of them panicked with it.
    pub(crate) fn close(&self) -> Option<Source> {
        self.lock().source.take().map(|source| *source)
    }

    /// Wakes a worker that has nothing to do; whether there is one.
    fn wake_one(&self, state: &mut State) -> bool {
        state.lanes.iter_mut().zip(&self.bells).any(|(lane, bell)| lane.wake(bell))
    }

    fn wake_all(&self, state: &mut State) {
        for (lane, bell) in state.lanes.iter_mut().zip(&self.bells) {
            lane.wake(bell);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever panicked while holding it left it whole, and its own join reports it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether somebody is to read on, once this worker has taken what waits for it.
    fn is_to_read(&self, worker: usize) -> bool {
        let present = || self.lanes.iter().enumerate().filter(|(_, lane)| !lane.gone);
        self.source.is_some()
            && !self.ended
            && present().all(|(index, lane)| lane.waiting.len() < MOST_WAITING + usize::from(index == worker))
            && present().any(|(_, lane)| lane.waiting.len() < FEW_WAITING)
    }

    /// Gives the source to a worker, unless that would keep it from work for long.
    fn take_up(&mut self, worker: usize) -> Option<Box<Source>> {
        let lane = &mut self.lanes[worker];
        let may_wait = self.source.as_ref()?.may_wait();
        if !lane.waiting.is_empty() && (may_wait || lane.waiting.len() >= MOST_WAITING) {
            return None;
        }
        lane.reads = true;
        let mut source = self.source.take()?;
        if self.given_up {
            source.give_up();
        }
        Some(source)
    }
}

impl Lane {
    /// Wakes the worker if it sleeps; whether it did.
    fn wake(&mut self, bell: &Condvar) -> bool {
        let slept = std::mem::take(&mut self.sleeps);
        if slept {
            bell.notify_one();
        }
        slept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pdns_track::Shards;

    fn desk() -> (Desk, [Dealer; 2]) {
        let (desk, shards) = (Desk::new(2), Shards::new(2));
        desk.open(Source::empty());
        (desk, [0, 1].map(|worker| Dealer::new(worker, shards.clone())))
    }

    fn source(task: Task) -> Box<Source> {
        let Task::Read(source) = task else { panic!("nobody reads") };
        source
    }

    #[test]
    fn the_end_comes_to_all_and_the_source_stays() {
        let (desk, [mut dealer, _]) = desk();
        let mut taken = source(desk.next(0));
        let turn = taken.turn(|packet| dealer.deal(packet));
        assert_eq!(turn, Turn::Ended);
        desk.put_back(0, taken, turn, &mut dealer);
        for worker in [0, 1] {
            assert!(matches!(desk.next(worker), Task::End(_)));
            desk.leave(worker);
        }
        assert!(desk.close().is_some());
    }

    #[test]
    fn what_may_be_long_in_coming_is_told_to_all() {
        let (desk, [mut dealer, _]) = desk();
        let taken = source(desk.next(0));
        desk.put_back(0, taken, Turn::Dry, &mut dealer);
        // Whoever has work does it before it waits for more.
        for worker in [0, 1] {
            let Task::Work(batch) = desk.next(worker) else { panic!("worker {worker} has work") };
            assert!(batch.is_flush() && batch.latest().is_none());
            desk.give_back(batch);
        }
        assert!(matches!(desk.next(1), Task::Read(_)));
    }

    #[test]
    fn who_leaves_before_the_end_ends_the_capture() {
        let (desk, [_, mut dealer]) = desk();
        desk.leave(0);
        let mut taken = source(desk.next(1));
        let turn = taken.turn(|packet| dealer.deal(packet));
        desk.put_back(1, taken, turn, &mut dealer);
        assert!(matches!(desk.next(1), Task::End(_)));
    }

    #[test]
    fn who_is_lost_with_the_source_leaves_nobody_waiting() {
        let (desk, _) = desk();
        drop(source(desk.next(0)));
        desk.leave(0);
        assert!(matches!(desk.next(1), Task::End(_)));
        assert!(desk.close().is_none());
    }
}
