//! Log records of DNS transactions and their encodings.
#![forbid(unsafe_code)]
