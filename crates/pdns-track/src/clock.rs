//! The clock that timers run by: capture time, made monotone.

use pdns_packet::time::Timestamp;

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// How far a packet's time may lie behind the one before it and still count as the same moment. Several capture queues
/// interleave within milliseconds; a second is far beyond that and far below the shortest time-out of interest.
const REORDER_TOLERANCE: i64 = NANOS_PER_SECOND;

/// The most that one packet may move the clock. A frame with a damaged time would otherwise move it to the end of time,
/// and a day expires everything anyway.
const LONGEST_STEP: i64 = 86_400 * NANOS_PER_SECOND;

/// Turns the times of packets, which may step back, into a time that never does.
///
/// A small step back (packets of several queues, interleaved) leaves the clock where it is. A large one (the next of
/// several files, or a corrected system clock) starts counting from the new time, so that time-outs keep their length.
///
/// ```
/// use pdns_packet::time::Timestamp;
/// use pdns_track::Clock;
///
/// let mut clock = Clock::default();
/// let start = clock.tick(Timestamp::new(100, 0));
/// assert_eq!(clock.tick(Timestamp::new(100, 5)).since(start), 5);
/// assert_eq!(clock.tick(Timestamp::new(100, 3)).since(start), 5, "two nanoseconds late");
/// assert_eq!(clock.tick(Timestamp::new(7, 0)).since(start), 5, "an older file begins");
/// assert_eq!(clock.tick(Timestamp::new(7, 9)).since(start), 14);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Clock {
    now: Timestamp,
    /// The packet time that `now` stands for.
    latest: Option<Timestamp>,
    reordered: u64,
    restarts: u64,
}

impl Clock {
    /// Takes the time of the next packet and returns the time that timers see.
    pub fn tick(&mut self, time: Timestamp) -> Timestamp {
        let Some(latest) = self.latest else {
            self.now = time.min(Timestamp::from_nanos(i64::MAX / 2));
            self.latest = Some(time);
            return self.now;
        };
        let step = time.since(latest);
        if step >= 0 {
            self.now = self.now.plus(step.min(LONGEST_STEP));
            self.latest = Some(time);
        } else if step >= -REORDER_TOLERANCE {
            self.reordered += 1;
        } else {
            self.restarts += 1;
            self.latest = Some(time);
        }
        self.now
    }

    /// Lets time pass without a packet, up to `time`, and returns the time that timers see. A time before that of the latest
    /// packet changes nothing, and neither does any before the first.
    pub fn pass(&mut self, time: Timestamp) -> Timestamp {
        if self.latest.is_some_and(|latest| time > latest) { self.tick(time) } else { self.now }
    }

    /// The latest packet's time, or the time up to which there was none.
    pub const fn latest(&self) -> Option<Timestamp> {
        self.latest
    }

    /// The time that timers see.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// How many packets bore a time a little before that of an earlier one.
    pub const fn reordered(&self) -> u64 {
        self.reordered
    }

    /// How often time stepped back by more than a second.
    pub const fn restarts(&self) -> u64 {
        self.restarts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_without_packets_but_never_back() {
        let mut clock = Clock::default();
        assert_eq!(clock.pass(Timestamp::new(5, 0)), Timestamp::default());
        clock.tick(Timestamp::new(100, 0));
        assert_eq!(clock.pass(Timestamp::new(103, 0)), Timestamp::new(103, 0));
        assert_eq!(clock.pass(Timestamp::new(90, 0)), Timestamp::new(103, 0));
        assert_eq!(clock.latest(), Some(Timestamp::new(103, 0)));
        assert_eq!(clock.tick(Timestamp::new(104, 0)), Timestamp::new(104, 0));
        assert_eq!((clock.reordered(), clock.restarts()), (0, 0));
    }

    #[test]
    fn a_damaged_time_moves_the_clock_by_a_day_at_most() {
        let mut clock = Clock::default();
        clock.tick(Timestamp::new(1_000, 0));
        assert_eq!(clock.tick(Timestamp::MAX), Timestamp::new(87_400, 0));
        assert_eq!(clock.tick(Timestamp::new(1_001, 0)), Timestamp::new(87_400, 0));
        assert_eq!(clock.tick(Timestamp::new(1_002, 0)), Timestamp::new(87_401, 0));
        assert_eq!((clock.reordered(), clock.restarts()), (0, 1));
    }

    #[test]
    fn reordered_packets_are_counted_and_do_not_stop_the_clock() {
        let mut clock = Clock::default();
        clock.tick(Timestamp::new(5, 0));
        clock.tick(Timestamp::new(4, 500_000_000));
        assert_eq!(clock.tick(Timestamp::new(6, 0)), Timestamp::new(6, 0));
        assert_eq!((clock.reordered(), clock.restarts()), (1, 0));
    }

    #[test]
    fn a_second_back_is_reordering_and_more_is_another_beginning() {
        for (back, reordered, restarts, then) in [(NANOS_PER_SECOND, 1, 0, 10), (NANOS_PER_SECOND + 1, 0, 1, 11)] {
            let mut clock = Clock::default();
            clock.tick(Timestamp::new(10, 0));
            assert_eq!(clock.tick(Timestamp::new(10, 0).plus(-back)), Timestamp::new(10, 0));
            assert_eq!((clock.reordered(), clock.restarts()), (reordered, restarts));
            assert_eq!(clock.tick(Timestamp::new(10, 0).plus(-back + NANOS_PER_SECOND)), Timestamp::new(then, 0));
        }
    }

    #[test]
    fn no_sequence_of_times_makes_it_run_backwards() {
        let times = [0, i64::MAX, i64::MIN, -1, i64::MAX - 1, 5, i64::MIN + 1, 1 << 40].map(Timestamp::from_nanos);
        for first in times {
            let mut clock = Clock::default();
            let mut last = clock.tick(first);
            for time in times.into_iter().chain(times) {
                let now = clock.tick(time);
                assert!(last <= now && now.since(last) <= LONGEST_STEP);
                assert_eq!(now, clock.now());
                last = now;
            }
        }
    }
}
