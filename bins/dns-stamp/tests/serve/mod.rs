//! `serve`: over HTTP, by hand, by curl and by Prometheus.

mod answers;
mod door;
mod load;
mod prometheus;

use std::net::SocketAddr;
use std::path::PathBuf;

use pdns_rigs::http::{self, Page};
use pdns_rigs::process::Running;

use crate::util::dns_stamp;

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

/// Sends a request, and reads to the end of the connection.
pub(crate) fn exchange(address: SocketAddr, request: &str) -> Page {
    http::exchange(address, request).unwrap()
}
