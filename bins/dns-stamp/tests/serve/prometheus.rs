//! The Prometheus of Debian: whether it reads what is served, and fires the alerts that are shipped.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use pdns_rigs::prometheus::Prometheus;
use pdns_rigs::wait::poll;
use serde_json::Value;

use super::Server;
use crate::check::{Trio, check};
use crate::util::stdout;

fn dist(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist/dns-stamp").join(name)
}

/// Starts it with the shipped settings, at another address and faster.
fn start(target: SocketAddr) -> Option<Prometheus> {
    let rules = fs::read_to_string(dist("dns-stamp.rules.yml")).unwrap();
    let at_once = |line| if str::trim(line).starts_with("for: ") { "        for: 0s" } else { line };
    let rules = rules.lines().map(at_once).collect::<Vec<_>>().join("\n");
    let settings = fs::read_to_string(dist("prometheus.yml")).unwrap();
    let settings = settings.replace("127.0.0.1:9543", &target.to_string()).replace("local.lan", "example.test");
    let settings = format!("global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n{settings}");
    pdns_rigs::or_skip(Prometheus::with_settings(&settings, ("dns-stamp.rules.yml", &rules)))
}

fn api(prometheus: &Prometheus, path: &str) -> Value {
    let answer: Value = serde_json::from_str(&prometheus.api(path).unwrap()).unwrap();
    answer["data"].clone()
}

/// The servers that an alert is firing for.
fn firing(prometheus: &Prometheus, alert: &str) -> BTreeSet<String> {
    let alerts = api(prometheus, "alerts")["alerts"].as_array().cloned().unwrap();
    alerts
        .iter()
        .filter(|one| one["labels"]["alertname"] == alert && one["state"] == "firing")
        .map(|one| one["labels"]["server"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn alerts_fire_for_the_server_that_is_meant() {
    let Some(trio) = Trio::start() else { return };
    let [alive, _, stopped] = trio.servers();
    let config = format!(
        "[zones.'example.test']\nrecord = 'stamp'\ntimeout = '300ms'\nserver = ['{alive}', '{stopped}']\n\
         [zones.never]\nzone = 'example.test'\nrecord = 'none'\nserver = '{alive}'\n"
    );
    let server = Server::start(&config);
    let Some(prometheus) = start(server.address) else { return };
    let firing = |alert| firing(&prometheus, alert);
    trio.untold.process.signal("STOP").unwrap();
    let down = poll("the alert", || Some(firing("DnsStampServerDown")).filter(|servers| !servers.is_empty()));
    assert_eq!(down, BTreeSet::from([stopped.to_string()]));
    assert!(firing("DnsStampStale").is_empty() && firing("DnsStampNeverStamped").is_empty());
    // Not by a single scrape: on a busy machine one may take longer than it may.
    poll("both targets to be well while a server is not", || {
        let targets = api(&prometheus, "targets")["activeTargets"].as_array().cloned().unwrap();
        assert_eq!(targets.len(), 2);
        targets.iter().all(|target| target["health"] == "up").then_some(())
    });
    trio.untold.process.signal("CONT").unwrap();
    poll("the end of the alert", || firing("DnsStampServerDown").is_empty().then_some(()));
    // Now a record that was never there.
    fs::write(server.config(), config.replace("'stamp'", "'none'")).unwrap();
    server.process.signal("HUP").unwrap();
    let never = poll("the other alert", || Some(firing("DnsStampNeverStamped")).filter(|servers| servers.len() == 2));
    assert_eq!(never, BTreeSet::from([alive.to_string(), stopped.to_string()]));
}

#[test]
fn rules_hold_what_they_promise() {
    let folder = tempfile::tempdir().unwrap();
    let copy = |from: &Path, name: &str| fs::copy(from, folder.path().join(name)).unwrap();
    copy(&dist("dns-stamp.rules.yml"), "dns-stamp.rules.yml");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/serve/rules.test.yml"), "rules.test.yml");
    copy(&dist("prometheus.yml"), "prometheus.yml");
    let promtool =
        |arguments: &[&str]| pdns_rigs::run(Command::new("promtool").args(arguments).current_dir(folder.path()));
    if pdns_rigs::or_skip(promtool(&["--version"])).is_none() {
        return;
    }
    for arguments in [
        &["check", "rules", "--lint-fatal", "dns-stamp.rules.yml"][..],
        &["check", "config", "prometheus.yml"],
        &["test", "rules", "rules.test.yml"],
    ] {
        promtool(arguments).unwrap();
    }
}

/// Every metric that is named in a text.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.filter(|word| word.starts_with("dns_stamp_")).map(str::to_owned).collect()
}

#[test]
fn rules_and_dashboard_ask_only_for_what_there_is() {
    let Some(trio) = Trio::start() else { return };
    let address = trio.primary.address;
    let server = Server::start(&format!("[zones.'example.test']\nrecord = 'stamp'\nserver = '{address}'\n"));
    let served = [server.get("/probe").body, server.get("/metrics").body].concat();
    let mut known = named(&served);
    // Of `inject --textfile`.
    known.insert("dns_stamp_inject_success".to_owned());
    let dashboard = fs::read_to_string(dist("grafana-dashboard.json")).unwrap();
    serde_json::from_str::<Value>(&dashboard).unwrap();
    for text in [dashboard, fs::read_to_string(dist("dns-stamp.rules.yml")).unwrap()] {
        let asked = named(&text);
        assert!(asked.len() > 5);
        assert_eq!(asked.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new());
    }
    // What check writes has the same names.
    let written = named(&stdout(&check(&[address], &["--output", "prometheus"])));
    assert_eq!(written.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn promtool_has_nothing_to_say_of_what_is_served() {
    let Some(trio) = Trio::start() else { return };
    let address = trio.primary.address;
    let server = Server::start(&format!("[zones.'example.test']\nrecord = 'stamp'\nserver = '{address}'\n"));
    for path in ["/probe", "/metrics"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("metrics");
        fs::write(&file, server.get(path).body).unwrap();
        let mut promtool = Command::new("promtool");
        let promtool = promtool.args(["check", "metrics"]).stdin(fs::File::open(&file).unwrap()).output();
        let Some(output) = pdns_rigs::or_skip(promtool.map_err(|error| format!("promtool: {error}"))) else { return };
        assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
