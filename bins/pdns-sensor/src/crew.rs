//! Several workers, each in a thread of its own.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use anyhow::{Context, Result};
use pdns_packet::time::Timestamp;
use pdns_sink::DirectError;
use pdns_track::Shards;

use crate::board::{Pace, Slot};
use crate::desk::{Desk, Task};
use crate::handover::Dealer;
use crate::log;
use crate::pipeline::{Outcome, Source};
use crate::worker::Worker;

/// The workers, before they have something to do.
pub(crate) struct Crew {
    desk: Arc<Desk>,
    threads: Vec<JoinHandle<Option<DirectError>>>,
}

impl Crew {
    /// Starts a thread for each worker.
    ///
    /// # Errors
    ///
    /// There is no thread to be had.
    pub(crate) fn start(workers: impl ExactSizeIterator<Item = (Worker, Slot)>) -> Result<Self> {
        let desk = Arc::new(Desk::new(workers.len()));
        let shards = Shards::new(workers.len());
        let start = |(index, (worker, slot))| {
            let seat =
                Seat { desk: Arc::clone(&desk), index, dealer: Dealer::new(index, shards.clone()), buffer: Vec::new() };
            thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn(move || work(worker, &slot, seat))
                .context("cannot start a worker thread")
        };
        let threads = workers.enumerate().map(start).collect::<Result<_>>()?;
        Ok(Self { desk, threads })
    }

    /// Has the workers read the source to its end.
    pub(crate) fn run(self, source: Source) -> Outcome {
        self.desk.open(source);
        let ended: Vec<_> = self.threads.into_iter().map(|thread| (name(&thread), thread.join())).collect();
        let mut outcome = match self.desk.close() {
            Some(mut source) => {
                source.finish();
                source.into_outcome()
            }
            None => Outcome::default(),
        };
        for (name, ended) in ended {
            match ended {
                Ok(failure) => outcome.failures.extend(failure),
                Err(_) => {
                    outcome.incomplete = true;
                    log::error(&format!("thread {name} panicked: what it was at is lost"));
                }
            }
        }
        outcome
    }
}

fn name<T>(thread: &JoinHandle<T>) -> String {
    thread.thread().name().unwrap_or_default().to_owned()
}

/// A worker's place at the desk, which it leaves at its end, even by a panic.
struct Seat {
    desk: Arc<Desk>,
    index: usize,
    dealer: Dealer,
    /// What it reads into, while it is another's turn.
    buffer: Vec<u8>,
}

impl Seat {
    /// Reads for all for a while.
    fn read(&mut self, mut source: Box<Source>) {
        source.exchange_buffer(&mut self.buffer);
        let turn = source.turn(|packet| self.dealer.deal(packet));
        source.exchange_buffer(&mut self.buffer);
        source.put_up();
        self.desk.put_back(self.index, source, turn, &mut self.dealer);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.desk.leave(self.index);
    }
}

fn work(mut worker: Worker, slot: &Slot, mut seat: Seat) -> Option<DirectError> {
    let mut now = Timestamp::default();
    let mut pace = Pace::new();
    let mut news = false;
    while !worker.has_failed() {
        match seat.desk.next(seat.index) {
            Task::Read(source) => seat.read(source),
            Task::Work(batch) => {
                batch.iter().for_each(|packet| worker.packet(&packet));
                if batch.is_flush() {
                    worker.flush();
                }
                news = !(batch.is_flush() || pace.is_due(Instant::now()));
                if !news {
                    slot.put_up(|counters| worker.count(counters));
                }
                now = batch.latest().unwrap_or(now);
                seat.desk.give_back(batch);
            }
            Task::Idle => {
                if std::mem::take(&mut news) {
                    slot.put_up(|counters| worker.count(counters));
                }
            }
            Task::End(end) => {
                now = end;
                break;
            }
        }
    }
    worker.finish(now);
    slot.put_up(|counters| worker.count(counters));
    worker.failure()
}
