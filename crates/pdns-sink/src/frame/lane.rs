//! One sink with its line: two threads, one that keeps the line and the spool, and one for the sink, which may wait.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::dead_letters::DeadLetters;
use super::journal::{Journal, Level, Log};
use super::line::{Action, Line, News};
use super::settings::Settings;
use super::store::Store;
use crate::{Batch, Delivery, DeliveryId, Failure, Needs, Outcome, Sink, SinkStats};

/// How long a sink has nothing to do before it is told so.
const IDLE: Duration = Duration::from_secs(1);

/// How long after the end's deadline the threads have to come to it.
const GRACE: Duration = Duration::from_secs(1);

/// A sink at work, from outside.
#[derive(Debug)]
pub(crate) struct Lane {
    pub name: String,
    pub kind: &'static str,
    pub target: String,
    pub needs: Needs,
    shared: Arc<Shared>,
    to_sink: Sender<Command>,
}

/// What is kept under one lock, and what is waited for.
#[derive(Debug)]
struct Shared {
    line: Mutex<Line>,
    /// There may be something to do.
    work: Condvar,
    /// There may be room.
    room: Condvar,
    /// How many of the two threads have ended.
    ended: Mutex<u8>,
    end: Condvar,
}

/// What the sink's thread is to do.
enum Command {
    Submit(Delivery),
    Expire(DeliveryId),
    Reopen,
    End,
}

impl Lane {
    /// Starts the threads.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(crate) fn start(
        settings: &Settings,
        sink: Box<dyn Sink>,
        line: Line,
        store: Option<Box<dyn Store>>,
        log: Log,
    ) -> io::Result<Self> {
        let (needs, target) = (sink.needs(), sink.target());
        let shared = Arc::new(Shared {
            line: Mutex::new(line),
            work: Condvar::new(),
            room: Condvar::new(),
            ended: Mutex::new(0),
            end: Condvar::new(),
        });
        let (to_sink, commands) = channel();
        let driver = Driver {
            shared: Arc::clone(&shared),
            to_sink: to_sink.clone(),
            store,
            journal: Journal::new(&settings.name, &target, log),
            dead_letters: settings.dead_letters.as_deref().map(|path| DeadLetters::new(path, &settings.name)),
        };
        let for_sink = Arc::clone(&shared);
        spawn(&settings.name, "sink", move || serve(sink, &commands, &for_sink))?;
        spawn(&settings.name, "queue", move || driver.run())?;
        Ok(Self { name: settings.name.clone(), kind: settings.kind, target, needs, shared, to_sink })
    }

    /// Takes a batch, or gives it back where there is no room and whoever offers it is to wait.
    pub(crate) fn offer(&self, batch: Arc<Batch>) -> Result<(), Arc<Batch>> {
        let now = Instant::now();
        let mut line = self.shared.line();
        line.offer(now, batch)?;
        self.wake(line, now);
        Ok(())
    }

    /// Takes a batch, and waits until there is room.
    pub(crate) fn offer_and_wait(&self, mut batch: Arc<Batch>) {
        let mut line = self.shared.line();
        while let Err(back) = line.offer(Instant::now(), batch) {
            batch = back;
            line = self.shared.room.wait(line).unwrap_or_else(PoisonError::into_inner);
        }
        self.wake(line, Instant::now());
    }

    /// Has the line looked at, where what was offered changes anything.
    fn wake(&self, line: MutexGuard<'_, Line>, now: Instant) {
        let is_stirred = line.is_stirred(now);
        drop(line);
        if is_stirred {
            self.shared.work.notify_one();
        }
    }

    /// Whether the receiver has gone for good.
    pub(crate) fn is_gone(&self) -> bool {
        self.shared.line().is_gone()
    }

    pub(crate) fn stats(&self) -> SinkStats {
        self.shared.line().stats(Instant::now(), SystemTime::now())
    }

    /// Has the sink open anew what it writes to.
    pub(crate) fn reopen(&self) {
        // A sink whose thread has gone says so with each delivery.
        drop(self.to_sink.send(Command::Reopen));
    }

    /// Begins the end: no more will be offered.
    pub(crate) fn close(&self, deadline: Instant) {
        self.shared.line().close(Instant::now(), deadline);
        self.shared.work.notify_one();
        self.shared.room.notify_all();
    }

    /// Waits for the end, which comes at the deadline at the latest.
    pub(crate) fn wait(&self, deadline: Instant) {
        let mut ended = self.shared.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let last = deadline + GRACE;
        while *ended < 2 {
            let left = last.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // A sink that hangs in a system call cannot be waited for; its records are accounted for.
                return;
            }
            ended = self.shared.end.wait_timeout(ended, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    fn line(&self) -> MutexGuard<'_, Line> {
        // A thread that panicked with the line in its hands has left it between two of its steps.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outcome(&self, id: DeliveryId, outcome: Outcome) {
        self.line().outcome(Instant::now(), id, outcome);
        self.work.notify_one();
    }

    fn ended(&self) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.end.notify_all();
    }
}

