//! Records that their receiver refused, kept for a person to look at.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use pdns_packet::time::{Rfc3339, Timestamp};
use pdns_record::Format;

use crate::Batch;

/// How large the file may become. What goes beyond is counted only.
const LIMIT: u64 = 64 << 20;

/// A file of refused records: lines of JSON with the time, the sink, the reason and the record.
#[derive(Debug)]
pub(crate) struct DeadLetters {
    path: PathBuf,
    sink: String,
}

impl DeadLetters {
    pub(crate) fn new(path: &Path, sink: &str) -> Self {
        Self { path: path.to_owned(), sink: sink.to_owned() }
    }

    /// Appends the records of a batch.
    pub(crate) fn write(&mut self, batch: &Batch, reason: &str) -> Result<(), String> {
        self.append(batch, reason)
            .map_err(|error| format!("cannot keep refused records in {}: {error}", self.path.display()))
    }

    fn append(&self, batch: &Batch, reason: &str) -> io::Result<()> {
        let mut file = File::options().append(true).create(true).open(&self.path)?;
        let lines = self.lines(batch, reason)?;
        if file.metadata()?.len() + lines.len() as u64 > LIMIT {
            return Err(io::Error::other(format!("it has {} MiB", LIMIT >> 20)));
        }
        file.write_all(&lines)
    }

    fn lines(&self, batch: &Batch, reason: &str) -> io::Result<Vec<u8>> {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64);
        let mut lines = Vec::new();
        for record in batch {
            lines.extend_from_slice(b"{\"time\":\"");
            Rfc3339::default().write(Timestamp::from_nanos(nanos), &mut lines);
            lines.extend_from_slice(b"\",\"sink\":");
            serde_json::to_writer(&mut lines, &self.sink)?;
            lines.extend_from_slice(b",\"reason\":");
            serde_json::to_writer(&mut lines, reason)?;
            match batch.encoding().format {
                Format::Json => {
                    lines.extend_from_slice(b",\"record\":");
                    lines.extend_from_slice(record.bytes.trim_ascii_end());
                }
                Format::Avro | Format::MessagePack => {
                    lines.extend_from_slice(b",\"record_hex\":\"");
                    record.bytes.iter().try_for_each(|byte| write!(lines, "{byte:02x}"))?;
                    lines.push(b'"');
                }
            }
            lines.extend_from_slice(b"}\n");
        }
        Ok(lines)
    }
}
