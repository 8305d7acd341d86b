//! Runs the program.

mod check;
mod config;
mod inject;
mod install;
mod propagate;
mod serve;
mod servers;
mod util;
