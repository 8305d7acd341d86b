//! IP fragments, TCP streams and DNS transactions, put together in capture time.
#![forbid(unsafe_code)]
pub mod reassembly;
