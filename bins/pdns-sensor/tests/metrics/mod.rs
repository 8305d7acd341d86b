//! What the program gives out while it runs.
//!
//! - `pages`: whether the pages say what the account says, hold its sums at any moment, and are what `docs/metrics.md` lists.
//! - `privileges`: whether pages are served without any.
//! - `interfaces`: the same of a capture from interfaces, and what health says of them.
//! - `readers`: whether readers that are slow, many or wrong are nothing to the others.
//! - `prometheus`, `statsd`: whether the real ones understand what they get.

mod interfaces;
mod list;
mod pages;
mod privileges;
mod prometheus;
mod readers;
mod sensor;
mod statsd;
mod web;
