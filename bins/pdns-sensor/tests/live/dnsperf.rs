//! Whether the records are what a real client did with a real server: dnsperf and Knot DNS, each in a network of its own.
//!
//! Linux can be built without VLANs and without a queue that delays. So where tags and delays are wanted a switch in user space
//! connects the two, and puts them on; the sensor captures on the tagged wire in its middle.

use std::fmt::Write;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use pdns_rigs::network::{self, Namespace, Port, Switch, ip, try_run};
use pdns_rigs::{has, or_skip};
use serde_json::Value;

use super::{Sensor, live, with_stats};
use crate::account::Account;
use crate::util::{PATIENCE, Scratch};

/// How many queries each run makes.
const QUERIES: usize = 500;

const CLIENT: [&str; 2] = ["192.0.2.1", "2001:db8::1"];
const SERVER: [&str; 2] = ["192.0.2.53", "2001:db8::53"];

/// A way of asking.
#[derive(Clone, Copy, Debug)]
struct Way {
    transport: &'static str,
    server: &'static str,
    /// Queries a second, and the clients that share them.
    pace: [&'static str; 2],
}

const UDP: Way = Way { transport: "udp", server: "", pace: ["1000", "4"] };
const TCP: Way = Way { transport: "tcp", server: "", pace: ["250", "25"] };
const WAYS: [Way; 4] = [
    Way { server: SERVER[0], ..UDP },
    Way { server: SERVER[0], ..TCP },
    Way { server: SERVER[1], ..UDP },
    Way { server: SERVER[1], ..TCP },
];

#[test]
fn the_sensor_reports_what_dnsperf_counts() {
    let Some([client, server]) = networks(["the client's", "the server's"]) else { return };
    client.inside(|| {
        ip(&format!("link add cli0 type veth peer name srv0 netns {}", server.name()));
        up("cli0", CLIENT);
    });
    server.inside(|| up("srv0", SERVER));
    let knot = server.inside(Knot::start);
    for way in WAYS {
        let (seen, measured) = measure(&client, &server, "srv0", way);
        // The server's end sees a query later than dnsperf sends it, and the response before dnsperf has it.
        assert!(seen.mean <= measured.mean + Duration::from_micros(20), "{way:?}: {seen:?}, {measured:?}");
        assert!(seen.vlan.is_empty());
        // Half of the queries met no more than an everyday delay between the wire and dnsperf.
        assert!(
            measured.median.saturating_sub(seen.median) < Duration::from_millis(5),
            "{way:?}: {seen:?}, {measured:?}"
        );
    }
    drop(knot);
}

#[test]
fn the_sensor_reports_what_dnsperf_counts_behind_a_vlan_tag_and_a_long_way() {
    const VLAN: u16 = 42;
    const ONE_WAY: Duration = Duration::from_millis(20);
    let Some([client, server, middle]) = networks(["the client's", "the server's", "the switch's"]) else { return };
    for (namespace, outside, inside, addresses) in
        [(&client, "cli0", "cli1", CLIENT), (&server, "srv0", "srv1", SERVER)]
    {
        namespace.inside(|| {
            ip(&format!("link add {outside} type veth peer name {inside} netns {}", middle.name()));
            up(outside, addresses);
            // The switch passes on what it gets: nothing may be left for a network card to complete.
            try_run("ethtool", &format!("-K {outside} tx off tso off gso off gro off")).unwrap();
        });
    }
    let knot = server.inside(Knot::start);
    let switch = middle.inside(|| {
        network::pair("trunk0", "trunk1");
        for inside in ["cli1", "srv1"] {
            ip(&format!("link set {inside} up"));
        }
        let plain = |interface| Port { interface, tagged: None };
        let tagged = |interface| Port { interface, tagged: Some(VLAN) };
        [
            Switch::connect(plain("cli1"), tagged("trunk0"), Duration::ZERO),
            Switch::connect(tagged("trunk1"), plain("srv1"), ONE_WAY),
        ]
    });
    for way in WAYS {
        let (seen, measured) = measure(&client, &middle, "trunk0", way);
        assert_eq!(seen.vlan, [u64::from(VLAN)], "{way:?}");
        assert!(seen.mean >= 2 * ONE_WAY, "{way:?}: {seen:?}");
        assert!(seen.mean <= measured.mean + Duration::from_micros(20), "{way:?}: {seen:?}, {measured:?}");
        // The way makes up for what a busy machine adds. But TCP keeps a query back until the one before is acknowledged
        // (RFC 896), and dnsperf counts from when it wrote it.
        let agree = measured.mean - seen.mean.min(measured.mean) < measured.mean / 4;
        assert!(agree || way.transport == "tcp", "{way:?}: {seen:?}, {measured:?}");
    }
    drop((switch, knot));
}

/// The delays of one run, and the VLAN ids of all records.
#[derive(Debug)]
struct Delays {
    mean: Duration,
    median: Duration,
    vlan: Vec<u64>,
}

/// Has dnsperf ask while the sensor captures, and fails unless the sensor reports exactly the queries, all answered. Returns
/// what the sensor and what dnsperf measured.
fn measure(client: &Namespace, place: &Namespace, interface: &str, way: Way) -> (Delays, Delays) {
    let scratch = Scratch::new();
    let stats = scratch.path("stats.json");
    // Neighbours are found beforehand: until they are, Linux keeps few packets for them.
    client.inside(|| TcpStream::connect_timeout(&socket(way.server), PATIENCE)).unwrap();
    let sensor = place.inside(|| Sensor::start(with_stats(&mut live(&[interface]), &stats)));
    let asked = client.inside(|| Asked::by_dnsperf(&scratch, way));
    let (records, logged) = sensor.end();

    assert_eq!((asked.sent, asked.completed, asked.lost), (QUERIES, QUERIES, 0), "{way:?}");
    assert_eq!(records.len(), QUERIES, "{way:?}: {logged:#?}");
    let mut names = Vec::with_capacity(QUERIES);
    for record in &records {
        let text = |field: &str| record[field].as_str().unwrap_or_default();
        assert_eq!((text("status"), text("transport")), ("answered", way.transport), "{record}");
        assert_eq!((text("server"), text("rcode")), (way.server, "NOERROR"), "{record}");
        names.push(text("qname").to_owned());
    }
    names.sort_unstable();
    assert!(names.iter().enumerate().all(|(number, name)| *name == self::name(number)), "{way:?}: {names:?}");
    let account = Account::read(&stats);
    account.assert_balanced(&format!("{way:?}"));
    assert_eq!(
        (account.count("answered"), account.count("kernel_dropped"), account.count("retransmissions")),
        (QUERIES as u64, 0, 0)
    );

    let elapsed = records.iter().map(|record| Duration::from_nanos(record["elapsed_ns"].as_u64().unwrap()));
    let mut vlan: Vec<u64> = records.iter().flat_map(vlan_ids).collect();
    vlan.sort_unstable();
    vlan.dedup();
    let seen = delays(elapsed.collect(), vlan);
    let measured = delays(asked.delays, vec![]);
    let difference = measured.mean.abs_diff(asked.mean);
    assert!(difference < Duration::from_micros(10), "dnsperf's average is that of its delays: {measured:?}");
    (seen, Delays { mean: asked.mean, ..measured })
}

fn vlan_ids(record: &Value) -> Vec<u64> {
    record["vlan"].as_array().into_iter().flatten().map(|id| id.as_u64().unwrap()).collect()
}

fn delays(mut all: Vec<Duration>, vlan: Vec<u64>) -> Delays {
    assert_eq!(all.len(), QUERIES);
    all.sort_unstable();
    Delays { mean: all.iter().sum::<Duration>() / all.len() as u32, median: all[all.len() / 2], vlan }
}

/// What dnsperf says of a run.
struct Asked {
    sent: usize,
    completed: usize,
    lost: usize,
    mean: Duration,
    delays: Vec<Duration>,
}

impl Asked {
    fn by_dnsperf(scratch: &Scratch, way: Way) -> Self {
        let queries = (0..QUERIES).fold(String::new(), |mut text, number| {
            writeln!(text, "{} A", name(number)).unwrap();
            text
        });
        let queries = scratch.file("queries", queries);
        let [rate, clients] = way.pace;
        let output = Command::new("dnsperf")
            .args(["-s", way.server, "-m", way.transport, "-n", "1", "-Q", rate, "-c", clients, "-v", "-d"])
            .arg(queries)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}{errors}");
        let figure = |name: &str| {
            let line = text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'));
            let line = line.unwrap_or_else(|| panic!("no {name} in {text}{errors}"));
            line.split_whitespace().next().unwrap().to_owned()
        };
        let count = |name| figure(name).parse().unwrap();
        // `> NOERROR q0001.example A 0.000123`, with seconds.
        let delays = text.lines().filter_map(|line| line.strip_prefix("> NOERROR ")?.rsplit(' ').next());
        Self {
            sent: count("Queries sent"),
            completed: count("Queries completed"),
            lost: count("Queries lost"),
            mean: seconds(&figure("Average Latency (s)")),
            delays: delays.map(seconds).collect(),
        }
    }
}

