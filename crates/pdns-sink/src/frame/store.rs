//! A spool, as the driver sees it.

use std::sync::Arc;

pub(crate) use super::line::{Append, Damage, Fetched, Left};
use crate::Batch;

/// Batches on disk, in order.
pub(crate) trait Store: Send {
    /// Appends batches, as many as it can. What it says is on disk survives as the settings promise.
    fn append(&mut self, batches: &[Arc<Batch>]) -> Append;

    /// Reads the next batch.
    fn fetch(&mut self) -> Fetched;

    /// Forgets all batches up to this number.
    fn forget(&mut self, number: u64);

    /// How many bytes there are on disk.
    fn bytes(&self) -> u64;

    /// Called about once a second, for what depends on time alone.
    fn tick(&mut self) -> Result<(), String>;
}
