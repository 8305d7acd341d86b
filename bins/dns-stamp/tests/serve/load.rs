//! Many at once, and those that take their time.

use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use pdns_rigs::wait::poll;

use super::Server;
use crate::check::Trio;

const SCRAPES: usize = 200;

#[test]
fn two_hundred_scrapes_at_once_are_all_answered() {
    let Some(trio) = Trio::start() else { return };
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap();
    let alive = trio.primary.address;
    let server = Server::start(&format!(
        "[zones.'example.test']\nrecord = 'stamp'\nserver = ['{alive}', '{silent}']\ntimeout = '20s'\n"
    ));
    thread::scope(|scope| {
        // Half of them ask for a server that says nothing, and keep nobody waiting.
        let scrapes: Vec<_> = (0..SCRAPES)
            .map(|number| {
                let server = &server;
                scope.spawn(move || {
                    let target = if number % 2 == 0 { alive } else { silent };
                    server.get(&format!("/probe?target={target}"))
                })
            })
            .collect();
        for (number, scrape) in scrapes.into_iter().enumerate() {
            let page = scrape.join().unwrap();
            let expected = if number % 2 == 0 { 1.0 } else { 0.0 };
            assert_eq!((page.status, page.value("probe_success")), (200, Some(expected)), "{}", page.body);
        }
    });
    let metrics = server.get("/metrics");
    assert_eq!(metrics.value("dns_stamp_probes_total{state=\"fresh\"}"), Some(100.0));
    assert_eq!(metrics.value("dns_stamp_probes_total{state=\"timeout\"}"), Some(100.0));
}

#[test]
fn a_slow_server_does_not_make_others_wait() {
    let Some(trio) = Trio::start() else { return };
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap();
    let alive = trio.primary.address;
    let server = Server::start(&format!(
        "[zones.'example.test']\nrecord = 'stamp'\nserver = ['{alive}', '{silent}']\ntimeout = '50s'\n"
    ));
    thread::scope(|scope| {
        let server = &server;
        let slow = scope.spawn(move || server.get(&format!("/probe?target={silent}")));
        let start = Instant::now();
        assert_eq!(server.get(&format!("/probe?target={alive}")).value("probe_success"), Some(1.0));
        assert!(start.elapsed() < Duration::from_secs(40), "{:?}", start.elapsed());
        assert_eq!(slow.join().unwrap().value("probe_success"), Some(0.0));
    });
}

#[test]
fn it_ends_when_told_after_what_is_under_way() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap();
    let server = Server::start(&format!("[zones.'example.test']\nserver = '{silent}'\ntimeout = '2s'\n"));
    // One that has asked, and one that says nothing and would stay.
    let _idle = TcpStream::connect(server.address).unwrap();
    let mut asking = TcpStream::connect(server.address).unwrap();
    asking.write_all(b"GET /probe HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    poll("the request", || (server.get("/metrics").value("dns_stamp_http_requests_in_flight")? >= 2.0).then_some(()));
    server.process.signal("TERM").unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut asking, &mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK") && text.contains("probe_success 0"), "{text}");
    poll("the end", || TcpStream::connect(server.address).is_err().then_some(()));
}
