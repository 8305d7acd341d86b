//! What is asked for of receivers by HTTP.

use pdns_record::Layout;
use pdns_sink::http::{Config as Http, HeaderName, HeaderValue, Login, Protocol, Template, Uri};

use super::sinks::{Target, both};
use super::tls;
use crate::config::{Config, Findings};

/// The sink, when it is asked for.
pub(super) fn target(config: &Config, layout: Layout, findings: &mut Findings) -> Option<Target> {
    let text = config.text("http-url")?;
    let place = config.place("http-url").unwrap_or_default();
    let url = match text.parse::<Uri>() {
        Ok(url) if matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some() => url,
        _ => {
            findings.problems.push(format!("{place}: '{text}' is not a URL such as https://host:9200"));
            return None;
        }
    };
    let protocol = protocol(config, findings)?;
    let http = Http::new(layout, url, protocol);
    let http = Http {
        headers: headers(config),
        login: login(config, findings),
        gzip: config.switch("http-compress"),
        tls: tls::files(config, "http", findings).unwrap_or_default(),
        timeout: config.duration("http-timeout").unwrap_or(http.timeout),
        batch_bytes: config.number("http-batch-bytes").unwrap_or(http.batch_bytes),
        ..http
    };
    Some(Target::Http(Box::new(http)))
}

fn protocol(config: &Config, findings: &mut Findings) -> Option<Protocol> {
    let name = config.text("http-protocol").unwrap_or_default().to_ascii_lowercase();
    let mut needed = |flag: &str| {
        let value = config.text(flag);
        if value.is_none() {
            let place = config.place("http-protocol").or_else(|| config.place("http-url")).unwrap_or_default();
            findings.problems.push(format!("{place}: --{flag} is needed as well"));
        }
        value
    };
    match name.as_str() {
        "elasticsearch" => needed("http-index").map(|index| Protocol::Bulk { index }),
        "clickhouse" => needed("http-table").map(|table| Protocol::ClickHouse { table }),
        _ => template(config, findings).map(Protocol::Lines),
    }
}

fn template(config: &Config, findings: &mut Findings) -> Option<Template> {
    let text = |flag| config.text(flag).unwrap_or_default();
    let parts = ["http-before", "http-record", "http-between", "http-after"].map(text).map(|text| unescaped(&text));
    Template::new(&parts[0], &parts[1], &parts[2], &parts[3])
        .map_err(|error| {
            let place = config.place("http-record").unwrap_or_default();
            findings.problems.push(format!("{place}: {error}"));
        })
        .ok()
}

/// Line feeds and tabs cannot be typed in every place that settings come from.
fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\t", "\t")
}

fn headers(config: &Config) -> Vec<(HeaderName, HeaderValue)> {
    // What is no header was refused with the option.
    let parsed = config.list("http-header").into_iter().filter_map(|header| {
        let (name, value) = header.split_once(':')?;
        Some((name.trim().parse().ok()?, value.trim().parse().ok()?))
    });
    parsed.collect()
}

fn login(config: &Config, findings: &mut Findings) -> Option<Login> {
    let (username, password) = (config.text("http-username"), config.text("http-password"));
    both(config, ["http-username", "http-password"], [username.is_some(), password.is_some()], findings);
    if let (Some(place), Some(_)) = (config.place("http-authorization"), &username) {
        findings.problems.push(format!("{place}: a name and a password are given as well: there can be one login"));
    }
    let basic = username.zip(password).map(|(username, password)| Login::Basic { username, password });
    basic.or_else(|| config.text("http-authorization").map(Login::Header))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_feeds_can_be_written_as_in_c() {
        assert_eq!(unescaped(r"a\nb\tc"), "a\nb\tc");
    }
}
