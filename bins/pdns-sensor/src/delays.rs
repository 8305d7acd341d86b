//! How long responses took: counts in fixed buckets.

/// The upper bounds of the buckets, in nanoseconds: from 100 microseconds to 10 seconds. What took longer comes after them.
pub(crate) const BOUNDS: [i64; 16] = {
    const MICROSECOND: i64 = 1_000;
    const MILLISECOND: i64 = 1_000 * MICROSECOND;
    const SECOND: i64 = 1_000 * MILLISECOND;
    [
        100 * MICROSECOND,
        250 * MICROSECOND,
        500 * MICROSECOND,
        MILLISECOND,
        2_500 * MICROSECOND,
        5 * MILLISECOND,
        10 * MILLISECOND,
        25 * MILLISECOND,
        50 * MILLISECOND,
        100 * MILLISECOND,
        250 * MILLISECOND,
        500 * MILLISECOND,
        SECOND,
        2_500 * MILLISECOND,
        5 * SECOND,
        10 * SECOND,
    ]
};

/// The first bound that is not below a power of two, by its exponent. No two bounds are between two neighbouring powers, so
/// that it is the only one that a number with this highest bit may still exceed.
const FIRST: [u8; u64::BITS as usize] = {
    let mut first = [0; u64::BITS as usize];
    let (mut exponent, mut bound) = (0, 0);
    while exponent < first.len() {
        while bound < BOUNDS.len() && BOUNDS[bound].cast_unsigned() < 1 << exponent {
            bound += 1;
        }
        first[exponent] = bound as u8;
        exponent += 1;
    }
    first
};

/// The delays of answered queries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delays {
    /// How many were at most as long as the bound of the same place and longer than the one before; in the last place those
    /// longer than all.
    pub counts: [u64; BOUNDS.len() + 1],
    /// All of them together, in nanoseconds.
    pub sum: u64,
}

impl Delays {
    /// Counts one. That of a response captured before its query is negative, and taken for none.
    #[inline]
    pub(crate) fn count(&mut self, nanos: i64) {
        let nanos = nanos.max(0).cast_unsigned();
        let first = usize::from(FIRST[(nanos | 1).ilog2() as usize]);
        let is_beyond = BOUNDS.get(first).is_some_and(|&bound| nanos > bound.cast_unsigned());
        self.counts[first + usize::from(is_beyond)] += 1;
        self.sum += nanos;
    }

    /// Adds another worker's.
    pub(crate) fn add(&mut self, other: &Self) {
        for (count, other) in self.counts.iter_mut().zip(other.counts) {
            *count += other;
        }
        self.sum += other.sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        let mut delays = Delays::default();
        let place = |nanos: i64| {
            let mut delays = Delays::default();
            delays.count(nanos);
            delays.counts.iter().position(|&count| count == 1)
        };
        let near = |nanos: i64| [nanos - 1, nanos, nanos + 1];
        let powers = (0..63).map(|exponent| 1 << exponent);
        for nanos in BOUNDS.into_iter().chain(powers).flat_map(near) {
            assert_eq!(place(nanos), Some(BOUNDS.partition_point(|&bound| bound < nanos)), "{nanos}");
        }
        for nanos in [-5, 0, 100_000, 100_001, 10_000_000_000, 10_000_000_001, i64::MAX / 4] {
            delays.count(nanos);
        }
        let mut expected = [0; BOUNDS.len() + 1];
        (expected[0], expected[1], expected[15], expected[16]) = (3, 1, 1, 2);
        assert_eq!(delays.counts, expected);
        assert_eq!(delays.sum, 20_000_200_002 + (i64::MAX / 4) as u64);
        let mut twice = delays;
        twice.add(&delays);
        assert_eq!(twice.counts.iter().sum::<u64>(), 14);
    }

    #[test]
    fn bounds_rise() {
        assert!(BOUNDS.is_sorted());
    }
}
