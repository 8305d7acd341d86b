//! What all sinks have in common: what stands between the encoders and a sink, and keeps the account.

mod direct;
mod settings;

pub use self::direct::{Direct, DirectError};
pub use self::settings::{Settings, WhenFull};
