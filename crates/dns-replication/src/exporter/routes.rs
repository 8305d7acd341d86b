//! Which request gets which answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Method, Request, Response, StatusCode};
use tokio::time::timeout;

use super::params::{Params, scrape_timeout};
use super::watch::{Asking, Watch};
use super::{Current, Exporter, legacy, page, within};
use crate::discover::of_server;
use crate::exposition::Exposition;
use crate::probe::Target;
use crate::query::Limits;
use crate::report::metrics;
use crate::server::Server;
use crate::verdict::State;

/// An answer before it becomes one of HTTP.
struct Answer {
    status: StatusCode,
    kind: &'static str,
    body: String,
}

/// How long addresses may take to be looked up, the first time.
const LOOKUP: Duration = Duration::from_secs(30);

const TEXT: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

impl Answer {
    const fn new(kind: &'static str, body: String) -> Self {
        Self { status: StatusCode::OK, kind, body }
    }

    fn refusal(status: StatusCode, message: &str) -> Self {
        Self { status, kind: TEXT, body: format!("{message}\n") }
    }
}

impl Exporter {
    /// Answers a request. Bodies of requests are not read.
    pub(super) async fn respond<B>(&self, request: Request<B>) -> Response<Full<Bytes>> {
        let _in_flight = self.stats.request();
        let path = known(request.uri().path());
        let answer = self.answer(&request).await;
        self.stats.answered(path, answer.status.as_u16());
        let is_head = request.method() == Method::HEAD;
        let body = if is_head { Bytes::new() } else { Bytes::from(answer.body) };
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = answer.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.kind));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(page::POLICY));
        headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
        match answer.status {
            StatusCode::UNAUTHORIZED => {
                let realm = "Basic realm=\"dns-stamp\", charset=\"UTF-8\"";
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(realm));
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            }
            _ => {}
        }
        response
    }

    async fn answer<B>(&self, request: &Request<B>) -> Answer {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Answer::refusal(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered");
        }
        let path = request.uri().path();
        if path == "/-/healthy" {
            return Answer::new(TEXT, "ok\n".to_owned());
        }
        let current = self.current();
        if let Some(users) = &current.users
            && !users.admit(request.headers()).await
        {
            return Answer::refusal(StatusCode::UNAUTHORIZED, "name and password are needed");
        }
        let params = Params::parse(request.uri().query().unwrap_or_default());
        match (path, &params.server) {
            ("/", _) => self.page(&current).await,
            ("/metrics", None) => {
                let zones = current.watches.iter().map(|watch| watch.zone.label.clone());
                Answer::new(Exposition::CONTENT_TYPE, self.stats.metrics(zones).to_string())
            }
            ("/metrics", Some(server)) => {
                let asked = Asked { module: params.module.as_deref(), server: Some(server) };
                self.probed(request, &current, asked, true).await
            }
            ("/probe", _) => {
                let asked = Asked { module: params.module.as_deref(), server: params.target.as_deref() };
                self.probed(request, &current, asked, false).await
            }
            _ => Answer::refusal(StatusCode::NOT_FOUND, "there is /, /probe, /metrics and /-/healthy"),
        }
    }

    async fn page(&self, current: &Current) -> Answer {
        let mut zones = Vec::with_capacity(current.watches.len());
        for watch in &current.watches {
            zones.push((watch.zone.label.clone(), watch.recent(&self.asking()).await));
        }
        Answer::new(HTML, page::html(&zones))
    }

    /// Probes one server, or all of a zone, within the time that Prometheus has.
    async fn probed<B>(&self, request: &Request<B>, current: &Current, asked: Asked<'_>, is_legacy: bool) -> Answer {
        let start = Instant::now();
        let refuse = |(status, message): (StatusCode, String)| Answer::refusal(status, &message);
        let scrape = scrape_timeout(request.headers());
        let (watch, targets) = match timeout(within(LOOKUP, scrape), self.choose(current, &asked)).await {
            Ok(Ok(chosen)) => chosen,
            Ok(Err(refusal)) => return refuse(refusal),
            Err(_) => {
                let message = "the addresses of the servers are still being looked up".to_owned();
                return refuse((StatusCode::SERVICE_UNAVAILABLE, message));
            }
        };
        let own = watch.zone.plan.limits;
        let left = scrape.map(|scrape| scrape.saturating_sub(start.elapsed()));
        let limits = Limits { timeout: within(own.timeout, left), ..own };
        let report = match targets {
            Some(targets) => {
                let probes = watch.probe(targets, limits, &self.asking()).await;
                watch.report_of(probes, None)
            }
            None => watch.report(limits, &self.asking()).await,
        };
        if let (true, Some(server)) = (is_legacy, asked.server) {
            return Answer::new(Exposition::CONTENT_TYPE, legacy::line(server, &report.probes));
        }
        let is_success = report.problem.is_none()
            && !report.probes.is_empty()
            && report.probes.iter().all(|probe| matches!(probe.verdict.state(), State::Fresh | State::Stale));
        let mut out = Exposition::default();
        out.gauge("probe_success", "Whether every server that was asked has a time in its record that can be one.")
            .sample(&[], u8::from(is_success));
        out.gauge("probe_duration_seconds", "How long all of it took.").sample(&[], start.elapsed().as_secs_f64());
        metrics(&[report], &mut out);
        Answer::new(Exposition::CONTENT_TYPE, out.to_string())
    }

    /// The zone, and those of its servers, that are asked for; without a server all.
    async fn choose(&self, current: &Current, asked: &Asked<'_>) -> Result<Chosen, (StatusCode, String)> {
        let Some(text) = asked.server else {
            let watch = module(current, asked.module)?;
            // So that there is nothing to wait for later.
            watch.targets(&self.stats).await;
            return Ok((watch, None));
        };
        let server: Server = text.parse().map_err(|error| (StatusCode::BAD_REQUEST, format!("{error}")))?;
        let candidates = match asked.module {
            Some(_) => vec![module(current, asked.module)?],
            None => current.watches.clone(),
        };
        for watch in &candidates {
            let targets = watch.find(&server, &self.stats).await;
            if !targets.is_empty() {
                return Ok((Arc::clone(watch), Some(targets)));
            }
        }
        if !current.allow_any {
            return Err((StatusCode::FORBIDDEN, format!("{server} is none of the configured servers")));
        }
        let watch = module(current, asked.module)?;
        let targets = of_server(server, watch.zone.sources.family, &watch.zone.resolver).await;
        Ok((watch, Some(targets)))
    }

    const fn asking(&self) -> Asking<'_> {
        Asking { stats: &self.stats, permits: &self.permits, concurrency: self.concurrency }
    }
}

