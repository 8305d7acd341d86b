//! Files with keys in them.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{TsigKey, TsigKeyError, bind, knot};

/// A longer file is not one of keys.
const MAX_FILE_LEN: u64 = 1 << 20;

/// Why no key could be had from a file.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// There is none, or it may not be read.
    #[error("cannot read the key file {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not of a form that is known.
    #[error("{}: {source}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: SyntaxError,
    },
    /// It could be read, and no key is in it.
    #[error("{} holds no key; BIND's form is `key \"name\" {{ algorithm hmac-sha256; secret \"...\"; }};`", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// More than one key, and nobody said which.
    #[error("{} holds several keys ({}); say which one is meant", path.display(), names.join(", "))]
    Several {
        /// The file.
        path: PathBuf,
        /// The names of the keys.
        names: Vec<String>,
    },
    /// Keys, but not the one that is meant.
    #[error("{} holds no key {wanted:?}; it holds {}", path.display(), names.join(", "))]
    Missing {
        /// The file.
        path: PathBuf,
        /// The name that was asked for.
        wanted: String,
        /// The names of the keys.
        names: Vec<String>,
    },
}

/// What is wrong with a key file, and in which line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct SyntaxError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: String,
}

impl SyntaxError {
    pub(super) fn new(line: usize, problem: impl Into<String>) -> Self {
        Self { line, problem: problem.into() }
    }
}

/// Reads the key called `name`, or the only one, from a file.
///
/// # Errors
/// See [`KeyFileError`].
pub fn read_key_file(path: &Path, name: Option<&str>) -> Result<TsigKey, KeyFileError> {
    let path = || path.to_owned();
    let text = read_text(&path()).map_err(|source| KeyFileError::Read { path: path(), source })?;
    let mut keys = parse_keys(&text).map_err(|source| KeyFileError::Syntax { path: path(), source })?;
    let names: Vec<String> = keys.iter().map(TsigKey::name).collect();
    if let Some(wanted) = name {
        let plain = wanted.trim_end_matches('.').to_ascii_lowercase();
        return match names.iter().position(|name| *name == plain) {
            Some(index) => Ok(keys.swap_remove(index)),
            None if names.is_empty() => Err(KeyFileError::Empty { path: path() }),
            None => Err(KeyFileError::Missing { path: path(), wanted: wanted.to_owned(), names }),
        };
    }
    match (keys.pop(), keys.is_empty()) {
        (Some(key), true) => Ok(key),
        (Some(_), false) => Err(KeyFileError::Several { path: path(), names }),
        (None, _) => Err(KeyFileError::Empty { path: path() }),
    }
}

/// Reads all keys of a file's text: BIND's `key "name" { ... };`, Knot's `key:` section, or lines of
/// `name:algorithm:secret`.
///
/// ```
/// let keys = dns_replication::tsig::parse_keys("key \"stamp-key\" { algorithm hmac-sha256; secret \"c2VjcmV0\"; };")?;
/// assert_eq!(keys[0].name(), "stamp-key");
/// # Ok::<(), dns_replication::tsig::SyntaxError>(())
/// ```
///
/// # Errors
/// The first line that is wrong.
pub fn parse_keys(text: &str) -> Result<Vec<TsigKey>, SyntaxError> {
    // A key of one line has two colons before any space; no line of the other forms that says something does.
    let first = lines(text).map(|(_, line)| line).next().unwrap_or_default();
    if first.split_whitespace().next().is_some_and(|word| word.split(':').count() == 3) {
        return lines(text).map(|(number, line)| line.parse().map_err(|error| in_line(number, &error))).collect();
    }
    if knot::is_knot(text) { knot::parse(text) } else { bind::parse(text) }
}

/// The lines that are neither empty nor comments of `#`, `;` or `//`, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = (1..).zip(text.lines().map(str::trim));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with(['#', ';']) && !line.starts_with("//"))
}

pub(super) fn in_line(line: usize, error: &TsigKeyError) -> SyntaxError {
    SyntaxError::new(line, error.to_string())
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_LEN + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_LEN {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it is longer than {MAX_FILE_LEN} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is no text"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn write(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn the_only_key_needs_no_name_and_several_do() {
        let file = write("# comment\none:hmac-sha256:c2VjcmV0\n\ntwo:hmac-sha512:c2VjcmV0\n");
        assert_eq!(read_key_file(file.path(), Some("TWO.")).unwrap().name(), "two");
        let message = |name| read_key_file(file.path(), name).unwrap_err().to_string();
        assert!(message(None).ends_with("holds several keys (one, two); say which one is meant"));
        assert!(message(Some("three")).ends_with("holds no key \"three\"; it holds one, two"));
        let file = write("hmac-sha256:one:c2VjcmV0\n");
        assert_eq!(read_key_file(file.path(), None).unwrap().name(), "one");
    }

    #[test]
    fn a_file_without_keys_says_what_one_looks_like() {
        for text in ["", "# nothing\n", "options { directory \"/x\"; };\n", "server:\n  listen: 127.0.0.1\n"] {
            let message = read_key_file(write(text).path(), None).unwrap_err().to_string();
            assert!(message.contains("holds no key; BIND's form is"), "{text:?}: {message}");
        }
        let message = read_key_file(Path::new("/nonexistent/key"), None).unwrap_err().to_string();
        assert_eq!(message, "cannot read the key file /nonexistent/key: No such file or directory (os error 2)");
        let keytab = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(keytab.path(), [5, 2, 255]).unwrap();
        assert!(read_key_file(keytab.path(), None).unwrap_err().to_string().ends_with("it is no text"));
    }

    #[test]
    fn a_wrong_line_is_named() {
        let message = |text: &str| parse_keys(text).unwrap_err().to_string();
        assert!(
            message("one:hmac-sha256:c2VjcmV0\ntwo:hmac-md5:c2Vj\n")
                .starts_with("line 2: \"hmac-md5\" is not supported")
        );
        assert_eq!(message("one:hmac-sha256:c2VjcmV0\nkey\n"), "line 2: a key is written as name:algorithm:secret");
    }

    proptest! {
        #[test]
        fn no_text_does_harm(text in "\\PC{0,200}") {
            parse_keys(&text).ok();
        }

        #[test]
        fn nor_what_is_nearly_right(
            parts in proptest::collection::vec(proptest::sample::select(vec![
                "key", "key:", "\"x\"", "{", "}", ";", "algorithm", "hmac-sha256", "secret", "\"c2VjcmV0\"", "\n", "- id: x",
                "  algorithm: hmac-sha256", "  secret: c2VjcmV0", " ", "/*", "*/", "//", "#", "\"", ":", "x:hmac-sha256:c2Vj", "é",
            ]), 0..40),
        ) {
            let text = parts.concat();
            if let Ok(keys) = parse_keys(&text) {
                prop_assert!(keys.len() <= text.len());
            }
            parse_keys(&parts.join(" ")).ok();
            parse_keys(&parts.join("\n")).ok();
        }
    }
}
