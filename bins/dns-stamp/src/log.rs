//! What is said on standard error and standard output.

use std::io::{self, Write};

use crate::exit::Exit;

/// Says that something does not work.
pub(crate) fn error(message: &str) {
    say("error", message);
}

/// Says what an operator may want to know, though all goes on.
pub(crate) fn warn(message: &str) {
    say("warning", message);
}

/// Says what goes on, in commands that stay.
pub(crate) fn info(message: &str) {
    say("info", message);
}

/// Prints to standard output. A reader that has gone has seen enough.
pub(crate) fn print(text: &str) -> Exit {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(failure) if failure.kind() != io::ErrorKind::BrokenPipe => {
            error(&format!("standard output: {failure}"));
            Exit::Unknown
        }
        _ => Exit::Ok,
    }
}

fn say(level: &str, message: &str) {
    // There is nowhere else to say that standard error is closed.
    writeln!(io::stderr(), "dns-stamp: {level}: {message}").ok();
}
