//! What is given out of a capture from interfaces.

use std::net::SocketAddr;

use pdns_rigs::http::Page;
use pdns_rigs::network::{Sender, in_namespace, ip, pair};
use pdns_rigs::wait::poll;

use super::pages::assert_sums;
use super::web::{Samples, get};
use crate::live::{Sensor, exchange, live, query_frame};

/// Captures on an interface; also where its pages are.
fn start(interface: &str) -> (Sensor, SocketAddr) {
    let mut command = live(&[interface]);
    let mut sensor = Sensor::start(command.args(["--metrics-listen", "127.0.0.1:0", "--debug"]));
    let line = sensor.wait_for("metrics are served on http://");
    let address = line.split_once("http://").unwrap().1.strip_suffix("/metrics").unwrap().parse().unwrap();
    (sensor, address)
}

#[test]
fn health_tells_of_an_interface_that_is_gone() {
    in_namespace(|| {
        pair("cap0", "far0");
        let (sensor, address) = start("cap0");
        let health_of = |status: u16| {
            poll(&format!("health {status}"), || Some(get(address, "/healthz")).filter(|page| page.status == status))
        };
        let metrics = || {
            let samples = Samples::fetch(address);
            (samples.0["pdns_capture_interface_up{interface=\"cap0\"}"], samples.sum("pdns_healthy"))
        };
        let Page { body, .. } = health_of(200);
        assert_eq!((&*body, metrics()), ("ok\n", (1.0, 1.0)));
        ip("link set cap0 down");
        let Page { body, .. } = health_of(503);
        assert_eq!((&*body, metrics()), ("interface 'cap0' is down; waiting for it\n", (0.0, 0.0)));
        ip("link set cap0 up");
        health_of(200);
        assert_eq!(metrics(), (1.0, 1.0));
        ip("link del cap0");
        let Page { body, .. } = health_of(503);
        // It is taken down before it goes; either may be seen.
        assert!(body.starts_with("interface 'cap0' is "), "{body}");
        sensor.end();
    });
}

#[test]
fn the_sums_hold_on_a_live_capture() {
    in_namespace(|| {
        pair("cap0", "far0");
        let (sensor, address) = start("cap0");
        let mut sender = Sender::new("far0");
        for round in 0..20 {
            exchange(&mut sender, round * 50, 50);
            assert_sums(&Samples::fetch(address));
        }
        sender.send(&query_frame(5000));
        let samples = poll("the count of queries", || {
            Some(Samples::fetch(address)).filter(|samples| samples.sum("pdns_dns_messages_total") == 2001.0)
        });
        assert_sums(&samples);
        assert_eq!(samples.sum("pdns_dns_outstanding_queries"), 1.0);
        let (records, _) = sensor.end();
        assert_eq!(records.len(), 1001);
    });
}
