//! One worker: packets in, transactions out, and what it counted.

use pdns_packet::time::Timestamp;
use pdns_sink::DirectError;
use pdns_track::{Consumer, Dissected, Status, Tracker, Transaction};

use crate::board::Counters;
use crate::delays::Delays;
use crate::output::{Output, Sinks};
use crate::settings::Settings;

/// A tracker with its output.
pub(crate) struct Worker {
    tracker: Tracker,
    transactions: Transactions,
}

impl Worker {
    pub(crate) fn new(settings: &Settings, sinks: Option<Sinks>, number: u16) -> Self {
        let tracker = settings.tracker.clone().share(settings.workers);
        Self {
            tracker: Tracker::new(tracker),
            transactions: Transactions { delays: Delays::default(), output: Output::new(settings, sinks, number) },
        }
    }

    pub(crate) fn packet(&mut self, packet: &Dissected<'_>) {
        self.tracker.packet(packet, &mut self.transactions);
    }

    /// Reports everything that is due at `now`.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        self.tracker.advance(now, &mut self.transactions);
    }

    /// Hands over the records there are, however few.
    pub(crate) fn flush(&mut self) {
        self.transactions.output.flush();
    }

    /// Whether records can no longer be delivered.
    pub(crate) const fn has_failed(&self) -> bool {
        self.transactions.output.has_failed()
    }

    /// Whether nobody takes records any more, which sinks may find out while no records come.
    pub(crate) fn is_unread(&self) -> bool {
        self.transactions.output.is_gone()
    }

    /// The end of the capture at `now`: everything that still waits is reported.
    pub(crate) fn finish(&mut self, now: Timestamp) {
        self.tracker.finish(now, &mut self.transactions);
        self.flush();
    }

    /// Writes down what was counted.
    pub(crate) fn count(&self, counters: &mut Counters) {
        let Transactions { delays, output } = &self.transactions;
        counters.tracker = self.tracker.stats();
        counters.delays = *delays;
        counters.records = output.records();
        counters.unwanted = output.unwanted();
        counters.shortened = output.shortened();
    }

    /// Why records could not be delivered.
    pub(crate) fn failure(self) -> Option<DirectError> {
        self.transactions.output.failure()
    }
}

/// Where transactions go: their delays are counted on the way to the output.
struct Transactions {
    delays: Delays,
    output: Output,
}

impl Consumer for Transactions {
    fn transaction(&mut self, transaction: &Transaction<'_>) {
        // That of a duplicate is the delay of another response.
        if transaction.status == Status::Answered
            && let (Some(query), Some(response)) = (transaction.query, transaction.response)
        {
            self.delays.count(response.time.since(query.time));
        }
        self.output.transaction(transaction);
    }
}
