//! Records to a byte stream: standard output, or whatever else writes.

use std::io::{self, ErrorKind, Stdout, Write};

use crate::{Batch, Sink, SinkError, SinkStats};

/// A sink that writes whole batches. It blocks for as long as the receiver does, which is how a capture file's reader is
/// kept from running ahead of a slow pipe.
#[derive(Debug)]
pub struct Writer<W> {
    name: String,
    inner: W,
    closed: bool,
    stats: SinkStats,
}

/// A sink on standard output.
pub fn stdout() -> Writer<Stdout> {
    Writer::new("stdout", io::stdout())
}

impl<W: Write> Writer<W> {
    /// A sink on `inner`, called `name` in errors.
    pub fn new(name: &str, inner: W) -> Self {
        Self { name: name.to_owned(), inner, closed: false, stats: SinkStats::default() }
    }

    /// What is written to.
    pub const fn get_ref(&self) -> &W {
        &self.inner
    }
}

impl<W: Write> Sink for Writer<W> {
    fn deliver(&mut self, batch: &Batch) -> Result<(), SinkError> {
        self.stats.offered += batch.records;
        let written = if self.closed {
            Err(ErrorKind::BrokenPipe.into())
        } else {
            self.inner.write_all(&batch.bytes).and_then(|()| self.inner.flush())
        };
        let Err(source) = written else {
            self.stats.delivered += batch.records;
            return Ok(());
        };
        self.stats.dropped += batch.records;
        let sink = self.name.clone();
        if source.kind() == ErrorKind::BrokenPipe {
            self.closed = true;
            return Err(SinkError::Closed { sink });
        }
        Err(SinkError::Io { sink, records: batch.records, source })
    }

    fn stats(&self) -> SinkStats {
        self.stats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes and then fails.
    struct Failing(usize, ErrorKind);

    impl Write for Failing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.0);
            self.0 -= taken;
            if taken == 0 { Err(self.1.into()) } else { Ok(taken) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn batch(records: u64) -> Batch {
        Batch { bytes: b"{}\n".repeat(records as usize), records }
    }

    #[test]
    fn every_record_offered_is_delivered_or_dropped() {
        let mut sink = Writer::new("test", Failing(9, ErrorKind::StorageFull));
        sink.deliver(&batch(3)).unwrap();
        let error = sink.deliver(&batch(2)).unwrap_err().to_string();
        assert!(error.starts_with("test: cannot write 2 records: "), "{error}");
        assert_eq!(sink.stats(), SinkStats { offered: 5, delivered: 3, dropped: 2 });
    }

    #[test]
    fn a_reader_that_has_gone_stays_gone() {
        let mut sink = Writer::new("test", Failing(0, ErrorKind::BrokenPipe));
        assert!(matches!(sink.deliver(&batch(1)), Err(SinkError::Closed { .. })));
        sink.inner.0 = 100;
        assert!(matches!(sink.deliver(&batch(1)), Err(SinkError::Closed { .. })));
        assert_eq!(sink.stats(), SinkStats { offered: 2, delivered: 0, dropped: 2 });
    }
}
