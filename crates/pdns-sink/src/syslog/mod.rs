//! Records to syslog: the local daemon, or a remote one by UDP, TCP or TLS.
//!
//! Syslog has no acknowledgements. A batch counts as delivered when the system has taken it: what a connection held when
//! it broke is lost, and over UDP whatever the network drops. Records that must not be lost go elsewhere.

mod config;
mod message;
mod transport;

use std::time::Instant;

use pdns_packet::time::Timestamp;
use pdns_record::Encoding;

pub use self::config::{Config, Facility, Severity, Transport};
use self::message::{Composed, Composer};
use self::transport::{Datagrams, Framing, Open};
use crate::{Batch, Deliver, Failure, Needs, Outcome, Partly};

/// A sink that sends each record as a message.
#[derive(Debug)]
pub struct Syslog {
    config: Config,
    composer: Composer,
    open: Option<Open>,
    /// Messages on their way; their memory is used again.
    buffer: Vec<u8>,
    scratch: Vec<u8>,
}

impl Syslog {
    /// A sink that connects when it is first asked to.
    pub fn new(config: Config) -> Self {
        let composer = Composer::new(&config, matches!(config.transport, Transport::Local(_)));
        Self { config, composer, open: None, buffer: Vec::new(), scratch: Vec::new() }
    }

    fn connect(&mut self) -> Result<Open, Failure> {
        if let Some(mut open) = self.open.take()
            && !open.is_closed()
        {
            return Ok(open);
        }
        Open::to(&self.config.transport, self.config.timeout)
    }

    /// Sends records as datagrams, up to the first that fails.
    fn datagrams(&mut self, socket: &Datagrams, batch: &Batch) -> Outcome {
        let mut partly = Partly::default();
        for (place, record) in batch.iter().enumerate() {
            self.buffer.clear();
            let time = record.detail.map(|detail| detail.time).unwrap_or_default();
            let composed = self.composer.compose(time, record.bytes, &mut self.buffer);
            match socket.send(&self.buffer) {
                Ok(()) => partly.cut += u64::from(composed == Composed::Cut),
                Err(error) if error.raw_os_error() == Some(TOO_LONG) => {
                    let reason = format!("a datagram of {} bytes is longer than the system takes", self.buffer.len());
                    partly.refused.push((place, reason));
                }
                Err(error) if place == 0 => return Outcome::Retry(Failure::new(format!("cannot send: {error}"))),
                Err(error) => {
                    partly.again = (place..batch.records() as usize).collect();
                    partly.reason = Some(Failure::new(format!("cannot send: {error}")));
                    break;
                }
            }
        }
        partly.into()
    }

    fn stream(&mut self, open: Open, batch: &Batch) -> Outcome {
        let Open::Stream { mut stream, framing } = open else { return Outcome::Delivered };
        let deadline = Instant::now() + self.config.timeout;
        let cut = self.compose_all(batch, framing);
        match stream.send(&self.buffer, deadline) {
            Ok(()) => {
                self.open = Some(Open::Stream { stream, framing });
                Partly { cut, ..Partly::default() }.into()
            }
            Err(error) => Outcome::Retry(Failure::new(format!("cannot send: {error}"))),
        }
    }

    /// All messages of a batch into the buffer; how many were cut.
    fn compose_all(&mut self, batch: &Batch, framing: Framing) -> u64 {
        let Self { composer, buffer, scratch, .. } = self;
        buffer.clear();
        let mut cut = 0;
        for record in batch {
            let time = record.detail.map_or_else(Timestamp::default, |detail| detail.time);
            let composed = match framing {
                Framing::Counted => composer.compose_counted(time, record.bytes, scratch, buffer),
                Framing::Lines => {
                    let composed = composer.compose(time, record.bytes, buffer);
                    buffer.push(b'\n');
                    composed
                }
            };
            cut += u64::from(composed == Composed::Cut);
        }
        cut
    }
}

impl Deliver for Syslog {
    fn needs(&self) -> Needs {
        Needs::new(Encoding::json(self.config.layout)).detailed()
    }

    fn target(&self) -> String {
        self.config.transport.to_string()
    }

    fn start(&mut self) -> Result<(), Failure> {
        self.open = Some(self.connect()?);
        Ok(())
    }

    fn deliver(&mut self, batch: &Batch) -> Outcome {
        match self.connect() {
            Err(failure) => Outcome::Retry(failure),
            Ok(Open::Datagrams(socket)) => {
                let outcome = self.datagrams(&socket, batch);
                if !matches!(&outcome, Outcome::Retry(_) | Outcome::Partly(Partly { reason: Some(_), .. })) {
                    self.open = Some(Open::Datagrams(socket));
                }
                outcome
            }
            Ok(open) => self.stream(open, batch),
        }
    }
}

