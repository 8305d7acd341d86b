//! Whether readers that are slow, many or wrong are nothing to the others, nor to the capture.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use pdns_fixtures::capture::PcapFormat;
use pdns_rigs::wait::PATIENCE;

use super::sensor::Sensor;
use super::web::get;
use crate::util::{Run, exchange, sensor};

/// Connects and says this much.
fn reader(address: SocketAddr, words: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(words).unwrap();
    stream
}

/// Everything that still comes; one whose words were left unread gets a reset.
fn rest(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).ok();
    String::from_utf8(text).unwrap()
}

#[test]
fn those_who_hang_on_do_not_keep_others_out() {
    let mut sensor = Sensor::start(&[]);
    let address = sensor.address();
    // Some say nothing, some begin, and some ask and do not take the answer.
    let words: [&[u8]; 3] = [b"", b"GET /metrics HTTP/1.1\r\nX-Slow: ", b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"];
    let slow: Vec<_> = (0..300).map(|number| reader(address, words[number % 3])).collect();
    assert_eq!(get(address, "/healthz").status, 200);
    sensor.feed(&exchange(100));
    sensor.settle(200);
    drop(slow);
    sensor.finish().assert_balanced("with slow readers");
}

#[test]
fn those_who_take_too_long_are_left() {
    let sensor = Sensor::start(&[]);
    let address = sensor.address();
    let start = Instant::now();
    let slow = [reader(address, b""), reader(address, b"GET / HTTP/1.1\r\nX: "), reader(address, b"GET")];
    for stream in slow {
        // Some say why.
        let answer = rest(stream);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert!(start.elapsed() < PATIENCE / 2, "nobody has so much time");
    // One that says a little now and then is not quick, either.
    let mut trickle = reader(address, b"GET / HTTP/1.1\r\n");
    let start = Instant::now();
    while start.elapsed() < PATIENCE && trickle.write_all(b"X: y\r\n").is_ok() {
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(start.elapsed() < PATIENCE / 2, "it was left to talk");
    assert_eq!(get(address, "/healthz").status, 200);
}

#[test]
fn what_is_no_proper_request_is_refused() {
    let sensor = Sensor::start(&[]);
    let address = sensor.address();
    let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(1000));
    let far = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(1 << 20));
    let wrong: [&[u8]; 6] = [
        long.as_bytes(),
        many.as_bytes(),
        far.as_bytes(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\r\n\r\n\r\n\0\0\0\0\n\n",
        b"GET /metrics HTTP/9.9\r\n\r\n",
    ];
    for words in wrong {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // It may be hung up on before all is said.
        stream.write_all(words).ok();
        let answer = rest(stream);
        let answered = ["HTTP/1.1 400", "HTTP/1.1 414", "HTTP/1.1 431", "HTTP/1.1 505"];
        let shown = String::from_utf8_lossy(&words[..words.len().min(40)]);
        assert!(answer.is_empty() || answered.iter().any(|status| answer.starts_with(status)), "{shown}: {answer}");
    }
    assert_eq!(get(address, "/healthz").status, 200);
}

#[test]
fn a_port_that_is_taken_is_told_of_before_anything_is_read() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut command = sensor();
    command.args(["--pcap", "-", "--metrics-listen", &address.to_string()]);
    let run = Run::with_input(&mut command, &exchange(1).pcap(PcapFormat::default()));
    run.assert_refused(&format!("cannot serve metrics on {address}: Address already in use (os error 98)"));
}
