//! Whether Prometheus, the one of Debian, reads what is served, and the rules on the page about metrics.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use pdns_rigs::prometheus::Prometheus;
use pdns_rigs::wait::poll;
use pdns_rigs::{has, or_skip, run};
use serde_json::Value;

use super::list::page;
use super::sensor::Sensor;
use super::web::{Samples, get};
use crate::util::{Scratch, exchange};

/// What is asked of Prometheus.
struct Client(Prometheus);

impl Client {
    fn api(&self, path: &str) -> Value {
        let answer: Value = serde_json::from_str(&self.0.api(path).unwrap()).unwrap();
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        answer["data"].clone()
    }

    /// The value of each series of an expression, by its name and labels as they are written on a page.
    fn query(&self, expression: &str) -> BTreeMap<String, f64> {
        let encoded: String = expression.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let data = self.api(&format!("query?query={encoded}"));
        let series = data["result"].as_array().unwrap().iter().map(|series| {
            let labels = series["metric"].as_object().unwrap().iter();
            let labels = labels.filter(|(name, _)| !["__name__", "instance", "job"].contains(&name.as_str()));
            let labels =
                labels.map(|(name, value)| format!("{name}=\"{}\"", value.as_str().unwrap())).collect::<Vec<_>>();
            let name = series["metric"]["__name__"].as_str().unwrap_or_default();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            (format!("{name}{labels}"), series["value"][1].as_str().unwrap().parse().unwrap())
        });
        series.collect()
    }

    /// The value of an expression with one.
    fn value(&self, expression: &str) -> Option<f64> {
        self.query(expression).into_values().next()
    }
}

#[test]
fn prometheus_reads_what_the_account_counts() {
    let mut sensor = Sensor::start(&["--numprocs", "2"]);
    let started = Prometheus::start("pdns", sensor.address(), &rules());
    let Some(prometheus) = or_skip(started).map(Client) else { return };
    sensor.feed(&exchange(50));
    let served = sensor.settle(100);
    poll("the count of frames", || {
        (prometheus.value("pdns_capture_received_frames_total") == Some(100.0)).then_some(())
    });
    assert_eq!(prometheus.value("up"), Some(1.0));
    let target = &prometheus.api("targets")["activeTargets"][0];
    assert_eq!((&target["lastError"], &target["health"]), (&"".into(), &"up".into()), "{target}");

    // Every sample that is served is there, with its value.
    let stored = prometheus.query("{__name__=~\"pdns_.*\"}");
    let served: BTreeMap<_, _> = served
        .0
        .into_iter()
        .filter(|(name, _)| name.starts_with("pdns_"))
        .map(|(name, value)| (canonical(&name), value))
        .collect();
    assert_eq!(stored.into_iter().map(|(name, value)| (canonical(&name), value)).collect::<BTreeMap<_, _>>(), served);

    let kinds = prometheus.api("metadata");
    for (metric, kind) in
        [("pdns_dns_transactions", "counter"), ("pdns_dns_response_delay_seconds", "histogram"), ("pdns_build", "info")]
    {
        // Prometheus names counters without their ending when they come in OpenMetrics.
        assert_eq!(kinds[metric][0]["type"], kind, "{kinds}");
    }
    for sum in [
        "pdns_capture_received_frames_total - sum without (content) (pdns_capture_accepted_frames_total) \
         - sum without (reason) (pdns_capture_discarded_frames_total)",
        "sum(pdns_dns_messages_total) - 2 * sum(pdns_dns_transactions_total{status=\"answered\"})",
    ] {
        assert_eq!(prometheus.value(sum), Some(0.0), "{sum}");
    }
    // Each response of the capture comes after a millisecond.
    let half = prometheus.value("histogram_quantile(0.5, pdns_dns_response_delay_seconds_bucket)").unwrap();
    assert!((0.0005..=0.001).contains(&half), "{half}");
    assert!((prometheus.value("pdns_dns_response_delay_seconds_sum").unwrap() - 0.050).abs() < 1e-9);

    // The rules are understood, and nothing is wrong.
    let groups = prometheus.api("rules")["groups"].clone();
    let rules: Vec<_> =
        groups.as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    assert!(rules.len() >= 5);
    for rule in rules {
        assert!(rule["lastError"].is_null() && rule["state"] == "inactive", "{rule}");
    }
    let account = sensor.finish();
    assert_eq!(account.count("answered"), 50);
    poll("the end of the target", || (prometheus.value("up") == Some(0.0)).then_some(()));
}

#[test]
fn promtool_finds_nothing_wrong() {
    let scratch = Scratch::new();
    let rules = scratch.file("rules.yml", rules());
    if or_skip(has("promtool")).is_none() {
        return;
    }
    let mut check = Command::new("promtool");
    let text = run(check.args(["check", "rules"]).arg(rules)).unwrap();
    assert!(text.contains("SUCCESS"), "{text}");
    let cases = scratch.file("alerts.yml", include_str!("alerts.yml"));
    let mut check = Command::new("promtool");
    run(check.args(["test", "rules"]).arg(cases)).unwrap();
    let sensor = Sensor::start(&[]);
    let page = get(sensor.address(), "/metrics").body;
    let mut check = Command::new("promtool");
    check.args(["check", "metrics"]).stdin(fs::File::open(scratch.file("page", &page)).unwrap());
    assert_eq!(run(&mut check).unwrap(), "", "the format or a name is bad style");
    assert!(Samples::of(&page).0.len() > 100);
}

/// The rules on the page about metrics.
fn rules() -> String {
    page().split("```yaml\n").nth(1).unwrap().split("```").next().unwrap().to_owned()
}

/// A sample's name with its labels in order, and bounds of buckets as numbers: the two formats write `1` and `1.0`.
fn canonical(name: &str) -> String {
    let Some((name, labels)) = name.split_once('{') else { return name.to_owned() };
    let label =
        |text: &str| match text.strip_prefix("le=\"").and_then(|bound| bound.trim_end_matches('"').parse::<f64>().ok())
        {
            Some(bound) => format!("le=\"{bound:?}\""),
            None => text.to_owned(),
        };
    let mut labels: Vec<_> = labels.trim_end_matches('}').split(',').map(label).collect();
    labels.sort_unstable();
    format!("{name}{{{}}}", labels.join(","))
}
