//! What is kept of a message beside its bytes, wherever those lie.

use pdns_packet::bytes;
use pdns_packet::dns::{Message, Outline};
use pdns_packet::frame::VlanTags;
use pdns_packet::time::Timestamp;

use super::key::{FlowKey, QuestionKey};
use super::table::Wanted;
use crate::transaction::Observed;

/// A message that waits, but for its bytes: `data` is always the message and behind it its question in the form of
/// [`QuestionKey`](super::key::QuestionKey), unless that is in the message as it is.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Kept {
    // What a search compares, and what a timer asks for: a cache line.
    pub question_hash: u64,
    pub deadline: Timestamp,
    pub key: FlowKey,
    pub flow_hash: u64,
    pub vlan: VlanTags,
    pub time: Timestamp,
    pub frame_len: u32,
    pub missing: u32,
    pub retransmits: u32,
    pub message_len: u32,
    pub question_at: u32,
    pub question_len: u16,
}

impl Kept {
    /// The message.
    #[inline]
    pub(super) fn message<'a>(&self, data: &'a [u8], outline: Outline) -> Option<Message<'a>> {
        Message::from_outline(data.get(..self.message_len as usize)?, outline)
    }

    /// The message as it was seen.
    #[inline]
    pub(super) fn observed<'a>(&self, message: &'a Message<'a>) -> Observed<'a> {
        Observed { time: self.time, message, missing: self.missing as usize, frame_len: self.frame_len }
    }

    /// Whether this has the flow and asks the question that is looked for.
    #[inline]
    pub(super) fn is(&self, wanted: &Wanted<'_>, data: &[u8]) -> bool {
        self.question_hash == wanted.question_hash
            && self.key == wanted.key
            && self.question(data).is_some_and(|mine| wanted.question.same(mine))
    }

    /// Whether this asks the same question and spells it alike.
    #[inline]
    pub(super) fn spells(&self, question: &QuestionKey<'_>, data: &[u8]) -> bool {
        self.question(data).is_some_and(|mine| bytes::equal(mine, question.bytes))
    }

    #[inline]
    fn question<'a>(&self, data: &'a [u8]) -> Option<&'a [u8]> {
        let start = self.question_at as usize;
        data.get(start..start + usize::from(self.question_len))
    }

    /// Whether this has the flow that is looked for, whatever it asks.
    #[inline]
    pub(super) fn is_in_flow(&self, wanted: &Wanted<'_>) -> bool {
        self.flow_hash == wanted.flow_hash && self.key == wanted.key
    }
}