/// What the system says of a datagram that is too long for it.
const TOO_LONG: i32 = rustix::io::Errno::MSGSIZE.raw_os_error();

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::{TcpListener, UdpSocket};
    use std::os::unix::net::{UnixDatagram, UnixListener};
    use std::path::Path;

    use pdns_record::Layout;

    use crate::RecordId;

    fn sink(transport: Transport) -> Syslog {
        let (facility, severity) = (Facility::from_name("local0").unwrap(), Severity::from_name("info").unwrap());
        Syslog::new(Config { max_bytes: 500, ..Config::new(Layout::Answer, transport, facility, severity, "ns1") })
    }

    fn local(path: &Path) -> Syslog {
        sink(Transport::Local(vec!["/does/not/exist".into(), path.to_owned()]))
    }

    fn batch(records: &[&str]) -> Batch {
        let mut batch = Batch::new(Encoding::json(Layout::Answer), true);
        let mut id = RecordId::first(1, 0);
        for record in records {
            id = batch.write_each(Timestamp::new(1, 0), [192, 0, 2, 1].into(), id, |bytes, ended| {
                bytes.extend_from_slice(record.as_bytes());
                ended(bytes.len());
            });
        }
        batch
    }

    fn received(mut receive: impl FnMut(&mut [u8]) -> usize) -> String {
        let mut buffer = [0; 4096];
        let length = receive(&mut buffer);
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn local_daemons_are_found_by_datagram_and_by_stream() {
        let folder = tempfile::tempdir().unwrap();
        let (datagram, stream) = (folder.path().join("datagram"), folder.path().join("stream"));
        let header = format!("<134>pdns-sensor[{}]: ", std::process::id());

        let socket = UnixDatagram::bind(&datagram).unwrap();
        assert_eq!(local(&datagram).deliver(&batch(&["a\n", "b\n"])), Outcome::Delivered);
        for record in ["a", "b"] {
            assert_eq!(received(|buffer| socket.recv(buffer).unwrap()), format!("{header}{record}"));
        }

        let listener = UnixListener::bind(&stream).unwrap();
        assert_eq!(local(&stream).deliver(&batch(&["a\n", "b\n"])), Outcome::Delivered);
        let mut text = String::new();
        listener.accept().unwrap().0.read_to_string(&mut text).unwrap();
        assert_eq!(text, format!("{header}a\n{header}b\n"));

        let outcome = sink(Transport::Local(vec!["/does/not/exist".into()])).deliver(&batch(&["a\n"]));
        let Outcome::Retry(failure) = outcome else { panic!("{outcome:?}") };
        assert!(failure.reason.starts_with("no syslog daemon listens: /does/not/exist: No such file"), "{failure}");
    }

    #[test]
    fn nothing_is_sent_into_a_connection_that_is_closed_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let receiver = std::thread::spawn(move || {
            // A proxy whose receiver is away, twice.
            drop(listener.accept().unwrap());
            drop(listener.accept().unwrap());
            let mut text = [0; 4];
            listener.accept().unwrap().0.read_exact(&mut text).unwrap();
            text
        });
        let mut sink = sink(Transport::Tcp(address.to_string()));
        for _ in 0..2 {
            let outcome = sink.deliver(&batch(&["a\n"]));
            let Outcome::Retry(failure) = outcome else { panic!("{outcome:?}") };
            assert_eq!(failure.reason, "the connection was closed as soon as it was there");
        }
        assert_eq!(sink.deliver(&batch(&["a\n"])), Outcome::Delivered);
        assert!(receiver.join().unwrap()[0].is_ascii_digit());
    }

    #[test]
    fn records_that_are_cut_are_counted() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut sink = sink(Transport::Udp(socket.local_addr().unwrap().to_string()));
        let long = "x".repeat(1000);
        let outcome = sink.deliver(&batch(&["a\n", &long, "b\n"]));
        assert_eq!(outcome, Outcome::Partly(Partly { cut: 1, ..Partly::default() }));
        let messages: Vec<_> = (0..3).map(|_| received(|buffer| socket.recv(buffer).unwrap())).collect();
        assert!(messages[0].starts_with("<134>1 1970-01-01T00:00:01.000000Z ns1 pdns-sensor "), "{messages:?}");
        assert!(messages[1].ends_with("...cut, 1000 bytes in all") && messages[1].len() == 500, "{messages:?}");
        assert!(messages[2].ends_with(" record - b"), "{messages:?}");
    }

    #[test]
    fn a_receiver_that_was_restarted_is_connected_to_again() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut sink = sink(Transport::Tcp(listener.local_addr().unwrap().to_string()));
        for _ in 0..2 {
            assert_eq!(sink.deliver(&batch(&["a\n"])), Outcome::Delivered);
            let mut connection = listener.accept().unwrap().0;
            let text = received(|buffer| connection.read(buffer).unwrap());
            let (length, message) = text.split_once(' ').unwrap();
            assert_eq!(length.parse::<usize>().unwrap(), message.len());
        }
    }

    #[test]
    fn a_receiver_that_is_gone_is_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let socket = UnixDatagram::bind(&path).unwrap();
        let mut sink = local(&path);
        assert!(Deliver::start(&mut sink).is_ok());
        drop(socket);
        let outcome = sink.deliver(&batch(&["a\n"]));
        assert_eq!(outcome, Outcome::Retry(Failure::new("cannot send: Connection refused (os error 111)")));
    }
}
