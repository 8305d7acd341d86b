//! Settings of the sink that writes files.

use std::path::PathBuf;
use std::time::Duration;

use pdns_record::Layout;

/// A file of records, begun anew when it is large, with old ones kept for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The fields of the lines.
    pub layout: Layout,
    /// The file that is written. Old ones stand beside it, with the time in their names.
    pub path: PathBuf,
    /// How large it may become, in bytes, before another one is begun.
    pub max_size: u64,
    /// How long old files are kept; `None` for ever.
    pub max_age: Option<Duration>,
    /// How many old files are kept; `None` for all.
    pub max_backups: Option<usize>,
    /// Whether old files are compressed by gzip.
    pub compress: bool,
}

impl Config {
    /// A file with the limits that gopassivedns has.
    pub fn new(layout: Layout, path: impl Into<PathBuf>) -> Self {
        Self {
            layout,
            path: path.into(),
            max_size: 100 << 20,
            max_age: Some(Duration::from_secs(28 * 86_400)),
            max_backups: Some(3),
            compress: false,
        }
    }
}
