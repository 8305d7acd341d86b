//! What goes wrong: nothing is lost, and what is there twice has the same id.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use pdns_rigs::kafka::{Broker, Settings};
use pdns_rigs::ports;
use pdns_rigs::proxy::{Mode, Proxy};
use pdns_sink::kafka::{Compression, Config, Kafka};
use pdns_sink::{Delivery, DeliveryId, Outcome, Sink};

use crate::util::{assert_all, batch, config, deliver, deliver_all, shared, stopped};

/// A broker of the test's own.
fn own() -> Option<Broker> {
    pdns_rigs::or_skip(Broker::start(Settings::default()))
}

#[test]
fn a_topic_that_is_missing_is_said_until_it_is_there() {
    let Some(broker) = shared() else { return };
    let mut sink = Kafka::new(config(broker.plain, "later"));
    let said = "there is no topic later, and the brokers do not make one by themselves";
    assert_eq!(sink.start().unwrap_err().reason, said);
    assert_eq!(stopped(deliver(&mut sink, &batch(0..10, 50))), said);
    broker.topic("later", 1, &[]);
    deliver_all(&mut sink, &batch(0..10, 50));
    assert_eq!(assert_all(&broker.read("later"), 0..10, 50), 0);
}

#[test]
fn brokers_that_are_not_there_are_said_one_by_one() {
    let [one, other] = ports::free();
    let brokers =
        vec![format!("127.0.0.1:{one}"), format!("127.0.0.1:{other}"), "no-such-host.invalid:9092".to_owned()];
    let mut sink = Kafka::new(Config { brokers: brokers.clone(), ..config(one, "dns") });
    let Outcome::Retry(failure) = deliver(&mut sink, &batch(0..1, 10)) else { panic!("it is tried again") };
    for broker in &brokers[..2] {
        let said = format!("{broker}: Connection refused (os error 111)");
        assert!(failure.reason.contains(&said), "{failure}");
    }
    assert!(failure.reason.contains("no-such-host.invalid:9092: failed to lookup address"), "{failure}");
}

#[test]
fn a_broker_that_is_not_there_does_not_hide_one_that_is() {
    let Some(broker) = shared() else { return };
    broker.topic("bootstrap", 1, &[]);
    let [dead] = ports::free();
    let brokers = vec![format!("127.0.0.1:{dead}"), format!("127.0.0.1:{}", broker.plain)];
    let mut sink = Kafka::new(Config { brokers, ..config(dead, "bootstrap") });
    assert_eq!(deliver(&mut sink, &batch(0..10, 50)), Outcome::Delivered);
}

#[test]
fn a_batch_that_is_too_large_is_to_be_split() {
    let Some(broker) = shared() else { return };
    broker.topic("small", 1, &["max.message.bytes=5000"]);
    let config = Config { compression: Compression::None, ..config(broker.plain, "small") };
    let mut sink = Kafka::new(config.clone());
    let Outcome::Split(failure) = deliver(&mut sink, &batch(0..100, 200)) else { panic!("it is to be split") };
    assert_eq!(failure.reason, "the batch is larger than the broker takes");
    assert_eq!(deliver(&mut sink, &batch(0..10, 200)), Outcome::Delivered, "the connection stays good");
    let Outcome::Split(_) = deliver(&mut sink, &batch(10..11, 6000)) else { panic!("one record is too large") };
    // With the broker's limit as ours no batch is too large.
    let mut sink = Kafka::new(Config { batch_bytes: 4000, ..config });
    assert_eq!(deliver(&mut sink, &batch(10..100, 200)), Outcome::Delivered);
    assert_eq!(assert_all(&broker.read("small"), 0..100, 200), 0);
}

#[test]
fn a_broker_that_is_killed_loses_nothing() {
    let Some(broker) = own() else { return };
    broker.topic("killed", 3, &[]);
    let mut sink = Kafka::new(config(broker.plain, "killed"));
    let mut tries = 0;
    for round in 0..30 {
        if round % 10 == 5 {
            broker.kill();
            let Outcome::Retry(failure) = deliver(&mut sink, &batch(0..1, 100)) else { panic!("nobody is there") };
            assert!(!failure.is_suspect, "a dead broker says nothing of the records");
            broker.restart().unwrap();
        }
        tries += deliver_all(&mut sink, &batch(round * 1000..(round + 1) * 1000, 100));
    }
    let duplicates = assert_all(&broker.read("killed"), 0..30_000, 100);
    assert!(tries >= 30);
    println!("{tries} tries, {duplicates} duplicates");
}

