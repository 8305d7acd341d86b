//! Records to Fluentd, and whatever else speaks its Forward protocol: Fluent Bit, Vector, Logstash.
//!
//! A batch is one chunk, in MessagePack, and counts as delivered when the receiver acknowledges it by its name. Without
//! that answer it is sent again: nothing is lost, and records may come twice.

mod config;
mod message;

use std::io::{self, ErrorKind, Read, Write};
use std::time::Instant;

use pdns_record::{Encoding, Format};

pub use self::config::{Address, Config};
use self::message::{Answer, MAX_ANSWER, chunk_name, compose, parse};
use crate::socket::Socket;
use crate::{Batch, Deliver, Failure, Needs, Outcome};

/// A sink that sends one chunk after the other and waits for each to be acknowledged.
#[derive(Debug)]
pub struct Fluentd {
    config: Config,
    connection: Option<Socket>,
    /// The message on its way; its memory is used again.
    message: Vec<u8>,
}

impl Fluentd {
    /// A sink that connects when it is first asked to.
    pub const fn new(config: Config) -> Self {
        Self { config, connection: None, message: Vec::new() }
    }

    fn connect(&mut self, deadline: Instant) -> Result<Socket, Failure> {
        // A receiver that was restarted has closed the connection while nobody looked.
        if let Some(mut socket) = self.connection.take().filter(|socket| !socket.is_closed()) {
            socket.set_deadline(deadline);
            return Ok(socket);
        }
        let connected = match &self.config.address {
            Address::Unix(path) => Socket::unix(path, deadline),
            Address::Tcp(host) => Socket::tcp(host, deadline),
        };
        connected.map_err(|error| Failure::new(format!("cannot connect: {error}")))
    }

    fn send(&mut self, batch: &Batch) -> Result<(), Failure> {
        let Some(first) = batch.iter().next().and_then(|record| record.detail) else { return Ok(()) };
        let chunk = chunk_name(first.id);
        self.message.clear();
        compose(&self.config.tag, batch.bytes(), batch.records(), &chunk, self.config.gzip, &mut self.message)?;
        let mut socket = self.connect(Instant::now() + self.config.timeout)?;
        socket.write_all(&self.message).map_err(|error| Failure::new(format!("cannot send: {error}")))?;
        acknowledged(&mut socket, &chunk)?;
        self.connection = Some(socket);
        Ok(())
    }
}

impl Deliver for Fluentd {
    fn needs(&self) -> Needs {
        Needs::new(Encoding { layout: self.config.layout, format: Format::MessagePack })
            .detailed()
            .batch_bytes(self.config.batch_bytes)
    }

    fn target(&self) -> String {
        self.config.address.to_string()
    }

    fn start(&mut self) -> Result<(), Failure> {
        self.connection = Some(self.connect(Instant::now() + self.config.timeout)?);
        Ok(())
    }

    fn deliver(&mut self, batch: &Batch) -> Outcome {
        self.send(batch).map_or_else(Outcome::Retry, |()| Outcome::Delivered)
    }
}

