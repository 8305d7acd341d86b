//! Records to standard output, as lines of JSON.

mod config;

use std::io::{self, ErrorKind, Stdout as StdoutHandle, Write};

use pdns_record::Encoding;

pub use self::config::Config;
use crate::{Batch, Deliver, Failure, Needs, Outcome};

/// A sink that writes whole batches to standard output.
///
/// It waits for as long as the reader of a pipe does, which is how a capture file's reader is kept from running ahead. A
/// reader that has gone ends it for good.
#[derive(Debug)]
pub struct Stdout<W = StdoutHandle> {
    config: Config,
    out: W,
    /// How much of the batch that failed last is written: the next try goes on from there.
    written: usize,
}

impl Stdout {
    /// A sink on the process's standard output.
    pub fn new(config: Config) -> Self {
        Self::on(config, io::stdout())
    }
}

impl<W: Write + Send> Stdout<W> {
    /// A sink on something else that takes bytes.
    pub const fn on(config: Config, out: W) -> Self {
        Self { config, out, written: 0 }
    }

    /// What is written to.
    pub const fn get_ref(&self) -> &W {
        &self.out
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        while let Some(rest @ [_, ..]) = bytes.get(self.written..) {
            match self.out.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.out.flush()
    }
}

impl<W: Write + Send> Deliver for Stdout<W> {
    fn needs(&self) -> Needs {
        Needs::new(Encoding::json(self.config.layout))
    }

    fn target(&self) -> String {
        "standard output".to_owned()
    }

    fn deliver(&mut self, batch: &Batch) -> Outcome {
        match self.write(batch.bytes()) {
            Ok(()) => {
                self.written = 0;
                Outcome::Delivered
            }
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Outcome::Closed,
            Err(error) => Outcome::Retry(Failure::new(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pdns_record::Layout;

    /// Takes so many bytes and then fails.
    struct Failing {
        room: usize,
        error: ErrorKind,
        taken: Vec<u8>,
    }

    impl Write for Failing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.room);
            self.room -= taken;
            self.taken.extend_from_slice(&bytes[..taken]);
            if taken == 0 { Err(self.error.into()) } else { Ok(taken) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn sink(room: usize, error: ErrorKind) -> Stdout<Failing> {
        Stdout::on(Config { layout: Layout::Answer }, Failing { room, error, taken: Vec::new() })
    }

    fn batch(text: &str) -> Batch {
        let mut batch = Batch::new(Encoding::json(Layout::Answer), false);
        batch.write(|bytes| {
            bytes.extend_from_slice(text.as_bytes());
            text.lines().count() as u64
        });
        batch
    }

    #[test]
    fn a_write_that_failed_goes_on_where_it_broke_off() {
        let mut sink = sink(5, ErrorKind::StorageFull);
        let batch = batch("one\ntwo\n");
        assert!(matches!(sink.deliver(&batch), Outcome::Retry(_)));
        sink.out.room = 100;
        assert_eq!(sink.deliver(&batch), Outcome::Delivered);
        assert_eq!(sink.deliver(&batch), Outcome::Delivered);
        assert_eq!(sink.out.taken, b"one\ntwo\none\ntwo\n");
    }

    #[test]
    fn a_reader_that_has_gone_ends_it() {
        assert_eq!(sink(0, ErrorKind::BrokenPipe).deliver(&batch("one\n")), Outcome::Closed);
    }
}
