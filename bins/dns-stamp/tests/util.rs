//! How the program is run.

use std::process::{Command, Output};

/// The program, without settings of the environment it is tested in.
pub(crate) fn dns_stamp(arguments: &[&str]) -> Command {
    without_settings(Command::new(env!("CARGO_BIN_EXE_dns-stamp")), arguments)
}

/// The program, with a clock that is wrong by `offset`, such as `-2m`.
pub(crate) fn dns_stamp_at(offset: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("faketime");
    // Only what time of the day it is; not how long something takes.
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("DONT_FAKE_MONOTONIC", "1");
    command.args(["-f", offset, env!("CARGO_BIN_EXE_dns-stamp")]);
    without_settings(command, arguments)
}

fn without_settings(mut command: Command, arguments: &[&str]) -> Command {
    command.args(arguments);
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"DNS_STAMP_") {
            command.env_remove(name);
        }
    }
    command
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Stamps the rigs' zone at its primary.
pub(crate) fn stamp(primary: std::net::SocketAddr) {
    let server = primary.to_string();
    let zone = pdns_rigs::dns::ZONE;
    let arguments = ["inject", "--zone", zone, "--record", "stamp", "--server", &server, "--min-interval", "0"];
    let mut command = dns_stamp(&arguments);
    let output = command.args(["--auth", "tsig"]).env("DNS_STAMP_TSIG_KEY", pdns_rigs::dns::KEY).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}
