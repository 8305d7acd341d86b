//! Answers that must not be believed, and servers that must not be waited for.

use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use dns_replication::query::{Limits, Mismatch, QueryError, Question, Reply, Transport, ask};
use dns_replication::{DomainName, Stamp};
use pdns_packet::dns::Rtype;

use crate::liar::{Liar, answer, dribble, framed};

const LIMITS: Limits = Limits { timeout: Duration::from_millis(600), tries: 2 };

/// What is sent to a query.
type Lie = fn(&[u8]) -> Vec<u8>;

/// What may pass on a busy machine after the time is up.
const SLACK: Duration = Duration::from_secs(10);

fn name() -> DomainName {
    "stamp.local.lan".parse().unwrap()
}

fn asked(server: SocketAddr, limits: Limits) -> Result<Reply, QueryError> {
    let question = Question { name: name(), rtype: Rtype::TXT, recurse: false };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let start = Instant::now();
    let outcome = runtime.block_on(ask(server, &question, limits));
    assert!(start.elapsed() < limits.timeout + SLACK, "{:?}", start.elapsed());
    outcome
}

fn stamp(reply: &Reply) -> Stamp {
    reply.message(|message| Some(Stamp::read(message, &name()))).unwrap()
}

/// Sends what `lie` makes of an honest answer, and expects that nothing is believed, for that reason.
fn disbelieved(lie: impl Fn(Vec<u8>) -> Vec<u8> + Send + 'static, reason: Mismatch) {
    let liar = Liar::udp(move |query, socket, peer| {
        socket.send_to(&lie(answer(query, &["1"])), peer).unwrap();
    });
    match asked(liar.address, LIMITS) {
        Err(QueryError::Timeout { mismatches, last, .. }) => {
            assert!(mismatches >= 1);
            assert_eq!(last, Some(reason));
        }
        outcome => panic!("{reason:?}: {outcome:?}"),
    }
}

#[test]
fn an_honest_answer_is_believed() {
    let server = Liar::udp(|query, socket, peer| {
        socket.send_to(&answer(query, &["5", "1585917601"]), peer).unwrap();
    });
    let reply = asked(server.address, LIMITS).unwrap();
    assert_eq!(stamp(&reply), Stamp::Time(1_585_917_601));
    assert!(reply.is_authoritative() && reply.transport == Transport::Udp);
}

#[test]
fn ipv6_is_as_good() {
    let Ok(socket) = UdpSocket::bind("[::1]:0") else { return };
    let address = socket.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        let (len, peer) = socket.recv_from(&mut buffer).unwrap();
        socket.send_to(&answer(&buffer[..len], &["6"]), peer).unwrap();
    });
    assert_eq!(stamp(&asked(address, Limits { timeout: SLACK, tries: 1 }).unwrap()), Stamp::Time(6));
    server.join().unwrap();
}

#[test]
fn lies_by_udp_are_not_believed() {
    let with = |at: usize, bits: u8| {
        move |mut bytes: Vec<u8>| {
            bytes[at] ^= bits;
            bytes
        }
    };
    disbelieved(with(0, 1), Mismatch::Id);
    disbelieved(with(1, 0x80), Mismatch::Id);
    // QR, opcode; a letter of the name, its type, its class.
    disbelieved(with(2, 0x80), Mismatch::Kind);
    disbelieved(with(2, 0x08), Mismatch::Kind);
    disbelieved(with(13, 1), Mismatch::Question);
    disbelieved(with(30, 1), Mismatch::Question);
    disbelieved(with(32, 2), Mismatch::Question);
    disbelieved(|bytes| bytes[..bytes.len() - 1].to_vec(), Mismatch::Malformed);
    disbelieved(|_| Vec::new(), Mismatch::Malformed);
    disbelieved(|bytes| bytes[..11].to_vec(), Mismatch::Malformed);
    disbelieved(|_| vec![0xff; 65_507], Mismatch::Id);
    disbelieved(|bytes| [&bytes[..2], &[0xff; 65_505]].concat(), Mismatch::Kind);
}

#[test]
fn lies_before_the_answer_do_not_hide_it() {
    let server = Liar::udp(|query, socket, peer| {
        let honest = answer(query, &["7"]);
        for (at, bits) in [(0, 1), (2, 0x80), (13, 1), (30, 1)] {
            let mut lie = answer(query, &["1"]);
            lie[at] ^= bits;
            socket.send_to(&lie, peer).unwrap();
        }
        socket.send_to(&honest, peer).unwrap();
    });
    assert_eq!(stamp(&asked(server.address, LIMITS).unwrap()), Stamp::Time(7));
}

