//! The thread with the asynchronous client: takes deliveries, keeps the connection, says what became of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::time::SystemTime;

use rskafka::chrono::{DateTime, Utc};
use rustls::ClientConfig;
use tokio::runtime;
use tokio::sync::Mutex;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::config::Config;
use super::failure;
use super::link::Link;
use super::records;
use crate::{Batch, Delivery, DeliveryId, Failure, Outcome};

/// What the sink asks of the thread.
pub(super) enum Command {
    /// Look whether records would be taken.
    Start(Sender<Result<(), Failure>>),
    /// Deliver.
    Submit(Delivery),
    /// Give a delivery up, and the connection with it.
    Expire(DeliveryId),
    /// Read certificates anew and connect with them.
    Reopen(Sender<Result<(), Failure>>),
}

/// Runs until the sink is gone, and what it still had under way is done or given up.
pub(super) fn run(config: Config, commands: UnboundedReceiver<Command>) {
    // Without a runtime nothing is taken; the sink finds nobody at the other end and says so.
    let Ok(runtime) = runtime::Builder::new_current_thread().enable_io().enable_time().build() else { return };
    runtime.block_on(Worker::new(config).run(commands));
}

struct Worker {
    shared: Arc<Shared>,
    under_way: HashMap<DeliveryId, AbortHandle>,
}

/// What deliveries share.
struct Shared {
    config: Config,
    connection: Mutex<Connection>,
    /// How many batches were sent: what tells a batch without keys its partition.
    turn: AtomicUsize,
}

#[derive(Default)]
struct Connection {
    tls: Option<Arc<ClientConfig>>,
    link: Option<Arc<Link>>,
    /// How often it was tried: each time another broker is asked first.
    tries: usize,
    /// What the last try ended with, and when.
    failed: Option<(Instant, Outcome)>,
}

impl Worker {
    fn new(config: Config) -> Self {
        let shared = Shared { config, connection: Mutex::default(), turn: AtomicUsize::new(0) };
        Self { shared: Arc::new(shared), under_way: HashMap::new() }
    }

    async fn run(mut self, mut commands: UnboundedReceiver<Command>) {
        let mut refresh = interval(self.shared.config.metadata_interval);
        refresh.set_missed_tick_behavior(MissedTickBehavior::Delay);
        refresh.tick().await;
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                _ = refresh.tick() => {
                    let shared = Arc::clone(&self.shared);
                    tokio::spawn(async move { shared.refresh().await });
                }
            }
        }
    }

    fn obey(&mut self, command: Command) {
        let shared = Arc::clone(&self.shared);
        match command {
            Command::Start(report) => {
                tokio::spawn(async move {
                    let found = shared.link().await.map(drop).map_err(reason);
                    // Who asked may have gone.
                    drop(report.send(found));
                });
            }
            Command::Submit(delivery) => {
                self.under_way.retain(|_, task| !task.is_finished());
                let id = delivery.id();
                let task = tokio::spawn(async move {
                    let batch = Arc::clone(delivery.batch());
                    let outcome = shared.deliver(&batch).await;
                    delivery.finish(outcome);
                });
                self.under_way.insert(id, task.abort_handle());
            }
            Command::Expire(id) => {
                if let Some(task) = self.under_way.remove(&id) {
                    task.abort();
                }
                tokio::spawn(async move { shared.connection.lock().await.link = None });
            }
            Command::Reopen(report) => {
                tokio::spawn(async move {
                    let mut connection = shared.connection.lock().await;
                    let read = connection.read_certificates(&shared.config);
                    connection.link = None;
                    drop(report.send(read));
                });
            }
        }
    }
}

impl Shared {
    async fn deliver(&self, batch: &Batch) -> Outcome {
        let link = match self.link().await {
            Ok(link) => link,
            Err(outcome) => return outcome,
        };
        let Some(partitions) = link.partitions().await else {
            return Outcome::Retry(Failure::new("the topic has no partitions"));
        };
        let config = &self.config;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let now = now();
        let pieces = records::pieces(batch, config.partitioner, partitions, turn, config.batch_bytes, now);
        let sent = pieces.into_iter().map(|piece| {
            let link = Arc::clone(&link);
            let task = async move { (piece.places, link.produce(piece.partition, piece.records).await) };
            tokio::spawn(task)
        });
        // All are under way before the first is waited for.
        let sent: Vec<_> = sent.collect();
        let mut outcomes = Vec::with_capacity(sent.len());
        for task in sent {
            let Ok((places, verdict)) = task.await else {
                return Outcome::Retry(Failure::new("the client failed"));
            };
            if !verdict.is_connection_good {
                self.give_up(&link).await;
            }
            outcomes.push((places, verdict.outcome));
        }
        failure::together(outcomes)
    }

    /// The connection, made when there is none.
    async fn link(&self) -> Result<Arc<Link>, Outcome> {
        let asked = Instant::now();
        let mut connection = self.connection.lock().await;
        if let Some(link) = &connection.link {
            return Ok(Arc::clone(link));
        }
        // Whoever waited while another one tried takes what that one found.
        if let Some((when, outcome)) = &connection.failed
            && *when >= asked
        {
            return Err(outcome.clone());
        }
        connection.tries += 1;
        let opened = match connection.certificates(&self.config) {
            Ok(tls) => Link::open(&self.config, tls, connection.tries - 1).await,
            Err(failure) => Err(Outcome::Stop(failure)),
        };
        match opened {
            Ok(link) => {
                let link = Arc::new(link);
                connection.link = Some(Arc::clone(&link));
                connection.failed = None;
                Ok(link)
            }
            Err(outcome) => {
                connection.failed = Some((Instant::now(), outcome.clone()));
                Err(outcome)
            }
        }
    }

    /// Forgets a connection that is not to be trusted any more; the next delivery makes a new one, from the brokers that
    /// the settings name.
    async fn give_up(&self, link: &Arc<Link>) {
        let mut connection = self.connection.lock().await;
        if connection.link.as_ref().is_some_and(|current| Arc::ptr_eq(current, link)) {
            connection.link = None;
        }
    }

    /// Looks for new partitions. A failure shows with the next delivery.
    async fn refresh(&self) {
        let link = self.connection.lock().await.link.clone();
        if let Some(link) = link {
            let _shows_later = tokio::time::timeout(self.config.connect_timeout, link.refresh()).await;
        }
    }
}

impl Connection {
    /// What TLS is made with, where it is wanted. The files are read once, as they may be out of reach later.
    fn certificates(&mut self, config: &Config) -> Result<Option<Arc<ClientConfig>>, Failure> {
        if self.tls.is_none() {
            self.read_certificates(config)?;
        }
        Ok(self.tls.clone())
    }

    fn read_certificates(&mut self, config: &Config) -> Result<(), Failure> {
        if let Some(tls) = &config.tls {
            self.tls = Some(tls.load()?);
        }
        Ok(())
    }
}

/// The time that records have for the broker: when they are sent.
fn now() -> DateTime<Utc> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    DateTime::from_timestamp_millis(since.as_millis() as i64).unwrap_or_default()
}

/// Why records would not be taken.
fn reason(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::Retry(failure) | Outcome::Split(failure) | Outcome::Refused(failure) | Outcome::Stop(failure) => {
            failure
        }
        _ => Failure::new("no records are taken"),
    }
}
