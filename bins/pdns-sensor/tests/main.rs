//! Runs the real program on captures and looks at what it prints.
//!
//! All in one binary, so that only one is linked. What each file asks:
//!
//! - `command_line`: flags, their old spellings, the help text, what is refused.
//! - `config`: every option in every source, and which source holds; `config_refusals`: what is said of wrong
//!   settings; `config_docs`: whether the page on them is right.
//! - `input`: files that are cut, damaged, compressed, several, piped or no captures at all.
//! - `live`: capture from interfaces, with its own list.
//! - `log_file`: records to a file that is rotated, by the program and by logrotate.
//! - `sinks`: several sinks at once, by tables of the configuration file.
//! - `output`: records to pipes that stall, close or are full; which records are written.
//! - `profile`: whether Go's pprof reads the CPU profile.
//! - `privileges`: what is given up once the capture is open; `sandbox`, a program of its own, tries what that forbids.
//! - `install`: what `make install` puts in place, and whether systemd accepts it.
//! - `service`: what a service manager hears.
//! - `kafka`: what arrives at a real Kafka, and what is said when it does not.
//! - `receivers`: what arrives at Fluentd, syslog, OpenSearch and ClickHouse.
//! - `chaos`: whether everything arrives when the program and the receiver are killed.
//! - `soak`: whether nothing is lost while interfaces flap, receivers die, the disk is full and the log is rotated.
//! - `metrics`: what is given out while the program runs, and whether Prometheus and statsd understand it.
//! - `flood`: whether floods and slow messages are counted to the last frame, and leave ordinary transactions alone.
//! - `golden`: whether each capture under `fixtures/captures` gives exactly the records that were checked for it.
//! - `account`: whether every frame, message and record is in exactly one place.
//! - `determinism`: whether the same capture gives the same records on every run and with any number of workers.
//! - `gopassivedns`: whether every line of gopassivedns is there, field by field.
//! - `corpus`: whether the records differ from the corpus's oracle only where it is known why.
//!
//! The last four run on captures made here, on those under `fixtures/captures`, and on the corpus, a collection of other
//! projects' captures that is not part of this one: in `../shared/corpus` beside the workspace, or where `PDNS_CORPUS`
//! says. Without it they say that they skipped it.

mod account;
mod chaos;
mod command_line;
mod config;
mod config_docs;
mod config_refusals;
/// The program's own table of options, so that none is left out.
#[allow(dead_code)]
#[path = "../src/config/table.rs"]
mod config_table;
mod corpus;
mod determinism;
mod flood;
mod golden;
mod gopassivedns;
mod input;
mod install;
mod kafka;
mod live;
mod log_file;
mod metrics;
mod output;
mod privileges;
mod profile;
mod receivers;
mod service;
mod sinks;
mod soak;
mod util;