fn spawn(sink: &str, part: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    // The system shows fifteen characters of it.
    thread::Builder::new().name(format!("{part}-{sink}")).spawn(run).map(drop)
}

/// The thread that keeps the line.
struct Driver {
    shared: Arc<Shared>,
    to_sink: Sender<Command>,
    store: Option<Box<dyn Store>>,
    journal: Journal,
    dead_letters: Option<DeadLetters>,
}

impl Driver {
    fn run(mut self) {
        while self.step() {}
        self.journal.flush(Instant::now(), true);
        drop(self.to_sink.send(Command::End));
        drop(self.store.take());
        self.shared.ended();
    }

    /// Does what is to be done next; whether there may be more.
    fn step(&mut self) -> bool {
        let shared = Arc::clone(&self.shared);
        let mut line = shared.line();
        let now = Instant::now();
        let action = line.poll(now);
        let (news, done) = (line.take_news(), line.take_done());
        shared.room.notify_all();
        if let (Action::Wait(until), [], None) = (&action, news.as_slice(), done) {
            self.wait(line, *until);
            return true;
        }
        drop(line);
        for news in news {
            self.tell(now, news);
        }
        if let (Some(store), Some(done)) = (&mut self.store, done) {
            store.forget(done);
            let bytes = store.bytes();
            shared.line().set_spool_bytes(bytes);
        }
        self.act(action)
    }

    fn wait(&mut self, line: MutexGuard<'_, Line>, until: Option<Instant>) {
        let now = Instant::now();
        let wait = until.map_or(IDLE, |until| until.saturating_duration_since(now)).min(IDLE);
        let (line, timeout) = self.shared.work.wait_timeout(line, wait).unwrap_or_else(PoisonError::into_inner);
        drop(line);
        if timeout.timed_out() {
            self.journal.flush(now, false);
        }
        if let Some(Err(reason)) = self.store.as_mut().map(|store| store.tick()) {
            self.journal.tell(now, News::SpoolFailed(reason));
        }
    }

    fn act(&mut self, action: Action) -> bool {
        match action {
            Action::Submit(id, batch) => self.submit(id, batch),
            Action::Expire(id) => drop(self.to_sink.send(Command::Expire(id))),
            Action::Append(batches) => {
                if let Some(store) = &mut self.store {
                    let append = store.append(&batches);
                    let mut line = self.shared.line();
                    line.set_spool_bytes(store.bytes());
                    line.appended(Instant::now(), append);
                }
            }
            Action::Fetch => {
                if let Some(store) = &mut self.store {
                    let fetched = store.fetch();
                    let mut line = self.shared.line();
                    line.set_spool_bytes(store.bytes());
                    line.fetched(Instant::now(), fetched);
                }
            }
            Action::Wait(_) => {}
            Action::End => return false,
        }
        true
    }

    fn submit(&self, id: DeliveryId, batch: Arc<Batch>) {
        let shared = Arc::clone(&self.shared);
        let delivery = Delivery::new(id, batch, move |id, outcome| shared.outcome(id, outcome));
        if let Err(back) = self.to_sink.send(Command::Submit(delivery))
            && let Command::Submit(delivery) = back.0
        {
            delivery.finish(Outcome::Stop(Failure::new("its thread has ended, which is an error in this program")));
        }
    }

    fn tell(&mut self, now: Instant, news: News) {
        if let (News::Refused { batch, reason }, Some(letters)) = (&news, &mut self.dead_letters)
            && let Err(error) = letters.write(batch, reason)
        {
            self.journal.say(Level::Error, format_args!("{error}; what is refused is counted only"));
        }
        self.journal.tell(now, news);
    }
}

/// The thread of the sink.
fn serve(mut sink: Box<dyn Sink>, commands: &Receiver<Command>, shared: &Shared) {
    if let Err(failure) = sink.start() {
        shared.line().start_failed(Instant::now(), &failure);
        shared.work.notify_one();
    }
    loop {
        match commands.recv_timeout(IDLE) {
            Ok(Command::Submit(delivery)) => sink.submit(delivery),
            Ok(Command::Expire(id)) => sink.expire(id),
            Ok(Command::Reopen) => {
                if let Err(failure) = sink.reopen() {
                    shared.line().start_failed(Instant::now(), &failure);
                    shared.work.notify_one();
                }
            }
            Err(RecvTimeoutError::Timeout) => sink.idle(),
            Ok(Command::End) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    drop(sink);
    shared.ended();
}
