//! How long to wait before the next try.

use std::time::Duration;

/// Pauses that double with each failure, up to a longest one, each shortened by chance by up to a half: sensors that lost
/// the same receiver at the same moment do not come back at the same moment.
#[derive(Debug)]
pub(crate) struct Backoff {
    min: Duration,
    max: Duration,
    failures: u32,
    rng: fastrand::Rng,
}

impl Backoff {
    pub(crate) fn new(min: Duration, max: Duration, seed: u64) -> Self {
        Self { min, max: max.max(min), failures: 0, rng: fastrand::Rng::with_seed(seed) }
    }

    /// How many failures there were in a row.
    pub(crate) const fn failures(&self) -> u32 {
        self.failures
    }

    /// The pause after another failure.
    pub(crate) fn fail(&mut self) -> Duration {
        let doubled = self.min.saturating_mul(1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        self.jitter(doubled.min(self.max))
    }

    /// The pause after a failure that will not go away soon.
    pub(crate) fn stop(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.jitter(self.max)
    }

    /// A success: the next failure is the first again.
    pub(crate) const fn reset(&mut self) {
        self.failures = 0;
    }

    fn jitter(&mut self, pause: Duration) -> Duration {
        pause.mul_f64(1.0 - self.rng.f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1), 7);
        let pauses: Vec<_> = (0..40).map(|_| backoff.fail()).collect();
        for (pause, most) in pauses.iter().zip([100, 200, 400, 800, 1000, 1000]) {
            let most = Duration::from_millis(most);
            assert!((most / 2..=most).contains(pause), "{pause:?} of {most:?}");
        }
        assert!(pauses[39] >= Duration::from_millis(500));
        backoff.reset();
        assert!(backoff.fail() <= Duration::from_millis(100));
        assert!(backoff.stop() >= Duration::from_millis(500));
    }

    #[test]
    fn the_seed_decides() {
        let pauses = |seed| {
            let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(9), seed);
            [backoff.fail(), backoff.fail()]
        };
        assert_eq!(pauses(1), pauses(1));
        assert_ne!(pauses(1), pauses(2));
    }
}
