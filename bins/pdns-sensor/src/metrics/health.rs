//! Whether all is well: whether the program does what it is there for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::family::{Family, Kind, Value};
use crate::board::Board;

/// How long a worker that captures may be silent. It puts up its counters every second, whatever comes.
const MAX_SILENCE: Duration = Duration::from_secs(10);

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

#[cfg(test)]
mod tests {
    use super::*;

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
