//! Settings of the sink on standard output.

use pdns_record::Layout;

/// What is written to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The fields of the lines.
    pub layout: Layout,
}
