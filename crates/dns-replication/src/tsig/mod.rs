//! Keys shared with a server: TSIG, RFC 8945.
//!
//! A [`TsigKey`] is read from a file in the form that BIND or Knot writes, or from `name:algorithm:secret`; see
//! [`read_key_file`].

mod bind;
mod key;
mod keyfile;
mod knot;

pub use key::{TsigKey, TsigKeyError};
pub use keyfile::{KeyFileError, SyntaxError, parse_keys, read_key_file};
