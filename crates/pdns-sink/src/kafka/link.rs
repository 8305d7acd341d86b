//! A connection to a cluster: its topic's partitions and a client for each of them.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use rskafka::BackoffConfig;
use rskafka::client::error::{Error, ProtocolError};
use rskafka::client::partition::{Compression as Codec, PartitionClient, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder, Credentials, SaslConfig};
use rskafka::record::Record;
use rustls::ClientConfig;
use tokio::sync::{Mutex, OnceCell};
use tokio::time::timeout;

use super::config::{Compression, Config, Login, Mechanism};
use super::failure::{self, Verdict};
use crate::{Failure, Outcome};

/// What brokers know this client as.
const CLIENT_ID: &str = "pdns-sensor";

/// A connection that works, or worked.
pub(super) struct Link {
    client: Client,
    topic: String,
    timeout: Duration,
    codec: Codec,
    /// In the order of their numbers.
    partitions: Mutex<Vec<Partition>>,
}

#[derive(Clone)]
struct Partition {
    number: i32,
    /// Made when the first records go there: each has a connection of its own.
    client: Arc<OnceCell<PartitionClient>>,
}

impl Partition {
    fn new(number: i32) -> Self {
        Self { number, client: Arc::default() }
    }
}

impl Link {
    /// Connects to the first broker that answers, `first` or one after it, and looks for the topic.
    ///
    /// # Errors
    /// What is to be done about it, as the outcome of any delivery.
    pub(super) async fn open(config: &Config, tls: Option<Arc<ClientConfig>>, first: usize) -> Result<Self, Outcome> {
        let client = any_broker(config, tls, first).await?;
        let link = Self {
            client,
            topic: config.topic.clone(),
            timeout: config.timeout,
            codec: codec(config.compression),
            partitions: Mutex::default(),
        };
        match timeout(config.connect_timeout, link.refresh()).await {
            Ok(found) => found.map(|()| link),
            Err(_) => Err(Outcome::Retry(Failure::new(format!(
                "the broker did not tell of its topics within {} s",
                config.connect_timeout.as_secs_f32()
            )))),
        }
    }

    /// Asks for the topic's partitions; there may be more than before.
    ///
    /// # Errors
    /// What is to be done about it, as the outcome of any delivery.
    pub(super) async fn refresh(&self) -> Result<(), Outcome> {
        let mut numbers = self.numbers().await.map_err(|error| failure::of(&error).outcome)?;
        if numbers.is_empty() {
            // A broker does not list what it does not want to tell of; asked by name it says why. One that makes topics
            // when they are first asked for makes this one.
            let asked = self.client.partition_client(&self.topic, 0, UnknownTopicHandling::Error).await;
            asked.map_err(|error| self.no_topic(&error))?;
            numbers = self.numbers().await.map_err(|error| failure::of(&error).outcome)?;
        }
        if numbers.is_empty() {
            return Err(Outcome::Retry(Failure::new(format!("topic {} has no partitions yet", self.topic))));
        }
        numbers.sort_unstable();
        let mut partitions = self.partitions.lock().await;
        let known = |number: i32| partitions.iter().find(|partition| partition.number == number).cloned();
        *partitions =
            numbers.into_iter().map(|number| known(number).unwrap_or_else(|| Partition::new(number))).collect();
        Ok(())
    }

    /// The numbers of the topic's partitions; none when it is not listed.
    async fn numbers(&self) -> Result<Vec<i32>, Error> {
        let topics = self.client.list_topics().await?;
        let topic = topics.into_iter().find(|topic| topic.name == self.topic);
        Ok(topic.map_or_else(Vec::new, |topic| topic.partitions.into_iter().collect()))
    }

    fn no_topic(&self, error: &Error) -> Outcome {
        match failure::code(error) {
            Some(ProtocolError::UnknownTopicOrPartition) => Outcome::Stop(Failure::new(format!(
                "there is no topic {}, and the brokers do not make one by themselves",
                self.topic
            ))),
            Some(ProtocolError::TopicAuthorizationFailed) => {
                Outcome::Stop(Failure::new(format!("not authorised to see topic {}", self.topic)))
            }
            // It was made just now.
            Some(ProtocolError::LeaderNotAvailable) => {
                Outcome::Retry(Failure::new(format!("topic {} has no leader yet", self.topic)))
            }
            _ => failure::of(error).outcome,
        }
    }

