//! Metrics of every server. Labels are bounded: zone, record and server come from the configuration or from the zone's
//! own list of servers, and each server has at most one machine behind it in a probe.

use super::{Report, address};
use crate::exposition::Exposition;
use crate::probe::Probe;
use crate::verdict::State;

/// The labels of a server: zone, record, server as listed, address asked.
type Labels = [String; 4];

const NAMES: [&str; 4] = ["zone", "record", "server", "address"];

/// Adds the metrics of all probes.
pub fn metrics(reports: &[Report], out: &mut Exposition) {
    let probes: Vec<(Labels, &Probe)> = reports
        .iter()
        .flat_map(|report| report.probes.iter().map(move |probe| (labels(report, probe), probe)))
        .collect();
    let mut value = |name, help, value: &dyn Fn(&Probe) -> Option<String>| {
        let mut family = out.gauge(name, help);
        for (labels, probe) in &probes {
            if let Some(value) = value(probe) {
                family.sample(&named(labels), value);
            }
        }
    };
    value("dns_stamp_timestamp_seconds", "The newest time in the record, as Unix time.", &|probe| {
        probe.timestamp.map(|time| time.to_string())
    });
    value("dns_stamp_age_seconds", "Age of that time when the server answered.", &|probe| {
        probe.age().map(|age| age.to_string())
    });
    value("dns_stamp_up", "Whether the server answered at all, with a record or without.", &|probe| {
        Some(u8::from(probe.answer.is_some()).to_string())
    });
    value("dns_stamp_rcode", "Response code of the answer.", &|probe| Some(probe.answer.as_ref()?.rcode.0.to_string()));
    value("dns_stamp_response_seconds", "Time from the question to the answer.", &|probe| {
        Some(probe.answer.as_ref()?.elapsed.as_secs_f64().to_string())
    });
    value("dns_stamp_authoritative", "Whether the server speaks for the zone.", &|probe| {
        Some(u8::from(probe.answer.as_ref()?.is_authoritative).to_string())
    });
    value("dns_stamp_soa_serial", "Serial of the zone's SOA record.", &|probe| {
        probe.serial.map(|serial| serial.to_string())
    });
    states(&probes, out);
    machines(&probes, out);
    let mut limits = out.gauge("dns_stamp_threshold_seconds", "From which age on a record is stale.");
    for report in reports {
        for (severity, limit) in [("warning", report.thresholds.warn), ("critical", report.thresholds.crit)] {
            let labels = [("zone", report.zone.as_str()), ("record", report.record.as_str()), ("severity", severity)];
            limits.sample(&labels, limit.as_secs_f64());
        }
    }
}

fn states(probes: &[(Labels, &Probe)], out: &mut Exposition) {
    let mut family = out.gauge("dns_stamp_state", "1 for the state the server is in, 0 for all others.");
    for (labels, probe) in probes {
        for state in State::ALL {
            let is_it = probe.verdict.state() == state;
            family.sample(&[&named(labels)[..], &[("state", state.as_str())]].concat(), u8::from(is_it));
        }
    }
}

fn machines(probes: &[(Labels, &Probe)], out: &mut Exposition) {
    let mut family = out.gauge("dns_stamp_nsid_info", "Which machine behind the address answered.");
    for (labels, probe) in probes {
        if let Some(nsid) = probe.answer.as_ref().and_then(|answer| answer.nsid.as_deref()) {
            family.sample(&[&named(labels)[..], &[("nsid", nsid)]].concat(), 1);
        }
    }
}

fn labels(report: &Report, probe: &Probe) -> Labels {
    let address = address(probe).unwrap_or_default();
    [report.zone.to_string(), report.record.to_string(), probe.target.server.to_string(), address]
}

fn named(labels: &Labels) -> [(&str, &str); 4] {
    std::array::from_fn(|index| (NAMES[index], labels[index].as_str()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;

    #[test]
    fn every_server_has_its_samples() {
        let mut out = Exposition::default();
        metrics(&[report()], &mut out);
        let text = out.to_string();
        let dc2 = "zone=\"local.lan\",record=\"stamp.local.lan\",server=\"dc2.local.lan\",address=\"10.0.0.2\"";
        for line in [
            format!("dns_stamp_timestamp_seconds{{{dc2}}} 1799995000"),
            format!("dns_stamp_age_seconds{{{dc2}}} 5000"),
            format!("dns_stamp_up{{{dc2}}} 1"),
            format!("dns_stamp_rcode{{{dc2}}} 0"),
            format!("dns_stamp_response_seconds{{{dc2}}} 0.0015"),
            format!("dns_stamp_authoritative{{{dc2}}} 1"),
            format!("dns_stamp_soa_serial{{{dc2}}} 7"),
            format!("dns_stamp_state{{{dc2},state=\"stale\"}} 1"),
            format!("dns_stamp_state{{{dc2},state=\"fresh\"}} 0"),
            format!("dns_stamp_nsid_info{{{dc2},nsid=\"fra-2\"}} 1"),
        ] {
            assert!(text.lines().any(|written| written == line), "{line}\n{text}");
        }
        assert_eq!(text.matches("dns_stamp_state{").count(), 3 * State::ALL.len());
        assert_eq!(text.matches("dns_stamp_age_seconds{").count(), 2);
        assert!(text.contains(
            "dns_stamp_up{zone=\"local.lan\",record=\"stamp.local.lan\",server=\"dc3.local.lan\",address=\"\"} 0"
        ));
    }
}
