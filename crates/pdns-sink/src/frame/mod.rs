//! What all sinks have in common: what stands between the encoders and a sink, and keeps the account.
//!
//! - `tee`: all sinks together, and what the program sees.
//! - `lane`: one sink with its threads.
//! - `line`: what waits, what is next, what is tried again; a state machine.
//! - `journal`: what is told of it. `dead_letters`: where refused records are kept.
//! - `direct`: a single sink without any of this.

mod backoff;
mod dead_letters;
mod direct;
mod journal;
mod lane;
mod line;
mod settings;
pub(crate) mod store;
mod tee;

pub use self::direct::{Direct, DirectError};
pub use self::journal::{Level, Log};
pub use self::settings::{Settings, WhenFull};
pub use self::tee::{EncodingInUse, Setup, SinkReport, StartError, Tee};
