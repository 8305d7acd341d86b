//! `check`, at real servers.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use pdns_rigs::dns::ZONE;
use pdns_rigs::dns::bind::{Bind, Primary};
use pdns_rigs::process::free_address;
use serde_json::Value;

use crate::util::{dns_stamp, stamp, stderr, stdout};

/// Primary and two secondaries, of which only the first is told when something changes.
pub(crate) struct Trio {
    pub(crate) primary: Bind,
    pub(crate) told: Bind,
    pub(crate) untold: Bind,
}

impl Trio {
    /// With a stamp that all three have.
    pub(crate) fn start() -> Option<Self> {
        let [told, untold] = [free_address().unwrap(), free_address().unwrap()];
        let options = "server-id \"machine-1\";";
        let primary = Bind::primary(Primary { secondaries: &[told], options, ..Primary::default() });
        let primary = pdns_rigs::or_skip(primary)?;
        stamp(primary.address);
        let copy = |address| Bind::secondary(address, primary.address, true).unwrap();
        let (told, untold) = (copy(told), copy(untold));
        Some(Self { primary, told, untold })
    }

    pub(crate) fn servers(&self) -> [SocketAddr; 3] {
        [self.primary.address, self.told.address, self.untold.address]
    }
}

pub(crate) fn check(servers: &[SocketAddr], arguments: &[&str]) -> Output {
    let mut command = dns_stamp(&["check", "--zone", ZONE, "--record", "stamp", "--timeout", "10s"]);
    for server in servers {
        command.arg("--server").arg(server.to_string());
    }
    command.args(arguments).output().unwrap()
}

