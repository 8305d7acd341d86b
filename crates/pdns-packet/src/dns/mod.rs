//! DNS messages: read without copying, printed in presentation format.

mod header;
mod name;
mod question;

pub use header::Header;
pub use name::{Labels, MAX_NAME_LEN, MAX_POINTERS, Name, NameError};
pub use question::Question;
