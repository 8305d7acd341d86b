//! Very many servers at once.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dns_replication::probe::{Plan, Target, probe_all};
use dns_replication::query::Limits;
use dns_replication::{State, Thresholds};
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::liar::{Liar, answer};

const TARGETS: u16 = 1000;

/// Raises the limit of open files, as the program does.
fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
}

fn plan(timeout: Duration) -> Arc<Plan> {
    let seconds = Duration::from_secs;
    Arc::new(Plan {
        zone: "local.lan".parse().unwrap(),
        record: "stamp.local.lan".parse().unwrap(),
        recurse: false,
        limits: Limits { timeout, tries: 2 },
        thresholds: Thresholds { warn: seconds(2000), crit: seconds(4000), max_clock_skew: seconds(60) },
    })
}

/// The whole network 127.0.0.0/8 is this machine's, so that one port can be a thousand targets.
fn targets(port: u16) -> Vec<Target> {
    let address = |number: u16| {
        let [high, low] = number.to_be_bytes();
        SocketAddr::from((Ipv4Addr::new(127, 53, high, low), port))
    };
    (1..=TARGETS).map(|number| Target { server: address(number).into(), address: Ok(address(number)) }).collect()
}

fn probed(plan: &Arc<Plan>, targets: Vec<Target>) -> (Vec<State>, Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let start = Instant::now();
    let probes = runtime.block_on(probe_all(plan, targets.clone(), 5000));
    let elapsed = start.elapsed();
    assert_eq!(probes.iter().map(|probe| &probe.target).collect::<Vec<_>>(), targets.iter().collect::<Vec<_>>());
    (probes.iter().map(|probe| probe.verdict.state()).collect(), elapsed)
}

#[test]
fn a_thousand_silent_servers_take_no_longer_than_one() {
    raise_limit();
    // Takes everything and says nothing.
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let timeout = Duration::from_secs(3);
    let (states, elapsed) = probed(&plan(timeout), targets(socket.local_addr().unwrap().port()));
    assert!(states.iter().all(|state| *state == State::Timeout));
    // Already in two rounds they would take twice that.
    assert!(elapsed >= timeout && elapsed < 2 * timeout, "{elapsed:?}");
}

#[test]
fn a_thousand_servers_are_all_heard() {
    raise_limit();
    // An answer comes from the address that was asked, so each needs a socket of its own; one has them all.
    let server = Liar::udp(|_, _, _| {});
    let port = server.address.port();
    let sockets: Vec<_> = (1..=TARGETS)
        .map(|number| {
            let [high, low] = number.to_be_bytes();
            UdpSocket::bind((Ipv4Addr::new(127, 53, high, low), port)).unwrap()
        })
        .collect();
    let answering = std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        sockets.iter().for_each(|socket| socket.set_nonblocking(true).unwrap());
        let now = dns_replication::probe::unix_now().to_string();
        let end = Instant::now() + Duration::from_secs(30);
        // Two questions to each.
        let mut left = 2 * sockets.len();
        while left > 0 && Instant::now() < end {
            for socket in &sockets {
                while let Ok((len, peer)) = socket.recv_from(&mut buffer) {
                    socket.send_to(&answer(&buffer[..len], &[&now]), peer).unwrap();
                    left = left.saturating_sub(1);
                }
            }
        }
    });
    let (states, _) = probed(&plan(Duration::from_secs(20)), targets(port));
    assert!(states.iter().all(|state| *state == State::Fresh), "{states:?}");
    answering.join().unwrap();
}
