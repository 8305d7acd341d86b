//! Passive DNS sensor: reads DNS off the wire or out of capture files and writes a record of every transaction.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    pdns_sensor::main()
}
