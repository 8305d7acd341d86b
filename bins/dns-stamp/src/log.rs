//! What is said on standard error and standard output.

use std::io::{self, Write};

use pdns_packet::text::printable;

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

/// Prints lines to standard output; what they hold of servers and files, as it can be [printed](printable). A reader that has gone has seen enough.
pub(crate) fn print(text: &str) -> Exit {
    let lines = text.split('\n').map(printable).collect::<Vec<_>>().join("\n");
    match io::stdout().write_all(lines.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(failure) if failure.kind() != io::ErrorKind::BrokenPipe => {
            error(&format!("standard output: {failure}"));
            Exit::Unknown
        }
        _ => Exit::Ok,
    }
}

fn say(level: &str, message: &str) {
    // There is nowhere else to say that standard error is closed.
    writeln!(io::stderr(), "dns-stamp: {level}: {}", printable(message)).ok();
}
