//! Runs the program.

mod config;
mod inject;
mod util;
