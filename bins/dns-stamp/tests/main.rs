//! Runs the program.

mod config;
mod util;
