//! Whole IP packets from fragments, and byte streams from TCP segments.

mod fragment;
mod slab;
mod stream;

pub use fragment::{Datagram, FragmentConfig, FragmentDrop, FragmentStats, FragmentTable, Outcome};
pub use stream::{StreamConfig, StreamMessage, StreamStats, StreamTable};
