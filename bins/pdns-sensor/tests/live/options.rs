//! What can be asked of a live run.

use std::process::Command;

use pdns_fixtures::wire::{link, udp};
use pdns_rigs::network::{Sender, in_namespace, pair};
use pdns_rigs::pfring::Standin;

use rustix::process::Signal;

use super::{Sensor, live, query_frame, with_stats};
use crate::account::Account;
use crate::config::Setup;
use crate::config_table::{Kind, OPTIONS};
use crate::util::{Run, Scratch, in_parallel, query, sensor};

/// A query to another port.
fn to_port(port: u16, id: u16) -> Vec<u8> {
    let (client, server) = ("192.0.2.1:40000".parse().unwrap(), format!("192.0.2.53:{port}").parse().unwrap());
    link::ethernet(udp(client, server, &query(id).compose())).bytes
}

#[test]
fn a_filter_is_used_exactly_as_given_and_ports_widen_the_usual_one() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut sender = Sender::new("far0");
        for (arguments, expected) in [
            (&[][..], &[1][..]),
            (&["--ports", "5353"], &[2]),
            (&["--ports", "53,5353"], &[1, 2]),
            (&["--bpf", "udp port 5353"], &[2]),
            (&["--bpf", "udp", "--ports", "53"], &[1]),
            (&["--bpf", ""], &[1]),
            (&["--bpf", "", "--ports", "5353,53,99"], &[1, 2, 3]),
        ] {
            let sensor = Sensor::start(live(&["cap0"]).args(arguments));
            for (id, port) in [(1, 53), (2, 5353), (3, 99)] {
                sender.send(&to_port(port, id));
            }
            let (records, _) = sensor.end();
            let ids: Vec<_> = records.iter().map(|record| record["id"].as_u64().unwrap()).collect();
            assert_eq!(ids, expected, "{arguments:?}");
        }
    });
}

#[test]
fn frames_are_cut_at_the_snap_length() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut sender = Sender::new("far0");
        let sensor = Sensor::start(live(&["cap0"]).args(["--snaplen", "64", "--promisc=false"]));
        sender.send(&query_frame(1));
        let (records, _) = sensor.end();
        assert!(records[0]["malformed"].is_object() || records[0]["malformed"].is_string(), "{records:?}");
    });
}

#[test]
fn what_cannot_be_captured_from_is_refused() {
    in_namespace(|| {
        let unknown = ["--dev", "no-such"];
        let reason = "there is no interface 'no-such'; there are: lo (up, loopback), any";
        Run::of(sensor().args(unknown)).assert_refused(reason);
        Run::of(sensor().args(unknown).arg("--check-config")).assert_refused(reason);
        let filter = "filter 'udp and (' on 'lo': can't parse filter expression: syntax error";
        Run::of(sensor().args(["--dev", "lo", "--bpf", "udp and ("])).assert_refused(filter);
        Run::of(sensor().args(["--dev", "lo", "--bpf", "udp and (", "--check-config"])).assert_refused(filter);
        Run::of(sensor().args(["--dev", "lo", "--check-config"])).assert_clean();
    });
}

#[test]
fn pf_ring_is_used_when_asked_for() {
    let standin = Standin::new();
    let scratch = Scratch::new();
    for workers in ["1", "2"] {
        let stats = scratch.path("stats.json");
        let mut command = live(&[&standin.device("quiet")]);
        command.args(["--pfring", "--numprocs", workers]).env("LD_LIBRARY_PATH", standin.folder());
        let sensor = Sensor::start(with_stats(&mut command, &stats));
        sensor.end();
        let account = Account::read(&stats);
        account.assert_balanced("PF_RING");
        assert_eq!((account.count("frames_received"), account.count("frames_discarded")), (4, 4));
        // Of each ring it says that it has dropped twice as many as it received.
        assert_eq!(account.count("kernel_dropped"), 8);
    }
    assert!(standin.log().contains("name pdns-sensor\n"));
    let missing = Run::of(live(&["eth0"]).arg("--pfring"));
    assert_eq!(missing.status, 2);
    assert!(missing.stderr.contains("libpfring.so") && missing.stderr.contains("install the package"), "{missing:?}");
}

