//! What needs `unsafe`: an option of packet sockets that no crate wraps, and a C library opened at run time.
#![allow(unsafe_code)]

pub(super) mod fanout;
pub(super) mod pfring;
