//! The metrics of the exporter that this one replaces, so that old scrape configurations and alerts go on working.

use crate::exposition::escape;
use crate::probe::Probe;
use crate::verdict::State;

/// One line, for the worst of the server's addresses, as the old exporter wrote it: `dns_stamp_age`,
/// `dns_stamp_not_found` or `dns_stamp_timeout`. What the old one ended in an error for is `dns_stamp_error`.
pub(super) fn line(server: &str, probes: &[Probe]) -> String {
    let Some(probe) = probes.iter().max_by_key(|probe| probe.verdict.severity()) else { return String::new() };
    let mut label = String::new();
    escape(server, &mut label);
    let state = probe.verdict.state();
    match (probe.age(), state) {
        (Some(age), _) => format!("dns_stamp_age{{server=\"{label}\"}} {age}\n"),
        (None, State::NotFound) => format!("dns_stamp_not_found{{server=\"{label}\"}} 1\n"),
        (None, State::Timeout | State::Unreachable) => format!("dns_stamp_timeout{{server=\"{label}\"}} 1\n"),
        (None, _) => format!("dns_stamp_error{{server=\"{label}\",state=\"{}\"}} 1\n", state.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::report;
    use crate::verdict::Verdict;

    #[test]
    fn lines_are_those_of_the_old_exporter() {
        let mut probe = report().probes.remove(0);
        let mut line = |timestamp, verdict| {
            (probe.timestamp, probe.verdict) = (timestamp, verdict);
            line("10.0.0.1", std::slice::from_ref(&probe))
        };
        let now = 1_800_000_000;
        assert_eq!(line(Some(now - 12), Verdict::Fresh { age: 12 }), "dns_stamp_age{server=\"10.0.0.1\"} 12\n");
        assert_eq!(line(Some(now + 500), Verdict::Future { ahead: 500 }), "dns_stamp_age{server=\"10.0.0.1\"} -500\n");
        assert_eq!(line(None, Verdict::NotFound), "dns_stamp_not_found{server=\"10.0.0.1\"} 1\n");
        let garbage = Verdict::Garbage { text: "x".to_owned() };
        assert_eq!(line(None, garbage), "dns_stamp_error{server=\"10.0.0.1\",state=\"garbage\"} 1\n");
        assert_eq!(super::line("x", &[]), "");
    }

    #[test]
    fn of_several_addresses_the_worst_counts() {
        assert_eq!(line("dc2", &report().probes[..2]), "dns_stamp_age{server=\"dc2\"} 5000\n");
    }
}
