//! The metrics of each sink.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use pdns_sink::{DropReason, SinkReport, SinkStats};

use super::family::{Family, Kind, Sample, Value};

/// All metrics that have a label `sink`: what each sink says of itself.
pub(super) fn families(sinks: &[SinkReport]) -> Vec<Family> {
    let count = |name, help, value: fn(&SinkStats) -> u64| {
        of_each(sinks, Kind::Counter, name, help, |stats| Value::Count(value(stats)))
    };
    let level = |name, help, value: fn(&SinkStats) -> u64| {
        of_each(sinks, Kind::Gauge, name, help, |stats| Value::Count(value(stats)))
    };
    vec![
        count("pdns_sink_offered_records", "Records offered", |stats| stats.offered),
        count("pdns_sink_restored_records", "Records that an earlier run left on disk", |stats| stats.restored),
        count("pdns_sink_delivered_records", "Records that the receiver took", |stats| stats.delivered),
        count("pdns_sink_delivered_bytes", "Bytes of these records", |stats| stats.delivered_bytes),
        count("pdns_sink_deliveries", "Deliveries that ended well", |stats| stats.batches),
        count("pdns_sink_retried_records", "Records sent again, once for each time", |stats| stats.retried),
        dropped(sinks),
        level("pdns_sink_queued_records", "Records that wait in memory", |stats| stats.queued_records),
        level("pdns_sink_queued_bytes", "The memory that they take", |stats| stats.queued_bytes),
        level("pdns_sink_queue_limit_bytes", "How much it may be", |stats| stats.queue_limit_bytes),
        level("pdns_sink_spooled_records", "Records that wait on disk", |stats| stats.spooled_records),
        level("pdns_sink_spooled_bytes", "Bytes of the spool's files", |stats| stats.spooled_bytes),
        count("pdns_sink_spool_written_records", "Records written to the spool", |stats| stats.spool_written),
        count("pdns_sink_spool_cut_bytes", "Bytes of the spool that were damaged", |stats| stats.spool_cut_bytes),
        level("pdns_sink_pending_deliveries", "Deliveries under way", |stats| stats.in_flight),
        of_each(sinks, Kind::Gauge, "pdns_sink_lag_seconds", "How long the oldest record has waited", |stats| {
            Value::Amount(stats.lag.as_secs_f64())
        }),
        level("pdns_sink_failing", "Whether deliveries fail at the moment", |stats| {
            u64::from(stats.failing_since.is_some())
        }),
        of_each(
            sinks,
            Kind::Gauge,
            "pdns_sink_last_failure_timestamp_seconds",
            "When a delivery last failed, in seconds since 1970; 0 for never",
            |stats| Value::Amount(stats.last_error.as_ref().map_or(0.0, |error| seconds_since_1970(error.at))),
        ),
    ]
}

fn of_each(
    sinks: &[SinkReport],
    kind: Kind,
    name: &'static str,
    help: &'static str,
    value: impl Fn(&SinkStats) -> Value,
) -> Family {
    let sample = |sink: &SinkReport| Sample { labels: vec![label(sink)], value: value(&sink.stats) };
    Family { name, help, kind, samples: sinks.iter().map(sample).collect() }
}

fn dropped(sinks: &[SinkReport]) -> Family {
    let of_reason = |sink: &SinkReport, reason: DropReason| Sample {
        labels: vec![label(sink), ("reason", Cow::Borrowed(reason.name()))],
        value: Value::Count(sink.stats.dropped(reason)),
    };
    let samples = sinks.iter().flat_map(|sink| DropReason::ALL.map(|reason| of_reason(sink, reason)));
    Family {
        name: "pdns_sink_dropped_records",
        help: "Records lost, by reason",
        kind: Kind::Counter,
        samples: samples.collect(),
    }
}

fn label(sink: &SinkReport) -> (&'static str, Cow<'static, str>) {
    ("sink", Cow::Owned(sink.name.clone()))
}

fn seconds_since_1970(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
