//! Packets from the reader to workers in threads of their own, in batches whose memory goes round.

use std::ops::Range;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use pdns_packet::frame::{Flow, TcpFlags, TcpSegment};
use pdns_packet::time::Timestamp;
use pdns_sink::DirectError;
use pdns_track::{Body, Dissected, Shards};

use crate::board::{INTERVAL, Pace, Slot};
use crate::worker::Worker;

/// How many bytes of payload a batch takes before it is handed over.
const BATCH_BYTES: usize = 128 * 1024;

/// How many packets a batch takes before it is handed over.
const BATCH_PACKETS: usize = 1024;

/// How many batches may wait for a worker; then the reader waits for it.
const QUEUE: usize = 4;

/// The workers, as the reader sees them.
pub(crate) struct Crew {
    shards: Shards,
    lanes: Vec<Lane>,
    failed: bool,
}

struct Lane {
    filling: Packets,
    to_worker: SyncSender<Packets>,
    emptied: Receiver<Packets>,
    thread: JoinHandle<Option<DirectError>>,
}

impl Crew {
    /// Starts a thread for each worker.
    pub(crate) fn start(workers: impl Iterator<Item = (Worker, Slot)>) -> Result<Self> {
        let start = |(index, (worker, slot))| Lane::start(index, worker, slot);
        let lanes = workers.enumerate().map(start).collect::<Result<Vec<_>>>()?;
        Ok(Self { shards: Shards::new(lanes.len()), lanes, failed: false })
    }

    /// Copies a packet to its worker's batch; tells which that is when it is full.
    #[must_use]
    pub(crate) fn packet(&mut self, packet: &Dissected<'_>) -> Option<usize> {
        let index = self.shards.of(&packet.flow);
        let lane = &mut self.lanes[index];
        lane.filling.push(packet);
        lane.filling.is_full().then_some(index)
    }

    /// Hands a full batch over, waiting for room.
    pub(crate) fn hand_over(&mut self, index: usize) {
        self.failed |= !self.lanes[index].hand_over();
    }

    /// Hands over what there is, however little, and has the workers do so too.
    pub(crate) fn flush(&mut self) {
        for lane in &mut self.lanes {
            lane.filling.flush = true;
            self.failed |= !lane.hand_over();
        }
    }

    /// Whether a worker no longer takes packets: its sink has failed.
    pub(crate) const fn has_failed(&self) -> bool {
        self.failed
    }

    /// Tells all workers that the capture ended at `now`, and waits for them: why records could not be delivered, of each
    /// worker, or that it panicked.
    pub(crate) fn finish(self, now: Timestamp) -> Vec<Result<Option<DirectError>>> {
        let threads: Vec<_> = self
            .lanes
            .into_iter()
            .map(|mut lane| {
                lane.filling.end = Some(now);
                // A worker that has gone has its failure ready.
                lane.hand_over();
                lane.thread
            })
            .collect();
        let ended = |thread: JoinHandle<_>| {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            thread.join().map_err(|_| anyhow!("thread {name} panicked: what it was at is lost"))
        };
        threads.into_iter().map(ended).collect()
    }
}

impl Lane {
    fn start(index: usize, worker: Worker, slot: Slot) -> Result<Self> {
        let (to_worker, packets) = sync_channel(QUEUE);
        let (give_back, emptied) = channel();
        let thread = thread::Builder::new()
            .name(format!("worker-{index}"))
            .spawn(move || work(worker, &slot, &packets, &give_back))
            .context("cannot start a worker thread")?;
        Ok(Self { filling: Packets::default(), to_worker, emptied, thread })
    }

    /// Sends the batch, waiting for room, and goes on with an emptied one. A worker whose sink has failed has gone.
    fn hand_over(&mut self) -> bool {
        if self.filling.is_idle() {
            return true;
        }
        let next = self.emptied.try_recv().unwrap_or_default();
        self.to_worker.send(std::mem::replace(&mut self.filling, next)).is_ok()
    }
}

fn work(
    mut worker: Worker,
    slot: &Slot,
    packets: &Receiver<Packets>,
    give_back: &Sender<Packets>,
) -> Option<DirectError> {
    let mut end = Timestamp::default();
    let mut pace = Pace::new();
    let mut news = false;
    loop {
        let mut batch = match packets.recv_timeout(INTERVAL) {
            Ok(batch) => batch,
            Err(RecvTimeoutError::Timeout) => {
                if std::mem::take(&mut news) {
                    slot.put_up(|counters| worker.count(counters));
                }
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        };
        for item in &batch.items {
            worker.packet(&item.packet(&batch.bytes));
        }
        if batch.flush {
            worker.flush();
        }
        news = !(batch.flush || pace.is_due(Instant::now()));
        if !news {
            slot.put_up(|counters| worker.count(counters));
        }
        end = batch.end.or_else(|| batch.items.last().map(|item| item.now)).unwrap_or(end);
        let ended = batch.end.is_some();
        batch.clear();
        // The reader may have gone; then nobody needs the memory back.
        drop(give_back.send(batch));
        if ended || worker.has_failed() {
            break;
        }
    }
    worker.finish(end);
    slot.put_up(|counters| worker.count(counters));
    worker.failure()
}

/// Packets of one worker: headers here, payloads end to end in one buffer.
#[derive(Debug, Default)]
struct Packets {
    bytes: Vec<u8>,
    items: Vec<Item>,
    /// The worker is to hand over its records after this batch: the reader has nothing more at the moment.
    flush: bool,
    /// The capture has ended.
    end: Option<Timestamp>,
}

impl Packets {
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
        let payload = start..self.bytes.len();
        self.items.push(Item { now: packet.now, time: packet.time, flow: packet.flow, body, payload });
    }

    fn is_idle(&self) -> bool {
        self.items.is_empty() && !self.flush && self.end.is_none()
    }

    fn is_full(&self) -> bool {
        self.bytes.len() >= BATCH_BYTES || self.items.len() >= BATCH_PACKETS
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.items.clear();
        self.flush = false;
        self.end = None;
    }
}

#[derive(Debug)]
struct Item {
    now: Timestamp,
    time: Timestamp,
    flow: Flow,
    body: Header,
    payload: Range<usize>,
}

#[derive(Clone, Copy, Debug)]
enum Header {
    Udp { missing: usize, frame_len: u32 },
    Tcp { seq: u32, ack: u32, flags: TcpFlags, missing: usize },
}

impl Item {
    fn packet<'a>(&self, bytes: &'a [u8]) -> Dissected<'a> {
        let payload = &bytes[self.payload.clone()];
        let body = match self.body {
            Header::Udp { missing, frame_len } => Body::Udp { payload, missing, frame_len },
            Header::Tcp { seq, ack, flags, missing } => Body::Tcp(TcpSegment { seq, ack, flags, payload, missing }),
        };
        Dissected { now: self.now, time: self.time, flow: self.flow, body }
    }
}
