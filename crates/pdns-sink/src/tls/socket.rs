//! TLS over a socket that has a deadline.

use std::io::{self, Write};
use std::time::Instant;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use super::Tls;
use crate::Failure;
use crate::socket::Socket;

/// A connection by TLS, of which the other side was checked.
#[derive(Debug)]
pub(crate) struct TlsSocket {
    stream: StreamOwned<ClientConnection, Socket>,
}

impl TlsSocket {
    /// Connects to `HOST:PORT` and checks that it is that host.
    pub(crate) fn connect(host: &str, tls: &Tls, deadline: Instant) -> Result<Self, Failure> {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name).trim_matches(['[', ']']);
        let name = ServerName::try_from(name.to_owned())?;
        let mut connection = ClientConnection::new(tls.load()?, name)?;
        let mut socket =
            Socket::tcp(host, deadline).map_err(|error| Failure::new(format!("cannot connect: {error}")))?;
        while connection.is_handshaking() {
            connection.complete_io(&mut socket).map_err(|error| Failure::new(format!("no TLS connection: {error}")))?;
        }
        Ok(Self { stream: StreamOwned::new(connection, socket) })
    }

    /// Sets the time by which writing has to end from now on.
    pub(crate) const fn set_deadline(&mut self, deadline: Instant) {
        self.stream.sock.set_deadline(deadline);
    }

    /// Whether the other side has said that it ends the connection, or has broken it off. It may have sent other things
    /// meanwhile, such as tickets for the next session.
    pub(crate) fn is_closed(&mut self) -> bool {
        let StreamOwned { conn, sock } = &mut self.stream;
        while sock.is_readable() {
            if !matches!(conn.read_tls(sock), Ok(1..)) {
                return true;
            }
            match conn.process_new_packets() {
                Ok(state) if !state.peer_has_closed() => {}
                _ => return true,
            }
        }
        sock.is_closed()
    }
}

impl Write for TlsSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
