//! What a service manager is told: sd_notify(3).
//!
//! The socket is connected once, before privileges are given up: afterwards it may be out of reach. That is also why this
//! is not left to a library; those look for the socket each time.

use std::env::{self, VarError};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::log;

/// The service manager, if one waits for news.
#[derive(Debug, Default)]
pub(crate) struct Service {
    socket: Option<Arc<UnixDatagram>>,
    /// How long it waits for a sign of life, if it does.
    patience: Option<Duration>,
}

impl Service {
    /// Finds the service manager that started the program. One that cannot be reached is warned of, and then told nothing.
    pub(crate) fn find() -> Self {
        let Some(name) = env::var_os("NOTIFY_SOCKET") else { return Self::default() };
        let socket = connect(name.as_encoded_bytes());
        let socket = socket.inspect_err(|error| {
            log::warn(&format!("cannot reach the service manager at NOTIFY_SOCKET '{}': {error}", name.display()));
        });
        Self { socket: socket.ok().map(Arc::new), patience: patience(|name| env::var(name)) }
    }

    /// Says that the capture runs.
    pub(crate) fn ready(&self) {
        self.tell("READY=1");
    }

    /// Says that the run comes to its end.
    pub(crate) fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    /// Gives a sign of life in time, in a thread of its own, as long as `lives` says so of the time since the last one.
    ///
    /// # Errors
    ///
    /// There is no thread to be had.
    pub(crate) fn watch(&self, mut lives: impl FnMut(Duration) -> bool + Send + 'static) -> io::Result<Option<Watch>> {
        let (Some(socket), Some(patience)) = (&self.socket, self.patience) else { return Ok(None) };
        let socket = Arc::clone(socket);
        let ending = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&ending);
        let (end, ended) = mpsc::channel::<()>();
        let thread = thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
            // sd_watchdog_enabled(3) asks for half of it; a third survives a sign that comes late.
            let interval = patience / 3;
            while ended.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                if lives(interval) || ends.load(Ordering::Relaxed) {
                    send(&socket, "WATCHDOG=1");
                }
            }
        })?;
        Ok(Some(Watch { ending, end: Some(end), thread: Some(thread) }))
    }

    fn tell(&self, state: &str) {
        if let Some(socket) = &self.socket {
            send(socket, state);
        }
    }
}

/// The thread that gives signs of life; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    ending: Arc<AtomicBool>,
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// From here on nothing needs to go on but the end, which the service manager times by itself.
    pub(crate) fn ending(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // What it had to say was said; a panic of it has been printed.
            thread.join().ok();
        }
    }
}

/// A path, or a name of Linux's own after an `@`.
fn connect(name: &[u8]) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    let address = match name {
        [b'@', abstracted @ ..] => SocketAddr::from_abstract_name(abstracted)?,
        [b'/', ..] => SocketAddr::from_pathname(os_str(name))?,
        _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "it begins with neither / nor @")),
    };
    socket.connect_addr(&address)?;
    // Neither packets nor the end wait for the service manager.
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn os_str(bytes: &[u8]) -> &std::ffi::OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(bytes)
}

/// How long the service manager waits, if it is this process that it waits for.
fn patience(variable: impl Fn(&str) -> Result<String, VarError>) -> Option<Duration> {
    let micros = variable("WATCHDOG_USEC").ok()?.parse().ok().filter(|&micros| micros > 0)?;
    let other = variable("WATCHDOG_PID").is_ok_and(|pid| pid != process::id().to_string());
    (!other).then(|| Duration::from_micros(micros))
}

fn send(socket: &UnixDatagram, state: &str) {
    // A service manager that does not listen finds out by itself.
    socket.send(state.as_bytes()).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[(&str, String)]) -> Option<Duration> {
        patience(|name| {
            values.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone()).ok_or(VarError::NotPresent)
        })
    }

    #[test]
    fn only_this_process_is_waited_for() {
        let pid = process::id().to_string();
        assert_eq!(of(&[("WATCHDOG_USEC", "3000000".to_owned())]), Some(Duration::from_secs(3)));
        assert_eq!(of(&[("WATCHDOG_USEC", "1".to_owned()), ("WATCHDOG_PID", pid)]), Some(Duration::from_micros(1)));
        assert_eq!(of(&[("WATCHDOG_USEC", "1".to_owned()), ("WATCHDOG_PID", "1".to_owned())]), None);
        for nonsense in ["", "0", "-1", "x"] {
            assert_eq!(of(&[("WATCHDOG_USEC", nonsense.to_owned())]), None);
        }
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn signs_of_life_are_given_while_there_is_life() {
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        let service = Service { socket: Some(Arc::new(ours)), patience: Some(Duration::from_millis(30)) };
        theirs.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let received = || {
            let mut text = [0; 64];
            theirs.recv(&mut text).map(|length| String::from_utf8(text[..length].to_vec()).unwrap())
        };
        let mut signs = 2;
        let watch = service.watch(move |_| {
            signs -= 1;
            signs >= 0
        });
        let watch = watch.unwrap().unwrap();
        for _ in 0..2 {
            assert_eq!(received().unwrap(), "WATCHDOG=1");
        }
        theirs.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        assert_eq!(received().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        watch.ending();
        theirs.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        assert_eq!(received().unwrap(), "WATCHDOG=1");
        drop(watch);
        service.ready();
        service.stopping();
        let mut others = std::iter::repeat_with(|| received().unwrap()).filter(|text| text != "WATCHDOG=1");
        assert_eq!([others.next().unwrap(), others.next().unwrap()], ["READY=1", "STOPPING=1"]);
    }

    #[test]
    fn sockets_have_paths_or_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let listener = UnixDatagram::bind(&path).unwrap();
        send(&connect(path.as_os_str().as_encoded_bytes()).unwrap(), "READY=1");
        let name = format!("pdns-sensor-test-{}", process::id());
        let abstracted = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        send(&connect(format!("@{name}").as_bytes()).unwrap(), "READY=1");
        for socket in [listener, abstracted] {
            let mut text = [0; 64];
            assert_eq!(socket.recv(&mut text).unwrap(), 7);
        }
        assert_eq!(connect(b"vsock:2:1").unwrap_err().to_string(), "it begins with neither / nor @");
        assert_eq!(connect(b"/no/such").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
