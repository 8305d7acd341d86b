//! Runs the real program on captures and looks at what it prints.
//!
//! All in one binary, so that only one is linked. What each file asks:
//!
//! - `command_line`: flags, their old spellings, the help text, what is refused.
//! - `input`: files that are cut, damaged, compressed, several, piped or no captures at all.
//! - `output`: records to pipes that stall, close or are full; which records are written.
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
mod command_line;
mod corpus;
mod determinism;
mod golden;
mod gopassivedns;
mod input;
mod output;
mod util;
