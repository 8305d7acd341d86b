//! Records by HTTP: Elasticsearch and OpenSearch, ClickHouse, and whatever takes lines of JSON or what a [`Template`] makes
//! of them, such as Loki, Splunk and Vector.
//!
//! A batch is one request, and counts as delivered when the response says so. Without that it is sent again: nothing is
//! lost. Elasticsearch and OpenSearch keep a record once however often it is sent; elsewhere it may come twice, with the
//! same id.

mod config;
mod request;
mod template;
mod verdict;

use std::time::Duration;

use pdns_record::Encoding;
use ureq::Agent;
use ureq::http::header;

pub use self::config::{Config, Login, Protocol};
pub use self::template::{NoRecord, Template};
use self::verdict::{Response, verdict};
use crate::tls::agent_tls;
use crate::{Batch, Deliver, Failure, Needs, Outcome};
pub use ureq::http::Uri;
pub use ureq::http::header::{HeaderName, HeaderValue};

/// The most that is read of a response: the answer to `_bulk` has a few hundred bytes for each record that failed.
const MAX_RESPONSE: u64 = 16 << 20;

/// The longest pause that a server gets by asking for it: one that it calculated wrongly must not silence a sink for years.
const MAX_PAUSE: Duration = Duration::from_secs(3600);

/// A sink that posts one batch after the other.
#[derive(Debug)]
pub struct Http {
    config: Config,
    client: Option<Client>,
    /// The body on its way; its memory is used again.
    body: Vec<u8>,
}

#[derive(Debug)]
struct Client {
    agent: Agent,
    url: Uri,
}

impl Http {
    /// A sink that connects when it is first asked to.
    pub const fn new(config: Config) -> Self {
        Self { config, client: None, body: Vec::new() }
    }

    /// Reads certificates and makes the client, when that is not done yet.
    fn client(&mut self) -> Result<&Client, Failure> {
        let Self { config, client, .. } = self;
        if client.is_none() {
            *client = Some(Client { agent: agent(config)?, url: request::url(config)? });
        }
        client.as_ref().ok_or_else(|| Failure::new("there is no client"))
    }

    fn post(&mut self, batch: &Batch) -> Result<Response, Failure> {
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        request::body(&self.config.protocol, batch, &mut body);
        let response = if self.config.gzip {
            let packed = request::compressed(&body)?;
            self.send(&packed)
        } else {
            self.send(&body)
        };
        self.body = body;
        response
    }

    fn send(&mut self, body: &[u8]) -> Result<Response, Failure> {
        self.client()?;
        let Self { config, client: Some(Client { agent, url }), .. } = self else {
            return Err(Failure::new("there is no client"));
        };
        let mut request = agent.post(url.clone());
        if !config.headers.iter().any(|(name, _)| name == header::CONTENT_TYPE) {
            request = request.header(header::CONTENT_TYPE, request::content_type(&config.protocol));
        }
        for (name, value) in &config.headers {
            request = request.header(name, value);
        }
        if let Some(login) = &config.login {
            request = request.header(header::AUTHORIZATION, login.header());
        }
        if config.gzip {
            request = request.header(header::CONTENT_ENCODING, "gzip");
        }
        read(request.send(body).map_err(unanswered)?)
    }
}

impl Deliver for Http {
    fn needs(&self) -> Needs {
        Needs::new(Encoding::json(self.config.layout)).detailed().batch_bytes(self.config.batch_bytes)
    }

    fn target(&self) -> String {
        let Config { url, protocol, .. } = &self.config;
        let place = format!("{}://{}", url.scheme_str().unwrap_or("http"), url.host().unwrap_or_default());
        let place = url.port_u16().map_or_else(|| place.clone(), |port| format!("{place}:{port}"));
        match protocol {
            Protocol::Bulk { index } => format!("{place} index {index}"),
            Protocol::ClickHouse { table } => format!("{place} table {table}"),
            Protocol::Lines(_) => format!("{place}{}", url.path()),
        }
    }

    fn start(&mut self) -> Result<(), Failure> {
        self.client().map(drop)
    }

    fn deliver(&mut self, batch: &Batch) -> Outcome {
        match self.post(batch) {
            Ok(response) => verdict(&self.config.protocol, &response, batch.records()),
            Err(failure) => Outcome::Retry(failure),
        }
    }

    fn reopen(&mut self) -> Result<(), Failure> {
        // Certificates may be new.
        self.client = None;
        self.start()
    }
}

fn agent(config: &Config) -> Result<Agent, Failure> {
    let builder = Agent::config_builder()
        .timeout_global(Some(config.timeout))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("pdns-sensor/", env!("CARGO_PKG_VERSION")))
        // Records go where the settings say, not where the environment does.
        .proxy(None);
    let builder =
        if config.url.scheme_str() == Some("https") { builder.tls_config(agent_tls(&config.tls)?) } else { builder };
    Ok(builder.build().into())
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Response, Failure> {
    let number = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let (status, retry_after) = (response.status().as_u16(), number("retry-after"));
    let exception = number("x-clickhouse-exception-code");
    let body = response.body_mut().with_config().limit(MAX_RESPONSE).lossy_utf8(true).read_to_string();
    Ok(Response { status, retry_after: retry_after.map(pause), exception, body: body.map_err(unanswered)? })
}

/// The pause that a server asks for, in seconds, as far as it gets one.
fn pause(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds)).min(MAX_PAUSE)
}

