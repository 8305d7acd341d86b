//! The sensor and its receiver are killed in the middle of a stream, and everything arrives. `make bench-sinks` does the same for
//! longer and to more records.

use pdns_chaos::receivers::{Forward, Kafka, Receiver, Table};
use pdns_chaos::trial::{self, Event, Plan};

/// Some thousand records, while the receiver is away for some of them and the sensor is killed once.
fn run(receiver: &mut dyn Receiver) {
    run_with(receiver, &[(20, Event::KillReceiver), (50, Event::KillSensor), (70, Event::RestartReceiver)]);
}

fn run_with(receiver: &mut dyn Receiver, events: &[(u64, Event)]) {
    let program = env!("CARGO_BIN_EXE_pdns-sensor").into();
    let plan = Plan { program, records: 6_000, rate: 1_500, events: events.to_vec() };
    let mut told = String::new();
    let report = trial::run(&plan, receiver, &mut |line| told.push_str(&format!("{line}\n")));
    let report = report.unwrap_or_else(|error| panic!("{told}{error}"));
    assert!(report.is_well(), "{told}{report}");
    let kills = events.iter().filter(|(_, event)| *event == Event::KillSensor).count();
    assert_eq!(report.processes, 1 + kills as u64);
}

#[test]
fn kafka_gets_everything() {
    let Some(mut receiver) = pdns_rigs::or_skip(Kafka::start()) else { return };
    run(&mut receiver);
}

#[test]
fn fluentd_gets_everything() {
    let Some(mut receiver) = pdns_rigs::or_skip(Forward::start()) else { return };
    run(&mut receiver);
}

#[test]
fn clickhouse_gets_everything() {
    let home = tempfile::tempdir().unwrap();
    let Some(mut receiver) = pdns_rigs::or_skip(Table::start(home.path())) else { return };
    run(&mut receiver);
}

#[test]
fn a_sensor_that_is_killed_over_and_over_loses_nothing() {
    let Some(mut receiver) = pdns_rigs::or_skip(Forward::start()) else { return };
    let events: Vec<_> = (1..16).map(|kill| (6 * kill, Event::KillSensor)).collect();
    run_with(&mut receiver, &events);
}
