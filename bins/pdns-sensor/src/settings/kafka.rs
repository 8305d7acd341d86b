//! What is asked for of Kafka.

use std::path::PathBuf;
use std::time::Duration;

use pdns_record::{Encoding, Format, Layout};
use pdns_sink::kafka::{Compression, Config as Kafka, Login, Mechanism, Partitioner};
use pdns_sink::tls::{Identity, Tls};

use super::sinks::{SinkPlan, Target, both};
use crate::config::{Config, Findings};

/// The port of brokers for which none is given.
const PORT: u16 = 9092;

/// The sink, when it is asked for, in a frame with these settings but for what Kafka has options of its own for.
pub(super) fn plan(
    config: &Config,
    layout: Layout,
    usual: pdns_sink::Settings,
    findings: &mut Findings,
) -> Option<SinkPlan> {
    let kafka = sink(config, layout, findings)?;
    let settings = pdns_sink::Settings {
        linger: Duration::from_millis(config.number("kafka-flush-freq").unwrap_or_default()),
        // The sink gives up by itself, and can say more of it; this is for what it does not see.
        timeout: kafka.timeout + kafka.connect_timeout * kafka.brokers.len() as u32 + Duration::from_secs(5),
        ..usual
    };
    Some(SinkPlan { settings, target: Target::Kafka(Box::new(kafka)) })
}

/// The files that TLS is made with.
pub(super) fn files(tls: &mut Tls) -> Vec<&mut PathBuf> {
    let identity = tls.identity.as_mut().map(|Identity { certificate, key }| [certificate, key]);
    tls.ca.as_mut().into_iter().chain(identity.into_iter().flatten()).collect()
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
    let brokers = brokers.into_iter().map(with_port).collect();
    let usual = Kafka::new(brokers, topic?, Encoding { layout, format });
    Some(Kafka {
        compression: named(config, "kafka-compression", Compression::ALL, Compression::name)
            .unwrap_or(usual.compression),
        partitioner: named(config, "kafka-partitioner", Partitioner::ALL, Partitioner::name)
            .unwrap_or(usual.partitioner),
        batch_bytes: config.number("kafka-batch-bytes").unwrap_or(usual.batch_bytes),
        in_flight: config.number("kafka-in-flight").unwrap_or(usual.in_flight),
        timeout: timeout(config).unwrap_or(usual.timeout),
        tls,
        login,
        ..usual
    })
}

/// How long a batch may be under way.
fn timeout(config: &Config) -> Option<Duration> {
    config.time("kafka-timeout").map(|nanos| Duration::from_nanos(nanos.unsigned_abs()))
}

fn tls(config: &Config, findings: &mut Findings) -> Option<Tls> {
    let [ca, certificate, key] = ["kafka-tls-ca", "kafka-tls-cert", "kafka-tls-key"].map(|flag| config.path(flag));
    both(config, ["kafka-tls-cert", "kafka-tls-key"], [certificate.is_some(), key.is_some()], findings);
    let identity = certificate.zip(key).map(|(certificate, key)| Identity { certificate, key });
    let is_asked = config.switch("kafka-tls") || ca.is_some() || identity.is_some();
    is_asked.then_some(Tls { ca, identity })
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

/// A broker with its port.
fn with_port(broker: String) -> String {
    let has_port = broker.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
    if has_port { broker } else { format!("{broker}:{PORT}") }
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

    #[test]
    fn brokers_without_a_port_have_kafkas() {
        for (given, meant) in [
            ("kafka", "kafka:9092"),
            ("kafka:9093", "kafka:9093"),
            ("[2001:db8::1]", "[2001:db8::1]:9092"),
            ("[2001:db8::1]:1", "[2001:db8::1]:1"),
        ] {
            assert_eq!(with_port(given.to_owned()), meant);
        }
    }
}
