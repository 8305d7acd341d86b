//! What a sink is.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};

use pdns_record::Encoding;

use crate::{Batch, Failure, Outcome};

/// A receiver of records, as the frame sees it.
///
/// The frame gives each sink a thread of its own, on which all methods are called and may wait, and does everything that sinks have in common:
/// the queue before it and what happens when that is full, merging and cutting batches, retries and their pauses, the
/// spool, the counters, the log. A sink only tries to deliver what it is given, once, and says what became of it.
///
/// A sink that delivers one batch at a time, waiting for each, is easier written as [`Deliver`].
///
/// **Making one** does no I/O and cannot fail for reasons outside of its settings: `--check-config` makes all sinks. It
/// connects when it is first called, and again by itself after a failure.
pub trait Sink: Send {
    /// What the sink wants to be given. Asked once, at the start.
    fn needs(&self) -> Needs;

    /// Where records go, as messages name it: `kafka1:9092 topic dns`. Without secrets.
    fn target(&self) -> String;

    /// Called once, before the first delivery: connects and looks whether the target would take records, without sending
    /// any. A failure is logged and nothing else: deliveries are tried all the same.
    ///
    /// # Errors
    /// Why records would not be taken now.
    fn start(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Begins a delivery. Called while fewer than [`Needs::window`] are under way.
    ///
    /// What becomes of it is told by [`Delivery::finish`], before this returns or later, from any thread. While one
    /// delivery fails and waits for its next try, others may be under way: with a window larger than one the order of
    /// records can change.
    fn submit(&mut self, delivery: Delivery);

    /// A delivery has taken longer than allowed: its connection is not to be trusted. It will be tried again under another
    /// id; what is finished under this one no longer counts.
    fn expire(&mut self, id: DeliveryId) {
        let _ = id;
    }

    /// Someone has moved or replaced what is written to, and asks to open it anew (SIGHUP).
    ///
    /// # Errors
    /// Why it could not be opened; it is tried again with the next delivery.
    fn reopen(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Called about once a second while there is nothing to deliver, for what depends on time alone.
    fn idle(&mut self) {}
}

/// What a sink wants to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// How records are encoded.
    pub encoding: Encoding,
    /// Whether each record comes with a [`Detail`](crate::Detail).
    pub detailed: bool,
    /// How many deliveries may be under way at once; at least 1.
    pub window: usize,
    /// How many bytes of records a delivery should have at most: smaller batches are merged up to this, larger ones are
    /// cut between records. A single record may be larger.
    pub batch_bytes: usize,
    /// How many records a delivery has at most.
    pub batch_records: u64,
    /// Whether the sink itself bounds the time of a delivery, so that the frame does not.
    pub own_timeout: bool,
}

impl Needs {
    /// One delivery at a time, each of up to 256 KiB, without details.
    pub const fn new(encoding: Encoding) -> Self {
        Self {
            encoding,
            detailed: false,
            window: 1,
            batch_bytes: 256 << 10,
            batch_records: u64::MAX,
            own_timeout: false,
        }
    }

    /// With details of each record.
    #[must_use]
    pub const fn detailed(self) -> Self {
        Self { detailed: true, ..self }
    }

    /// With so many deliveries under way at once.
    #[must_use]
    pub const fn window(self, window: usize) -> Self {
        Self { window, ..self }
    }

    /// With so many bytes in a delivery.
    #[must_use]
    pub const fn batch_bytes(self, batch_bytes: usize) -> Self {
        Self { batch_bytes, ..self }
    }

    /// With so many records in a delivery.
    #[must_use]
    pub const fn batch_records(self, batch_records: u64) -> Self {
        Self { batch_records, ..self }
    }
}

/// The number of one try to deliver one batch. The next try has another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId(pub u64);

/// One try to deliver a batch. It is to be finished with an [`Outcome`]; one that is dropped unfinished counts as failed and
/// is tried again.
pub struct Delivery {
    id: DeliveryId,
    batch: Arc<Batch>,
    report: Option<Box<dyn FnOnce(DeliveryId, Outcome) + Send>>,
}

impl Delivery {
    /// A delivery whose outcome goes to `report`.
    pub fn new(id: DeliveryId, batch: Arc<Batch>, report: impl FnOnce(DeliveryId, Outcome) + Send + 'static) -> Self {
        Self { id, batch, report: Some(Box::new(report)) }
    }