#[test]
fn a_connection_that_falls_silent_is_given_up() {
    let Some(broker) = own() else { return };
    let proxy = Proxy::start(broker.detour(), broker.behind_detour).unwrap();
    broker.topic("silent", 2, &[]);
    let timeout = Duration::from_secs(3);
    let mut sink = Kafka::new(Config { timeout, connect_timeout: timeout, ..config(proxy.port, "silent") });
    assert_eq!(deliver(&mut sink, &batch(0..100, 100)), Outcome::Delivered);
    // These connections never carry anything again.
    proxy.set(Mode::Forget);
    let start = Instant::now();
    let Outcome::Retry(failure) = deliver(&mut sink, &batch(100..200, 100)) else { panic!("it is tried again") };
    assert!(failure.reason.starts_with("no answer within 3 s"), "{failure}");
    let took = start.elapsed();
    assert!(took >= timeout && took < 10 * timeout, "{took:?}");
    proxy.set(Mode::Forward);
    deliver_all(&mut sink, &batch(100..200, 100));
    assert_eq!(assert_all(&broker.read("silent"), 0..200, 100), 0);
}

#[test]
fn what_the_frame_gives_up_is_given_up() {
    let Some(broker) = own() else { return };
    let proxy = Proxy::start(broker.detour(), broker.behind_detour).unwrap();
    broker.topic("expired", 1, &[]);
    let mut sink = Kafka::new(config(proxy.port, "expired"));
    assert_eq!(deliver(&mut sink, &batch(0..100, 100)), Outcome::Delivered);
    proxy.set(Mode::Forget);
    let (sender, outcome) = std::sync::mpsc::channel();
    let lost = batch(100..200, 100);
    sink.submit(Delivery::new(DeliveryId(7), Arc::clone(&lost), move |_, outcome| drop(sender.send(outcome))));
    thread::sleep(Duration::from_millis(300));
    let connections = proxy.connections();
    sink.expire(DeliveryId(7));
    assert!(matches!(outcome.recv().unwrap(), Outcome::Retry(_)));
    proxy.set(Mode::Forward);
    deliver_all(&mut sink, &lost);
    assert!(proxy.connections() > connections, "the old connection is not used again");
    assert_eq!(assert_all(&broker.read("expired"), 0..200, 100), 0);
}

#[test]
fn lost_answers_make_duplicates_with_equal_ids() {
    let Some(broker) = own() else { return };
    let proxy = Proxy::start(broker.detour(), broker.behind_detour).unwrap();
    broker.topic("answers", 1, &[]);
    let timeout = Duration::from_secs(2);
    let mut sink = Kafka::new(Config { timeout, connect_timeout: timeout, ..config(proxy.port, "answers") });
    assert_eq!(deliver(&mut sink, &batch(0..10, 100)), Outcome::Delivered);
    proxy.set(Mode::LoseAnswers);
    assert!(matches!(deliver(&mut sink, &batch(10..20, 100)), Outcome::Retry(_)));
    proxy.set(Mode::Forward);
    deliver_all(&mut sink, &batch(10..20, 100));
    assert_eq!(assert_all(&broker.read("answers"), 0..20, 100), 10, "the first try had arrived");
}

#[test]
fn a_broker_that_moved_is_found_by_the_list() {
    let Some(broker) = own() else { return };
    broker.topic("moved", 1, &[]);
    // The settings name a proxy; the broker then says where it really is.
    let [first] = ports::free();
    let list = Proxy::start(first, broker.behind_detour).unwrap();
    let old = Proxy::start(broker.detour(), broker.behind_detour).unwrap();
    let mut sink = Kafka::new(config(list.port, "moved"));
    assert_eq!(deliver(&mut sink, &batch(0..10, 100)), Outcome::Delivered);
    assert!(old.connections() > 0);
    let connections = list.connections();
    broker.kill();
    broker.move_detour();
    drop(old);
    broker.restart().unwrap();
    let new = Proxy::start(broker.detour(), broker.behind_detour).unwrap();
    deliver_all(&mut sink, &batch(10..20, 100));
    assert!(list.connections() > connections, "the list is asked again");
    assert!(new.connections() > 0);
    assert_eq!(assert_all(&broker.read("moved"), 0..20, 100), 0);
}
