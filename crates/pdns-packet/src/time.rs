//! Capture time, in nanoseconds, and how it is printed.

use crate::text::{Text, decimals, nine_digits};

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// A moment of capture time: nanoseconds since 1970-01-01T00:00:00Z, from 1677 to 2262. Times outside saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The latest time there is.
    pub const MAX: Self = Self(i64::MAX);

    /// From nanoseconds since the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From whole seconds and nanoseconds, which may exceed a second as damaged files show.
    pub const fn new(seconds: i64, nanos: u32) -> Self {
        Self(seconds.saturating_mul(NANOS_PER_SECOND).saturating_add(nanos as i64))
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Nanoseconds from `earlier` to `self`; negative when `earlier` is the later one.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The moment `nanos` nanoseconds later.
    #[must_use]
    pub const fn plus(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }
}

/// Prints times as RFC 3339, UTC, nine decimals, and remembers the last second printed: in a capture the next time is
/// nearly always in the same one.
#[derive(Debug, Clone)]
pub struct Rfc3339 {
    /// The first nanosecond of the second that `text` tells.
    second: i64,
    /// Up to the point before the decimals.
    text: [u8; 32],
}

impl Default for Rfc3339 {
    fn default() -> Self {
        Self { second: 0, text: *b"1970-01-01T00:00:00.            " }
    }
}

impl Rfc3339 {
    /// Length of the whole text.
    const LEN: usize = 30;

    /// Appends `time`, such as `2026-11-21T19:50:07.464963915Z`.
    #[inline]
    pub fn write(&mut self, time: Timestamp, out: &mut impl Text) {
        // Wraps for the seconds at both ends of what is representable, and back again.
        if time.0.wrapping_sub(self.second) as u64 >= NANOS_PER_SECOND as u64 {
            self.set_second(time);
        }
        let (digits, last) = nine_digits(time.0.wrapping_sub(self.second) as u32);
        out.edited(&self.text, |text| {
            let [_, _, .., d0, d1, d2, d3, d4, d5, d6, d7, d8, z, _, _] = text;
            [*d0, *d1, *d2, *d3, *d4, *d5, *d6, *d7] = digits.to_le_bytes();
            [*d8, *z] = [last, b'Z'];
            Self::LEN
        });
    }

    #[cold]
    fn set_second(&mut self, time: Timestamp) {
        self.second = time.0.wrapping_sub(time.0.rem_euclid(NANOS_PER_SECOND));
        let (year, month, day, hour, minute, second) = civil(time.0.div_euclid(NANOS_PER_SECOND));
        for (at, width, value) in
            [(0, 4, year), (5, 2, month), (8, 2, day), (11, 2, hour), (14, 2, minute), (17, 2, second)]
        {
            self.text[at..at + width].copy_from_slice(&decimals(value as u64)[8 - width..]);
        }
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar. Years start in March, so
/// that the leap day comes last.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Year, month, day, hour, minute and second of a count of seconds since 1970-01-01T00:00:00Z.
pub fn civil(seconds: i64) -> (i64, i64, i64, i64, i64, i64) {
    let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_PER_DAY));
    let in_day = seconds.rem_euclid(SECONDS_PER_DAY);
    (year, month, day, in_day / 3600, in_day / 60 % 60, in_day % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seconds: i64, nanos: u32) -> String {
        written(&mut Rfc3339::default(), Timestamp::new(seconds, nanos))
    }

    fn written(clock: &mut Rfc3339, time: Timestamp) -> String {
        let mut out = Vec::new();
        clock.write(time, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn known_moments() {
        assert_eq!(text(0, 0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(text(951_782_399, 999_999_999), "2000-02-28T23:59:59.999999999Z");
        assert_eq!(text(951_782_400, 1), "2000-02-29T00:00:00.000000001Z");
        assert_eq!(text(1_585_917_601, 464_963_915), "2020-04-03T12:40:01.464963915Z");
        assert_eq!(text(4_294_967_295, 0), "2106-02-07T06:28:15.000000000Z");
        assert_eq!(text(-1, 500_000_000), "1969-12-31T23:59:59.500000000Z");
        assert_eq!(text(i64::MAX, 0), "2262-04-11T23:47:16.854775807Z");
        assert_eq!(text(i64::MIN, 0), "1677-09-21T00:12:43.145224192Z");
    }

    #[test]
    fn every_digit_of_the_nanoseconds_is_printed() {
        for nanos in [0, 1, 12, 123_456_789, 999_999_999, 100_000, 99_999, 1_000_000, 50_000_500] {
            assert_eq!(text(0, nanos), format!("1970-01-01T00:00:00.{nanos:09}Z"));
        }
    }

    #[test]
    fn the_cached_second_does_not_leak_into_the_next() {
        let mut clock = Rfc3339::default();
        assert!(written(&mut clock, Timestamp::new(59, 999_999_999)).ends_with("00:59.999999999Z"));
        assert!(written(&mut clock, Timestamp::new(60, 0)).ends_with("01:00.000000000Z"));
        assert!(written(&mut clock, Timestamp::new(59, 5)).ends_with("00:59.000000005Z"));
    }
}
