//! Records to Fluentd, syslog, OpenSearch and ClickHouse: what the program prints is what arrives.

use pdns_rigs::certificates::Certificates;
use pdns_rigs::clickhouse::{ClickHouse, PASSWORD, USER};
use pdns_rigs::fluentd::Fluentd;
use pdns_rigs::opensearch::OpenSearch;
use pdns_rigs::or_skip;
use pdns_rigs::process::free_address;
use pdns_rigs::rsyslog::{Rsyslog, TlsFiles};
use pdns_rigs::wait;
use serde_json::Value;

use crate::config::Setup;
use crate::util::{Run, pcap, sensor, workspace};

/// A run on the demo, of which the records go to standard output and to where the arguments say.
fn run(format: &str, more: &[&str]) -> Run {
    let mut command = sensor();
    command.args(["--name", "ns1", "--format", format, "--pcap"]);
    command.arg(workspace().join("fixtures/captures/demo/input.pcap")).args(more);
    Run::of(&mut command)
}

#[test]
fn fluentd_gets_what_is_printed_by_socket_and_by_address() {
    for format in ["answer", "transaction"] {
        for is_tcp in [false, true] {
            let home = tempfile::tempdir().unwrap();
            let (listen, argument) = if is_tcp {
                let address = free_address().unwrap();
                (address.port().to_string(), format!("--fluentd-address={address}"))
            } else {
                let path = home.path().join("fluentd.socket").display().to_string();
                (path.clone(), format!("-fluentd_socket={path}"))
            };
            let Some(receiver) = or_skip(Fluentd::start(&listen, home.path())) else { return };
            let run = run(format, &[&argument]).assert_clean();
            let entries = wait::at_least(run.stdout.lines().count(), || receiver.entries());
            assert!(entries.iter().all(|entry| entry["tag"] == "ns1.service"));
            let records: Vec<_> = entries.iter().map(|entry| entry["record"].clone()).collect();
            assert_eq!(records, run.records());
        }
    }
}

#[test]
fn syslog_gets_what_is_printed_by_every_way() {
    let home = tempfile::tempdir().unwrap();
    let Some(certificates) = or_skip(Certificates::write(home.path())) else { return };
    let (authority, server) = (&certificates.authority, &certificates.server);
    let files = TlsFiles { authority, certificate: server, key: server };
    let Some(receiver) = or_skip(Rsyslog::start(home.path(), files)) else { return };
    let name = |flag: &str, port: u16| format!("--syslog-{flag}=localhost:{port}");
    let ways = [
        ("imuxsock", vec![format!("--syslog-socket={}", receiver.socket.display())]),
        ("imudp", vec![format!("--syslog-address=127.0.0.1:{}", receiver.udp)]),
        ("imptcp", vec![name("address", receiver.tcp), "--syslog-protocol=tcp".to_owned()]),
        (
            "imtcp",
            vec![
                name("address", receiver.tls),
                "--syslog-protocol=TLS".to_owned(),
                format!("--syslog-tls-ca={}", authority.display()),
            ],
        ),
    ];
    for (input, way) in ways {
        let usual = ["-syslog_facility", "LOCAL3", "-syslog_priority", "notice"];
        let more: Vec<_> = usual.into_iter().chain(way.iter().map(String::as_str)).collect();
        let run = run("transaction", &more).assert_clean();
        let expected = run.stdout.lines().count();
        let of_input = || {
            let lines = receiver.lines().into_iter();
            lines.filter(|line| line.starts_with(&format!("{input} "))).collect::<Vec<_>>()
        };
        let lines = wait::at_least(expected, of_input);
        assert_eq!(lines.len(), expected, "{input}");
        for (line, record) in lines.iter().zip(run.stdout.lines()) {
            let fields: Vec<_> = line.splitn(7, ' ').collect();
            // Facility local3 and severity notice: 19 * 8 + 5.
            assert_eq!((fields[1], fields[4]), ("157", "pdns-sensor"), "{line}");
            assert_eq!(fields[6].trim_start(), record);
            let record: Value = serde_json::from_str(record).unwrap();
            let time = record.get("response_time").or_else(|| record.get("query_time")).unwrap().as_str().unwrap();
            if input != "imuxsock" {
                assert_eq!((fields[2], fields[3], fields[5]), (&*format!("{}Z", &time[..26]), "ns1", "record"));
            }
        }
    }
    // Whoever does not trust the authority sends nothing.
    let stranger = format!("--syslog-tls-ca={}", certificates.stranger.display());
    let address = name("address", receiver.tls);
    let usual = ["-syslog_facility", "local3", "-syslog_priority", "notice", "--syslog-protocol=tls"];
    let run = run("transaction", &[&usual[..], &[&stranger, &address]].concat());
    assert!(run.stderr.contains("no TLS connection: invalid peer certificate: UnknownIssuer"), "{}", run.stderr);
}