/// A zone, and some of its servers, or all.
type Chosen = (Arc<Watch>, Option<Vec<Target>>);

/// What a request names.
struct Asked<'a> {
    module: Option<&'a str>,
    server: Option<&'a str>,
}

/// The zone that a module is; the only one where none is named.
fn module(current: &Current, name: Option<&str>) -> Result<Arc<Watch>, (StatusCode, String)> {
    let known = || current.watches.iter().map(|watch| watch.zone.label.as_str()).collect::<Vec<_>>().join(", ");
    let bad = |message| Err((StatusCode::BAD_REQUEST, message));
    match (name, current.watches.as_slice()) {
        (None, [only]) => Ok(Arc::clone(only)),
        (None, []) => bad("no zone is configured".to_owned()),
        (None, _) => bad(format!("which module? There are: {}", known())),
        (Some(name), watches) => match watches.iter().find(|watch| watch.zone.label == name) {
            Some(watch) => Ok(Arc::clone(watch)),
            None => bad(format!("there is no module {name:?}; there are: {}", known())),
        },
    }
}

/// A path as a label of metrics: one of those that there are.
fn known(path: &str) -> &'static str {
    ["/", "/probe", "/metrics", "/-/healthy"].into_iter().find(|known| *known == path).unwrap_or("other")
}
