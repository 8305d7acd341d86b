//! Pages over HTTP, and what stands on those of metrics.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use pdns_rigs::http::{self, Page};

/// Fetches a page.
pub(crate) fn get(address: SocketAddr, path: &str) -> Page {
    http::get(address, path).unwrap_or_else(|error| panic!("{address}{path}: {error}"))
}

/// Sends a request, which is to be one that is answered with the end of the connection.
pub(crate) fn request(address: SocketAddr, request: &str) -> Page {
    http::exchange(address, request).unwrap_or_else(|error| panic!("{address}: {request}: {error}"))
}

/// The samples of a page of metrics: of each, its name with its labels as they are written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(pub(crate) BTreeMap<String, f64>);

impl Samples {
    /// Reads Prometheus's text format as far as the program writes it.
    pub(crate) fn of(page: &str) -> Self {
        let lines = page.lines().filter(|line| !line.starts_with('#'));
        Self(
            lines
                .map(|line| line.rsplit_once(' ').unwrap())
                .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
                .collect(),
        )
    }

    /// The metrics that the program serves.
    pub(crate) fn fetch(address: SocketAddr) -> Self {
        let page = get(address, "/metrics");
        assert_eq!((page.status, &*page.headers["content-type"]), (200, "text/plain; version=0.0.4; charset=utf-8"));
        Self::of(&page.body)
    }

    /// The value of a metric, over all its labels.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        let of_name = |sample: &str| sample.split('{').next() == Some(name);
        let values: Vec<_> = self.0.iter().filter(|(sample, _)| of_name(sample)).map(|(_, value)| value).collect();
        assert!(!values.is_empty(), "no metric {name}");
        values.into_iter().sum()
    }

    /// The values of a metric by a label, over all others.
    pub(crate) fn by_label(&self, name: &str, label: &str) -> BTreeMap<String, f64> {
        let mut sums = BTreeMap::new();
        for (sample, value) in &self.0 {
            let labels = sample.strip_prefix(name).and_then(|rest| rest.strip_prefix('{')?.strip_suffix('}'));
            let parts = labels.into_iter().flat_map(|labels| labels.split(','));
            for (key, text) in parts.filter_map(|part| part.split_once('=')) {
                if key == label {
                    *sums.entry(text.trim_matches('"').to_owned()).or_default() += value;
                }
            }
        }
        sums
    }
}
