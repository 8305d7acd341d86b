//! `serve`: over HTTP, by hand, by curl and by Prometheus.

mod answers;
mod door;
mod load;
mod prometheus;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use pdns_rigs::process::Running;

use crate::util::dns_stamp;

/// How long something may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `serve`.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) process: Running,
    folder: tempfile::TempDir,
}

impl Server {
    /// Starts it with this configuration file, on a port of its own.
    pub(crate) fn start(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dns-stamp.toml");
        std::fs::write(&path, config).unwrap();
        let mut command = dns_stamp(&["serve", "--listen", "127.0.0.1:0", "--config", path.to_str().unwrap()]);
        let mut process = Running::start(&mut command, &folder.path().join("log")).unwrap();
        let mut address = None;
        let log = folder.path().join("log");
        process
            .wait_until(|| {
                address = listening(&std::fs::read_to_string(&log).unwrap_or_default());
                address.is_some()
            })
            .unwrap();
        Self { address: address.unwrap(), process, folder }
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("dns-stamp.toml")
    }

    pub(crate) fn get(&self, path: &str) -> Page {
        self.request(path, "")
    }

    /// With more lines of the head.
    pub(crate) fn request(&self, path: &str, headers: &str) -> Page {
        let address = self.address;
        exchange(address, &format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n{headers}\r\n"))
    }
}

/// The address in the line that says where it listens.
fn listening(log: &str) -> Option<SocketAddr> {
    log.split("listening on ").nth(1)?.split("://").nth(1)?.split_once('/')?.0.parse().ok()
}

/// A response.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Page {
    /// The value of a metric without labels, or with exactly those that are written along.
    pub(crate) fn value(&self, metric: &str) -> Option<f64> {
        let line = self.body.lines().find(|line| line.rsplit_once(' ').is_some_and(|(name, _)| name == metric))?;
        line.rsplit_once(' ')?.1.parse().ok()
    }

    /// The value of the only series of a metric.
    pub(crate) fn only(&self, metric: &str) -> f64 {
        let of = |line: &&str| line.split(['{', ' ']).next() == Some(metric);
        let lines: Vec<_> = self.body.lines().filter(of).collect();
        assert_eq!(lines.len(), 1, "{metric}: {}", self.body);
        lines[0].rsplit_once(' ').unwrap().1.parse().unwrap()
    }
}

/// Sends a request, and reads to the end of the connection.
pub(crate) fn exchange(address: SocketAddr, request: &str) -> Page {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no HTTP: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    Page { status, headers, body: body.to_owned() }
}

/// Asks again and again until there is an answer.
pub(crate) fn poll<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}