#[test]
fn opensearch_gets_what_is_printed() {
    let home = tempfile::tempdir().unwrap();
    let Some(server) = or_skip(OpenSearch::start(home.path(), &[])) else { return };
    let url = format!("http://127.0.0.1:{}", server.port);
    for format in ["answer", "transaction"] {
        let run = run(format, &["--http-url", &url, "--http-protocol", "elasticsearch", "--http-index", format]);
        let run = run.assert_clean();
        server.request("POST", &format!("/{format}/_refresh"), "");
        let found = server.request("GET", &format!("/{format}/_search?size=1000&sort=_id"), "");
        let hits = found["hits"]["hits"].as_array().unwrap();
        let records: Vec<_> = hits.iter().map(|hit| hit["_source"].clone()).collect();
        assert_eq!(records, run.records());
    }
}

#[test]
fn clickhouse_gets_what_is_printed() {
    let home = tempfile::tempdir().unwrap();
    let Some(server) = or_skip(ClickHouse::start(home.path())) else { return };
    server.query(
        "CREATE TABLE dns (record_id String, q String, a String, src String, tstamp String) ENGINE = MergeTree() \
         PARTITION BY tuple() ORDER BY record_id",
    );
    let url = format!("http://127.0.0.1:{}/", server.port);
    let login = ["--http-username", USER, "--http-password", PASSWORD];
    let rows = ["--http-url", &url, "--http-protocol", "clickhouse", "--http-table", "dns"];
    let run = run("answer", &[&rows[..], &login].concat()).assert_clean();
    let found = server.query("SELECT q, a, src, tstamp FROM dns ORDER BY record_id FORMAT JSONEachRow");
    let found: Vec<Value> = found.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let columns = |record: &Value| ["q", "a", "src", "tstamp"].map(|name| record[name].clone());
    let records = run.records();
    assert_eq!(found.iter().map(columns).collect::<Vec<_>>(), records.iter().map(columns).collect::<Vec<_>>());
}

/// The examples of the page on sinks.
#[test]
fn several_receivers_of_a_kind_are_asked_for_by_tables() {
    let page = std::fs::read_to_string(workspace().join("docs/sinks.md")).unwrap();
    let start = page.find("```toml\n[[sink]]                                    # Vector").unwrap() + "```toml\n".len();
    let setup = Setup::new().file(page[start..].split("```").next().unwrap());
    setup.folder.file("in.pcap", pcap(1));
    let setup = setup.arguments(&["--pcap", "in.pcap"]);
    Run::of(setup.command().arg("--check-config")).assert_clean();
    let printed = Run::of(setup.command().arg("--print-config")).assert_clean().stdout;
    assert!(printed.contains("name = \"loki\"") && printed.contains("# authorization = ***"), "{printed}");
    assert!(!printed.contains("Splunk 0000"), "{printed}");
    let twice = Setup::new().file("[[sink]]\nkind = \"fluentd\"\n");
    twice
        .arguments(&["--pcap", "-"])
        .run()
        .assert_refused("sink 1 in pdns.toml line 1: a fluentd sink needs socket or address");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = |arguments: &[&str], reason: &str| {
        let setup = Setup::new();
        setup.folder.file("in.pcap", pcap(1));
        setup.arguments(&[&["--pcap", "in.pcap"], arguments].concat()).run().assert_refused(reason);
    };
    refused(
        &["--fluentd-socket", "x", "--fluentd-address", "y"],
        "--fluentd-socket and --fluentd-address are both given: send either to a socket or to an address",
    );
    refused(
        &["-syslog_facility=user", "-syslog_priority=info", "--syslog-socket", "x", "--syslog-address", "y"],
        "--syslog-address and --syslog-socket are both given: send either to another host or to this one",
    );
    refused(&["--http-url", "es:9200"], "--http-url: 'es:9200' is not a URL such as https://host:9200");
    refused(
        &["--http-url", "http://es", "--http-protocol", "elasticsearch"],
        "--http-protocol: --http-index is needed as well",
    );
    refused(
        &["--http-url", "http://loki", "--http-record", "{id}"],
        "--http-record: there is neither {json} nor {text} in it, so the records would be lost",
    );
    refused(
        &["--http-url", "http://x", "--when-full", "spool"],
        "--when-full: 'spool' needs a folder: --spool-dir is needed as well",
    );
    refused(&["--http-header", "no header"], "--http-header: 'no header' is not a header as NAME: VALUE, in ASCII");
}
