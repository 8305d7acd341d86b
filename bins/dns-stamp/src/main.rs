//! Do all DNS servers hold the same data? Writes timestamps into DNS and tells how old every server's is.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    dns_stamp::main()
}
