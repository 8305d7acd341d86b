//! Real programs that metrics are for, each started by a test with its own settings and ended by it.

use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// A program that runs until this is dropped.
pub(crate) struct Peer(Child);

impl Peer {
    /// Starts it. `None`, after saying so, when it is not installed.
    pub(crate) fn start(command: &mut Command) -> Option<Self> {
        match command.stdin(Stdio::null()).spawn() {
            Ok(child) => Some(Self(child)),
            Err(error) => skip(&format!("{}: {error}", command.get_program().display())),
        }
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // One that has ended cannot be.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Says why a test does nothing; with `PDNS_REQUIRE_RIGS=1` in the environment that is a failure.
pub(crate) fn skip<T>(reason: &dyn Display) -> Option<T> {
    assert!(std::env::var_os("PDNS_REQUIRE_RIGS").is_none_or(|value| value != "1"), "cannot be skipped: {reason}");
    // Past the test harness, which would keep it to itself.
    writeln!(io::stderr(), "skipped: {reason}").ok();
    None
}

/// A TCP port of this machine that nobody has at the moment.
pub(crate) fn free_tcp_port() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

/// A UDP port of this machine that nobody has at the moment.
pub(crate) fn free_udp_port() -> SocketAddr {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

/// The folder of a package from npm, which is installed there when it is missing. None of its scripts is run.
pub(crate) fn npm(package: &str, version: &str) -> Option<PathBuf> {
    // One test at a time; others run in processes that have finished or not begun.
    static INSTALL: Mutex<()> = Mutex::new(());
    let _guard = INSTALL.lock().unwrap_or_else(PoisonError::into_inner);
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("npm-{package}-{version}"));
    let folder = root.join("node_modules").join(package);
    if folder.exists() {
        return Some(folder);
    }
    // Half an installation is none.
    let fresh = root.with_extension(format!("new-{}", std::process::id()));
    fs::create_dir_all(&fresh).unwrap();
    let install = Command::new("npm")
        .args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"])
        .arg(&fresh)
        .arg(format!("{package}@{version}"))
        .output();
    match install {
        Ok(output) if output.status.success() => {
            fs::rename(&fresh, &root).unwrap();
            Some(folder)
        }
        Ok(output) => skip(&format!("npm install {package}: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => skip(&format!("npm: {error}")),
    }
}
