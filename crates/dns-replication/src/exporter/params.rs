//! What a request asks for.

use std::time::Duration;

use hyper::header::HeaderMap;

/// The parameters that matter, each where it is first given.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Params {
    pub(super) target: Option<String>,
    pub(super) module: Option<String>,
    pub(super) server: Option<String>,
}

impl Params {
    /// Reads the part of an address after the question mark. Empty values are none, as a form sends them.
    pub(super) fn parse(query: &str) -> Self {
        let mut params = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let field = match name.as_ref() {
                "target" => &mut params.target,
                "module" => &mut params.module,
                "server" => &mut params.server,
                _ => continue,
            };
            if field.is_none() && !value.is_empty() {
                *field = Some(value.into_owned());
            }
        }
        params
    }
}

/// After which time Prometheus gives a scrape up.
pub(super) fn scrape_timeout(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get("x-prometheus-scrape-timeout-seconds")?.to_str().ok()?;
    let seconds: f64 = value.trim().parse().ok()?;
    // Nothing below a millisecond, nor above a day, is meant.
    (0.001..=86_400.0).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_the_first_counts() {
        let params = Params::parse("target=%5B::1%5D:53&module=local.lan&target=x&other=1&server=");
        assert_eq!(params.target.as_deref(), Some("[::1]:53"));
        assert_eq!((params.module.as_deref(), params.server), (Some("local.lan"), None));
        assert_eq!(Params::parse(""), Params::default());
        assert_eq!(Params::parse("%ff&&==&target"), Params::default());
    }

    #[test]
    fn timeouts_that_make_no_sense_are_none() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("X-Prometheus-Scrape-Timeout-Seconds", text.parse().unwrap());
            scrape_timeout(&headers)
        };
        assert_eq!(read("1.5"), Some(Duration::from_millis(1500)));
        for text in ["", "0", "-1", "NaN", "inf", "1e300", "soon"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(scrape_timeout(&HeaderMap::new()), None);
    }
}
