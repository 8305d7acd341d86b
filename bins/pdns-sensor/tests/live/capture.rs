//! Records as packets come, and what is counted.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use pdns_rigs::network::{Sender, in_namespace, pair};
use rustix::process::Signal;

use super::{Sensor, exchange, live, query_frame, query_of, response_frame, response_to, with_stats};
use crate::account::Account;
use crate::util::Scratch;

#[test]
fn a_record_appears_soon_and_an_unanswered_one_on_an_idle_interface() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut sender = Sender::new("far0");
        let mut sensor = Sensor::start(live(&["cap0"]).args(["--gc-age", "1500ms"]));
        let start = Instant::now();
        sender.send(&query_frame(1));
        sender.send(&query_frame(2));
        sender.send(&response_frame(1));
        let answered = sensor.record();
        assert_eq!((answered["id"].as_u64(), answered["status"].as_str()), (Some(1), Some("answered")));
        let soon = start.elapsed();
        // Nothing comes any more.
        let unanswered = sensor.record();
        assert_eq!((unanswered["id"].as_u64(), unanswered["status"].as_str()), (Some(2), Some("unanswered")));
        let late = start.elapsed();
        assert!(late >= Duration::from_millis(1500), "{late:?}");
        // It is within a second of its deadline, unless the machine is slow: then the first record was, too.
        assert!(late < Duration::from_millis(2500) + 4 * soon, "{soon:?}, {late:?}");
        sensor.end();
    });
}

/// Clients with addresses and ports of their own.
fn clients(count: u16) -> impl Iterator<Item = SocketAddr> {
    (0..count).map(|number| {
        let [high, low] = number.to_be_bytes();
        (Ipv4Addr::new(198, 18, high, low), 10_000 + number).into()
    })
}

#[test]
fn each_query_meets_its_response_whatever_the_workers_and_the_fanout() {
    in_namespace(|| {
        pair("cap0", "far0");
        let scratch = Scratch::new();
        let mut sender = Sender::new("far0");
        for (workers, fanout) in [("1", "hosts"), ("3", "hosts"), ("3", "flows")] {
            let stats = scratch.path("stats.json");
            let mut command = live(&["cap0"]);
            command.args(["--numprocs", workers, "--fanout", fanout]);
            let sensor = Sensor::start(with_stats(&mut command, &stats));
            for client in clients(500) {
                sender.send(&query_of(client, 1));
                sender.send(&response_to(client, 1));
            }
            let (records, _) = sensor.end();
            assert!(records.len() == 500 && records.iter().all(|record| record["status"] == "answered"));
            let account = Account::read(&stats);
            account.assert_balanced("live");
            assert_eq!((account.count("answered"), account.count("kernel_dropped")), (500, 0));
        }
    });
}

#[test]
fn several_interfaces_and_any_are_one_capture() {
    in_namespace(|| {
        pair("cap0", "far0");
        pair("cap1", "far1");
        let (mut zero, mut one) = (Sender::new("far0"), Sender::new("far1"));
        for interfaces in [&["cap0", "cap1"][..], &["cap0,cap1"]] {
            let mut sensor = Sensor::start(&mut live(interfaces));
            zero.send(&query_frame(7));
            // The response takes another way.
            thread::sleep(Duration::from_millis(30));
            one.send(&response_frame(7));
            assert_eq!(sensor.record()["status"], "answered");
            sensor.end();
        }
        // On `any` the other ends' frames are seen as well.
        let mut sensor = Sensor::start(&mut live(&["any"]));
        exchange(&mut zero, 1, 1);
        exchange(&mut one, 2, 1);
        let mut seen = BTreeSet::new();
        while seen.len() < 2 {
            let record = sensor.record();
            if record["status"] == "answered" {
                seen.insert(record["id"].as_u64());
            }
        }
        sensor.end();
    });
}

#[test]
fn what_the_kernel_drops_is_counted_and_told_of() {
    in_namespace(|| {
        pair("cap0", "far0");
        let scratch = Scratch::new();
        let stats = scratch.path("stats.json");
        let mut sender = Sender::new("far0");
        let sensor = Sensor::start(with_stats(live(&["cap0"]).args(["--buffer-size", "1"]), &stats));
        // While it stands still, more comes than the ring has room for.
        sensor.signal(Signal::STOP);
        let frames = 40_000;
        for _ in 0..frames / 2 {
            exchange(&mut sender, 1, 1);
        }
        sensor.signal(Signal::CONT);
        let (_, logged) = sensor.end();
        let account = Account::read(&stats);
        account.assert_balanced("drops");
        let dropped = account.count("kernel_dropped");
        assert!(dropped > 0 && account.count("frames_received") + dropped == frames, "{dropped}");
        let told: Vec<_> = logged.iter().filter(|line| line.contains("not read fast enough")).collect();
        assert!(!told.is_empty() && told[told.len() - 1].contains(&format!(" {dropped} since the start")), "{told:?}");
    });
}
