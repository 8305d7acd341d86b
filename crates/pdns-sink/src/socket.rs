//! Stream sockets whose every operation ends by a deadline.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv, socket_with};

/// A connected socket.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: Stream,
    deadline: Instant,
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// Connects by TCP to the first address of `host` (`HOST:PORT`) that answers.
    ///
    /// # Errors
    /// The name cannot be resolved, or no address answers by the deadline; the error is that of the last address.
    pub(crate) fn tcp(host: &str, deadline: Instant) -> io::Result<Self> {
        let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
        for address in host.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, remaining(deadline)?) {
                Ok(stream) => {
                    // Records are written in one piece; waiting for more to send gains nothing.
                    stream.set_nodelay(true)?;
                    return Ok(Self { stream: Stream::Tcp(stream), deadline });
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Connects to a Unix socket.
    ///
    /// # Errors
    /// There is none, or nobody listens there.
    pub(crate) fn unix(path: &Path, deadline: Instant) -> io::Result<Self> {
        // A connect that blocks has no end when the receiver has stopped accepting.
        let socket =
            socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
        connect(&socket, &SocketAddrUnix::new(path)?)?;
        let stream = UnixStream::from(socket);
        stream.set_nonblocking(false)?;
        Ok(Self { stream: Stream::Unix(stream), deadline })
    }

    /// Sets the time by which reading and writing have to end from now on.
    pub(crate) const fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// Whether the peer has closed its side, or the connection is broken, as far as this side knows. What the peer sent
    /// stays to be read.
    pub(crate) fn is_closed(&self) -> bool {
        match self.peek() {
            Ok(length) => length == 0,
            Err(error) => error != Errno::WOULDBLOCK,
        }
    }

    /// As [`is_closed`](Self::is_closed), but gives the peer so long to close it.
    pub(crate) fn is_closed_within(&self, patience: Duration) -> bool {
        let patience = Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: i64::from(patience.subsec_nanos()) };
        // What interrupts the wait only makes it shorter.
        poll(&mut [PollFd::new(self, PollFlags::IN)], Some(&patience)).is_ok_and(|ready| ready > 0) && self.is_closed()
    }

    /// Whether there is something to read.
    #[cfg(feature = "tls")]
    pub(crate) fn is_readable(&self) -> bool {
        matches!(self.peek(), Ok(1..))
    }

    fn peek(&self) -> Result<usize, Errno> {
        recv(self.as_fd(), &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT).map(|(_, length)| length)
    }

    /// Sets the time-outs of both directions to what is left.
    fn arm(&self) -> io::Result<()> {
        let left = Some(remaining(self.deadline)?);
        match &self.stream {
            Stream::Tcp(stream) => stream.set_read_timeout(left).and_then(|()| stream.set_write_timeout(left)),
            Stream::Unix(stream) => stream.set_read_timeout(left).and_then(|()| stream.set_write_timeout(left)),
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.stream {
            Stream::Tcp(stream) => stream.as_fd(),
            Stream::Unix(stream) => stream.as_fd(),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        uninterrupted(|| {
            self.arm()?;
            match &mut self.stream {
                Stream::Tcp(stream) => stream.read(buffer),
                Stream::Unix(stream) => stream.read(buffer),
            }
        })
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        uninterrupted(|| {
            self.arm()?;
            match &mut self.stream {
                Stream::Tcp(stream) => stream.write(bytes),
                Stream::Unix(stream) => stream.write(bytes),
            }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is left of the time, which is never nothing: a time-out of zero would be none.
fn remaining(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(no_answer()) } else { Ok(left) }
}

/// Goes on after signals, as the system does by itself only for sockets without a time-out.
fn uninterrupted(mut transfer: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match transfer() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // What a socket says of a time-out.
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(no_answer()),
            done => return done,
        }
    }
}

fn no_answer() -> io::Error {
    io::Error::new(ErrorKind::TimedOut, "no answer in time")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn a_peer_that_has_closed_is_noticed_and_one_that_is_silent_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = Socket::tcp(&listener.local_addr().unwrap().to_string(), soon()).unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        assert!(!socket.is_closed());
        peer.write_all(b"x").unwrap();
        drop(peer);
        let mut socket = socket;
        socket.read_exact(&mut [0]).unwrap();
        assert_eq!(socket.read(&mut [0]).unwrap(), 0);
        assert!(socket.is_closed());
    }

    #[test]
    fn the_deadline_ends_reading_and_what_comes_after_it() {
        let (socket, _peer) = UnixStream::pair().unwrap();
        let deadline = Instant::now() + Duration::from_millis(20);
        let mut socket = Socket { stream: Stream::Unix(socket), deadline };
        for _ in 0..2 {
            let error = socket.read(&mut [0]).unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::TimedOut, "no answer in time"));
        }
        assert_eq!(socket.write(b"x").unwrap_err().kind(), ErrorKind::TimedOut);
        socket.set_deadline(soon());
        assert_eq!(socket.write(b"x").unwrap(), 1);
    }

    #[test]
    fn a_unix_socket_that_nobody_accepts_from_fails_and_does_not_wait() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let sockets: Vec<_> = (0..3).map(|_| Socket::unix(&path, soon())).collect();
        assert_eq!(sockets[2].as_ref().unwrap_err().kind(), ErrorKind::WouldBlock);
        assert!(sockets[0].is_ok());
    }

    #[test]
    fn a_host_where_nobody_listens_refuses() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let error = Socket::tcp(&format!("127.0.0.1:{port}"), soon()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
}
