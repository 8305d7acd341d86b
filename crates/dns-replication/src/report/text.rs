//! Lines for people.

use super::{Report, server};
use crate::verdict::Severity;

/// A line for each server, with its name in it; with `only_bad` only for those that are not well.
pub fn text(reports: &[Report], only_bad: bool) -> String {
    let mut out = String::new();
    for report in reports {
        if let Some(problem) = &report.problem {
            out.push_str(&format!("{:<8}  {}: {problem}\n", Severity::Unknown.as_str(), report.record));
        } else if report.probes.is_empty() {
            out.push_str(&format!("{:<8}  {}: no servers\n", Severity::Unknown.as_str(), report.record));
        }
        let shown = report.probes.iter().filter(|probe| !only_bad || probe.verdict.severity() > Severity::Ok);
        let lines: Vec<_> = shown.map(|probe| (probe, server(probe))).collect();
        let width = lines.iter().map(|(_, server)| server.len()).max().unwrap_or_default();
        for (probe, server) in lines {
            let severity = probe.verdict.severity().as_str();
            out.push_str(&format!("{severity:<8}  {}  {server:<width$}  {}", report.record, probe.verdict));
            if let Some(serial) = probe.serial {
                out.push_str(&format!(", serial {serial}"));
            }
            if let Some(answer) = &probe.answer {
                out.push_str(&format!(", {:.1} ms", answer.elapsed.as_secs_f64() * 1000.0));
                if !answer.is_authoritative {
                    out.push_str(", not authoritative");
                }
            }
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;

    #[test]
    fn every_server_has_a_line() {
        let out = text(&[report()], false);
        let lines: Vec<_> = out.lines().collect();
        let width = "dc2.local.lan (10.0.0.2) [nsid fra-2]".len();
        let line =
            |start: &str, server: &str, rest: &str| format!("{start:<8}  stamp.local.lan  {server:<width$}  {rest}");
        assert_eq!(lines[0], line("OK", "10.0.0.1", "fresh, 12 s old, serial 7, 1.5 ms"));
        let stale = "stale, 5000 s old (limit 4000 s), serial 7, 1.5 ms";
        assert_eq!(lines[1], line("CRITICAL", "dc2.local.lan (10.0.0.2) [nsid fra-2]", stale));
        assert_eq!(lines[2], line("CRITICAL", "dc3.local.lan", "dc3.local.lan has no address"));
    }

    #[test]
    fn those_that_are_well_can_be_left_out() {
        let mut report = report();
        assert_eq!(text(&[report.clone()], true).lines().count(), 2);
        report.probes.truncate(1);
        assert_eq!(text(&[report.clone()], true), "");
        report.probes.clear();
        assert_eq!(text(&[report.clone()], true), "UNKNOWN   stamp.local.lan: no servers\n");
        report.problem = Some("local.lan has no name servers".to_owned());
        assert_eq!(text(&[report], true), "UNKNOWN   stamp.local.lan: local.lan has no name servers\n");
    }
}
