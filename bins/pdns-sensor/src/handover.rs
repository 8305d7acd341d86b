//! Packets on their way to a worker in another thread, in batches whose memory goes round.

use pdns_packet::frame::{Flow, TcpFlags, TcpSegment};
use pdns_packet::time::Timestamp;
use pdns_track::{Body, Dissected, Shards};

use crate::pipeline::Wants;

/// With so many packets for a worker it is time to hand them over.
const ENOUGH_PACKETS: usize = 128;

/// How many packets a batch takes at most.
const MOST_PACKETS: usize = 1024;

/// How many bytes of payload a batch takes before it is full.
const MOST_BYTES: usize = 128 * 1024;

/// Copies each packet to a batch for the worker that its flow belongs to.
///
/// Each worker has a dealer of its own. Packets are put together in memory that no other core ever sees, and go over in one
/// piece: to write word by word to what another core has read means to wait for that core time and again.
pub(crate) struct Dealer {
    worker: usize,
    shards: Shards,
    /// What is being dealt out, one for each worker.
    piles: Vec<Packets>,
    /// Emptied batches that have come back.
    spare: Vec<Packets>,
}

impl Dealer {
    /// The dealer of a worker.
    pub(crate) fn new(worker: usize, shards: Shards) -> Self {
        let piles = (0..shards.count()).map(|_| Packets::of(worker)).collect();
        Self { worker, shards, piles, spare: Vec::new() }
    }

    /// Takes a packet.
    pub(crate) fn deal(&mut self, packet: &Dissected<'_>) -> Wants {
        let pile = &mut self.piles[self.shards.of(packet.flow)];
        pile.push(packet);
        match pile.items.len() {
            MOST_PACKETS.. => Wants::Nothing,
            _ if pile.bytes.len() >= MOST_BYTES => Wants::Nothing,
            ENOUGH_PACKETS.. => Wants::Buffered,
            _ => Wants::More,
        }
    }

    /// Takes emptied batches back.
    pub(crate) fn take_back(&mut self, emptied: &mut Vec<Packets>) {
        self.spare.append(emptied);
    }

    /// What has been dealt out, a batch for each worker that is to get one: all of them when they are to `flush`.
    pub(crate) fn hand_out(&mut self, flush: bool) -> impl Iterator<Item = (usize, Packets)> {
        let Self { worker, piles, spare, .. } = self;
        let piles = piles.iter_mut().enumerate().filter(move |(_, pile)| flush || !pile.items.is_empty());
        piles.map(move |(to, pile)| {
            let mut batch = spare.pop().unwrap_or_else(|| Packets::of(*worker));
            if to == *worker {
                std::mem::swap(&mut batch, pile);
            } else {
                batch.bytes.extend_from_slice(&pile.bytes);
                batch.items.extend_from_slice(&pile.items);
                pile.clear();
            }
            batch.flush = flush;
            (to, batch)
        })
    }
}

/// Packets of one worker: headers here, payloads end to end in one buffer.
#[derive(Debug)]
pub(crate) struct Packets {
    bytes: Vec<u8>,
    items: Vec<Item>,
    flush: bool,
    dealer: usize,
}

impl Packets {
    /// None yet, dealt out by this worker.
    const fn of(dealer: usize) -> Self {
        Self { bytes: Vec::new(), items: Vec::new(), flush: false, dealer }
    }

    /// The worker that dealt them out, and wants the memory back.
    pub(crate) const fn dealer(&self) -> usize {
        self.dealer
    }

    /// Whether the worker is to hand over its records after this batch.
    pub(crate) const fn is_flush(&self) -> bool {
        self.flush
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Dissected<'_>> {
        self.items.iter().map(|item| item.packet(&self.bytes))
    }

    /// When the last of them came.
    pub(crate) fn latest(&self) -> Option<Timestamp> {
        self.items.last().map(|item| item.now)
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.items.clear();
        self.flush = false;
    }

    fn push(&mut self, packet: &Dissected<'_>) {
        let start = self.bytes.len();
        let body = match packet.body {
            Body::Udp { payload, missing, frame_len } => {
                self.bytes.extend_from_slice(payload);
                Header::Udp { missing, frame_len }
            }
            Body::Tcp(TcpSegment { seq, ack, flags, payload, missing }) => {
                self.bytes.extend_from_slice(payload);
                Header::Tcp { seq, ack, flags, missing }
            }
        };
        let length = self.bytes.len() - start;
        self.items.push(Item { now: packet.now, time: packet.time, flow: *packet.flow, body, start, length });
    }
}

