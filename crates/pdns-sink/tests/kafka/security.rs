//! TLS, logins, rights.

use std::time::Instant;

use pdns_rigs::kafka::{Broker, PASSWORD, USER};
use pdns_sink::kafka::{Config, Kafka, Login, Mechanism};
use pdns_sink::tls::{Identity, Tls};
use pdns_sink::{Outcome, Sink};

use crate::util::{PATIENCE, assert_all, batch, config, deliver, shared, stopped};

fn tls(broker: &Broker) -> Tls {
    Tls { ca: Some(broker.certificates.authority.clone()), identity: None }
}

fn with_identity(broker: &Broker) -> Tls {
    let certificates = &broker.certificates;
    let identity = Identity { certificate: certificates.client.clone(), key: certificates.client_key.clone() };
    Tls { identity: Some(identity), ..tls(broker) }
}

fn login(mechanism: Mechanism, password: &str) -> Option<Login> {
    Some(Login { mechanism, username: USER.to_owned(), password: password.to_owned() })
}

/// The certificate is for this name.
fn localhost(port: u16) -> Vec<String> {
    vec![format!("localhost:{port}")]
}

#[test]
fn records_arrive_over_tls_and_with_logins() {
    let Some(broker) = shared() else { return };
    let plain = |port| config(port, "secure");
    let mut ways = vec![
        ("tls", Config { brokers: localhost(broker.tls), tls: Some(tls(&broker)), ..plain(0) }),
        ("mutual tls", Config { brokers: localhost(broker.mutual_tls), tls: Some(with_identity(&broker)), ..plain(0) }),
    ];
    for mechanism in Mechanism::ALL {
        let login = login(mechanism, PASSWORD);
        let over_tls = Config { brokers: localhost(broker.login_tls), tls: Some(tls(&broker)), ..plain(0) };
        ways.push((mechanism.name(), Config { login: login.clone(), ..plain(broker.login) }));
        ways.push((mechanism.name(), Config { login, ..over_tls }));
    }
    broker.topic("secure", 2, &[]);
    let mut last = 0;
    for (way, config) in ways {
        let mut sink = Kafka::new(config);
        sink.start().unwrap_or_else(|failure| panic!("{way}: {failure}"));
        assert_eq!(deliver(&mut sink, &batch(last..last + 50, 100)), Outcome::Delivered, "{way}");
        last += 50;
    }
    assert_eq!(assert_all(&broker.read("secure"), 0..last, 100), 0);
}

#[test]
fn what_is_wrong_with_tls_is_said() {
    let Some(broker) = shared() else { return };
    broker.topic("untrusted", 1, &[]);
    let sink =
        |brokers: Vec<String>, tls: Tls| Kafka::new(Config { brokers, tls: Some(tls), ..config(0, "untrusted") });
    let reason = |brokers: Vec<String>, tls: Tls| {
        let mut sink = sink(brokers, tls);
        let start = Instant::now();
        loop {
            // A broker that closes the connection with the alert on its way can be quicker than the alert.
            match deliver(&mut sink, &batch(0..1, 10)) {
                Outcome::Stop(failure) => return failure.reason,
                Outcome::Retry(_) if start.elapsed() < PATIENCE => {}
                outcome => panic!("{outcome:?}"),
            }
        }
    };
    let stranger = Tls { ca: Some(broker.certificates.stranger.clone()), identity: None };
    let by_address = vec![format!("127.0.0.1:{}", broker.tls)];
    let of_stranger = reason(localhost(broker.tls), stranger);
    assert!(of_stranger.ends_with("invalid peer certificate: UnknownIssuer"), "{of_stranger}");
    let of_name = reason(by_address, tls(&broker));
    assert!(of_name.contains("certificate not valid for name"), "{of_name}");
    let without_identity = reason(localhost(broker.mutual_tls), tls(&broker));
    let expected = "received fatal alert: BadCertificate; the broker may want a certificate of ours";
    assert!(without_identity.ends_with(expected), "{without_identity}");
    let no_file = reason(localhost(broker.tls), Tls { ca: Some("/does/not/exist.pem".into()), identity: None });
    assert!(no_file.starts_with("/does/not/exist.pem: "), "{no_file}");
    let to_plain = sink(localhost(broker.plain), tls(&broker)).start().unwrap_err().reason;
    assert!(to_plain.ends_with("tls handshake eof; the port may be one without TLS"), "{to_plain}");
}

#[test]
fn a_login_that_fails_is_said() {
    let Some(broker) = shared() else { return };
    broker.topic("locked", 1, &[]);
    for mechanism in Mechanism::ALL {
        let login = login(mechanism, "wrong");
        let mut sink = Kafka::new(Config { login, ..config(broker.login, "locked") });
        let said = sink.start().unwrap_err().reason;
        assert!(said.contains("login failed: "), "{}: {said}", mechanism.name());
        assert!(!said.contains("wrong"), "the password is not shown: {said}");
        assert_eq!(stopped(deliver(&mut sink, &batch(0..1, 10))), said);
    }
}

#[test]
fn missing_rights_are_said() {
    let Some(broker) = shared() else { return };
    broker.topic("forbidden", 1, &[]);
    broker.tool(&["deny", "forbidden", USER]);
    let login = login(Mechanism::ScramSha256, PASSWORD);
    let mut sink = Kafka::new(Config { login, ..config(broker.login, "forbidden") });
    sink.start().unwrap();
    for _ in 0..2 {
        let said = stopped(deliver(&mut sink, &batch(0..10, 10)));
        assert_eq!(said, "not authorised to write to the topic");
    }
    assert!(broker.read("forbidden").is_empty());
}
