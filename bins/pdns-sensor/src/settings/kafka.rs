//! What is asked for of Kafka.

use pdns_record::{Encoding, Format, Layout};
use pdns_sink::kafka::{Compression, Config as Kafka, Login, Mechanism, Partitioner};
use pdns_sink::tls::Tls;

use super::sinks::{Target, both, with_port};
use super::tls;
use crate::config::{Config, Findings};

/// The port of brokers for which none is given.
const PORT: u16 = 9092;

/// The sink, when it is asked for.
pub(super) fn target(config: &Config, layout: Layout, findings: &mut Findings) -> Option<Target> {
    sink(config, layout, findings).map(Box::new).map(Target::Kafka)
}

fn sink(config: &Config, layout: Layout, findings: &mut Findings) -> Option<Kafka> {
    let (brokers, topic) = (config.list("kafka-brokers"), config.text("kafka-topic"));
    both(config, ["kafka-brokers", "kafka-topic"], [!brokers.is_empty(), topic.is_some()], findings);
    let tls = tls(config, findings);
    let login = login(config, tls.is_some(), findings);
    if brokers.is_empty() {
        return None;
    }
    if tls.is_some()
        && let Some(broker) = brokers.iter().find(|broker| broker.starts_with('['))
    {
        let place = config.place("kafka-brokers").unwrap_or_default();
        findings.problems.push(format!("{place}: {broker}: with TLS a broker has to be given by its name"));
    }
    let format = if config.switch("kafka-avro") { Format::Avro } else { Format::Json };
    let brokers = brokers.into_iter().map(|broker| with_port(broker, PORT)).collect();
    let usual = Kafka::new(brokers, topic?, Encoding { layout, format });
    Some(Kafka {
        compression: named(config, "kafka-compression", Compression::ALL, Compression::name)
            .unwrap_or(usual.compression),
        partitioner: named(config, "kafka-partitioner", Partitioner::ALL, Partitioner::name)
            .unwrap_or(usual.partitioner),
        batch_bytes: config.number("kafka-batch-bytes").unwrap_or(usual.batch_bytes),
        in_flight: config.number("kafka-in-flight").unwrap_or(usual.in_flight),
        timeout: config.duration("kafka-timeout").unwrap_or(usual.timeout),
        tls,
        login,
        ..usual
    })
}

fn tls(config: &Config, findings: &mut Findings) -> Option<Tls> {
    tls::files(config, "kafka", findings).or_else(|| config.switch("kafka-tls").then(Tls::default))
}

fn login(config: &Config, is_secret: bool, findings: &mut Findings) -> Option<Login> {
    let (username, password) = (config.text("kafka-username"), config.text("kafka-password"));
    both(config, ["kafka-username", "kafka-password"], [username.is_some(), password.is_some()], findings);
    let (username, password) = username.zip(password)?;
    let mechanism = named(config, "kafka-sasl-mechanism", Mechanism::ALL, Mechanism::name).unwrap_or(Mechanism::Plain);
    if mechanism == Mechanism::Plain && !is_secret {
        let place = config.place("kafka-password").unwrap_or_default();
        findings
            .warnings
            .push(format!("{place}: the password goes to Kafka as it is: ask for TLS or a SCRAM mechanism"));
    }
    Some(Login { mechanism, username, password })
}

/// What an option names, in any case.
fn named<T: Copy, const N: usize>(config: &Config, flag: &str, all: [T; N], name: fn(T) -> &'static str) -> Option<T> {
    let text = config.text(flag)?;
    all.into_iter().find(|&one| name(one).eq_ignore_ascii_case(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::table::{COMPRESSIONS, MECHANISMS, PARTITIONERS};

    #[test]
    fn the_table_has_the_names_of_the_sink() {
        assert_eq!(COMPRESSIONS, Compression::ALL.map(Compression::name));
        assert_eq!(PARTITIONERS, Partitioner::ALL.map(Partitioner::name));
        assert_eq!(MECHANISMS, Mechanism::ALL.map(|mechanism| mechanism.name().to_ascii_lowercase()));
    }
}
