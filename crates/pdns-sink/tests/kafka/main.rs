//! The Kafka sink against a real Apache Kafka, read back with another client.
//!
//! - `delivery`: what arrives, by every codec, format and partitioner.
//! - `security`: TLS, logins, rights, and what is said when they fail.
//! - `trouble`: records that are too large, brokers that die, fall silent or lose their answers.
#![cfg(feature = "kafka")]

mod delivery;
mod security;
mod trouble;
mod util;
