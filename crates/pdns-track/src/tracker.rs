//! One worker's part of the pipeline: streams and pairing, driven by packets.

use pdns_packet::dns::Walk;
use pdns_packet::time::Timestamp;

use crate::config::TrackerConfig;
use crate::ingest::{Body, Dissected};
use crate::pairing::{Arrival, Pairing};
use crate::reassembly::{StreamMessage, StreamTable};
use crate::stats::TrackerStats;
use crate::transaction::{Consumer, Observed, Transport};

/// Makes transactions of datagrams and segments.
///
/// Packets must come with a `now` that never decreases, as [`Ingest`](crate::Ingest) sets it. Timers run in the exact
/// order of their deadlines, so the result depends only on the packets of the flows at hand and not on which other
/// packets came in between.
#[derive(Debug)]
pub struct Tracker {
    streams: StreamTable,
    pairing: Pairing,
    /// When the streams have something to do next, at the soonest.
    streams_due: Timestamp,
    short_messages: u64,
}

impl Tracker {
    /// A tracker that has seen nothing yet.
    pub fn new(config: TrackerConfig) -> Self {
        Self {
            streams: StreamTable::new(config.streams),
            pairing: Pairing::new(config.pairing),
            streams_due: Timestamp::MAX,
            short_messages: 0,
        }
    }

    /// Takes a datagram or a segment.
    pub fn packet(&mut self, packet: &Dissected<'_>, out: &mut impl Consumer) {
        let &Dissected { now, time, flow, ref body } = packet;
        self.advance(now, out);
        match body {
            &Body::Udp { payload, missing, frame_len } => {
                let mut walk = Walk::new(payload);
                let Some(message) = walk.questions() else {
                    self.short_messages += 1;
                    return;
                };
                // The records are read while the memory looked up is on its way.
                let sought = self.pairing.look_up(flow, Transport::Udp, message);
                let observed = Observed { time, message: walk.records(), missing, frame_len };
                let arrival = Arrival { flow, transport: Transport::Udp, observed };
                match &sought {
                    Some(sought) => self.pairing.pair(&arrival, sought, out),
                    None => self.pairing.pair_compressed(&arrival, out),
                }
            }
            Body::Tcp(segment) => {
                let Self { streams, pairing, short_messages, .. } = self;
                streams.push(now, time, flow, segment, &mut |message| {
                    stream_message(pairing, short_messages, now, &message, out);
                });
                self.streams_due = self.streams.soonest();
            }
        }
    }

    /// Hands out everything that is due at `now`.
    #[inline]
    pub fn advance(&mut self, now: Timestamp, out: &mut impl Consumer) {
        if now >= self.streams_due {
            self.expire_streams(now, out);
        }
        self.pairing.advance(now, out);
    }

    #[inline(never)]
    fn expire_streams(&mut self, now: Timestamp, out: &mut impl Consumer) {
        while now >= self.streams_due && !self.streams.is_empty() {
            let deadline = self.streams_due;
            let Self { streams, pairing, short_messages, .. } = self;
            streams.expire(deadline, &mut |message| {
                stream_message(pairing, short_messages, deadline, &message, out);
            });
            self.streams_due = self.streams.soonest();
        }
    }

    /// The end of the capture at `now`: hands out everything that still waits.
    pub fn finish(&mut self, now: Timestamp, out: &mut impl Consumer) {
        self.advance(now, out);
        let Self { streams, pairing, short_messages, .. } = self;
        streams.finish(&mut |message| stream_message(pairing, short_messages, now, &message, out));
        pairing.finish(out);
    }

    /// Counters since the start.
    pub fn stats(&self) -> TrackerStats {
        TrackerStats {
            pairing: *self.pairing.stats(),
            streams: *self.streams.stats(),
            short_messages: self.short_messages,
        }
    }
}

fn stream_message(
    pairing: &mut Pairing,
    short_messages: &mut u64,
    now: Timestamp,
    message: &StreamMessage<'_>,
    out: &mut impl Consumer,
) {
    let mut walk = Walk::new(message.bytes);
    if walk.questions().is_none() {
        *short_messages += 1;
        return;
    }
    let observed = Observed { time: message.time, message: walk.records(), missing: 0, frame_len: 0 };
    pairing.message(now, &Arrival { flow: &message.flow, transport: Transport::Tcp, observed }, out);
}
