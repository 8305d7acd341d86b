//! What is private and reads bytes of others, for the fuzz targets and the benchmarks.

use crate::query::{self, Mismatch, Question, Reply};

pub use crate::update::fuzz::{Exchange, UpdateReply};

/// Reads an answer to a question that was sent with this id.
///
/// # Errors
/// The bytes are no answer to it.
pub fn query_reply(bytes: &[u8], question: &Question, id: u16) -> Result<Reply, Mismatch> {
    query::read(bytes, question, id)
}