#[test]
fn answers_from_another_address_or_port_do_not_count() {
    for from in ["127.0.0.1:0", "127.0.0.2:0"] {
        let other = UdpSocket::bind(from).unwrap();
        let server = Liar::udp(move |query, _, peer| {
            other.send_to(&answer(query, &["1"]), peer).unwrap();
        });
        let outcome = asked(server.address, LIMITS);
        // The kernel does not even hand them over.
        assert!(matches!(outcome, Err(QueryError::Timeout { mismatches: 0, .. })), "{outcome:?}");
    }
}

#[test]
fn a_lost_question_is_asked_again_and_a_late_answer_still_counts() {
    let mut count = 0;
    let server = Liar::udp(move |query, socket, peer| {
        count += 1;
        if count == 2 {
            socket.send_to(&answer(query, &["9"]), peer).unwrap();
        }
    });
    let limits = Limits { timeout: Duration::from_secs(10), tries: 20 };
    assert_eq!(stamp(&asked(server.address, limits).unwrap()), Stamp::Time(9));
}

#[test]
fn a_flood_of_lies_ends_at_the_deadline() {
    let server = Liar::udp(|query, socket, peer| {
        let mut lie = answer(query, &["1"]);
        lie[0] ^= 1;
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(2) {
            socket.send_to(&lie, peer).ok();
        }
    });
    let start = Instant::now();
    let outcome = asked(server.address, LIMITS);
    assert!(matches!(outcome, Err(QueryError::Timeout { mismatches: 2.., .. })), "{outcome:?}");
    assert!(start.elapsed() >= LIMITS.timeout);
}

#[test]
fn long_answers_come_by_tcp() {
    let server = Liar::tcp(|query, mut stream| {
        stream.write_all(&framed(&answer(query, &["3"]))).unwrap();
    });
    let reply = asked(server.address, LIMITS).unwrap();
    assert_eq!((stamp(&reply), reply.transport), (Stamp::Time(3), Transport::Tcp));
}

#[test]
fn lies_by_tcp_are_not_believed() {
    for (at, bits, reason) in [(0, 1, Mismatch::Id), (2, 0x80, Mismatch::Kind), (13, 1, Mismatch::Question)] {
        let server = Liar::tcp(move |query, mut stream| {
            let mut lie = answer(query, &["1"]);
            lie[at] ^= bits;
            stream.write_all(&framed(&lie)).unwrap();
        });
        match asked(server.address, LIMITS) {
            Err(QueryError::Mismatch { mismatch, .. }) => assert_eq!(mismatch, reason),
            outcome => panic!("{outcome:?}"),
        }
    }
}

#[test]
fn cut_and_garbled_streams_are_no_answers() {
    let lies: [Lie; 6] = [
        |_| Vec::new(),
        |_| vec![0],
        |_| vec![0xff, 0xff, 1, 2, 3],
        |query| framed(&answer(query, &["1"])[..40]),
        |query| framed(&answer(query, &["1"]))[..50].to_vec(),
        |_| vec![0xff; 2 + 65_535],
    ];
    for lie in lies {
        let server = Liar::tcp(move |query, mut stream| {
            stream.write_all(&lie(query)).ok();
        });
        let outcome = asked(server.address, LIMITS);
        assert!(outcome.is_err(), "{outcome:?}");
    }
}

#[test]
fn a_byte_at_a_time_is_not_waited_for() {
    let server = Liar::tcp(|query, stream| dribble(stream, &framed(&answer(query, &["1"]))));
    let start = Instant::now();
    let outcome = asked(server.address, LIMITS);
    assert!(matches!(outcome, Err(QueryError::Timeout { .. })), "{outcome:?}");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn a_server_of_before_edns_is_asked_without() {
    let server = Liar::udp(|query, socket, peer| {
        let has_edns = query[11] != 0;
        let mut reply = answer(query, &["4"]);
        if has_edns {
            // FORMERR, with nothing but a header.
            reply.truncate(12);
            reply[3] = 1;
            reply[4..12].fill(0);
        }
        socket.send_to(&reply, peer).unwrap();
    });
    assert_eq!(stamp(&asked(server.address, LIMITS).unwrap()), Stamp::Time(4));
}

#[test]
fn nobody_there_is_told_apart_from_no_answer() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    assert!(matches!(asked(address, LIMITS), Err(QueryError::Timeout { mismatches: 0, last: None, .. })));
    drop(socket);
    let outcome = asked(address, LIMITS);
    assert!(matches!(outcome, Err(QueryError::Unreachable { .. })), "{outcome:?}");
}
