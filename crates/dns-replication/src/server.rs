//! Servers, as people write them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use crate::name::DomainName;

/// The port that DNS servers listen on unless another is given.
pub const DNS_PORT: u16 = 53;

/// A server: an address or a name, and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Server {
    /// Where it is.
    pub host: Host,
    /// The port it listens on.
    pub port: u16,
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// At an address.
    Address(IpAddr),
    /// At the addresses of a name.
    Name(DomainName),
}

/// Why a text is no [`Server`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no server; write an address, [ADDRESS]:PORT, NAME or NAME:PORT")]
pub struct ServerError {
    text: String,
}

impl Server {
    /// Its address, unless it has to be looked up.
    pub const fn address(&self) -> Option<SocketAddr> {
        match self.host {
            Host::Address(address) => Some(SocketAddr::new(address, self.port)),
            Host::Name(_) => None,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse() {
            return Some(Self { host: Host::Address(address), port: DNS_PORT });
        }
        if let Some(rest) = text.strip_prefix('[') {
            let (address, rest) = rest.split_once(']')?;
            let address: Ipv6Addr = address.parse().ok()?;
            let port = if rest.is_empty() { DNS_PORT } else { port(rest.strip_prefix(':')?)? };
            return Some(Self { host: Host::Address(address.into()), port });
        }
        let (host, port) = match text.split_once(':') {
            Some((host, digits)) => (host, port(digits)?),
            None => (text, DNS_PORT),
        };
        let host = match host.parse() {
            Ok(address) => Host::Address(address),
            // What has only digits and dots was meant to be an address.
            Err(_) if host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => return None,
            Err(_) => Host::Name(host.parse().ok()?),
        };
        Some(Self { host, port })
    }
}

impl From<SocketAddr> for Server {
    fn from(address: SocketAddr) -> Self {
        Self { host: Host::Address(address.ip()), port: address.port() }
    }
}

impl FromStr for Server {
    type Err = ServerError;

    fn from_str(text: &str) -> Result<Self, ServerError> {
        Self::parse(text).ok_or_else(|| ServerError { text: text.to_owned() })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.host, self.port) {
            (Host::Address(address), DNS_PORT) => address.fmt(f),
            (Host::Address(address), port) => SocketAddr::new(*address, port).fmt(f),
            (Host::Name(name), DNS_PORT) => name.fmt(f),
            (Host::Name(name), port) => write!(f, "{name}:{port}"),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

fn port(digits: &str) -> Option<u16> {
    // A sign is no part of a port.
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?.filter(|&port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_written_back() {
        for (text, written) in [
            ("10.0.0.1", "10.0.0.1"),
            ("10.0.0.1:53", "10.0.0.1"),
            ("10.0.0.1:5353", "10.0.0.1:5353"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:DB8::1]:5353", "[2001:db8::1]:5353"),
            ("DC1.local.lan.", "dc1.local.lan"),
            ("dc1:53530", "dc1:53530"),
        ] {
            let server: Server = text.parse().unwrap();
            assert_eq!(server.to_string(), written);
            assert_eq!(written.parse(), Ok(server));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            ":53",
            "dc1:",
            "dc1:0",
            "dc1:65536",
            "dc1:+5",
            "[dc1]:53",
            "[::1",
            "[::1]53",
            "10.0.0",
            "10.0.0.256",
            "http://dc1",
            "dc1/x",
            "dc 1",
            "::1:",
        ] {
            assert!(text.parse::<Server>().is_err(), "{text}");
        }
        assert_eq!(
            "dc1:dns".parse::<Server>().unwrap_err().to_string(),
            "\"dc1:dns\" is no server; write an address, [ADDRESS]:PORT, NAME or NAME:PORT"
        );
    }
}
