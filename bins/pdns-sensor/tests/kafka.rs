//! Records to a real Kafka: what the program prints is what arrives, and what is wrong is said.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use pdns_rigs::kafka::{Broker, PASSWORD, USER};
use pdns_rigs::python;

use crate::config::Setup;
use crate::util::{Run, pcap, sensor, workspace};

/// The broker that tests share, or a line that says that there is none.
fn broker() -> Option<Arc<Broker>> {
    pdns_rigs::or_skip(Broker::shared())
}

/// A run on the demo, with what it prints and the broker's port.
fn run(port: u16, topic: &str, more: &[&str]) -> Run {
    let mut command = sensor();
    command.args(["--name", "ns1", "--numprocs", "1", "--pcap"]);
    command.arg(workspace().join("fixtures/captures/demo/input.pcap"));
    command.args([&format!("-kafka_brokers=127.0.0.1:{port}"), "-kafka_topic", topic]).args(more);
    Run::of(&mut command)
}

#[test]
fn what_is_printed_arrives() {
    let Some(broker) = broker() else { return };
    for format in ["answer", "transaction"] {
        let topic = format!("json-{format}");
        broker.topic(&topic, 1, &[]);
        let run = run(broker.plain, &topic, &["--format", format]).assert_clean();
        let read = broker.read(&topic);
        assert_eq!(read.iter().map(|read| read.text()).collect::<Vec<_>>(), run.stdout.lines().collect::<Vec<_>>());
        let client = if format == "answer" { "src" } else { "client" };
        let keys: Vec<_> = read.iter().map(|read| read.key.clone().unwrap()).collect();
        let clients: Vec<_> =
            run.column(client).iter().map(|name| name.as_str().unwrap().as_bytes().to_vec()).collect();
        assert_eq!(keys, clients);
        let mut ids: Vec<_> = read.iter().map(|read| read.headers[0].clone()).collect();
        ids.dedup();
        assert_eq!(ids.len(), read.len(), "each record has an id of its own");
    }
}

#[test]
fn avro_arrives_with_a_login() {
    let Some(broker) = broker() else { return };
    for (layout, topic) in [("answer", "avro-answer"), ("transaction", "avro-transaction")] {
        broker.topic(topic, 1, &[]);
        let login = ["--kafka-username", USER, "--kafka-password", PASSWORD, "--kafka-sasl-mechanism", "SCRAM-SHA-512"];
        let run = run(broker.login, topic, &[&["-kafka_avro", "--format", layout][..], &login].concat()).assert_clean();
        // The script compares as for the encoder's own tests.
        let mut pairs = Vec::new();
        let read = broker.read(topic);
        assert_eq!(read.len(), run.stdout.lines().count());
        for (line, read) in run.stdout.lines().zip(&read) {
            pairs.extend_from_slice(format!("{layout}\navro\n{}\n{}\n{line}", line.len(), read.value.len()).as_bytes());
            pairs.extend_from_slice(&read.value);
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("pairs"), pairs).unwrap();
        let mut script = python::script("compare_encodings.py").unwrap();
        script.arg(workspace().join("docs/schemas")).arg(folder.path().join("pairs"));
        assert_eq!(pdns_rigs::run(&mut script).unwrap(), format!("{layout} avro {}\n", read.len()));
    }
}

#[test]
fn a_missing_topic_is_said_and_stdout_is_written_all_the_same() {
    let Some(broker) = broker() else { return };
    let start = Instant::now();
    let run = run(broker.plain, "nowhere", &[]);
    assert!(run.stdout.lines().count() > 0, "the other sink takes its records");
    let said = format!(
        "kafka (127.0.0.1:{} topic nowhere): there is no topic nowhere, and the brokers do not make one by themselves",
        broker.plain
    );
    assert!(run.stderr.contains(&said), "{}", run.stderr);
    assert!(run.stderr.contains("records dropped: "), "{}", run.stderr);
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_topic_that_comes_late_gets_everything() {
    let Some(broker) = broker() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (capture, topic) = (folder.path().join("in.pcap"), "comes-late");
    std::fs::write(&capture, pcap(50)).unwrap();
    let run = thread::scope(|scope| {
        let run = scope.spawn(|| {
            let mut command = sensor();
            command.args(["--quiet", "--name", "ns1", "--pcap"]).arg(&capture);
            command.args([&format!("--kafka-brokers=127.0.0.1:{}", broker.plain), "--kafka-topic", topic]);
            Run::of(&mut command)
        });
        thread::sleep(Duration::from_millis(500));
        broker.topic(topic, 2, &[]);
        run.join().unwrap()
    });
    assert_eq!(run.status, 0);
    assert_eq!(broker.read(topic).len(), 50, "{}", run.stderr);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = |arguments: &[&str], reason: &str| {
        let setup = Setup::new();
        setup.folder.file("in.pcap", pcap(1));
        let kafka = ["--pcap", "in.pcap", "--kafka-topic", "dns"];
        setup.arguments(&[&kafka, arguments].concat()).run().assert_refused(reason);
    };
    refused(
        &["--kafka-brokers", "kafka", "--kafka-tls-cert", "x"],
        "--kafka-tls-cert: --kafka-tls-key is needed as well",
    );
    refused(
        &["--kafka-brokers", "kafka,[::1]:9093", "--kafka-tls"],
        "--kafka-brokers: [::1]:9093: with TLS a broker has to be given by its name",
    );
    refused(&[], "--kafka-topic: --kafka-brokers is needed as well");
}

#[test]
fn a_password_that_everyone_can_read_is_warned_of() {
    let warned = |more: &[&str]| {
        let setup = Setup::new();
        setup.folder.file("in.pcap", pcap(1));
        let kafka = ["--check-config", "--pcap", "in.pcap", "--kafka-topic", "dns", "--kafka-brokers", "kafka"];
        let login = ["--kafka-username", "x", "--kafka-password", "y"];
        setup.arguments(&[&kafka[..], &login, more].concat()).run().stderr
    };
    let warning = "--kafka-password: the password goes to Kafka as it is: ask for TLS or a SCRAM mechanism";
    assert!(warned(&[]).contains(warning));
    assert_eq!(warned(&["--kafka-tls"]), "");
    assert_eq!(warned(&["--kafka-sasl-mechanism", "scram-sha-256"]), "");
}