    /// How many partitions the topic has.
    pub(super) async fn partitions(&self) -> Option<NonZeroUsize> {
        NonZeroUsize::new(self.partitions.lock().await.len())
    }

    /// Sends records to the partition at a place in the list and waits until all replicas in sync have them.
    pub(super) async fn produce(&self, place: usize, records: Vec<Record>) -> Verdict {
        let Some(partition) = self.partitions.lock().await.get(place).cloned() else {
            let failure = Failure::new("the topic has lost partitions");
            return Verdict { outcome: Outcome::Retry(failure), is_connection_good: false };
        };
        // The client itself waits for an answer for ever.
        match timeout(self.timeout, self.send(&partition, records)).await {
            Ok(Ok(())) => Verdict { outcome: Outcome::Delivered, is_connection_good: true },
            Ok(Err(error)) => failure::of(&error),
            Err(_) => {
                let seconds = self.timeout.as_secs_f32();
                let failure = Failure::new(format!("no answer within {seconds} s: partition {}", partition.number));
                Verdict { outcome: Outcome::Retry(failure), is_connection_good: false }
            }
        }
    }

    async fn send(&self, partition: &Partition, records: Vec<Record>) -> Result<(), Error> {
        let make = || self.client.partition_client(&self.topic, partition.number, UnknownTopicHandling::Error);
        let client = partition.client.get_or_try_init(make).await?;
        client.produce(records, self.codec).await.map(drop)
    }
}

/// A client of the first broker that answers. Each is asked alone, so that one without an answer holds up no other and
/// each has its own line of what is wrong.
async fn any_broker(config: &Config, tls: Option<Arc<ClientConfig>>, first: usize) -> Result<Client, Outcome> {
    let brokers = config.brokers.len().max(1);
    let (mut reasons, mut is_for_a_person) = (Vec::new(), true);
    for index in 0..config.brokers.len() {
        let broker = &config.brokers[(first + index) % brokers];
        let reason = match timeout(config.connect_timeout, builder(config, broker, tls.clone()).build()).await {
            Ok(Ok(client)) => return Ok(client),
            Ok(Err(error)) => match failure::of(&error).outcome {
                Outcome::Stop(failure) => failure.reason,
                Outcome::Retry(failure) => {
                    is_for_a_person = false;
                    failure.reason
                }
                outcome => return Err(outcome),
            },
            Err(_) => {
                is_for_a_person = false;
                format!("no answer within {} s", config.connect_timeout.as_secs_f32())
            }
        };
        reasons.push(format!("{broker}: {reason}"));
    }
    let failure = Failure::new(reasons.join("; "));
    Err(if is_for_a_person { Outcome::Stop(failure) } else { Outcome::Retry(failure) })
}

fn builder(config: &Config, broker: &str, tls: Option<Arc<ClientConfig>>) -> ClientBuilder {
    // The frame tries again, and says so. The client's own tries, which nest, only bridge the change of a leader: it counts
    // its pauses and not the time that the tries take.
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(20),
        max_backoff: Duration::from_millis(200),
        base: 2.0,
        deadline: Some(Duration::from_millis(300)),
    };
    let builder = ClientBuilder::new(vec![broker.to_owned()]).client_id(CLIENT_ID).backoff_config(backoff);
    let builder = match tls {
        Some(tls) => builder.tls_config(tls),
        None => builder,
    };
    match &config.login {
        Some(login) => builder.sasl_config(sasl(login)),
        None => builder,
    }
}

fn sasl(login: &Login) -> SaslConfig {
    let credentials = Credentials::new(login.username.clone(), login.password.clone());
    match login.mechanism {
        Mechanism::Plain => SaslConfig::Plain(credentials),
        Mechanism::ScramSha256 => SaslConfig::ScramSha256(credentials),
        Mechanism::ScramSha512 => SaslConfig::ScramSha512(credentials),
    }
}

const fn codec(compression: Compression) -> Codec {
    match compression {
        Compression::None => Codec::NoCompression,
        Compression::Gzip => Codec::Gzip,
        Compression::Snappy => Codec::Snappy,
        Compression::Lz4 => Codec::Lz4,
        Compression::Zstd => Codec::Zstd,
    }
}
