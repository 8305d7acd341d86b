//! Metrics as text: Prometheus's exposition format, version 0.0.4.
//!
//! ```
//! use dns_replication::exposition::Exposition;
//!
//! let mut metrics = Exposition::default();
//! metrics.gauge("dns_stamp_age_seconds", "Age of the stamp.").sample(&[("server", "dc1")], 12);
//! assert!(metrics.to_string().ends_with("\ndns_stamp_age_seconds{server=\"dc1\"} 12\n"));
//! ```

use std::fmt::{self, Write as _};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Metrics in the order they were added.
#[derive(Clone, Debug, Default)]
pub struct Exposition {
    text: String,
}

/// The samples of one metric.
#[derive(Debug)]
pub struct Family<'a> {
    name: &'static str,
    help: &'static str,
    kind: &'static str,
    is_begun: bool,
    text: &'a mut String,
}

impl Exposition {
    /// Content type of the text over HTTP.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Adds a value that goes up and down. All its samples are to be added here, before another metric.
    pub const fn gauge(&mut self, name: &'static str, help: &'static str) -> Family<'_> {
        Family { name, help, kind: "gauge", is_begun: false, text: &mut self.text }
    }

    /// Adds a value that only goes up.
    pub const fn counter(&mut self, name: &'static str, help: &'static str) -> Family<'_> {
        Family { name, help, kind: "counter", is_begun: false, text: &mut self.text }
    }

    /// Writes the text to a file in one step: whoever reads it, as the textfile collector of node_exporter does, finds the
    /// old text or the new one, never a part. The file can be read by all (mode 0644).
    ///
    /// # Errors
    /// The file, or one beside it that is renamed to it, cannot be written.
    pub fn write_file(&self, path: &Path) -> io::Result<()> {
        replace(path, self.text.as_bytes())
    }
}

impl Family<'_> {
    /// Adds a sample.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: impl fmt::Display) -> &mut Self {
        self.begin();
        self.text.push_str(self.name);
        for (index, (name, value)) in labels.iter().enumerate() {
            self.text.push(if index == 0 { '{' } else { ',' });
            self.text.push_str(name);
            self.text.push_str("=\"");
            escape(value, self.text);
            self.text.push('"');
        }
        self.text.push_str(if labels.is_empty() { " " } else { "} " });
        // Strings take whatever is written.
        writeln!(self.text, "{value}").ok();
        self
    }

    fn begin(&mut self) {
        if !self.is_begun {
            self.is_begun = true;
            let Self { name, help, kind, .. } = *self;
            writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}").ok();
        }
    }
}

impl fmt::Display for Exposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

pub(crate) fn escape(value: &str, out: &mut String) {
    for character in value.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            _ => out.push(character),
        }
    }
}

/// Writes a file under another name in the same directory, and gives it its own name when it is whole.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no name of a file"))?;
    // The collector passes over names that do not end in .prom, so nobody reads it half written.
    let mut temporary = name.to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary: PathBuf = path.with_file_name(temporary);
    let written = write_whole(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // What matters is why it could not be written.
        fs::remove_file(&temporary).ok();
    }
    written
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut file = File::create(path)?;
    // Whatever the umask is: the collector is another user.
    file.set_permissions(fs::Permissions::from_mode(0o644))?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn labels_are_escaped_and_metrics_without_samples_left_out() {
        let mut metrics = Exposition::default();
        metrics.gauge("a", "One.").sample(&[("x", "q\"b\\n\n"), ("y", "")], 1.5).sample(&[], -1);
        metrics.counter("b", "None.");
        let text = "# HELP a One.\n# TYPE a gauge\na{x=\"q\\\"b\\\\n\\n\",y=\"\"} 1.5\na -1\n";
        assert_eq!(metrics.to_string(), text);
    }

    #[test]
    fn files_are_replaced_whole_and_readable_by_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dns.prom");
        for value in [1, 2] {
            let mut metrics = Exposition::default();
            metrics.gauge("a", "One.").sample(&[], value);
            metrics.write_file(&path).unwrap();
            assert!(fs::read_to_string(&path).unwrap().ends_with(&format!("a {value}\n")));
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(Exposition::default().write_file(&directory.path().join("no/dns.prom")).is_err());
        // A directory in the way: nothing is left behind.
        fs::create_dir(directory.path().join("dir.prom")).unwrap();
        fs::write(directory.path().join("dir.prom/x"), "").unwrap();
        assert!(Exposition::default().write_file(&directory.path().join("dir.prom")).is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }
}
