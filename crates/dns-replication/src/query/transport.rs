//! The sockets.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::message::{Mismatch, compose, is_misunderstanding, read};
use super::{Limits, QueryError, Question, Reply, Transport};

/// Asks a server one question, by UDP, and by TCP when the answer is too long for that.
///
/// The source port is the kernel's random choice, the id is random, and only datagrams from the server's address and port
/// are looked at. What does not answer the question is ignored, so that nobody else can end the waiting.
///
/// # Errors
/// See [`QueryError`]. A response code other than NOERROR is an answer, not an error.
pub async fn ask(server: SocketAddr, question: &Question, limits: Limits) -> Result<Reply, QueryError> {
    let start = Instant::now();
    let mut exchange = Exchange::new(server, question, limits, start)?;
    match exchange.by_udp(limits.tries.max(1)).await? {
        Some(reply) => Ok(reply),
        None => exchange.by_tcp().await,
    }
}

/// One question on its way.
struct Exchange<'a> {
    server: SocketAddr,
    question: &'a Question,
    limits: Limits,
    start: Instant,
    id: u16,
    /// The message; again without EDNS once the server has not understood it.
    message: Vec<u8>,
    has_edns: bool,
    mismatches: u32,
    last: Option<Mismatch>,
}

/// What a datagram means.
enum Taken {
    Reply(Vec<u8>),
    /// The answer is too long for UDP.
    Truncated,
    /// To be sent again, without EDNS.
    Again,
    /// No answer to the question.
    Ignored,
}

impl<'a> Exchange<'a> {
    fn new(server: SocketAddr, question: &'a Question, limits: Limits, start: Instant) -> Result<Self, QueryError> {
        let id = random_id().map_err(local)?;
        let message = compose(question, id, true).map_err(local)?;
        Ok(Self { server, question, limits, start, id, message, has_edns: true, mismatches: 0, last: None })
    }

    /// Sends the question until it is answered or the time is up; `None` when the answer has to be fetched by TCP.
    async fn by_udp(&mut self, tries: u8) -> Result<Option<Reply>, QueryError> {
        let socket = self.open().await?;
        // The longest datagram there is, so that none comes cut.
        let mut buffer = vec![0; usize::from(u16::MAX)];
        for number in 1..=u32::from(tries) {
            let until = self.start + self.limits.timeout * number / u32::from(tries);
            match self.one_try(&socket, &mut buffer, until).await {
                Ok(Taken::Reply(bytes)) => return Ok(Some(self.reply(bytes, Transport::Udp))),
                Ok(Taken::Truncated) => return Ok(None),
                Ok(Taken::Again | Taken::Ignored) => {}
                Err(error) if number == u32::from(tries) => return Err(self.unreachable(error)),
                // A server that is being started is not there for a moment; the next try may find it.
                Err(_) => sleep_until(until).await,
            }
        }
        Err(self.timeout())
    }

    async fn open(&self) -> Result<UdpSocket, QueryError> {
        let any = match self.server {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let socket = UdpSocket::bind(any).await.map_err(local)?;
        // From now on the kernel passes nothing but what this server sends.
        socket.connect(self.server).await.map_err(|error| self.unreachable(error))?;
        Ok(socket)
    }

    /// Sends the question, and takes datagrams until one answers it or the time is up.
    async fn one_try(&mut self, socket: &UdpSocket, buffer: &mut [u8], until: Instant) -> io::Result<Taken> {
        socket.send(&self.message).await?;
        // A flood keeps the socket ready, so that only looking at the clock ends it.
        while Instant::now() < until {
            let Ok(received) = timeout_at(until, socket.recv(buffer)).await else { break };
            match self.take(buffer.get(..received?).unwrap_or_default()) {
                Taken::Ignored => {}
                Taken::Again => {
                    self.has_edns = false;
                    self.message = compose(self.question, self.id, false)?;
                    socket.send(&self.message).await?;
                }
                taken => return Ok(taken),
            }
        }
        Ok(Taken::Ignored)
    }

    fn take(&mut self, bytes: &[u8]) -> Taken {
        match read(bytes, self.question, self.id) {
            // RFC 6891 section 7: a server of before EDNS.
            Ok(message) if self.has_edns && is_misunderstanding(&message) && message.opt().is_none() => Taken::Again,
            Ok(message) if message.header().tc() => Taken::Truncated,
            Ok(_) => Taken::Reply(bytes.to_vec()),
            Err(mismatch) => {
                self.mismatches = self.mismatches.saturating_add(1);
                self.last = Some(mismatch);
                Taken::Ignored
            }
        }
    }

    /// Asks over a connection: RFC 7766.
    async fn by_tcp(&self) -> Result<Reply, QueryError> {
        let exchange = async {
            let mut stream = TcpStream::connect(self.server).await?;
            let len = u16::try_from(self.message.len()).map_err(io::Error::other)?;
            stream.write_all(&[&len.to_be_bytes(), self.message.as_slice()].concat()).await?;
            let len = stream.read_u16().await?;
            // Grows with what comes, not with what is promised.
            let mut bytes = Vec::new();
            stream.take(u64::from(len)).read_to_end(&mut bytes).await?;
            Ok(bytes)
        };
        let bytes = match timeout_at(self.start + self.limits.timeout, exchange).await {
            Ok(read) => read.map_err(|error| self.unreachable(error))?,
            Err(_) => return Err(self.timeout()),
        };
        match read(&bytes, self.question, self.id) {
            Ok(message) if message.malformed().is_some() => {
                Err(QueryError::Mismatch { server: self.server, mismatch: Mismatch::Malformed })
            }
            Ok(_) => Ok(self.reply(bytes, Transport::Tcp)),
            Err(mismatch) => Err(QueryError::Mismatch { server: self.server, mismatch }),
        }
    }

    fn reply(&self, bytes: Vec<u8>, transport: Transport) -> Reply {
        Reply { bytes, transport, elapsed: self.start.elapsed() }
    }

    const fn timeout(&self) -> QueryError {
        let after: Duration = self.limits.timeout;
        QueryError::Timeout { server: self.server, after, mismatches: self.mismatches, last: self.last }
    }

    fn unreachable(&self, error: io::Error) -> QueryError {
        QueryError::Unreachable { server: self.server, error: Arc::new(error) }
    }
}

fn local(error: io::Error) -> QueryError {
    QueryError::Local(Arc::new(error))
}

fn random_id() -> io::Result<u16> {
    let mut id = [0; 2];
    getrandom::fill(&mut id).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(u16::from_be_bytes(id))
}