#[cfg(feature = "fuzz")]
pub(crate) fn answer(protocol: &Protocol, status: u16, exception: Option<u32>, body: String, records: u64) -> Outcome {
    verdict(protocol, &Response { status, retry_after: None, exception, body }, records)
}

fn unanswered(error: ureq::Error) -> Failure {
    match error {
        ureq::Error::Timeout(_) => Failure::new("no answer in time"),
        ureq::Error::Io(error) => Failure::new(format!("cannot connect: {error}")),
        error => Failure::from(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use pdns_packet::time::Timestamp;
    use pdns_record::Layout;

    use crate::RecordId;

    pub(super) fn batch(records: &[&str]) -> Batch {
        let mut batch = Batch::new(Encoding::json(Layout::Answer), true);
        let mut id = RecordId::first(7, 0);
        for record in records {
            id = batch.write_each(Timestamp::new(1, 5), [192, 0, 2, 1].into(), id, |bytes, ended| {
                bytes.extend_from_slice(record.as_bytes());
                ended(bytes.len());
            });
        }
        batch
    }

    pub(super) fn config(url: &str, protocol: Protocol) -> Config {
        Config::new(Layout::Answer, url.parse().unwrap(), protocol)
    }

    /// The head of a request and its body, of which the length is told.
    fn request(stream: &mut TcpStream) -> (String, Vec<u8>) {
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).unwrap();
        (head, body)
    }

    /// What becomes of a batch that a server answers so, and the head of the request.
    fn exchange(change: impl FnOnce(&mut Config), answer: &'static str) -> (Outcome, String, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/in", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let request = request(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
            request
        });
        let mut config = config(&url, Protocol::Lines(Template::lines()));
        change(&mut config);
        let outcome = Http::new(config).deliver(&batch(&["{}\n"]));
        let (head, body) = server.join().unwrap();
        (outcome, head, body)
    }

    #[test]
    fn a_batch_is_one_request() {
        let answer = "HTTP/1.1 204 No Content\r\n\r\n";
        let (outcome, head, body) = exchange(
            |config| {
                config.gzip = false;
                config.login = Some(Login::Header("Bearer secret".into()));
                config.headers = vec![("x-scope".parse().unwrap(), "dns".parse().unwrap())];
            },
            answer,
        );
        assert_eq!((outcome, body.as_slice()), (Outcome::Delivered, b"{}\n".as_slice()));
        assert!(head.starts_with("post /in http/1.1\r\n"), "{head}");
        for line in ["authorization: bearer secret", "x-scope: dns", "content-type: application/x-ndjson"] {
            assert!(head.contains(line), "{head}");
        }
    }

    #[test]
    fn the_type_of_the_content_can_be_another() {
        let json =
            |config: &mut Config| config.headers = vec![(header::CONTENT_TYPE, "application/json".parse().unwrap())];
        let (_, head, _) = exchange(json, "HTTP/1.1 204 No Content\r\n\r\n");
        assert_eq!(head.matches("content-type:").count(), 1, "{head}");
        assert!(head.contains("content-type: application/json"), "{head}");
    }

    #[test]
    fn bodies_are_compressed() {
        let (_, head, body) = exchange(|_| {}, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        assert!(head.contains("content-encoding: gzip"), "{head}");
        let mut text = String::new();
        flate2::read::GzDecoder::new(body.as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(text, "{}\n");
    }

    #[test]
    fn redirects_are_not_followed_and_answers_are_quoted() {
        let answer = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 4\r\n\r\nmove";
        assert_eq!(exchange(|_| {}, answer).0, Outcome::Stop(Failure::new("status 302: move")));
        let answer = "HTTP/1.1 503 Busy\r\nretry-after: 9\r\ncontent-length: 0\r\n\r\n";
        let expected = Failure::new("status 503").with_pause(Duration::from_secs(9));
        assert_eq!(exchange(|_| {}, answer).0, Outcome::Retry(expected));
        let answer = "HTTP/1.1 429 Slow\r\nretry-after: 4294967295\r\ncontent-length: 0\r\n\r\n";
        let expected = Failure::new("status 429").with_pause(MAX_PAUSE);
        assert_eq!(exchange(|_| {}, answer).0, Outcome::Retry(expected));
    }

    #[test]
    fn a_server_that_is_not_there_or_silent_is_a_failure() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let quick = Config { timeout: Duration::from_millis(50), ..config(&url, Protocol::Lines(Template::lines())) };
        let outcome = Http::new(quick).deliver(&batch(&["{}\n"]));
        assert_eq!(outcome, Outcome::Retry(Failure::new("no answer in time")));
        drop(listener);
        let outcome = Http::new(config(&url, Protocol::Lines(Template::lines()))).deliver(&batch(&["{}\n"]));
        let Outcome::Retry(failure) = outcome else { panic!("{outcome:?}") };
        assert!(failure.reason.starts_with("cannot connect: Connection refused"), "{failure}");
    }

    #[test]
    fn targets_are_told_without_what_is_secret() {
        let url = "https://name:word@es.example:9200/?token=x";
        let target = |protocol| Deliver::target(&Http::new(config(url, protocol)));
        assert_eq!(target(Protocol::Bulk { index: "dns".into() }), "https://es.example:9200 index dns");
        assert_eq!(target(Protocol::ClickHouse { table: "t".into() }), "https://es.example:9200 table t");
        assert_eq!(target(Protocol::Lines(Template::lines())), "https://es.example:9200/");
    }
}
