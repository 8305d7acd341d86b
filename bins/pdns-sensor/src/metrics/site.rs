//! The pages: metrics in the format that the reader wants, whether all is well, and where to find both.

use std::sync::Arc;

use http_body_util::Full;
use hyper::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{Method, StatusCode};

use super::catalogue::families;
use super::family::Format;
use super::health::Health;
use super::http::{Request, Response, Site};
use super::process::Usage;
use crate::board::Board;

const PLAIN: &str = "text/plain; charset=utf-8";

const INDEX: &str = "<!DOCTYPE html>\n<title>pdns-sensor</title>\n<h1>pdns-sensor</h1>\n<ul>\n\
    <li><a href=\"metrics\">metrics</a></li>\n<li><a href=\"healthz\">health</a></li>\n</ul>\n";

/// What the pages are made of.
pub(crate) struct Pages {
    board: Arc<Board>,
    health: Health,
    usage: Usage,
}

impl Pages {
    pub(crate) const fn new(board: Arc<Board>, health: Health, usage: Usage) -> Self {
        Self { board, health, usage }
    }

    fn metrics(&self, format: Format) -> Response {
        let mut families = families(&self.board.account());
        families.extend(self.health.families());
        families.extend(self.usage.families());
        match format.page(families) {
            Ok(page) => response(StatusCode::OK, format.content_type(), page),
            Err(error) => response(StatusCode::INTERNAL_SERVER_ERROR, PLAIN, format!("{error}\n")),
        }
    }

    fn health(&self) -> Response {
        let troubles = self.health.troubles();
        if troubles.is_empty() {
            return response(StatusCode::OK, PLAIN, "ok\n");
        }
        response(StatusCode::SERVICE_UNAVAILABLE, PLAIN, troubles.join("\n") + "\n")
    }
}

impl Site for Pages {
    fn respond(&self, request: &Request) -> Response {
        let page: fn(&Self, &Request) -> Response = match request.uri().path() {
            "/" => |_, _| response(StatusCode::OK, "text/html; charset=utf-8", INDEX),
            "/metrics" => |pages, request| pages.metrics(wanted_format(request.headers())),
            "/healthz" => |pages, _| pages.health(),
            _ => return response(StatusCode::NOT_FOUND, PLAIN, "no such page; there are /metrics and /healthz\n"),
        };
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut refusal = response(StatusCode::METHOD_NOT_ALLOWED, PLAIN, "only GET and HEAD are known here\n");
            refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refusal;
        }
        page(self, request)
    }
}

fn response(status: StatusCode, content_type: &'static str, body: impl Into<String>) -> Response {
    let mut response = Response::new(Full::from(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// OpenMetrics for those who name it and do not like plain text better, RFC 9110 section 12.5.1; else plain text.
fn wanted_format(headers: &HeaderMap) -> Format {
    let accepted = || {
        let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).map(media_range)
    };
    let quality = |wanted: &[&str]| {
        accepted().filter(|(range, _)| wanted.contains(range)).map(|(_, quality)| quality).fold(0.0, f32::max)
    };
    let (open_metrics, text) = (quality(&["application/openmetrics-text"]), quality(&["text/plain", "text/*"]));
    if open_metrics > 0.0 && open_metrics >= text { Format::OpenMetrics } else { Format::Text }
}

/// The media range of an element of `Accept`, and how much it is wanted, from 0 to 1.
fn media_range(element: &str) -> (&str, f32) {
    let mut parts = element.split(';').map(str::trim);
    let range = parts.next().unwrap_or_default();
    let quality = parts.find_map(|part| part.strip_prefix("q="));
    (range, quality.map_or(1.0, |quality| quality.parse().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(accept: &str) -> Format {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        wanted_format(&headers)
    }

    #[test]
    fn the_format_is_the_one_that_is_wanted() {
        assert_eq!(wanted_format(&HeaderMap::new()), Format::Text);
        for accept in ["*/*", "text/plain", "text/html, */*;q=0.8", "", "application/openmetrics-text;q=0", ",;,q="] {
            assert_eq!(format(accept), Format::Text, "{accept}");
        }
        for accept in [
            "application/openmetrics-text",
            "application/openmetrics-text; version=1.0.0",
            // As Prometheus 2.42 asks.
            "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
             text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        ] {
            assert_eq!(format(accept), Format::OpenMetrics, "{accept}");
        }
        // As an older or newer one does that likes the text better.
        assert_eq!(format("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.6"), Format::Text);
    }
}
