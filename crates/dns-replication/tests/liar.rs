//! A server whose answers the test decides, on loopback.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use simple_dns::rdata::{RData, TXT};
use simple_dns::{CLASS, Packet, PacketFlag, ResourceRecord};

/// UDP and TCP on the same port, until dropped.
pub(crate) struct Liar {
    pub(crate) address: SocketAddr,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Liar {
    /// `udp` gets each query with a way to answer it; `tcp` each connection after its query.
    pub(crate) fn new(
        udp: impl FnMut(&[u8], &UdpSocket, SocketAddr) + Send + 'static,
        tcp: impl FnMut(&[u8], TcpStream) + Send + 'static,
    ) -> Self {
        let (udp_socket, listener) = loop {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            // The port may be another's for UDP.
            if let Ok(socket) = UdpSocket::bind(listener.local_addr().unwrap()) {
                break (socket, listener);
            }
        };
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let threads = vec![serve_udp(udp_socket, Arc::clone(&stop), udp), serve_tcp(listener, Arc::clone(&stop), tcp)];
        Self { address, stop, threads }
    }

    /// Only UDP; connections are closed at once.
    pub(crate) fn udp(udp: impl FnMut(&[u8], &UdpSocket, SocketAddr) + Send + 'static) -> Self {
        Self::new(udp, |_, _| {})
    }

    /// Sets TC in every answer by UDP, so that the client comes by TCP.
    pub(crate) fn tcp(tcp: impl FnMut(&[u8], TcpStream) + Send + 'static) -> Self {
        let truncated = |query: &[u8], socket: &UdpSocket, peer| {
            let mut answer = answer(query, &["1"]);
            answer[2] |= 2;
            socket.send_to(&answer, peer).unwrap();
        };
        Self::new(truncated, tcp)
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Wakes the one that waits for connections.
        TcpStream::connect(self.address).ok();
        for thread in self.threads.drain(..) {
            thread.join().ok();
        }
    }
}

fn serve_udp(
    socket: UdpSocket,
    stop: Arc<AtomicBool>,
    mut each: impl FnMut(&[u8], &UdpSocket, SocketAddr) + Send + 'static,
) -> JoinHandle<()> {
    socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while !stop.load(Ordering::Relaxed) {
            if let Ok((len, peer)) = socket.recv_from(&mut buffer) {
                each(&buffer[..len], &socket, peer);
            }
        }
    })
}

fn serve_tcp(
    listener: TcpListener,
    stop: Arc<AtomicBool>,
    mut each: impl FnMut(&[u8], TcpStream) + Send + 'static,
) -> JoinHandle<()> {
    thread::spawn(move || {
        for stream in listener.incoming() {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let Ok(mut stream) = stream else { continue };
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let mut len = [0; 2];
            let mut query = Vec::new();
            if stream.read_exact(&mut len).is_ok() {
                query.resize(usize::from(u16::from_be_bytes(len)), 0);
            }
            if !query.is_empty() && stream.read_exact(&mut query).is_ok() {
                each(&query, stream);
            }
        }
    })
}

/// An honest answer: these strings, each in a record of its own.
pub(crate) fn answer(query: &[u8], texts: &[&str]) -> Vec<u8> {
    let query = Packet::parse(query).unwrap();
    let question = query.questions[0].clone();
    let mut packet = Packet::new_reply(query.id());
    packet.set_flags(PacketFlag::AUTHORITATIVE_ANSWER);
    for text in texts {
        let mut txt = TXT::new();
        txt.add_string(text).unwrap();
        packet.answers.push(ResourceRecord::new(question.qname.clone(), CLASS::IN, 60, RData::TXT(txt)));
    }
    packet.questions.push(question);
    packet.build_bytes_vec().unwrap()
}

/// A message as over TCP.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes(), message].concat()
}

/// Sends bytes a second apart until the other end has gone.
pub(crate) fn dribble(mut stream: TcpStream, bytes: &[u8]) {
    for byte in bytes {
        if stream.write_all(&[*byte]).is_err() {
            return;
        }
        thread::sleep(Duration::from_secs(1));
    }
}
