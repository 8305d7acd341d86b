//! The program's own log, a line at a time on standard error.

use std::io::{self, Write};

use anyhow::Error;
use pdns_packet::text::printable;

/// Something was lost, or the operator has to act.
pub(crate) fn error(text: &str) {
    line("error: ", text);
}

/// Something is wrong, and the program goes on.
pub(crate) fn warn(text: &str) {
    line("warning: ", text);
}

/// What whoever keeps the program running wants to find in its log.
pub(crate) fn info(text: &str) {
    line("", text);
}

/// What is being done, for whoever asked with `--debug`.
pub(crate) fn debug(enabled: bool, text: impl FnOnce() -> String) {
    if enabled {
        line("", &text());
    }
}

/// An error and its causes, but for those that its text already ends with: a file's error names what the system said.
pub(crate) fn with_causes(error: &Error) -> String {
    error.chain().skip(1).fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.ends_with(&cause) { text } else { format!("{text}: {cause}") }
    })
}

fn line(level: &str, text: &str) {
    #[cfg(feature = "fuzz")]
    if crate::fuzz::is_silent() {
        return;
    }
    // What is told holds file names, and what servers said.
    let line = format!("pdns-sensor: {level}{}\n", printable(text));
    // There is nowhere left to say that standard error is closed.
    drop(io::stderr().write_all(line.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn every_cause_is_told_once() {
        let error = anyhow!("not there").context("file: not there").context("cannot start");
        assert_eq!(with_causes(&error), "cannot start: file: not there");
    }
}