/// Waits for the acknowledgement of a chunk.
fn acknowledged(socket: &mut Socket, chunk: &str) -> Result<(), Failure> {
    let mut answer = Vec::with_capacity(64);
    loop {
        match parse(&answer) {
            Answer::Acknowledged(name) if name == chunk => return Ok(()),
            Answer::Incomplete if answer.len() < MAX_ANSWER => {}
            _ => return Err(Failure::new("the answer is no acknowledgement of the chunk that was sent")),
        }
        let mut part = [0; 64];
        match socket.read(&mut part) {
            Ok(0) => return Err(Failure::new("the connection was closed before the chunk was acknowledged").suspect()),
            Ok(length) => answer.extend_from_slice(&part[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(unacknowledged(&error)),
        }
    }
}

#[cfg(feature = "fuzz")]
pub(crate) fn answer(bytes: &[u8]) -> Option<Result<&str, ()>> {
    match parse(bytes) {
        Answer::Acknowledged(chunk) => Some(Ok(chunk)),
        Answer::Unexpected => Some(Err(())),
        Answer::Incomplete => None,
    }
}

fn unacknowledged(error: &io::Error) -> Failure {
    if error.kind() == ErrorKind::TimedOut {
        return Failure::new("the chunk was not acknowledged in time");
    }
    Failure::new(format!("the chunk was not acknowledged: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::thread;
    use std::time::Duration;

    use pdns_packet::time::Timestamp;
    use pdns_record::Layout;

    use crate::RecordId;

    fn batch() -> Batch {
        let mut batch = Batch::new(Encoding { layout: Layout::Answer, format: Format::MessagePack }, true);
        batch.write_each(Timestamp::new(1, 0), [192, 0, 2, 1].into(), RecordId::first(1, 0), |bytes, ended| {
            bytes.extend_from_slice(b"\x92\x01\x80");
            ended(bytes.len());
        });
        batch
    }

    /// What becomes of two deliveries to a receiver of this kind.
    fn deliveries(timeout: Duration, receive: impl Fn(TcpStream) + Send + 'static) -> [Outcome; 2] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap().to_string());
        thread::spawn(move || listener.incoming().for_each(|stream| receive(stream.unwrap())));
        let config = Config { timeout, gzip: false, ..Config::new(Layout::Answer, address, "t".to_owned()) };
        let mut sink = Fluentd::new(config);
        [sink.deliver(&batch()), sink.deliver(&batch())]
    }

    /// Reads one message of [`batch`].
    fn read_message(stream: &mut TcpStream) {
        let mut message = Vec::new();
        compose("t", batch().bytes(), 1, &chunk_name(RecordId::first(1, 0)), false, &mut message).unwrap();
        let mut read = vec![0; message.len()];
        stream.read_exact(&mut read).unwrap();
        assert_eq!(read, message);
    }

    fn acknowledge(stream: &mut TcpStream, chunk: &str) {
        let mut answer = b"\x81\xa3ack\xb8".to_vec();
        answer.extend_from_slice(chunk.as_bytes());
        answer.chunks(5).for_each(|part| stream.write_all(part).unwrap());
    }

    #[test]
    fn a_receiver_that_closes_after_each_chunk_is_connected_to_again() {
        let outcomes = deliveries(Duration::from_secs(20), |mut stream| {
            read_message(&mut stream);
            acknowledge(&mut stream, &chunk_name(RecordId::first(1, 0)));
        });
        // Whether the end of the first connection is noticed before or after sending is a matter of time.
        assert_eq!(outcomes[0], Outcome::Delivered);
        assert!(matches!(&outcomes[1], Outcome::Delivered | Outcome::Retry(_)), "{outcomes:?}");
    }

    #[test]
    fn silence_closing_and_strange_answers_are_failures() {
        let silent = deliveries(Duration::from_millis(50), |mut stream| {
            read_message(&mut stream);
            thread::sleep(Duration::from_secs(2));
        });
        assert_eq!(silent[0], Outcome::Retry(Failure::new("the chunk was not acknowledged in time")));
        let closing = deliveries(Duration::from_secs(20), |mut stream| read_message(&mut stream));
        let expected = Failure::new("the connection was closed before the chunk was acknowledged").suspect();
        assert_eq!(closing, [Outcome::Retry(expected.clone()), Outcome::Retry(expected)]);
        let strange = deliveries(Duration::from_secs(20), |mut stream| {
            read_message(&mut stream);
            acknowledge(&mut stream, &chunk_name(RecordId::first(2, 0)));
        });
        let expected = Failure::new("the answer is no acknowledgement of the chunk that was sent");
        assert_eq!(strange[0], Outcome::Retry(expected));
    }

    #[test]
    fn a_target_that_is_not_there_is_a_failure_with_its_reason() {
        let address = Address::Unix("/does/not/exist.sock".into());
        let mut sink = Fluentd::new(Config::new(Layout::Answer, address, "t".to_owned()));
        assert_eq!(Deliver::target(&sink), "/does/not/exist.sock");
        let failure = Deliver::start(&mut sink).unwrap_err().to_string();
        assert!(failure.starts_with("cannot connect: No such file"), "{failure}");
    }
}
