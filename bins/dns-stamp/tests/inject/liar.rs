//! Somebody between the program and BIND who changes what BIND replies: nothing of theirs is believed.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::thread;

use pdns_rigs::dns::bind::{Bind, Primary};

use super::gss::Rig;
use super::{inject, stamped};

/// What becomes of a reply: the request, how many requests there were before it, and the reply.
type Lie = fn(request: &[u8], count: usize, reply: Vec<u8>) -> Vec<u8>;

/// Requests of a run: the read, the session, the update.
const SESSION: usize = 1;
const UPDATE: usize = 2;

/// Passes requests on to `server`, and replies back as `lie` makes them. It ends with the test's process.
fn between(server: SocketAddr, lie: Lie) -> SocketAddr {
    between_any("127.0.0.1:0", move |_| server, lie)
}

/// Passes each request on to the server that `choose` names by how many there were before it.
fn between_any(listen: &str, choose: impl Fn(usize) -> SocketAddr + Send + 'static, lie: Lie) -> SocketAddr {
    let listener = TcpListener::bind(listen).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut count = 0;
        for stream in listener.incoming().flatten() {
            // The program opens a connection to see whether it can.
            if pass(stream, choose(count), lie, count).is_ok() {
                count += 1;
            }
        }
    });
    address
}

fn pass(mut client: TcpStream, server: SocketAddr, lie: Lie, count: usize) -> io::Result<()> {
    let request = receive(&mut client)?;
    let mut upstream = TcpStream::connect(server)?;
    send(&mut upstream, &request)?;
    let reply = receive(&mut upstream)?;
    send(&mut client, &lie(&request, count, reply))
}

fn receive(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut len = [0; 2];
    stream.read_exact(&mut len)?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(len))];
    stream.read_exact(&mut message)?;
    Ok(message)
}

fn send(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    stream.write_all(&[&(message.len() as u16).to_be_bytes(), message].concat())
}

fn flip(mut reply: Vec<u8>, at: usize, bits: u8) -> Vec<u8> {
    reply[at] ^= bits;
    reply
}

/// The place of the last byte of the reply's signature; id, error and other data follow it.
fn signature_end(reply: &[u8]) -> usize {
    reply.len() - 7
}

#[test]
fn lies_about_the_session_are_not_believed() {
    let Some(rig) = Rig::start() else { return };
    let lies: [(Lie, &str); 9] = [
        (|_, at, reply| if at == SESSION { flip(reply, 0, 1) } else { reply }, "a response to another request"),
        (|_, at, reply| if at == SESSION { flip(reply, 2, 2) } else { reply }, "a response that says to be truncated"),
        (|_, at, reply| if at == SESSION { flip(reply, 13, 1) } else { reply }, "a response to another question"),
        (|_, at, reply| if at == SESSION { vec![0xc0; 65_535] } else { reply }, "sent, while opening a session"),
        (|request, at, reply| if at == SESSION { request.to_vec() } else { reply }, "a message that is no response"),
        // The server's token, in the middle of the reply.
        (
            |_, at, reply| {
                let middle = reply.len() / 2;
                if at == SESSION { flip(reply, middle, 0xff) } else { reply }
            },
            "127.0.0.1",
        ),
        (
            |_, at, reply| {
                let end = signature_end(&reply);
                if at == SESSION { flip(reply, end, 1) } else { reply }
            },
            "a reply whose signature is wrong",
        ),
        // Without the last record, which is the signature.
        (|_, at, reply| if at == SESSION { without_tsig(reply) } else { reply }, "a reply without a signature"),
        // A request of ours as the server's token.
        (
            |request, at, reply| {
                if at == SESSION { echoed(request) } else { reply }
            },
            "does not complete the session (TKEY)",
        ),
    ];
    for (lie, problem) in lies {
        let server = between(rig.bind.address, lie);
        rig.inject_at(server).fails(problem);
    }
    assert!(pdns_rigs::dns::txt(rig.bind.address, super::RECORD).unwrap().is_empty());
}

#[test]
fn lies_about_the_update_are_not_believed() {
    static SESSION_REPLY: Mutex<Vec<u8>> = Mutex::new(Vec::new());
    let Some(rig) = Rig::start() else { return };
    let lies: [(Lie, &str); 6] = [
        (|_, at, reply| if at == UPDATE { flip(reply, 0, 1) } else { reply }, "a response to another request"),
        (
            |_, at, reply| {
                let end = signature_end(&reply);
                if at == UPDATE { flip(reply, end, 1) } else { reply }
            },
            "a reply whose signature is wrong",
        ),
        (|_, at, reply| if at == UPDATE { without_tsig(reply) } else { reply }, "a reply without a signature"),
        (|_, at, reply| if at == UPDATE { flip(reply, 3, 2) } else { reply }, "a reply whose signature is wrong"),
        // The request sent back, as Samba does with errors, and as if all were well.
        (|request, at, reply| if at == UPDATE { echoed(request) } else { reply }, "a reply without a signature"),
        // What the server said of the session is said again of the update.
        (
            |request, at, mut reply| {
                let mut kept = SESSION_REPLY.lock().unwrap();
                if at == SESSION {
                    kept.clone_from(&reply);
                } else if at == UPDATE {
                    reply.clone_from(&kept);
                    reply[..2].copy_from_slice(&request[..2]);
                }
                reply
            },
            "a response to another kind of request",
        ),
    ];
    for (lie, problem) in lies {
        let server = between(rig.bind.address, lie);
        rig.inject_at(server).with(&["--min-interval", "0"]).fails(problem);
    }
    // What was written was written; it was the news of it that was not believed.
    stamped(rig.bind.address);
}

#[test]
fn a_session_that_the_server_has_forgotten_is_opened_anew_once() {
    let Some(rig) = Rig::start() else { return };
    // Another server with the same keys, which does not know the session.
    let other = rig.another_server();
    let (server, forgetful) = (rig.bind.address, other.address);
    let once =
        between_any("127.0.0.1:0", move |count| if count == UPDATE { forgetful } else { server }, |_, _, reply| reply);
    rig.inject_at(once).succeeds();
    stamped(server);
    let choose = move |count| if count == UPDATE || count == UPDATE + 2 { forgetful } else { server };
    let twice = between_any("127.0.0.1:0", choose, |_, _, reply| reply);
    rig.inject_at(twice)
        .with(&["--min-interval", "0"])
        .fails("has forgotten the session, twice; try again (NOTAUTH, BADKEY");
}

#[test]
fn servers_are_written_to_by_ipv6() {
    let has_ipv6 = TcpListener::bind("[::1]:0").map(drop).map_err(|error| format!("no IPv6: {error}"));
    if pdns_rigs::or_skip(has_ipv6).is_none() {
        return;
    }
    let Some(bind) = pdns_rigs::or_skip(Bind::primary(Primary::default())) else { return };
    let server = bind.address;
    let by_ipv6 = between_any("[::1]:0", move |_| server, |_, _, reply| reply);
    inject(by_ipv6).succeeds();
    stamped(server);
}

/// A request as a response.
fn echoed(request: &[u8]) -> Vec<u8> {
    flip(request.to_vec(), 2, 0x80)
}

/// A reply without its last record, a TSIG of the key `dns-stamp`.
fn without_tsig(mut reply: Vec<u8>) -> Vec<u8> {
    // The key's name is written out there: a label of 16 hexadecimal digits, and this.
    let name = reply.windows(11).rposition(|window| window == b"\x09dns-stamp\x00").unwrap();
    reply.truncate(name - 17);
    reply[11] -= 1;
    reply
}
