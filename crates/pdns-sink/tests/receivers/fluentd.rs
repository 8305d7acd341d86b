//! Fluentd's Forward protocol, against the server of Fluentd's own library.

use pdns_record::{Encoding, Format, Layout};
use pdns_rigs::fluentd::Fluentd as Receiver;
use pdns_rigs::or_skip;
use pdns_rigs::process::free_address;
use pdns_rigs::wait;
use pdns_sink::Outcome;
use pdns_sink::fluentd::{Address, Config, Fluentd};
use serde_json::{Value, json};

use crate::records::{START, batch, deliver};

fn encoding() -> Encoding {
    Encoding { layout: Layout::Answer, format: Format::MessagePack }
}

fn config(address: Address) -> Config {
    Config::new(Layout::Answer, address, "ns1.service".to_owned())
}

/// Checks that the records with these numbers have come.
fn check(entries: &[Value], ids: std::ops::Range<u16>) {
    assert_eq!(entries.len(), ids.len());
    for (entry, id) in entries.iter().zip(ids) {
        assert_eq!(entry["tag"], "ns1.service");
        assert_eq!((&entry["seconds"], &entry["nanos"]), (&json!(START + i64::from(id)), &json!(123_456_789)));
        assert_eq!((&entry["record"]["query_id"], &entry["record"]["q"]), (&json!(id), &json!("a.example.com")));
        assert_eq!(entry["record"]["status"], "unanswered");
    }
}

#[test]
fn every_mode_is_acknowledged_over_unix_sockets_and_tcp() {
    for gzip in [false, true] {
        for is_tcp in [false, true] {
            let home = tempfile::tempdir().unwrap();
            let (listen, address) = if is_tcp {
                let address = free_address().unwrap();
                (address.port().to_string(), Address::Tcp(address.to_string()))
            } else {
                let path = home.path().join("fluentd.socket");
                (path.display().to_string(), Address::Unix(path))
            };
            let Some(receiver) = or_skip(Receiver::start(&listen, home.path())) else { return };
            let mut sink = Fluentd::new(Config { gzip, ..config(address) });
            assert_eq!(deliver(&mut sink, batch(encoding(), 0..1000, "a")), Outcome::Delivered);
            assert_eq!(deliver(&mut sink, batch(encoding(), 1000..1001, "a")), Outcome::Delivered);
            check(&wait::at_least(1001, || receiver.entries()), 0..1001);
        }
    }
}

#[test]
fn a_receiver_that_is_killed_and_started_again_gets_what_comes_then() {
    let home = tempfile::tempdir().unwrap();
    let address = free_address().unwrap();
    let start = || Receiver::start(&address.port().to_string(), home.path());
    let Some(receiver) = or_skip(start()) else { return };
    let mut sink = Fluentd::new(config(Address::Tcp(address.to_string())));
    assert_eq!(deliver(&mut sink, batch(encoding(), 0..10, "a")), Outcome::Delivered);
    drop(receiver);
    let outcome = deliver(&mut sink, batch(encoding(), 10..20, "a"));
    let Outcome::Retry(failure) = outcome else { panic!("{outcome:?}") };
    assert!(failure.reason.starts_with("cannot connect: Connection refused"), "{failure}");
    let receiver = start().unwrap();
    assert_eq!(deliver(&mut sink, batch(encoding(), 10..20, "a")), Outcome::Delivered);
    check(&wait::at_least(20, || receiver.entries()), 0..20);
}
