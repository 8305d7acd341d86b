//! IP fragments, TCP streams and DNS transactions, put together in capture time.
//!
//! ```text
//! frames -> Ingest (decode, fragments, clock) -> Tracker (TCP streams, pairing) -> Consumer
//!           one for the capture                  one for each worker
//! ```
//!
//! [`Clock`] makes the times of packets monotone, [`reassembly`] makes whole packets of fragments and messages of TCP
//! segments, and [`Pairing`] makes transactions of messages; [`Shards`] says which worker a flow belongs to. All of them
//! are state machines without I/O or threads: time is a parameter, so the same capture gives the same transactions every
//! time. Every table is bounded, and counts what it had to let go.
//!
//! ```
//! use pdns_packet::frame::{Flow, VlanTags};
//! use pdns_packet::time::Timestamp;
//! use pdns_track::{Body, Dissected, Status, Tracker, TrackerConfig, Transaction};
//!
//! let query = b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x07example\x03com\0\0\x01\0\x01";
//! let response = b"\x12\x34\x81\x80\0\x01\0\0\0\0\0\0\x07example\x03com\0\0\x01\0\x01";
//! let there = Flow {
//!     src: [192, 0, 2, 1].into(),
//!     dst: [192, 0, 2, 53].into(),
//!     src_port: 40_000,
//!     dst_port: 53,
//!     vlan: VlanTags::NONE,
//! };
//! let back = Flow { src: there.dst, dst: there.src, src_port: 53, dst_port: 40_000, ..there };
//! let datagram = |milliseconds: u32, flow, payload| {
//!     let time = Timestamp::new(1, milliseconds * 1_000_000);
//!     Dissected { now: time, time, flow, body: Body::Udp { payload, missing: 0, frame_len: 71 } }
//! };
//!
//! let mut ended = Vec::new();
//! let mut consumer = |transaction: &Transaction<'_>| {
//!     ended.push((transaction.status, transaction.client));
//! };
//! let mut tracker = Tracker::new(TrackerConfig::default());
//! tracker.packet(&datagram(0, &there, query), &mut consumer);
//! tracker.packet(&datagram(20, &back, response), &mut consumer);
//! tracker.finish(Timestamp::new(2, 0), &mut consumer);
//! assert_eq!(ended, [(Status::Answered, there.src)]);
//! ```
//!
//! A whole capture file, with `pdns-capture` to read it:
//!
//! ```
//! use std::path::Path;
//!
//! use pdns_capture::CaptureFile;
//! use pdns_packet::frame::{Decoder, LinkType, Ports};
//! use pdns_track::reassembly::FragmentConfig;
//! use pdns_track::{Ingest, Tracker, TrackerConfig, Transaction};
//!
//! # let path = Path::new("../../fixtures/captures/demo/input.pcap");
//! let mut asked = Vec::new();
//! let mut consumer = |transaction: &Transaction<'_>| {
//!     let question = transaction.query.and_then(|query| query.message.question());
//!     asked.extend(question.map(|question| format!("{} {}", question.qname, transaction.status.name())));
//! };
//! let mut ingest = Ingest::new(Decoder::new(Ports::of(&[53])), FragmentConfig::default());
//! let mut tracker = Tracker::new(TrackerConfig::default());
//! let mut file = CaptureFile::open(path)?;
//! while let Some(frame) = file.next()? {
//!     ingest.frame(frame.time, LinkType(frame.link), frame.data, frame.wire_len, |packet| {
//!         tracker.packet(packet, &mut consumer);
//!     });
//! }
//! ingest.finish();
//! tracker.finish(ingest.clock().now(), &mut consumer);
//! assert_eq!(asked[0], "example.com answered");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod clock;
mod config;
mod ingest;
mod pairing;
pub mod reassembly;
mod seed;
mod shard;
mod stats;
mod tracker;
mod transaction;

pub use clock::Clock;
pub use config::{PairingConfig, SECOND, TrackerConfig};
pub use ingest::{Body, Dissected, Ingest, IngestStats};
pub use pairing::{Arrival, Pairing};
pub use shard::Shards;
pub use stats::{PairingStats, TrackerStats};
pub use tracker::Tracker;
pub use transaction::{Consumer, Observed, Status, Transaction, Transport};
