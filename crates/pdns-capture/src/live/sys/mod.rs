//! What needs `unsafe`: an option of packet sockets, a question about interfaces and two of malloc's calls that no crate wraps, and a C
//! library opened at run time.
#![allow(unsafe_code)]

pub(super) mod fanout;
pub(super) mod malloc;
pub(super) mod pfring;
pub(super) mod presence;
