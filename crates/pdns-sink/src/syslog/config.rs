//! Settings of the syslog sink.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use pdns_record::Layout;

#[cfg(feature = "tls")]
use crate::tls::Tls;

/// Which syslog, and how records look there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The fields of the records.
    pub layout: Layout,
    /// Where the receiver is.
    pub transport: Transport,
    /// The part of the system that records are from.
    pub facility: Facility,
    /// How urgent they are.
    pub severity: Severity,
    /// The program that they are from: up to 48 visible characters of ASCII.
    pub app_name: String,
    /// The host that they are from, told to remote receivers: up to 255 visible characters of ASCII.
    pub hostname: String,
    /// How long a message may be, in bytes, with its header. Longer records are cut.
    pub max_bytes: usize,
    /// How long it may take to connect and to send a batch.
    pub timeout: Duration,
}

/// How messages reach the receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// By the first of these Unix sockets that is there, as datagrams or as a stream.
    Local(Vec<PathBuf>),
    /// By UDP, RFC 5426, to `HOST:PORT`.
    Udp(String),
    /// By TCP with octet counting, RFC 6587, to `HOST:PORT`.
    Tcp(String),
    /// By TLS, RFC 5425, to `HOST:PORT`.
    #[cfg(feature = "tls")]
    Tls(String, Tls),
}

/// A facility, RFC 5424 section 6.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facility(u8);

/// A severity, RFC 5424 section 6.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Severity(u8);

impl Config {
    /// What rsyslog takes, with room for its own additions: it cuts at 8 KiB without a word.
    pub const MAX_BYTES: usize = 8000;
    /// What any receiver has to take, RFC 5424 section 6.1.
    pub const LEAST_MAX_BYTES: usize = 480;

    /// What is usual: messages from `pdns-sensor` of up to 8,000 bytes, sent within 10 seconds.
    pub fn new(layout: Layout, transport: Transport, facility: Facility, severity: Severity, hostname: &str) -> Self {
        Self {
            layout,
            transport,
            facility,
            severity,
            app_name: "pdns-sensor".to_owned(),
            hostname: hostname.to_owned(),
            max_bytes: Self::MAX_BYTES,
            timeout: Duration::from_secs(10),
        }
    }

    /// The number that a message begins with: `<14>`.
    pub(super) fn priority(&self) -> u8 {
        self.facility.0 * 8 + self.severity.0
    }
}

impl Transport {
    /// The port of syslog over UDP and TCP.
    pub const PORT: u16 = 514;
    /// The port of syslog over TLS.
    pub const TLS_PORT: u16 = 6514;

    /// Where systems have the socket of the local syslog.
    pub fn local() -> Self {
        Self::Local(["/dev/log", "/var/run/syslog", "/var/run/log"].map(PathBuf::from).to_vec())
    }
}

impl Facility {
    /// The names, in lower case; a facility's number is its place.
    pub const NAMES: [&'static str; 24] = [
        "kern",
        "user",
        "mail",
        "daemon",
        "auth",
        "syslog",
        "lpr",
        "news",
        "uucp",
        "cron",
        "authpriv",
        "ftp",
        "ntp",
        "security",
        "console",
        "solaris-cron",
        "local0",
        "local1",
        "local2",
        "local3",
        "local4",
        "local5",
        "local6",
        "local7",
    ];

    /// The facility of this name, whatever its case.
    pub fn from_name(name: &str) -> Option<Self> {
        position(&Self::NAMES, name).map(Self)
    }
}

impl Severity {
    /// The names, in lower case; a severity's number is its place.
    pub const NAMES: [&'static str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

    /// The severity of this name, whatever its case.
    pub fn from_name(name: &str) -> Option<Self> {
        position(&Self::NAMES, name).map(Self)
    }
}

fn position(names: &[&str], name: &str) -> Option<u8> {
    names.iter().position(|known| known.eq_ignore_ascii_case(name)).map(|place| place as u8)
}

impl fmt::Display for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(paths) => match paths.as_slice() {
                [path] => path.display().fmt(formatter),
                _ => formatter.write_str("the local syslog"),
            },
            Self::Udp(host) => write!(formatter, "{host} by UDP"),
            Self::Tcp(host) => write!(formatter, "{host} by TCP"),
            #[cfg(feature = "tls")]
            Self::Tls(host, _) => write!(formatter, "{host} by TLS"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_their_numbers() {
        let priority = |facility, severity| {
            let (facility, severity) = (Facility::from_name(facility), Severity::from_name(severity));
            let transport = Transport::local();
            Config::new(Layout::Answer, transport, facility.unwrap(), severity.unwrap(), "ns1").priority()
        };
        assert_eq!((priority("kern", "emerg"), priority("user", "info"), priority("LOCAL7", "debug")), (0, 14, 191));
        assert_eq!(Facility::from_name("local8"), None);
    }
}
