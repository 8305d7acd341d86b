//! Ways to the receiver, open.

use std::io::{self, ErrorKind, Write};
use std::net::{ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Transport;
use crate::Failure;
use crate::socket::Socket;
#[cfg(feature = "tls")]
use crate::tls::TlsSocket;

/// A way to the receiver.
#[derive(Debug)]
pub(super) enum Open {
    /// One message a datagram.
    Datagrams(Datagrams),
    /// Messages one after another.
    Stream { stream: Stream, framing: Framing },
}

#[derive(Debug)]
pub(super) enum Datagrams {
    Unix(UnixDatagram),
    Udp(UdpSocket),
}

#[derive(Debug)]
pub(super) enum Stream {
    Plain(Socket),
    #[cfg(feature = "tls")]
    Tls(Box<TlsSocket>),
}

/// How one tells where a message ends in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// By the length before it.
    Counted,
    /// By a line feed.
    Lines,
}

/// How long a proxy without a receiver behind it has to close a connection that it has accepted. What is sent into one that is
/// about to be closed is lost without a word.
const DISMISSAL: Duration = Duration::from_millis(50);

impl Open {
    /// Connects.
    pub(super) fn to(transport: &Transport, timeout: Duration) -> Result<Self, Failure> {
        let deadline = Instant::now() + timeout;
        match transport {
            Transport::Local(paths) => local(paths, deadline, timeout),
            Transport::Udp(host) => {
                udp(host).map_err(unreachable).map(|socket| Self::Datagrams(Datagrams::Udp(socket)))
            }
            Transport::Tcp(host) => {
                let socket = Socket::tcp(host, deadline).map_err(unreachable)?;
                if socket.is_closed_within(DISMISSAL) {
                    return Err(Failure::new("the connection was closed as soon as it was there"));
                }
                Ok(Self::Stream { stream: Stream::Plain(socket), framing: Framing::Counted })
            }
            #[cfg(feature = "tls")]
            Transport::Tls(host, tls) => {
                let socket = TlsSocket::connect(host, tls, deadline)?;
                Ok(Self::Stream { stream: Stream::Tls(Box::new(socket)), framing: Framing::Counted })
            }
        }
    }

    /// Whether the receiver has closed the connection, as far as this side knows.
    pub(super) fn is_closed(&mut self) -> bool {
        match self {
            Self::Datagrams(_) => false,
            Self::Stream { stream: Stream::Plain(socket), .. } => socket.is_closed(),
            #[cfg(feature = "tls")]
            Self::Stream { stream: Stream::Tls(socket), .. } => socket.is_closed(),
        }
    }
}

impl Datagrams {
    pub(super) fn send(&self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Unix(socket) => socket.send(message),
            Self::Udp(socket) => socket.send(message),
        }
        .map(drop)
    }
}

impl Stream {
    /// Writes all of it by the deadline.
    pub(super) fn send(&mut self, bytes: &[u8], deadline: Instant) -> io::Result<()> {
        match self {
            Self::Plain(socket) => {
                socket.set_deadline(deadline);
                socket.write_all(bytes)
            }
            #[cfg(feature = "tls")]
            Self::Tls(socket) => {
                socket.set_deadline(deadline);
                socket.write_all(bytes).and_then(|()| socket.flush())
            }
        }
    }
}

/// The first of the sockets that is there. Daemons take datagrams or a stream, not both.
fn local(paths: &[PathBuf], deadline: Instant, timeout: Duration) -> Result<Open, Failure> {
    let mut reasons = Vec::new();
    for path in paths {
        match datagrams(path, timeout) {
            Ok(socket) => return Ok(Open::Datagrams(Datagrams::Unix(socket))),
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::PROTOTYPE.raw_os_error()) => {
                match Socket::unix(path, deadline) {
                    Ok(socket) => return Ok(Open::Stream { stream: Stream::Plain(socket), framing: Framing::Lines }),
                    Err(error) => reasons.push(format!("{}: {error}", path.display())),
                }
            }
            Err(error) => reasons.push(format!("{}: {error}", path.display())),
        }
    }
    Err(Failure::new(format!("no syslog daemon listens: {}", reasons.join(", "))))
}

fn datagrams(path: &Path, timeout: Duration) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    // A daemon that has stopped reading must not stop us.
    socket.set_write_timeout(Some(timeout))?;
    Ok(socket)
}

fn udp(host: &str) -> io::Result<UdpSocket> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
    for address in host.to_socket_addrs()? {
        let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        match UdpSocket::bind(any).and_then(|socket| socket.connect(address).map(|()| socket)) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn unreachable(error: io::Error) -> Failure {
    Failure::new(format!("cannot connect: {error}"))
}
