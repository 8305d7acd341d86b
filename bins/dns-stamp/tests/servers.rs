//! `check` at servers of other makes, which say the same in other ways.

use std::net::SocketAddr;

use pdns_rigs::dns::knot::Knot;
use pdns_rigs::dns::powerdns::PowerDns;

use crate::check::check;
use crate::util::{stamp, stderr, stdout};

/// Never stamped, stamped, no such zone, and found by the zone's own NS records.
fn is_understood(server: SocketAddr) {
    let is = |arguments: &[&str], status: i32, text: &str| {
        let output = check(&[server], arguments);
        let said = stdout(&output) + &stderr(&output);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {said}");
        assert!(said.contains(text), "{arguments:?}: {said}");
    };
    is(&[], 2, "no such record");
    stamp(server);
    is(&[], 0, "fresh, ");
    is(&[], 0, "serial ");
    is(&["--record", "taken"], 2, "stale, ");
    is(&["--zone", "other.test"], 2, "answers REFUSED");
    let (resolver, port) = (server.to_string(), server.port().to_string());
    is(&["--discover", "ns", "--resolver", &resolver, "--discover-port", &port], 0, "fresh, ");
}

#[test]
fn knot_is_understood() {
    let Some(knot) = pdns_rigs::or_skip(Knot::start()) else { return };
    is_understood(knot.address);
}

#[test]
fn powerdns_is_understood() {
    let Some(powerdns) = pdns_rigs::or_skip(PowerDns::start()) else { return };
    is_understood(powerdns.address);
}
