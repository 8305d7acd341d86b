//! Records to a topic of an Apache Kafka cluster.
//!
//! ```text
//! frame's thread                thread of the client
//!   submit ──> commands ──> worker: one task a delivery ──> records, by partition ──> link: one request a partition
//!   finish <── outcome  <── failure: what each error means <────────────────────────────┘
//! ```
//!
//! Every record is delivered at least once: a batch whose acknowledgement is lost is sent again. So that consumers can tell
//! such a record, each has its id as the header `pdns-id`, which is the same each time. All replicas in sync have a record
//! when it counts as delivered (`acks=all`).

mod config;
mod failure;
mod link;
mod partition;
mod records;
mod worker;

use std::fmt;
use std::sync::mpsc;
use std::thread;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

pub use self::config::{Compression, Config, Login, Mechanism, Partitioner};
use self::worker::Command;
use crate::{Delivery, DeliveryId, Failure, Needs, Outcome, Sink};

/// A sink on a Kafka topic.
///
/// ```
/// use pdns_record::{Encoding, Layout};
/// use pdns_sink::Sink;
/// use pdns_sink::kafka::{Config, Kafka};
///
/// let brokers = vec!["kafka1:9092".to_owned(), "kafka2:9092".to_owned()];
/// let sink = Kafka::new(Config::new(brokers, "dns", Encoding::json(Layout::Transaction)));
/// assert_eq!(sink.target(), "kafka1:9092,kafka2:9092 topic dns");
/// ```
pub struct Kafka {
    config: Config,
    /// The thread of the client, once there is something to do.
    commands: Option<UnboundedSender<Command>>,
}

impl Kafka {
    /// A sink with these settings.
    pub const fn new(config: Config) -> Self {
        Self { config, commands: None }
    }

    /// Has the thread do something; what it cannot be given comes back.
    fn tell(&mut self, command: Command) -> Result<(), Command> {
        let command = match &self.commands {
            Some(commands) => match commands.send(command) {
                Ok(()) => return Ok(()),
                // The thread ended; another one may live longer.
                Err(returned) => returned.0,
            },
            None => command,
        };
        let (sender, receiver) = unbounded_channel();
        let config = self.config.clone();
        let started = thread::Builder::new().name("kafka".to_owned()).spawn(move || worker::run(config, receiver));
        if started.is_err() {
            return Err(command);
        }
        self.commands = Some(sender.clone());
        sender.send(command).map_err(|returned| returned.0)
    }

    fn ask(&mut self, command: impl FnOnce(mpsc::Sender<Result<(), Failure>>) -> Command) -> Result<(), Failure> {
        let (report, answer) = mpsc::channel();
        let is_told = self.tell(command(report)).is_ok();
        let answer = answer.recv().ok().filter(|_| is_told);
        answer.unwrap_or_else(|| Err(Failure::new("the client's thread cannot be started")))
    }
}

impl Sink for Kafka {
    fn needs(&self) -> Needs {
        Needs::new(self.config.encoding)
            .detailed()
            .window(self.config.in_flight.max(1))
            .batch_bytes(self.config.batch_bytes)
    }

    fn target(&self) -> String {
        format!("{} topic {}", self.config.brokers.join(","), self.config.topic)
    }

    fn start(&mut self) -> Result<(), Failure> {
        self.ask(Command::Start)
    }

    fn submit(&mut self, delivery: Delivery) {
        if let Err(Command::Submit(delivery)) = self.tell(Command::Submit(delivery)) {
            delivery.finish(Outcome::Retry(Failure::new("the client's thread cannot be started")));
        }
    }

    fn expire(&mut self, id: DeliveryId) {
        // Without the thread there is nothing to give up.
        let _is_told = self.tell(Command::Expire(id));
    }

    fn reopen(&mut self) -> Result<(), Failure> {
        self.ask(Command::Reopen)
    }
}

impl fmt::Debug for Kafka {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Kafka").field("config", &self.config).finish_non_exhaustive()
    }
}
