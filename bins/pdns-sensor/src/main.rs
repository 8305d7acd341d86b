//! Passive DNS sensor: reads DNS off the wire or out of capture files and writes a record of every transaction.
#![forbid(unsafe_code)]

use std::alloc::System;
use std::process::ExitCode;

use cap::Cap;

// Counts what is in use, which tells a leak from what an allocator keeps: docs/decisions/0016-allocator.md.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

fn main() -> ExitCode {
    pdns_sensor::main(|| ALLOCATOR.allocated())
}