/// gopassivedns's options, but for `pcap`, which is no live run, and `config`, each with a value.
const OLD: [(&str, &str, &str); 25] = [
    ("dev", "PDNS_DEV", "cap0"),
    ("kafka_brokers", "PDNS_KAFKA_PEERS", "127.0.0.1:9,127.0.0.2:9"),
    ("kafka_topic", "PDNS_KAFKA_TOPIC", "dns"),
    ("kafka_flush_freq", "PDNS_KAFKA_FLUSH_FREQ", "500"),
    ("kafka_avro", "PDNS_KAFKA_AVRO", "true"),
    ("bpf", "PDNS_BPF", "udp port 53"),
    ("logfile", "PDNS_LOG_FILE", "dns.log"),
    ("logMaxAge", "PDNS_LOG_AGE", "7"),
    ("logMaxBackups", "PDNS_LOG_BACKUP", "9"),
    ("logMaxSize", "PDNS_LOG_SIZE", "50"),
    ("quiet", "PDNS_QUIET", "true"),
    ("gc_age", "PDNS_GC_AGE", "-2m"),
    ("gc_interval", "PDNS_GC_INTERVAL", "4m"),
    ("debug", "PDNS_DEBUG", "true"),
    ("cpuprofile", "PDNS_PROFILE_FILE", "cpu.pprof"),
    ("numprocs", "PDNS_THREADS", "3"),
    ("pfring", "PDNS_PFRING", "true"),
    ("name", "PDNS_NAME", "sensor"),
    ("statsd_host", "PDNS_STATSD_HOST", "127.0.0.1:8125"),
    ("statsd_interval", "PDNS_STATSD_INTERVAL", "10"),
    ("statsd_prefix", "PDNS_STATSD_PREFIX", "dns"),
    ("syslog_facility", "PDNS_SYSLOG_FACILITY", "LOCAL0"),
    ("syslog_priority", "PDNS_SYSLOG_PRIORITY", "Info"),
    ("fluentd_socket", "PDNS_FLUENTD_SOCKET", "fluentd.sock"),
    ("snaplen", "PDNS_SNAPLEN", "4096"),
];

/// Those that need another one beside them.
const BESIDE: [(&str, &[&str]); 3] = [
    ("kafka_brokers", &["-kafka_topic", "dns"]),
    ("kafka_topic", &["-kafka_brokers", "127.0.0.1:9"]),
    ("syslog_facility", &["-syslog_priority", "INFO"]),
];

#[test]
fn gopassivednss_options_start_a_live_run_in_every_spelling_and_source() {
    let standin = Standin::new();
    in_namespace(|| {
        pair("cap0", "far0");
        in_parallel(OLD, |(flag, env, value)| {
            let spec = OPTIONS.iter().find(|spec| spec.env == Some(env)).unwrap();
            let separate: &[&str] = if spec.kind == Kind::Switch { &[] } else { &[value] };
            let dashed = format!("-{flag}");
            for (setup, place) in [
                (Setup::new().arguments(&[&format!("-{flag}={value}")]), "flag"),
                (Setup::new().arguments(&[&[dashed.as_str()], separate].concat()), "flag"),
                (Setup::new().environment(env, value), "environment"),
                (Setup::new().dot_env(&format!("{env}={value}")), ".env"),
            ] {
                let device = match flag {
                    "pfring" => standin.device("quiet"),
                    _ => "cap0".to_owned(),
                };
                let setup = if flag == "dev" { setup } else { setup.arguments(&["-dev", &device]) };
                let beside = BESIDE.iter().find(|(other, _)| *other == flag).map_or(&[][..], |(_, beside)| beside);
                let setup = setup.arguments(beside);
                let mut command = setup.command();
                command.env("LD_LIBRARY_PATH", standin.folder());
                start_and_end(&mut command, &format!("{flag} as {place}"));
            }
        });
    });
}

/// Whether the program starts and ends well.
fn start_and_end(command: &mut Command, what: &str) {
    let checked = Run::of(command.arg("--check-config"));
    assert_eq!(checked.status, 0, "{what}: {}", checked.stderr);
    let sensor = Sensor::start(command.args(["--check-config=false", "--drain-timeout=1s"]));
    sensor.signal(Signal::TERM);
    let (status, _, logged) = sensor.wait();
    assert_eq!(status, 0, "{what}: {logged:#?}");
}
