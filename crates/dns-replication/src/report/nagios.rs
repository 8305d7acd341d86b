//! One line for Nagios, Icinga and their like, with performance data; then a line for each server.

use super::{Report, address, server, severity, text};
use crate::verdict::Severity;

/// The output of a monitoring plugin: what is wrong first, since some show the first line only.
pub fn nagios(reports: &[Report]) -> String {
    let probes = || reports.iter().flat_map(|report| report.probes.iter().map(move |probe| (report, probe)));
    let count = probes().count();
    let mut wrong: Vec<String> = reports.iter().filter_map(|report| report.problem.clone()).collect();
    let bad = probes().filter(|(_, probe)| probe.verdict.severity() > Severity::Ok);
    wrong.extend(bad.map(|(_, probe)| format!("{}: {}", server(probe), probe.verdict)));
    let summary = match wrong.len() {
        0 if count == 0 => "no servers".to_owned(),
        0 => format!("{count} of {count} servers fresh"),
        _ => format!("{} of {count} servers fresh; {}", count.saturating_sub(wrong.len()), wrong.join("; ")),
    };
    let data: Vec<_> = probes()
        .filter_map(|(report, probe)| {
            let name = address(probe)?;
            let limits = report.thresholds;
            let (warn, crit) = (limits.warn.as_secs(), limits.crit.as_secs());
            Some(format!("{}={}s;{warn};{crit}", quoted(&format!("{} {name}", report.record)), probe.age()?))
        })
        .collect();
    let mut out = format!("DNS STAMP {} - {}", severity(reports).as_str(), one_line(&summary));
    if !data.is_empty() {
        out.push_str(&format!(" | {}", data.join(" ")));
    }
    out.push('\n');
    // A second bar would begin more performance data.
    out.push_str(&text(reports, false).replace('|', "/"));
    out
}

/// Text in which nothing ends the line or begins performance data.
fn one_line(text: &str) -> String {
    text.replace('|', "/").replace(['\n', '\r'], " ")
}

/// A label of performance data.
fn quoted(label: &str) -> String {
    format!("'{}'", label.replace(['\'', '='], "_"))
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;

    #[test]
    fn the_first_line_names_who_is_stale() {
        let out = nagios(&[report()]);
        assert_eq!(
            out.lines().next().unwrap(),
            "DNS STAMP CRITICAL - 1 of 3 servers fresh; dc2.local.lan (10.0.0.2) [nsid fra-2]: stale, 5000 s old (limit \
             4000 s); dc3.local.lan: dc3.local.lan has no address | 'stamp.local.lan 10.0.0.1'=12s;2000;4000 \
             'stamp.local.lan 10.0.0.2'=5000s;2000;4000"
        );
        assert_eq!((out.lines().count(), out.matches('|').count()), (4, 1));
    }

    #[test]
    fn all_well_and_nothing_known() {
        let mut report = report();
        report.probes.truncate(1);
        assert!(nagios(&[report.clone()]).starts_with("DNS STAMP OK - 1 of 1 servers fresh | "));
        report.probes.clear();
        assert_eq!(nagios(&[report]).lines().next().unwrap(), "DNS STAMP UNKNOWN - no servers");
    }
}
