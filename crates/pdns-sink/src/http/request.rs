//! What is posted: where to, and the body.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use pdns_packet::time::{Timestamp, civil};
use ureq::http::Uri;
use ureq::http::uri::{Parts, PathAndQuery};

use super::{Config, Protocol};
use crate::{Batch, Failure};

/// The URL that batches are posted to.
///
/// # Errors
/// The protocol's names make no URL of it.
pub(super) fn url(config: &Config) -> Result<Uri, Failure> {
    let Parts { scheme, authority, path_and_query, .. } = config.url.clone().into_parts();
    let given = path_and_query.as_ref().map_or("/", PathAndQuery::as_str);
    let (path, query) = given.split_once('?').unwrap_or((given, ""));
    let path = match &config.protocol {
        Protocol::Bulk { index } if path == "/" && !has_date(index) => format!("/{}/_bulk", encoded(index)),
        Protocol::Bulk { .. } if path == "/" => "/_bulk".to_owned(),
        _ => path.to_owned(),
    };
    let added = match &config.protocol {
        // The answer need not repeat what went well.
        Protocol::Bulk { .. } => "filter_path=errors,items.*.status,items.*.error".to_owned(),
        Protocol::ClickHouse { table } => {
            let insert = format!("INSERT INTO {table} FORMAT JSONEachRow");
            // Tables need not have all fields of a record, and its times are RFC 3339.
            let settings = "input_format_skip_unknown_fields=1&date_time_input_format=best_effort";
            format!("query={}&{settings}", encoded(&insert))
        }
        Protocol::Lines(_) => String::new(),
    };
    let query = [query, &added].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("&");
    let text = if query.is_empty() { path } else { format!("{path}?{query}") };
    let mut parts = Parts::default();
    (parts.scheme, parts.authority) = (scheme, authority);
    parts.path_and_query = Some(text.parse::<PathAndQuery>()?);
    Ok(Uri::from_parts(parts)?)
}

/// What the body is.
pub(super) const fn content_type(protocol: &Protocol) -> &'static str {
    match protocol {
        Protocol::Bulk { .. } | Protocol::Lines(_) => "application/x-ndjson",
        Protocol::ClickHouse { .. } => "text/plain; charset=utf-8",
    }
}

/// Appends the body for a batch.
pub(super) fn body(protocol: &Protocol, batch: &Batch, out: &mut Vec<u8>) {
    match protocol {
        Protocol::Bulk { index } => bulk(index, batch, out),
        Protocol::ClickHouse { .. } => rows(batch, out),
        Protocol::Lines(template) => template.render(batch, out),
    }
}

/// The body in gzip's format.
pub(super) fn compressed(body: &[u8]) -> io::Result<Vec<u8>> {
    // Records repeat so much that higher levels take several times as long for a few percent.
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

/// A line that says what to do, and the record, for each record.
fn bulk(index: &str, batch: &Batch, out: &mut Vec<u8>) {
    for record in batch {
        // Details were asked for, and so they are there.
        let Some(detail) = record.detail else { continue };
        let id = detail.id;
        if has_date(index) {
            let index = escaped(&index.replace(DATE, &day(detail.time)));
            text(&format_args!("{{\"create\":{{\"_index\":\"{index}\",\"_id\":\"{id}\"}}}}\n"), out);
        } else {
            text(&format_args!("{{\"create\":{{\"_id\":\"{id}\"}}}}\n"), out);
        }
        out.extend_from_slice(record.bytes);
    }
}

/// The records, each with its id as its first field.
fn rows(batch: &Batch, out: &mut Vec<u8>) {
    for record in batch {
        if let (Some(fields), Some(detail)) = (record.bytes.strip_prefix(b"{"), record.detail) {
            text(&format_args!("{{\"record_id\":\"{}\",", detail.id), out);
            out.extend_from_slice(fields);
        } else {
            out.extend_from_slice(record.bytes);
        }
    }
}

const DATE: &str = "{date}";

fn has_date(index: &str) -> bool {
    index.contains(DATE)
}

/// The day of a time, as names of indices have it.
fn day(time: Timestamp) -> String {
    let (year, month, day, ..) = civil(time.nanos().div_euclid(1_000_000_000));
    format!("{year:04}.{month:02}.{day:02}")
}

/// A text as a part of a URL, RFC 3986 section 2.3.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A name inside a JSON string.
fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"")
}

fn text(arguments: &std::fmt::Arguments<'_>, out: &mut Vec<u8>) {
    // A vector takes whatever is written.
    drop(out.write_fmt(*arguments));
}

#[cfg(test)]
mod tests {
    use super::super::tests::{batch, config};
    use super::*;
    use crate::http::Template;

    fn posted_to(given: &str, protocol: Protocol) -> String {
        url(&config(given, protocol)).unwrap().to_string()
    }

    fn bulk_to(index: &str) -> Protocol {
        Protocol::Bulk { index: index.to_owned() }
    }

    #[test]
    fn urls_have_what_the_protocol_needs() {
        let filter = "filter_path=errors,items.*.status,items.*.error";
        assert_eq!(posted_to("http://es:9200", bulk_to("dns")), format!("http://es:9200/dns/_bulk?{filter}"));
        assert_eq!(
            posted_to("https://es/prefix/_bulk?pipeline=x", bulk_to("dns-{date}")),
            format!("https://es/prefix/_bulk?pipeline=x&{filter}")
        );
        assert_eq!(posted_to("http://es", bulk_to("dns-{date}")), format!("http://es/_bulk?{filter}"));
        assert_eq!(posted_to("http://es", bulk_to("a/b c")), format!("http://es/a%2Fb%20c/_bulk?{filter}"));
        let table = Protocol::ClickHouse { table: "logs.dns".to_owned() };
        assert_eq!(
            posted_to("http://ch:8123?async_insert=1", table),
            "http://ch:8123/?async_insert=1&query=INSERT%20INTO%20logs.dns%20FORMAT%20JSONEachRow\
             &input_format_skip_unknown_fields=1&date_time_input_format=best_effort"
        );
        assert_eq!(posted_to("http://v:8080/in", Protocol::Lines(Template::lines())), "http://v:8080/in");
    }

    fn body_of(protocol: &Protocol) -> String {
        let mut out = Vec::new();
        body(protocol, &batch(&["{\"a\":1}\n", "{\"a\":2}\n"]), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn records_are_created_under_their_ids() {
        assert_eq!(
            body_of(&bulk_to("dns")),
            "{\"create\":{\"_id\":\"00000000000000070000000000000000\"}}\n{\"a\":1}\n\
             {\"create\":{\"_id\":\"00000000000000070000000000000001\"}}\n{\"a\":2}\n"
        );
        let body = body_of(&bulk_to("dns-{date}"));
        assert!(body.starts_with("{\"create\":{\"_index\":\"dns-1970.01.01\",\"_id\":\"0000"), "{body}");
    }

    #[test]
    fn rows_begin_with_their_ids() {
        let table = Protocol::ClickHouse { table: "dns".to_owned() };
        assert_eq!(
            body_of(&table),
            "{\"record_id\":\"00000000000000070000000000000000\",\"a\":1}\n\
             {\"record_id\":\"00000000000000070000000000000001\",\"a\":2}\n"
        );
    }
}
