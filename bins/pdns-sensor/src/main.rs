//! Passive DNS sensor: reads DNS off the wire or out of capture files and writes a record of every transaction.
#![forbid(unsafe_code)]

use std::process::ExitCode;

// Gives memory back that one thread took and another freed, which is how records reach their sinks: docs/decisions/0016.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    pdns_sensor::main()
}
