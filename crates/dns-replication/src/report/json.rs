//! One JSON object.

use serde::Serialize;

use super::{Report, address, severity};
use crate::probe::Probe;

/// The reports as one object, in lines. Absent values are left out.
pub fn json(reports: &[Report]) -> String {
    let records = reports.iter().map(Record::new).collect();
    let all = All { severity: severity(reports).as_str(), records };
    // Nothing in it is a map with keys that are no strings.
    serde_json::to_string_pretty(&all).unwrap_or_default() + "\n"
}

#[derive(Serialize)]
struct All {
    severity: &'static str,
    records: Vec<Record>,
}

#[derive(Serialize)]
struct Record {
    zone: String,
    record: String,
    severity: &'static str,
    warn_seconds: f64,
    crit_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    servers: Vec<Server>,
}

#[derive(Serialize)]
struct Server {
    server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    state: &'static str,
    severity: &'static str,
    message: String,
    probed_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    soa_serial: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rcode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authoritative: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nsid: Option<String>,
}

impl Record {
    fn new(report: &Report) -> Self {
        Self {
            zone: report.zone.to_string(),
            record: report.record.to_string(),
            severity: report.severity().as_str(),
            warn_seconds: report.thresholds.warn.as_secs_f64(),
            crit_seconds: report.thresholds.crit.as_secs_f64(),
            problem: report.problem.clone(),
            servers: report.probes.iter().map(Server::new).collect(),
        }
    }
}

impl Server {
    fn new(probe: &Probe) -> Self {
        let answer = probe.answer.as_ref();
        Self {
            server: probe.target.server.to_string(),
            address: address(probe),
            state: probe.verdict.state().as_str(),
            severity: probe.verdict.severity().as_str(),
            message: probe.verdict.to_string(),
            probed_at: probe.at,
            timestamp: probe.timestamp,
            age_seconds: probe.age(),
            soa_serial: probe.serial,
            rcode: answer.map(|answer| answer.rcode.to_string()),
            response_seconds: answer.map(|answer| answer.elapsed.as_secs_f64()),
            authoritative: answer.map(|answer| answer.is_authoritative),
            nsid: answer.and_then(|answer| answer.nsid.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;

    #[test]
    fn what_is_not_known_is_left_out() {
        let value: serde_json::Value = serde_json::from_str(&json(&[report()])).unwrap();
        assert_eq!(value["severity"], "CRITICAL");
        let servers = &value["records"][0]["servers"];
        assert_eq!(servers[1]["state"], "stale");
        assert_eq!(servers[1]["age_seconds"], 5000);
        assert_eq!(servers[1]["nsid"], "fra-2");
        assert_eq!(servers[0].get("nsid"), None);
        assert_eq!(servers[2].get("address"), None);
        assert_eq!(servers[2]["message"], "dc3.local.lan has no address");
    }
}