fn seconds(text: &str) -> Duration {
    Duration::from_secs_f64(text.parse().unwrap())
}

/// The name that a query asks for.
fn name(number: usize) -> String {
    format!("q{number:04}.example")
}

/// Networks with IPv6, or none where rights or programs are missing.
fn networks<const N: usize>(whose: [&str; N]) -> Option<[Namespace; N]> {
    ["dnsperf", "ethtool", "knotd"].into_iter().try_for_each(|program| or_skip(has(program)))?;
    let mut made = Vec::with_capacity(N);
    for whose in whose {
        let namespace = Namespace::new().map_err(|reason| format!("no network namespace for {whose} side: {reason}"));
        made.push(or_skip(namespace)?);
    }
    made.iter().for_each(Namespace::allow_ipv6);
    made.try_into().ok()
}

fn socket(server: &str) -> SocketAddr {
    SocketAddr::new(server.parse().unwrap(), 53)
}

/// Gives an interface its addresses. Those of IPv6 are not looked for elsewhere first.
fn up(interface: &str, [v4, v6]: [&str; 2]) {
    ip(&format!("link set {interface} up"));
    ip(&format!("address add {v4}/24 dev {interface}"));
    ip(&format!("address add {v6}/64 dev {interface} nodad"));
}

/// Knot DNS, authoritative for `example`; ended when this is dropped.
struct Knot {
    child: Child,
    folder: Scratch,
}