    /// A delivery whose outcome can be waited for: what a sink is tried with alone.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use pdns_record::{Encoding, Layout};
    /// # use pdns_sink::{Batch, Delivery, Outcome};
    /// let batch = Batch::new(Encoding::json(Layout::Answer), false);
    /// let (delivery, outcome) = Delivery::alone(Arc::new(batch));
    /// std::thread::spawn(move || delivery.finish(Outcome::Delivered));
    /// assert_eq!(outcome.recv(), Ok(Outcome::Delivered));
    /// ```
    pub fn alone(batch: Arc<Batch>) -> (Self, Receiver<Outcome>) {
        let (sender, outcome) = mpsc::channel();
        let report = move |_, outcome| {
            // Whoever asked may no longer want to know.
            drop(sender.send(outcome));
        };
        (Self::new(DeliveryId(0), batch, report), outcome)
    }

    /// The number of this try.
    pub const fn id(&self) -> DeliveryId {
        self.id
    }

    /// What is to be delivered.
    pub const fn batch(&self) -> &Arc<Batch> {
        &self.batch
    }

    /// Says what became of it.
    pub fn finish(mut self, outcome: Outcome) {
        self.report(outcome);
    }

    fn report(&mut self, outcome: Outcome) {
        if let Some(report) = self.report.take() {
            report(self.id, outcome);
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.report(Outcome::Retry(Failure::new("the delivery was abandoned")));
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Delivery").field("id", &self.id).field("records", &self.batch.records()).finish()
    }
}

/// A sink that delivers one batch at a time and waits until it is taken or not: every such type is a [`Sink`].
///
/// Since it waits on the sink's own thread, it has to give up by itself where the receiver does not answer.
pub trait Deliver: Send {
    /// See [`Sink::needs`]; the window is 1, and the timeout the sink's own.
    fn needs(&self) -> Needs;

    /// See [`Sink::target`].
    fn target(&self) -> String;

    /// See [`Sink::start`].
    ///
    /// # Errors
    /// Why records would not be taken now.
    fn start(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Delivers a batch and waits until it is taken, or until it is clear that it will not be.
    fn deliver(&mut self, batch: &Batch) -> Outcome;

    /// See [`Sink::reopen`].
    ///
    /// # Errors
    /// Why it could not be opened.
    fn reopen(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// See [`Sink::idle`].
    fn idle(&mut self) {}
}

impl<T: Deliver + ?Sized> Deliver for Box<T> {
    fn needs(&self) -> Needs {
        (**self).needs()
    }

    fn target(&self) -> String {
        (**self).target()
    }

    fn start(&mut self) -> Result<(), Failure> {
        (**self).start()
    }

    fn deliver(&mut self, batch: &Batch) -> Outcome {
        (**self).deliver(batch)
    }

    fn reopen(&mut self) -> Result<(), Failure> {
        (**self).reopen()
    }

    fn idle(&mut self) {
        (**self).idle();
    }
}

impl<T: Deliver> Sink for T {
    fn needs(&self) -> Needs {
        Needs { window: 1, own_timeout: true, ..Deliver::needs(self) }
    }

    fn target(&self) -> String {
        Deliver::target(self)
    }

    fn start(&mut self) -> Result<(), Failure> {
        Deliver::start(self)
    }

    fn submit(&mut self, delivery: Delivery) {
        let outcome = self.deliver(delivery.batch());
        delivery.finish(outcome);
    }

    fn reopen(&mut self) -> Result<(), Failure> {
        Deliver::reopen(self)
    }

    fn idle(&mut self) {
        Deliver::idle(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pdns_record::Layout;

    #[test]
    fn a_delivery_that_is_forgotten_is_tried_again() {
        let batch = Arc::new(Batch::new(Encoding::json(Layout::Answer), false));
        let (delivery, outcome) = Delivery::alone(batch);
        drop(delivery);
        assert_eq!(outcome.recv(), Ok(Outcome::Retry(Failure::new("the delivery was abandoned"))));
        assert!(outcome.recv().is_err(), "it is told once");
    }
}
