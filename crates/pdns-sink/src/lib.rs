//! Where records go.
#![forbid(unsafe_code)]