impl Knot {
    /// Starts it and waits until it serves.
    fn start() -> Self {
        let folder = Scratch::new();
        let here = folder.path(".").display().to_string();
        folder.file(
            "example.zone",
            "$ORIGIN example.\n@ 300 SOA ns hostmaster 1 7200 3600 1209600 300\n@ 300 NS ns\nns 300 A 192.0.2.53\n* 300 A \
             203.0.113.7\n",
        );
        let config = folder.file(
            "knot.conf",
            format!(
                "server:\n  listen: [{}@53, {}@53]\n  rundir: {here}\n  udp-workers: 1\n  tcp-workers: 1\n  tcp-idle-timeout: 60\n  tcp-io-timeout: 60000\n  \
                 background-workers: 1\n  tcp-reuseport: off\ncontrol:\n  listen: {here}/control\ndatabase:\n  \
                 storage: {here}\ntemplate:\n  - id: default\n    storage: {here}\nzone:\n  - domain: example\n    file: \
                 example.zone\n    zonefile-sync: -1\n",
                SERVER[0], SERVER[1]
            ),
        );
        let log = fs::File::create(folder.path("log")).unwrap();
        let mut command = Command::new("knotd");
        command.arg("-c").arg(config).stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn().unwrap();
        let mut knot = Self { child, folder };
        for address in SERVER {
            knot.wait_for(socket(address));
        }
        knot
    }

    fn wait_for(&mut self, address: SocketAddr) {
        let start = Instant::now();
        while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
            let log = fs::read_to_string(self.folder.path("log")).unwrap_or_default();
            assert!(self.child.try_wait().unwrap().is_none() && start.elapsed() < PATIENCE, "no Knot DNS: {log}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Knot {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
