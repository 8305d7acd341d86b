//! Metrics of runs, for the textfile collector: nothing else is there between two runs to be asked.

use super::Outcome;
use crate::exposition::Exposition;

/// A run: what it was for, and what came of it unless it failed.
#[derive(Clone, Debug)]
pub struct Run {
    /// The zone.
    pub zone: String,
    /// The full name of the record.
    pub record: String,
    /// The server that is written to.
    pub server: String,
    /// How it ended, if well.
    pub outcome: Option<Outcome>,
}

/// Adds the metrics of runs that were made at `now`, in Unix seconds.
pub fn metrics(runs: &[Run], now: u64, out: &mut Exposition) {
    let mut value = |name, help, value: &dyn Fn(Option<&Outcome>) -> Option<i128>| {
        let mut family = out.gauge(name, help);
        for Run { zone, record, server, outcome } in runs {
            if let Some(value) = value(outcome.as_ref()) {
                family.sample(&[("zone", zone), ("record", record), ("server", server)], value);
            }
        }
    };
    value(
        "dns_stamp_inject_success",
        "Whether the record was stamped, or was young enough, in the last run.",
        &|run| Some(run.is_some().into()),
    );
    value("dns_stamp_inject_time_seconds", "When the last run was, as Unix time.", &|_| Some(now.into()));
    value("dns_stamp_inject_timestamp_seconds", "The time in the record after the last run, as Unix time.", &|run| {
        run.map(|outcome| match outcome {
            Outcome::Young { value, .. } => i128::from(*value),
            Outcome::Stamped(stamped) => i128::from(stamped.value),
        })
    });
    value("dns_stamp_inject_clock_offset_seconds", "The server's clock less this one, where it was learned.", &|run| {
        match run? {
            Outcome::Stamped(stamped) => stamped.clock_offset.map(i128::from),
            Outcome::Young { .. } => None,
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::Stamped;

    #[test]
    fn runs_that_failed_are_told_from_those_that_did_not() {
        let address = "192.0.2.1:53".parse().unwrap();
        let stamped = Stamped { value: 1000, previous: None, address, clock_offset: Some(-2), mac: None };
        let run = |outcome| {
            let (zone, record) = ("a.test".to_owned(), "stamp.a.test".to_owned());
            Run { zone, record, server: "192.0.2.1".to_owned(), outcome }
        };
        let mut out = Exposition::default();
        metrics(&[run(Some(Outcome::Stamped(stamped))), run(None)], 1003, &mut out);
        let samples: Vec<_> =
            out.to_string().lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
        let labels = "{zone=\"a.test\",record=\"stamp.a.test\",server=\"192.0.2.1\"}";
        let expected = [
            ("success", "1"),
            ("success", "0"),
            ("time_seconds", "1003"),
            ("time_seconds", "1003"),
            ("timestamp_seconds", "1000"),
            ("clock_offset_seconds", "-2"),
        ];
        assert_eq!(samples, expected.map(|(name, value)| format!("dns_stamp_inject_{name}{labels} {value}")));
    }
}
