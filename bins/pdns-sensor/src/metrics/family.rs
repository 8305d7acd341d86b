//! Metric families as data, and the two formats that Prometheus reads them in.

use std::borrow::Cow;
use std::fmt::{Debug, Error};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, prometheus_text, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

/// A metric with all its samples.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Family {
    /// The name without the ending `_total` of counters and `_info`, which the formats add.
    pub name: &'static str,
    /// What it means, in one sentence.
    pub help: &'static str,
    /// What all its samples are.
    pub kind: Kind,
    /// None of two have the same labels.
    pub samples: Vec<Sample>,
}

/// What a metric's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Only grows, from 0 at the start of the program.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Values sorted into buckets.
    Histogram,
    /// Text in labels; the value is 1.
    Info,
}

/// One value with its labels.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    /// Names and values.
    pub labels: Vec<(&'static str, Cow<'static, str>)>,
    /// The value.
    pub value: Value,
}

/// A sample's value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Of counters and gauges.
    Count(u64),
    /// Of counters and gauges that are no whole numbers.
    Amount(f64),
    /// Of histograms: how many were up to each limit but over the one before, the last one without limit.
    Buckets { buckets: Vec<(f64, u64)>, sum: f64 },
    /// Of infos.
    One,
}

impl Family {
    /// Without labels: one value.
    pub(crate) fn single(kind: Kind, name: &'static str, help: &'static str, value: Value) -> Self {
        Self { name, help, kind, samples: vec![Sample { labels: Vec::new(), value }] }
    }

    /// A count for each value of one label.
    pub(crate) fn by<L: Into<Cow<'static, str>>>(
        kind: Kind,
        name: &'static str,
        help: &'static str,
        label: &'static str,
        counts: impl IntoIterator<Item = (L, u64)>,
    ) -> Self {
        let samples = counts
            .into_iter()
            .map(|(name, count)| Sample { labels: vec![(label, name.into())], value: Value::Count(count) })
            .collect();
        Self { name, help, kind, samples }
    }
}

/// A format of metrics pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Prometheus's own, version 0.0.4.
    Text,
    /// OpenMetrics, version 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The value of the header `Content-Type`.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Text => prometheus_text::CONTENT_TYPE,
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// A page with these families.
    pub(crate) fn page(self, families: Vec<Family>) -> Result<String, Error> {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Families(families)));
        let mut page = String::new();
        match self {
            Self::Text => prometheus_text::encode(&mut page, &registry)?,
            Self::OpenMetrics => text::encode(&mut page, &registry)?,
        }
        Ok(page)
    }
}

#[derive(Debug)]
struct Families(Vec<Family>);

impl Collector for Families {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        for family in &self.0 {
            let mut family_encoder =
                encoder.encode_descriptor(family.name, family.help, None, metric_type(family.kind))?;
            for sample in &family.samples {
                encode(sample, family.kind, &mut family_encoder)?;
            }
        }
        Ok(())
    }
}

const fn metric_type(kind: Kind) -> MetricType {
    match kind {
        Kind::Counter => MetricType::Counter,
        Kind::Gauge => MetricType::Gauge,
        Kind::Histogram => MetricType::Histogram,
        Kind::Info => MetricType::Info,
    }
}

fn encode(sample: &Sample, kind: Kind, family: &mut MetricEncoder<'_>) -> Result<(), Error> {
    if let Value::One = sample.value {
        return family.encode_info(&sample.labels);
    }
    let mut encoder = family.encode_family(&sample.labels)?;
    match (&sample.value, kind) {
        (Value::Count(count), Kind::Counter) => encoder.encode_counter::<NoLabelSet, _, u64>(count, None),
        (Value::Amount(amount), Kind::Counter) => encoder.encode_counter::<NoLabelSet, _, f64>(amount, None),
        (Value::Count(count), _) => encoder.encode_gauge(count),
        (Value::Amount(amount), _) => encoder.encode_gauge(amount),
        (Value::Buckets { buckets, sum }, _) => {
            let count = buckets.iter().map(|(_, count)| count).sum();
            encoder.encode_histogram::<NoLabelSet>(*sum, count, buckets, None)
        }
        (Value::One, _) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn families() -> Vec<Family> {
        let buckets = vec![(0.5, 2), (1.0, 0), (f64::INFINITY, 1)];
        let version = vec![("version", "0.1 \"x\"".into())];
        vec![
            Family::by(
                Kind::Counter,
                "lost_frames",
                "Frames lost",
                "reason",
                [("a", 0), ("b", 18_446_744_073_709_551_615)],
            ),
            Family::single(Kind::Gauge, "rest", "What is left", Value::Count(7)),
            Family::single(Kind::Counter, "cpu_seconds", "Time", Value::Amount(1.5)),
            Family::single(Kind::Histogram, "delay_seconds", "Delays", Value::Buckets { buckets, sum: 4.25 }),
            Family {
                name: "build",
                help: "What runs",
                kind: Kind::Info,
                samples: vec![Sample { labels: version, value: Value::One }],
            },
        ]
    }

    #[test]
    fn prometheus_text() {
        let page = "\
# HELP lost_frames_total Frames lost
# TYPE lost_frames_total counter
lost_frames_total{reason=\"a\"} 0
lost_frames_total{reason=\"b\"} 18446744073709551615
# HELP rest What is left
# TYPE rest gauge
rest 7
# HELP cpu_seconds_total Time
# TYPE cpu_seconds_total counter
cpu_seconds_total 1.5
# HELP delay_seconds Delays
# TYPE delay_seconds histogram
delay_seconds_bucket{le=\"0.5\"} 2
delay_seconds_bucket{le=\"1\"} 2
delay_seconds_bucket{le=\"+Inf\"} 3
delay_seconds_sum 4.25
delay_seconds_count 3
# HELP build_info What runs
# TYPE build_info gauge
build_info{version=\"0.1 \\\"x\\\"\"} 1
";
        assert_eq!(Format::Text.page(families()).unwrap(), page);
    }

    #[test]
    fn open_metrics() {
        let page = Format::OpenMetrics.page(families()).unwrap();
        for line in [
            "# TYPE lost_frames counter",
            "lost_frames_total{reason=\"a\"} 0",
            "# TYPE build info",
            "delay_seconds_bucket{le=\"+Inf\"} 3",
        ] {
            assert!(page.lines().any(|printed| printed == line), "{line}: {page}");
        }
        assert!(page.ends_with("# EOF\n"), "{page}");
    }
}