#[derive(Clone, Copy, Debug)]
struct Item {
    now: Timestamp,
    time: Timestamp,
    flow: Flow,
    body: Header,
    start: usize,
    length: usize,
}

#[derive(Clone, Copy, Debug)]
enum Header {
    Udp { missing: usize, frame_len: u32 },
    Tcp { seq: u32, ack: u32, flags: TcpFlags, missing: usize },
}

impl Item {
    fn packet<'a>(&'a self, bytes: &'a [u8]) -> Dissected<'a> {
        let payload = &bytes[self.start..][..self.length];
        let body = match self.body {
            Header::Udp { missing, frame_len } => Body::Udp { payload, missing, frame_len },
            Header::Tcp { seq, ack, flags, missing } => Body::Tcp(TcpSegment { seq, ack, flags, payload, missing }),
        };
        Dissected { now: self.now, time: self.time, flow: &self.flow, body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pdns_packet::frame::VlanTags;

    fn flow(client: u8) -> Flow {
        let (src, dst) = ([192, 0, 2, client].into(), [192, 0, 2, 53].into());
        Flow { src, dst, src_port: 1024, dst_port: 53, vlan: VlanTags::NONE }
    }

    #[test]
    fn packets_come_out_as_they_went_in_and_memory_goes_round() {
        let shards = Shards::new(3);
        let mut dealer = Dealer::new(1, shards.clone());
        for round in 0..3 {
            for number in 0..100u8 {
                let (now, payload) = (Timestamp::new(round, number.into()), &[number; 300][..usize::from(number)]);
                let body = match number % 2 {
                    0 => Body::Udp { payload, missing: 2, frame_len: 3 },
                    _ => Body::Tcp(TcpSegment { seq: 4, ack: 5, flags: TcpFlags(6), payload, missing: 7 }),
                };
                dealer.deal(&Dissected { now, time: now.plus(-1), flow: &flow(number % 10), body });
            }
            let mut batches: Vec<_> = dealer.hand_out(true).map(|(_, batch)| batch).collect();
            assert_eq!(batches.len(), 3);
            for (worker, batch) in batches.iter().enumerate() {
                assert!(batch.is_flush() && batch.dealer() == 1);
                let number = |packet: &Dissected<'_>| packet.now.since(Timestamp::new(round, 0));
                let numbers: Vec<_> = batch.iter().map(|packet| number(&packet)).collect();
                let expected = (0..100u8).filter(|number| shards.of(&flow(number % 10)) == worker).map(i64::from);
                assert_eq!(numbers, expected.collect::<Vec<_>>());
                for packet in batch.iter() {
                    let number = number(&packet) as usize;
                    let (Body::Udp { payload, .. } | Body::Tcp(TcpSegment { payload, .. })) = packet.body;
                    assert!(payload.len() == number && payload.iter().all(|&byte| usize::from(byte) == number));
                    assert_eq!((*packet.flow, packet.time), (flow((number % 10) as u8), packet.now.plus(-1)));
                }
            }
            batches.iter_mut().for_each(Packets::clear);
            dealer.take_back(&mut batches);
            assert_eq!(dealer.hand_out(false).count(), 0, "none is there twice");
        }
        assert_eq!(dealer.spare.len(), 3);
    }

    #[test]
    fn a_pile_is_enough_and_then_full() {
        let mut dealer = Dealer::new(0, Shards::new(1));
        let mut deal = |payload: &[u8]| {
            let body = Body::Udp { payload, missing: 0, frame_len: 0 };
            let now = Timestamp::default();
            dealer.deal(&Dissected { now, time: now, flow: &flow(1), body })
        };
        let wants: Vec<_> = (0..MOST_PACKETS).map(|_| deal(b"")).collect();
        assert!(wants[..ENOUGH_PACKETS - 1].iter().all(|&wants| wants == Wants::More));
        assert!(wants[ENOUGH_PACKETS - 1..MOST_PACKETS - 1].iter().all(|&wants| wants == Wants::Buffered));
        assert_eq!(wants[MOST_PACKETS - 1], Wants::Nothing);
        assert_eq!(dealer.hand_out(false).count(), 1);
        let mut deal = |payload: &[u8]| {
            let body = Body::Udp { payload, missing: 0, frame_len: 0 };
            let now = Timestamp::default();
            dealer.deal(&Dissected { now, time: now, flow: &flow(1), body })
        };
        assert_eq!([deal(&vec![0; MOST_BYTES - 1]), deal(&[0])], [Wants::More, Wants::Nothing]);
    }
}
