//! What becomes of a delivery: what is tried again, cut into parts, told apart or given up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::parcel::{Origin, Parcel};
use super::{Line, News, State};
use crate::{Batch, DeliveryId, DropReason, Failure, Outcome, Partly};

impl Line {
    /// What became of a delivery.
    pub(crate) fn outcome(&mut self, now: Instant, id: DeliveryId, outcome: Outcome) {
        let Some(place) = self.flights.iter().position(|flight| flight.id == id) else {
            return self.late(now, id, &outcome);
        };
        let parcel = self.flights.swap_remove(place).parcel;
        match outcome {
            Outcome::Delivered => self.delivered(now, &parcel),
            Outcome::Retry(failure) if failure.is_suspect => {
                self.fail(now, &failure, false);
                self.suspect(now, parcel, &failure);
            }
            Outcome::Retry(failure) => {
                self.fail(now, &failure, false);
                self.again(parcel);
            }
            Outcome::Stop(failure) => {
                self.fail(now, &failure, true);
                self.again(parcel);
            }
            Outcome::Split(failure) => self.split(now, parcel, &failure),
            Outcome::Refused(failure) => self.refuse(now, &parcel, parcel.batch.clone(), failure.reason),
            Outcome::Partly(partly) => self.partly(now, parcel, partly),
            Outcome::Closed => self.gone(parcel),
        }
    }

    fn delivered(&mut self, now: Instant, parcel: &Parcel) {
        self.stats.delivered += parcel.records();
        self.stats.delivered_bytes += parcel.batch.bytes().len() as u64;
        self.stats.batches += 1;
        self.succeed(now);
        self.settle(parcel.origin, parcel.records());
    }

    /// An outcome that comes after its time. If it was delivered after all, it need not be sent again.
    fn late(&mut self, now: Instant, id: DeliveryId, outcome: &Outcome) {
        let Some(place) = self.again.iter().position(|parcel| parcel.last == Some(id)) else { return };
        if *outcome == Outcome::Delivered
            && let Some(parcel) = self.again.remove(place)
        {
            self.delivered(now, &parcel);
        }
    }

    /// Puts a parcel back, before those that are younger and what was cut off it.
    pub(super) fn again(&mut self, parcel: Parcel) {
        let place = self.again.partition_point(|other| other.order() < parcel.order());
        self.again.insert(place, parcel);
    }

    fn suspect(&mut self, now: Instant, mut parcel: Parcel, failure: &Failure) {
        parcel.suspicions += 1;
        if parcel.suspicions < SUSPECT_TRIES && parcel.aside.is_none() {
            return self.again(parcel);
        }
        // Its parts have less to prove.
        parcel.suspicions = SUSPECT_TRIES - 2;
        if parcel.records() > 1 {
            return self.split(now, parcel, failure);
        }
        // While nothing is taken it is the receiver's fault, however long that lasts.
        let delivered = self.stats.batches;
        parcel.proofs += u32::from(parcel.aside.is_some_and(|then| delivered > then));
        if parcel.proofs >= PROOFS {
            return self.refuse(now, &parcel, parcel.batch.clone(), failure.reason.clone());
        }
        parcel.aside = Some(delivered);
        self.again(parcel);
    }

    fn split(&mut self, now: Instant, parcel: Parcel, failure: &Failure) {
        match parcel.batch.halves() {
            Some(halves) => halves.into_iter().rev().for_each(|half| self.again(parcel.part(half))),
            None => self.refuse(now, &parcel, parcel.batch.clone(), failure.reason.clone()),
        }
    }

    fn refuse(&mut self, now: Instant, parcel: &Parcel, batch: Arc<Batch>, reason: String) {
        let records = batch.records();
        self.stats.drop(DropReason::Refused, records);
        self.last_error = Some((reason.clone(), now));
        self.settle(parcel.origin, records);
        self.news.push(News::Refused { batch, reason });
    }

    fn partly(&mut self, now: Instant, parcel: Parcel, partly: Partly) {
        let Partly { refused, again, reason, cut } = partly;
        self.stats.cut += cut;
        let lost: Vec<usize> = refused.iter().map(|(place, _)| *place).collect();
        let (left, lost) = (parcel.batch.select(&again), parcel.batch.select(&lost));
        let delivered = parcel.records().saturating_sub(left.records() + lost.records());
        self.stats.delivered += delivered;
        self.stats.batches += 1;
        self.stats.delivered_bytes +=
            parcel.batch.bytes().len().saturating_sub(left.bytes().len() + lost.bytes().len()) as u64;
        self.settle(parcel.origin, delivered);
        if let Some((_, reason)) = refused.into_iter().next() {
            self.refuse(now, &parcel, Arc::new(lost), reason);
        }
        if left.is_empty() {
            return self.succeed(now);
        }
        if delivered > 0 {
            self.backoff.reset();
        }
        self.fail(now, &reason.unwrap_or_else(|| Failure::new("not all records were taken")), false);
        self.again(parcel.part(left));
    }

    /// The receiver has gone: everything in memory is dropped, and everything that comes.
    fn gone(&mut self, parcel: Parcel) {
        self.news.push(News::Gone);
        self.again.push_back(parcel);
        self.again.extend(self.flights.drain(..).map(|flight| flight.parcel));
        for parcel in std::mem::take(&mut self.again) {
            if parcel.origin == Origin::Memory {
                self.stats.drop(DropReason::Closed, parcel.records());
            }
        }
        self.drop_queue(DropReason::Closed);
        if self.state == State::Open {
            self.state = State::Gone;
        }
    }

    pub(super) fn fail(&mut self, now: Instant, failure: &Failure, is_final: bool) {
        let is_pausing = self.pause.is_some_and(|pause| now < pause);
        // Deliveries that were under way together fail for one reason, which counts once.
        if !is_pausing {
            let pause = if is_final { self.backoff.stop() } else { self.backoff.fail() };
            let mut pause = pause.max(failure.pause.unwrap_or_default());
            if matches!(self.state, State::Closing(_)) {
                pause = pause.min(CLOSING_PAUSE);
            }
            self.pause = Some(now + pause);
        }
        let pause = self.pause.map_or(Duration::ZERO, |pause| pause.saturating_duration_since(now));
        self.note(now, failure, is_final, pause);
    }

    pub(super) fn note(&mut self, now: Instant, failure: &Failure, is_final: bool, pause: Duration) {
        self.failing_since.get_or_insert(now);
        self.last_error = Some((failure.reason.clone(), now));
        let (reason, failures) = (failure.reason.clone(), self.backoff.failures());
        self.news.push(News::Failed { reason, is_final, pause, failures, waiting: self.waiting_records() });
    }

    fn succeed(&mut self, now: Instant) {
        self.backoff.reset();
        self.pause = None;
        if let Some(since) = self.failing_since.take() {
            self.news.push(News::Recovered { after: now.saturating_duration_since(since) });
        }
    }

    fn settle(&mut self, origin: Origin, records: u64) {
        if let (Origin::Spool(number), Some(disk)) = (origin, &mut self.disk) {
            disk.settle(number, records);
        }
    }
}

/// How often a batch fails in a way that may be its own fault until it is split.
const SUSPECT_TRIES: u32 = 4;

/// How often a record by itself fails after others were delivered until it is refused.
const PROOFS: u32 = 2;

/// The longest pause between tries once the end has begun.
const CLOSING_PAUSE: Duration = Duration::from_millis(500);
