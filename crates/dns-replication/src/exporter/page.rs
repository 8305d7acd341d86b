//! The page: the state of all servers as a table, and a form. Plain HTML, no script.

use std::fmt::Write;

use crate::probe::Probe;
use crate::report::{Report, address};
use crate::verdict::{Severity, State};

/// Nothing is loaded from anywhere, and forms go nowhere else.
pub(super) const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const STYLE: &str = include_str!("page.css");

/// The page for zones by their labels.
pub(super) fn html(zones: &[(String, Report)]) -> String {
    let mut out = String::with_capacity(4096);
    out.push_str(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"refresh\" content=\"30\">\n<title>dns-stamp</title>\n<style>\n",
    );
    out.push_str(STYLE);
    out.push_str("</style>\n</head>\n<body>\n<h1>dns-stamp</h1>\n<p>Do all DNS servers hold the same data?</p>\n");
    for (label, report) in zones {
        zone(&mut out, label, report);
    }
    if zones.is_empty() {
        out.push_str("<p class=\"problem\">No zone is configured.</p>\n");
    }
    form(&mut out, zones);
    out.push_str("<p><a href=\"/metrics\">Metrics of this program</a></p>\n</body>\n</html>\n");
    out
}

fn zone(out: &mut String, label: &str, report: &Report) {
    let severity = report.severity();
    let fresh = report.probes.iter().filter(|probe| probe.verdict.severity() == Severity::Ok).count();
    let (label, record) = (Escaped(label), Escaped(report.record.as_str()));
    let class = class(severity);
    write!(
        out,
        "<section>\n<h2>{label} <span class=\"{class}\">{}</span></h2>\n<p>{record}: {fresh} of {} servers fresh</p>\n",
        severity.as_str(),
        report.probes.len()
    )
    // Strings take whatever is written.
    .ok();
    if let Some(problem) = &report.problem {
        writeln!(out, "<p class=\"problem\">{}</p>", Escaped(problem)).ok();
    }
    if !report.probes.is_empty() {
        out.push_str("<table>\n<thead><tr>");
        for heading in COLUMNS {
            write!(out, "<th scope=\"col\">{heading}</th>").ok();
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        report.probes.iter().for_each(|probe| row(out, probe));
        out.push_str("</tbody>\n</table>\n");
    }
    out.push_str("</section>\n");
}

const COLUMNS: [&str; 7] = ["Server", "Address", "State", "Age", "Serial", "Response", "NSID"];

fn row(out: &mut String, probe: &Probe) {
    let answer = probe.answer.as_ref();
    let response = answer.map(|answer| format!("{:.1} ms", answer.elapsed.as_secs_f64() * 1000.0));
    let server = probe.target.server.to_string();
    // Said once where a server is listed by its address.
    let address = address(probe).filter(|address| *address != server);
    let cells = [
        Some(server),
        address,
        None,
        probe.age().map(span),
        probe.serial.map(|serial| serial.to_string()),
        response,
        answer.and_then(|answer| answer.nsid.clone()),
    ];
    out.push_str("<tr>");
    for (heading, cell) in COLUMNS.iter().zip(cells) {
        if *heading == "State" {
            state(out, probe);
        } else {
            let text = cell.unwrap_or_default();
            write!(out, "<td data-label=\"{heading}\">{}</td>", Escaped(&text)).ok();
        }
    }
    out.push_str("</tr>\n");
}

/// The state in a word; what else there is to say where all is not well.
fn state(out: &mut String, probe: &Probe) {
    let state = probe.verdict.state();
    let class = class(probe.verdict.severity());
    let word = state.as_str().replace('_', " ");
    write!(out, "<td data-label=\"State\"><span class=\"{class}\">{word}</span>").ok();
    if !matches!(state, State::Fresh | State::Stale) {
        write!(out, "<small>{}</small>", Escaped(&probe.verdict.to_string())).ok();
    }
    out.push_str("</td>");
}

fn form(out: &mut String, zones: &[(String, Report)]) {
    out.push_str("<form action=\"/probe\">\n<h2>Ask a server</h2>\n<label>Zone <select name=\"module\">");
    for (label, _) in zones {
        write!(out, "<option>{}</option>", Escaped(label)).ok();
    }
    out.push_str(
        "</select></label>\n<label>Server <input name=\"target\" placeholder=\"all\" autocapitalize=\"none\" \
         autocomplete=\"off\" spellcheck=\"false\"></label>\n<button>Show metrics</button>\n</form>\n",
    );
}

const fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "ok",
        Severity::Warning => "warning",
        Severity::Unknown => "unknown",
        Severity::Critical => "critical",
    }
}

/// An age as people say it.
fn span(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let (seconds, minute, hour, day) = (seconds.unsigned_abs(), 60, 3600, 86_400);
    match seconds {
        0..120 => format!("{sign}{seconds} s"),
        120..7200 => format!("{sign}{} min {} s", seconds / minute, seconds % minute),
        7200..172_800 => format!("{sign}{} h {} min", seconds / hour, seconds % hour / minute),
        _ => format!("{sign}{} d {} h", seconds / day, seconds % day / hour),
    }
}

/// Text in HTML, between tags or in an attribute.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                _ => f.write_char(character)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::report;
    use crate::verdict::Verdict;

    #[test]
    fn every_server_has_a_row_and_every_zone_an_option() {
        let page = html(&[("local.lan".to_owned(), report()), ("office".to_owned(), report())]);
        assert_eq!(page.matches("<tr>").count(), 2 * 4);
        assert!(page.contains("<option>local.lan</option><option>office</option>"));
        assert!(page.contains("<h2>local.lan <span class=\"critical\">CRITICAL</span></h2>"));
        assert!(page.contains("<td data-label=\"Age\">83 min 20 s</td>"));
        assert!(page.contains("1 of 3 servers fresh"));
        assert!(html(&[]).contains("No zone is configured."));
    }

    #[test]
    fn nothing_from_outside_becomes_markup() {
        let mut report = report();
        let evil = "<script>alert('1')</script>\"&";
        if let Some(answer) = &mut report.probes[1].answer {
            answer.nsid = Some(evil.to_owned());
        }
        report.probes[0].verdict = Verdict::Garbage { text: evil.to_owned() };
        report.problem = Some(evil.to_owned());
        let page = html(&[(evil.to_owned(), report)]);
        assert!(!page.contains("<script") && !page.contains("'1'"));
        assert_eq!(page.matches("&lt;script&gt;").count(), 5);
    }

    #[test]
    fn ages_are_said_in_two_units() {
        for (seconds, text) in
            [(0, "0 s"), (-5, "-5 s"), (119, "119 s"), (125, "2 min 5 s"), (7500, "2 h 5 min"), (200_000, "2 d 7 h")]
        {
            assert_eq!(span(seconds), text);
        }
        span(i64::MIN);
    }
}
