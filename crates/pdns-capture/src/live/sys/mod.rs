//! What needs `unsafe`: an option of packet sockets and a question about interfaces that no crate wraps, and a C library opened at run time.
#![allow(unsafe_code)]

pub(super) mod fanout;
pub(super) mod pfring;
pub(super) mod presence;
