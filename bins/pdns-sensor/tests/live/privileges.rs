//! What is given up while interfaces are captured from, and what becomes of one that is made anew.

use pdns_rigs::network::{Sender, in_namespace, ip, pair};

use super::{Sensor, exchange, live};
use crate::privileges::confined;

/// Takes the interface away and makes it anew, with its other end.
fn make_anew() -> Sender {
    ip("link del cap0");
    pair("cap0", "far0");
    Sender::new("far0")
}

#[test]
fn a_capture_goes_on_without_any_privilege() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut sender = Sender::new("far0");
        let mut sensor = Sensor::start(live(&["cap0"]).args(["--user", "65534", "--group", "1", "--numprocs", "2"]));
        for status in confined(&mut sensor.child, 3) {
            assert_eq!((status["Uid"].as_str(), status["Gid"].as_str()), ("65534 65534 65534 65534", "1 1 1 1"));
            assert_eq!(
                (status["CapPrm"].as_str(), status["CapBnd"].as_str()),
                ("0000000000000000", "0000000000000000")
            );
        }
        exchange(&mut sender, 1, 1);
        assert_eq!(sensor.record()["id"], 1);
        // Down and up takes no right.
        ip("link set cap0 down");
        sensor.wait_for("interface 'cap0' is down; waiting for it");
        ip("link set cap0 up");
        sensor.wait_for("interface 'cap0' is captured from again");
        exchange(&mut sender, 2, 1);
        assert_eq!(sensor.record()["id"], 2);
        // An interface made anew does, which it says, and ends: whoever looks after it starts it again.
        let _sender = make_anew();
        let line = sensor.wait_for("no right to capture on 'cap0'");
        assert!(line.starts_with("pdns-sensor: error: ") && line.contains("--keep-net-raw"), "{line}");
        let (status, _, logged) = sensor.wait();
        assert_eq!(status, 1, "{logged:?}");
        assert!(
            logged.iter().any(|line| line.ends_with("no interface is left that it may capture from")),
            "{logged:?}"
        );
        let first = "pdns-sensor: running as uid 65534 gid 1 with no capability; files: ";
        assert!(logged[0].starts_with(first), "{logged:?}");
    });
}

#[test]
fn the_other_interfaces_are_captured_from_when_one_needs_a_right() {
    in_namespace(|| {
        pair("cap0", "far0");
        pair("cap1", "far1");
        let mut sender = Sender::new("far1");
        let mut sensor = Sensor::start(live(&["cap0", "cap1"]).args(["--user", "65534", "--group", "1"]));
        let _sender = make_anew();
        sensor.wait_for("no right to capture on 'cap0'");
        exchange(&mut sender, 1, 1);
        assert_eq!(sensor.record()["id"], 1);
        sensor.end();
    });
}

#[test]
fn an_interface_that_is_made_anew_is_captured_from_with_the_right_to() {
    in_namespace(|| {
        for (arguments, identity) in [
            (&["--user", "65534", "--group", "65534", "--keep-net-raw"][..], "running as uid 65534 gid 65534"),
            (&[], "running as uid 0 gid 0"),
        ] {
            pair("cap0", "far0");
            let mut sensor = Sensor::start(live(&["cap0"]).args(arguments));
            let mut sender = make_anew();
            sensor.wait_for("interface 'cap0' is captured from again");
            exchange(&mut sender, 3, 1);
            assert_eq!(sensor.record()["id"], 3);
            let (_, logged) = sensor.end();
            assert!(logged[0].contains(&format!("{identity} with CAP_NET_RAW; ")), "{logged:?}");
            let warned = logged
                .iter()
                .any(|line| line == "pdns-sensor: warning: still root: give a user to continue as with --user");
            assert_eq!(warned, arguments.is_empty());
            ip("link del cap0");
        }
    });
}