fn states(output: &Output) -> Vec<String> {
    let value: Value = serde_json::from_str(&stdout(output)).unwrap();
    let servers = value["records"][0]["servers"].as_array().unwrap().clone();
    servers.iter().map(|server| server["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_stale_secondary_is_told_by_name() {
    let Some(trio) = Trio::start() else { return };
    let servers = trio.servers();
    let output = check(&servers, &["--output", "json"]);
    assert_eq!((output.status.code(), states(&output)), (Some(0), vec!["fresh".to_owned(); 3]), "{}", stderr(&output));
    // The untold one grows old, while the others are stamped again and again.
    let expected = ["fresh", "fresh", "stale"].map(str::to_owned);
    let limits = ["--warn", "6s", "--crit", "1h"];
    let end = std::time::Instant::now() + std::time::Duration::from_secs(120);
    loop {
        stamp(trio.primary.address);
        let output = check(&servers, &[&limits[..], &["--output", "json"]].concat());
        if states(&output) == expected {
            assert_eq!(output.status.code(), Some(1));
            break;
        }
        assert!(std::time::Instant::now() < end, "{}", stdout(&output));
    }
    let output = check(&servers[2..], &limits);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    assert!(text.starts_with("WARNING   stamp.example.test  127.0.0.1:"), "{text}");
    assert!(text.contains(&servers[2].to_string()) && text.contains("stale, "), "{text}");
    let output = check(&servers[2..], &["--warn", "1s", "--crit", "2s", "--output", "nagios"]);
    assert_eq!(output.status.code(), Some(2));
    let text = stdout(&output);
    assert!(text.starts_with(&format!("DNS STAMP CRITICAL - 0 of 1 servers fresh; {}", servers[2])), "{text}");
}

#[test]
fn the_machine_behind_the_address_is_named() {
    let Some(trio) = Trio::start() else { return };
    let text = stdout(&check(&trio.servers()[..1], &[]));
    assert!(text.contains("[nsid machine-1]  fresh, "), "{text}");
    assert!(text.contains("serial ") && text.contains(" ms"), "{text}");
}

#[test]
fn every_fault_has_its_word_and_every_form_the_same_status() {
    let Some(trio) = Trio::start() else { return };
    let server = trio.primary.address;
    let down = free_address().unwrap();
    let is = |servers: &[SocketAddr], arguments: &[&str], state: &str, message: &str| {
        for form in ["json", "text", "nagios", "prometheus"] {
            let output = check(servers, &[arguments, &["--output", form]].concat());
            assert_eq!(output.status.code(), Some(2), "{state} {form}: {}", stdout(&output));
            if form == "json" {
                assert_eq!(states(&output), [state]);
                assert!(stdout(&output).contains(message), "{message}: {}", stdout(&output));
            }
        }
    };
    is(&[server], &["--record", "none"], "not_found", "no such record");
    is(&[server], &["--record", "ns1"], "not_found", "no such record");
    is(&[server], &["--record", "taken"], "stale", "(limit 4000 s)");
    is(&[server], &["--record", "alias"], "not_found", "no such record");
    is(&[server], &["--zone", "other.test"], "refused", "answers REFUSED");
    is(&[down], &["--timeout", "500ms"], "unreachable", "cannot be reached: ");
    trio.primary.process.signal("STOP").unwrap();
    // Its threads stop one after the other.
    while states(&check(&[server], &["--timeout", "500ms", "--output", "json"])) != ["timeout"] {}
    is(&[server], &["--timeout", "500ms"], "timeout", "gave no answer within 500ms");
    trio.primary.process.signal("CONT").unwrap();
}

#[test]
fn servers_are_found_by_the_zone() {
    let Some(trio) = Trio::start() else { return };
    let server = trio.primary.address;
    let (resolver, port) = (server.to_string(), server.port().to_string());
    let found = ["--discover", "ns", "--resolver", &resolver, "--discover-port", &port];
    let output = check(&[], &found);
    let (text, errors) = (stdout(&output), stderr(&output));
    assert_eq!(output.status.code(), Some(0), "{text}{errors}");
    assert!(text.contains(&format!("ns1.example.test:{port} (127.0.0.1:{port})")), "{text}");
    // The same server listed and found is one.
    assert_eq!(stdout(&check(&[server], &found)).lines().count(), 1);
    let output = check(&[], &["--discover", "ad", "--resolver", &resolver]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stdout(&output).contains("_ldap._tcp.dc._msdcs.example.test has no SRV records"), "{}", stdout(&output));
    // Those that are listed are asked all the same.
    let output = check(&[server], &["--discover", "ad", "--resolver", &resolver]);
    assert_eq!((output.status.code(), stdout(&output).lines().count()), (Some(3), 2), "{}", stdout(&output));
    let output = check(&[], &["--server", "nobody.example.test", "--resolver", &resolver]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stdout(&output).contains("nobody.example.test has no address"), "{}", stdout(&output));
}

#[test]
fn cron_is_silent_and_files_are_written_when_all_is_well() {
    let Some(trio) = Trio::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dns.prom");
    let output = check(&trio.servers(), &["--quiet", "--textfile", path.to_str().unwrap()]);
    assert_eq!((output.status.code(), stdout(&output), stderr(&output)), (Some(0), String::new(), String::new()));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches("dns_stamp_age_seconds{").count(), 3);
    // No timestamps: the collector refuses them.
    assert!(text.lines().filter(|line| !line.starts_with('#')).all(|line| line.split("} ").count() <= 2));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let nowhere = folder.path().join("none/dns.prom");
    let output = check(&trio.servers(), &["--quiet", "--textfile", nowhere.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("none/dns.prom: No such file"), "{}", stderr(&output));
}

#[test]
fn runs_of_inject_leave_metrics_too() {
    let Some(trio) = Trio::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inject.prom");
    let inject = |record: &str| {
        let server = trio.primary.address.to_string();
        let mut command = dns_stamp(&["inject", "--zone", ZONE, "--record", record, "--server", &server]);
        command.args(["--auth", "tsig", "--textfile"]).arg(&path).env("DNS_STAMP_TSIG_KEY", pdns_rigs::dns::KEY);
        let status = command.output().unwrap().status.code();
        let labels = format!("{{zone=\"{ZONE}\",record=\"{record}.{ZONE}\",server=\"{server}\"}}");
        let text = fs::read_to_string(&path).unwrap();
        let success = text.lines().find(|line| line.starts_with(&format!("dns_stamp_inject_success{labels} ")));
        (status, success.unwrap().ends_with(" 1"))
    };
    assert_eq!(inject("stamp"), (Some(0), true));
    assert_eq!(inject("taken"), (Some(2), false));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
}
