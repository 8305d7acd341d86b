//! What became of a delivery.

use std::fmt;
use std::time::Duration;

/// What became of the records of one delivery, as the sink sees it. Each variant says what the frame does next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The receiver has taken all records. They are counted as delivered and forgotten.
    Delivered,
    /// The receiver has not taken the records, or nobody knows whether it has: no connection, no answer in time, busy.
    /// They are delivered again after a pause that grows with each failure, for as long as it takes.
    Retry(Failure),
    /// The batch is larger than the receiver takes. It is delivered again at once, in halves. A single record that is too
    /// large is dropped as refused.
    Split(Failure),
    /// The receiver will never take these records. They are dropped as refused, and kept as dead letters where there is a
    /// place for them.
    Refused(Failure),
    /// The receiver has taken some of the records; the others have their own fates.
    Partly(Partly),
    /// Nothing will be taken until a person acts: not authorised, no such topic. As [`Retry`](Self::Retry), but with the
    /// longest pause at once, and said as an error for as long as it lasts.
    Stop(Failure),
    /// The receiver has gone for good and nobody wants the records any more: a closed pipe. All records are dropped, and
    /// all that come after them.
    Closed,
}

/// What became of the records of a delivery of which the receiver took some. Records are named by their place in the
/// batch, counted from 0; those not named are delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partly {
    /// Places of records that will never be taken, in order, each with the reason.
    pub refused: Vec<(usize, String)>,
    /// Places of records to deliver again, in order.
    pub again: Vec<usize>,
    /// Why they are to be delivered again.
    pub reason: Option<Failure>,
    /// How many records the receiver has taken without their end, because they are longer than it takes.
    pub cut: u64,
}

/// Nothing but [`Outcome::Delivered`] where there is nothing to tell.
impl From<Partly> for Outcome {
    fn from(partly: Partly) -> Self {
        if partly == Partly::default() { Self::Delivered } else { Self::Partly(partly) }
    }
}

/// Why records were not delivered: the end of a message that begins with the sink and its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// In lower case, without a period: `connection refused`.
    pub reason: String,
    /// How long the receiver asked to be left alone.
    pub pause: Option<Duration>,
    /// Whether these very records may be the reason, because the receiver did answer. A batch that fails so again and
    /// again is split, down to the record that does not pass, and that one is dropped as refused.
    pub is_suspect: bool,
}

impl Failure {
    /// A failure that lies with the receiver or the way to it.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), pause: None, is_suspect: false }
    }

    /// With the pause that the receiver asked for.
    #[must_use]
    pub fn with_pause(self, pause: Duration) -> Self {
        Self { pause: Some(pause), ..self }
    }

    /// As one that may lie with these very records.
    #[must_use]
    pub fn suspect(self) -> Self {
        Self { is_suspect: true, ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.reason)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    /// With the error's text and its causes, where they are not in it already.
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let more = error.to_string();
            if !text.ends_with(&more) {
                text = format!("{text}: {more}");
            }
            cause = error.source();
        }
        Self::new(text)
    }
}
