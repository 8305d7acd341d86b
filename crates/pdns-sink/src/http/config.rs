//! Settings of the HTTP sink.

use std::fmt;
use std::time::Duration;

use pdns_record::Layout;
use ureq::http::Uri;
use ureq::http::header::{HeaderName, HeaderValue};

use super::Template;
use crate::tls::Tls;

/// Which server, and how it is spoken to.
#[derive(Clone, Debug)]
pub struct Config {
    /// The fields of the records.
    pub layout: Layout,
    /// Where batches are posted to: `http` or `https`. Where it has no path, [`protocol`](Self::protocol) has one.
    pub url: Uri,
    /// What the server understands.
    pub protocol: Protocol,
    /// Headers of every request, besides those that the protocol has.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Who we are.
    pub login: Option<Login>,
    /// Whether bodies are compressed by gzip.
    pub gzip: bool,
    /// Whom to trust, and our own certificate.
    pub tls: Tls,
    /// How long a request may take, from connecting to the end of the response.
    pub timeout: Duration,
    /// How many bytes of records a request has at most, before compression.
    pub batch_bytes: usize,
}

/// What servers understand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `_bulk` of Elasticsearch and OpenSearch. Records are created under their ids, so that one that is sent twice is there
    /// once.
    Bulk {
        /// The index, or data stream. `{date}` in it stands for the day of the record, such as `2026.01.15`.
        index: String,
    },
    /// ClickHouse's HTTP interface, with rows as `JSONEachRow`. Each has its id as `record_id`.
    ClickHouse {
        /// The table, as `TABLE` or `DATABASE.TABLE`.
        table: String,
    },
    /// Anything that takes lines, or what a template makes of them; any status of success is one.
    Lines(Template),
}

/// How a request says who sends it.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// A name and a password, RFC 7617.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: String,
    },
    /// The whole value of the `Authorization` header: `Bearer TOKEN`, RFC 6750; `ApiKey KEY` for Elasticsearch; `Splunk TOKEN`.
    Header(String),
}

impl Config {
    /// What is usual: compressed requests of up to 2 MiB, each answered within 30 seconds.
    pub fn new(layout: Layout, url: Uri, protocol: Protocol) -> Self {
        Self {
            layout,
            url,
            protocol,
            headers: Vec::new(),
            login: None,
            gzip: true,
            tls: Tls::default(),
            timeout: Duration::from_secs(30),
            batch_bytes: 2 << 20,
        }
    }
}

impl Login {
    /// The value of the `Authorization` header.
    pub(super) fn header(&self) -> String {
        use base64::Engine as _;
        match self {
            Self::Basic { username, password } => {
                let pair = format!("{username}:{password}");
                format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
            }
            Self::Header(value) => value.clone(),
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { username, .. } => formatter.debug_tuple("Basic").field(username).finish_non_exhaustive(),
            Self::Header(_) => formatter.debug_tuple("Header").finish_non_exhaustive(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_headers_and_are_not_printed() {
        let basic = Login::Basic { username: "Aladdin".into(), password: "open sesame".into() };
        // The example of RFC 7617, section 2.
        assert_eq!(basic.header(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        let header = Login::Header("ApiKey secret".into());
        assert_eq!(header.header(), "ApiKey secret");
        let printed = format!("{basic:?} {header:?}");
        assert!(!printed.contains("se") && printed.contains("Aladdin"), "{printed}");
    }
}
