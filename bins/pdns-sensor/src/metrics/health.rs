//! Whether all is well: whether the program does what it is there for.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use pdns_sink::SinkReport;

use super::family::{Family, Kind, Value};
use crate::board::Board;

/// How long a worker that captures may be silent. It puts up its counters every second, whatever comes.
const MAX_SILENCE: Duration = Duration::from_secs(10);

/// How long a sink may fail. Receivers are restarted now and then.
const MAX_FAILING: Duration = Duration::from_secs(60);

/// What there is to know of the program's health.
pub(crate) struct Health {
    board: Arc<Board>,
    /// Whether interfaces are captured from. A capture file may be a pipe that has nothing to say for as long as it takes.
    is_live: bool,
}

impl Health {
    pub(crate) const fn new(board: Arc<Board>, is_live: bool) -> Self {
        Self { board, is_live }
    }

    /// What is wrong at the moment; nothing when all is well.
    pub(crate) fn troubles(&self) -> Vec<String> {
        let mut troubles: Vec<_> = self.board.interfaces().troubles().into_values().flatten().collect();
        let silence = self.board.silence(Instant::now());
        if self.is_live && silence > MAX_SILENCE {
            troubles.push(format!("a worker has put up no counters for {} s", silence.as_secs()));
        }
        troubles.extend(self.board.account().sinks.iter().filter_map(|sink| failing(sink, SystemTime::now())));
        troubles
    }

    /// The same as metrics.
    pub(crate) fn families(&self) -> [Family; 2] {
        let interfaces = self.board.interfaces().troubles().into_iter();
        let is_healthy = u64::from(self.troubles().is_empty());
        [
            Family::by(
                Kind::Gauge,
                "pdns_capture_interface_up",
                "Whether an interface is captured from",
                "interface",
                interfaces.map(|(name, trouble)| (name, u64::from(trouble.is_none()))),
            ),
            Family::single(
                Kind::Gauge,
                "pdns_healthy",
                "Whether all is well, as /healthz says",
                Value::Count(is_healthy),
            ),
        ]
    }
}

/// What is wrong with a sink, when it has been for long enough to matter.
fn failing(sink: &SinkReport, now: SystemTime) -> Option<String> {
    let failing = now.duration_since(sink.stats.failing_since?).unwrap_or_default();
    let error = sink.stats.last_error.as_ref().map_or("it fails", |error| &error.text);
    let text = || format!("sink {} ({}) takes nothing for {} s: {error}", sink.name, sink.target, failing.as_secs());
    (failing > MAX_FAILING).then(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pdns_sink::{LastError, SinkStats};

    #[test]
    fn a_sink_may_fail_for_a_while() {
        let start = SystemTime::UNIX_EPOCH;
        let mut sink = SinkReport {
            name: "kafka".to_owned(),
            kind: "kafka",
            target: "broker:9092 topic dns".to_owned(),
            stats: SinkStats::default(),
        };
        assert_eq!(failing(&sink, start + 3 * MAX_FAILING), None);
        sink.stats.failing_since = Some(start);
        sink.stats.last_error = Some(LastError { text: "connection refused".to_owned(), at: start });
        assert_eq!(failing(&sink, start + MAX_FAILING), None);
        let text = "sink kafka (broker:9092 topic dns) takes nothing for 180 s: connection refused";
        assert_eq!(failing(&sink, start + 3 * MAX_FAILING).as_deref(), Some(text));
    }

    #[test]
    fn a_worker_is_missed_when_interfaces_are_captured_from() {
        let board = Arc::new(Board::new(None));
        let [health, of_files] = [true, false].map(|is_live| Health::new(Arc::clone(&board), is_live));
        assert!(health.troubles().is_empty());
        let slot = board.slot();
        slot.put_up(|_| ());
        assert!(board.silence(Instant::now()) < MAX_SILENCE);
        let Some(past) = Instant::now().checked_sub(2 * MAX_SILENCE) else { return };
        slot.put_up_at(past, |_| ());
        assert!(health.troubles()[0].starts_with("a worker has put up no counters for 2"));
        assert!(of_files.troubles().is_empty());
    }
}
