//! The file `.env`: names and values, a subset of what shells read.
//!
//! ```text
//! # a comment
//! PDNS_DEV=eth0            # a comment, after a space
//! export PDNS_NAME = sensor one
//! PDNS_KAFKA_PASSWORD='as $it "is"'
//! PDNS_BPF="port 53 and \"quoted\""
//! ```
//!
//! Nothing is expanded: a password may hold `$`. An unquoted value ends at the end of the line or at ` #`, and spaces
//! around it are no part of it. Between single quotes everything is literal. Between double quotes `\"`, `\\`, `\$`,
//! `` \` ``, `\n`, `\r` and `\t` stand for single characters, and any other backslash for itself. Quoted values may go over
//! several lines. Where a name is set twice the last one counts.

use thiserror::Error;

/// A name with its value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// Counted from 1.
    pub line: usize,
    pub name: String,
    pub value: String,
}

/// What cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum DotEnvError {
    /// A line without `=`, or with something else than a name before it.
    #[error("line {line} is not NAME=VALUE")]
    NoAssignment { line: usize },
    /// The end of the file comes before the closing quote.
    #[error("the quote that line {line} opens is not closed")]
    OpenQuote { line: usize },
    /// Something else than a comment after the closing quote.
    #[error("line {line} goes on after the closing quote")]
    AfterQuote { line: usize },
}

/// Reads the whole file; what can be read around an error is returned as well.
pub(crate) fn parse(text: &str) -> (Vec<Assignment>, Vec<DotEnvError>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { rest: text, line: 1 };
    let (mut assignments, mut errors) = (Vec::new(), Vec::new());
    while !reader.rest.is_empty() {
        match reader.assignment() {
            Ok(assignment) => assignments.extend(assignment),
            Err(error) => errors.push(error),
        }
    }
    (assignments, errors)
}

struct Reader<'t> {
    rest: &'t str,
    line: usize,
}

impl<'t> Reader<'t> {
    /// The assignment on this line, unless the line is empty or a comment. Takes the line in any case.
    fn assignment(&mut self) -> Result<Option<Assignment>, DotEnvError> {
        let line = self.line;
        let start = self.rest;
        let first = self.take_line().trim();
        if first.is_empty() || first.starts_with('#') {
            return Ok(None);
        }
        let no_assignment = DotEnvError::NoAssignment { line };
        let (before, value) = first.split_once('=').ok_or(no_assignment)?;
        let name = before.strip_prefix("export ").unwrap_or(before).trim();
        if !is_name(name) {
            return Err(no_assignment);
        }
        let value = match value.trim_start().chars().next() {
            Some(quote @ ('\'' | '"')) => {
                // The name holds no quote, so the first one opens the value.
                self.rest = start.split_once(quote).map_or("", |(_, rest)| rest);
                self.line = line;
                let value = self.quoted(quote).ok_or(DotEnvError::OpenQuote { line })?;
                let after = self.take_line().trim();
                if !after.is_empty() && !after.starts_with('#') {
                    return Err(DotEnvError::AfterQuote { line });
                }
                value
            }
            _ => unquoted(value).to_owned(),
        };
        Ok(Some(Assignment { line, name: name.to_owned(), value }))
    }

    /// Takes what is left of this line.
    fn take_line(&mut self) -> &'t str {
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        self.line += 1;
        line
    }

    /// Takes what is before the closing quote, and that; `None` when there is none.
    fn quoted(&mut self, quote: char) -> Option<String> {
        let mut value = String::new();
        let mut characters = self.rest.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                _ if character == quote => {
                    self.rest = self.rest.get(at + 1..).unwrap_or_default();
                    return Some(value);
                }
                '\\' if quote == '"' => match characters.next().map(|(_, escaped)| escaped) {
                    Some(escaped @ ('"' | '\\' | '$' | '`')) => value.push(escaped),
                    Some('n') => value.push('\n'),
                    Some('r') => value.push('\r'),
                    Some('t') => value.push('\t'),
                    other => {
                        value.push('\\');
                        value.extend(other);
                        self.line += usize::from(other == Some('\n'));
                    }
                },
                _ => {
                    self.line += usize::from(character == '\n');
                    value.push(character);
                }
            }
        }
        self.rest = "";
        None
    }
}

/// The value before a comment. A `#` inside a word is part of it.
fn unquoted(value: &str) -> &str {
    let mut after_space = true;
    for (at, character) in value.char_indices() {
        if character == '#' && after_space {
            return value.get(..at).unwrap_or_default().trim();
        }
        after_space = character.is_whitespace();
    }
    value.trim()
}

/// A name as POSIX has them, XBD 8.1.
fn is_name(text: &str) -> bool {
    !text.starts_with(|first: char| first.is_ascii_digit())
        && !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(text: &str) -> Vec<(usize, String, String)> {
        let (assignments, errors) = parse(text);
        assert_eq!(errors, [], "{text}");
        assignments.into_iter().map(|Assignment { line, name, value }| (line, name, value)).collect()
    }

    #[track_caller]
    fn value(written: &str, expected: &str) {
        assert_eq!(
            values(&format!("A={written}\nB=1")),
            [
                (1, "A".to_owned(), expected.to_owned()),
                (2 + written.matches('\n').count(), "B".to_owned(), "1".to_owned())
            ]
        );
    }

    #[test]
    fn unquoted_values_are_the_line() {
        value("", "");
        value("eth0", "eth0");
        value("  a b  c ", "a b  c");
        value("a#b # c", "a#b");
        value("# c", "");
        value("x\r", "x");
        value("$HOME/${x}`y`\\n", "$HOME/${x}`y`\\n");
        value("a'b\"c", "a'b\"c");
        value("007", "007");
        value("a=b", "a=b");
    }

    #[test]
    fn quoted_values_are_exact() {
        value("' x '", " x ");
        value("\" x \" # comment", " x ");
        value(r#"'a"b\n$c'"#, r#"a"b\n$c"#);
        value(r#""a\"b\\c\$d\n\t\q $e""#, "a\"b\\c$d\n\t\\q $e");
        value("''", "");
        value("'two\nlines'", "two\nlines");
        value("\"two\\\nlines\"", "two\\\nlines");
        value("'#'", "#");
    }

    #[test]
    fn lines_may_be_comments_empty_or_exported() {
        let text = "\u{feff}# one\r\n\r\n  export  A = x\n\t#b\nB=y";
        assert_eq!(values(text), [(3, "A".to_owned(), "x".to_owned()), (5, "B".to_owned(), "y".to_owned())]);
    }

    #[test]
    fn errors_name_their_line_and_spare_the_others() {
        let (assignments, errors) = parse("one\nA=1\n2B=2\nC='x' y\nD=4\nE=\"open\nF=6");
        assert_eq!(
            errors,
            [
                DotEnvError::NoAssignment { line: 1 },
                DotEnvError::NoAssignment { line: 3 },
                DotEnvError::AfterQuote { line: 4 },
                DotEnvError::OpenQuote { line: 6 },
            ]
        );
        let names: Vec<_> = assignments.iter().map(|assignment| assignment.name.as_str()).collect();
        assert_eq!(names, ["A", "D"]);
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in "[A-B='\"\\\\\n #$\u{e9}]{0,40}") {
            let (assignments, errors) = parse(&text);
            prop_assert!(assignments.len() + errors.len() <= text.lines().count());
        }

        #[test]
        fn single_quotes_keep_everything_else(value in "[^']{0,30}") {
            prop_assert_eq!(&parse(&format!("A='{value}'")).0[0].value, &value);
        }
    }
}
