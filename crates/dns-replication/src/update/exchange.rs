//! One request and its reply over TCP: RFC 1035 section 4.2.2. The only sockets of this module.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// What was being done when it went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The server's name is looked up.
    Resolve,
    /// The TCP connection is opened.
    Connect,
    /// The present value is read.
    Read,
    /// The server is asked for its time, by an update that changes nothing.
    Time,
    /// Kerberos gives a ticket.
    Ticket,
    /// The server opens a session (TKEY).
    Session,
    /// The new value is written.
    Update,
    /// `samba-tool` or one of its helpers runs.
    Command,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Resolve => "looking up the server's name",
            Self::Connect => "connecting",
            Self::Read => "reading the present value",
            Self::Time => "asking for the server's time",
            Self::Ticket => "getting a Kerberos ticket",
            Self::Session => "opening a session (TKEY)",
            Self::Update => "writing the new value",
            Self::Command => "running samba-tool",
        })
    }
}

/// When all must be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    after: Duration,
}

/// The time is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeIsUp {
    /// How long was allowed.
    pub(crate) after: Duration,
}

impl Deadline {
    pub(crate) fn after(after: Duration) -> Self {
        // A sum that no clock can hold is never.
        let now = Instant::now();
        Self { at: now.checked_add(after).unwrap_or(now + Duration::from_secs(86_400)), after }
    }

    /// Waits for something, and gives up at the deadline.
    pub(crate) async fn limit<T>(self, future: impl Future<Output = T>) -> Result<T, TimeIsUp> {
        timeout_at(self.at, future).await.map_err(|_| TimeIsUp { after: self.after })
    }
}

/// Why there is no reply.
#[derive(Debug)]
pub(crate) enum ExchangeError {
    /// There is no connection.
    Connect(io::Error),
    /// The connection broke, or was closed without a whole reply.
    Broken(io::Error),
}

/// How long one address may take to accept a connection, when there are others.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Finds an address of the server that accepts connections.
pub(crate) async fn reachable(addresses: &[SocketAddr]) -> Result<SocketAddr, Vec<(SocketAddr, io::Error)>> {
    let mut failures = Vec::new();
    for &address in addresses {
        let limit = Instant::now() + CONNECT_TIMEOUT;
        match timeout_at(limit, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Ok(address),
            Ok(Err(error)) => failures.push((address, error)),
            Err(_) => failures.push((address, io::ErrorKind::TimedOut.into())),
        }
    }
    Err(failures)
}

/// Sends a request in a connection of its own, and returns the message that comes back.
pub(crate) async fn exchange(address: SocketAddr, request: &[u8]) -> Result<Vec<u8>, ExchangeError> {
    let mut stream = TcpStream::connect(address).await.map_err(ExchangeError::Connect)?;
    talk(&mut stream, request).await.map_err(ExchangeError::Broken)
}

async fn talk(stream: &mut TcpStream, request: &[u8]) -> io::Result<Vec<u8>> {
    let len = u16::try_from(request.len()).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    stream.set_nodelay(true)?;
    // In one piece: some servers take the length for a message of its own.
    let framed = [&len.to_be_bytes(), request].concat();
    stream.write_all(&framed).await?;
    let len = stream.read_u16().await?;
    let mut reply = Vec::new();
    stream.take(u64::from(len)).read_to_end(&mut reply).await?;
    if reply.len() < usize::from(len) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(reply)
}
