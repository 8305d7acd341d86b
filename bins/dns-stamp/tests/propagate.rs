//! `propagate`, at real servers.

use std::process::Output;

use pdns_rigs::dns::{KEY, ZONE};

use crate::check::Trio;
use crate::util::{dns_stamp, stderr, stdout};

fn propagate(trio: &Trio, arguments: &[&str]) -> Output {
    let mut command = dns_stamp(&["propagate", "--zone", ZONE, "--record", "stamp", "--auth", "tsig"]);
    command.env("DNS_STAMP_TSIG_KEY", KEY).arg("--primary").arg(trio.primary.address.to_string());
    for server in trio.servers() {
        command.arg("--server").arg(server.to_string());
    }
    command.args(arguments).output().unwrap()
}

#[test]
fn each_server_has_its_lag_and_who_is_late_is_named() {
    let Some(trio) = Trio::start() else { return };
    // The value is in seconds, and a new one has to be another.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let output = propagate(&trio, &["--deadline", "15s"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}{}", stderr(&output));
    let lines: Vec<_> = text.lines().collect();
    for (line, server) in lines.iter().zip(&trio.servers()[..2]) {
        assert!(line.starts_with("OK") && line.contains(&server.to_string()), "{text}");
        let lag = line.split("after ").nth(1).and_then(|lag| lag.strip_suffix(" s")).unwrap();
        assert!((0.0..15.0).contains(&lag.parse::<f64>().unwrap()), "{text}");
    }
    let late = format!("WARNING   stamp.example.test  {}", trio.untold.address);
    assert!(lines[2].starts_with(&late) && lines[2].contains("not within 15s: fresh, "), "{text}");
}

#[test]
fn what_cannot_be_written_is_not_watched() {
    let Some(trio) = Trio::start() else { return };
    let output = propagate(&trio, &["--record", "taken"]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()));
    assert!(stderr(&output).contains("does not let the key stamp-key write"), "{}", stderr(&output));
}
