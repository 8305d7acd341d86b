//! Keeps runs for the same record from overlapping.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use super::Injection;

/// The right to write a record at a server, on this machine; it ends with the value, or with the process.
///
/// It is the name of a socket that is in no directory (see unix(7), "abstract"): nothing is left behind by a process
/// that was killed, and there is no file that must be writable.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "held until dropped")] UnixListener);

/// Why there is no right.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("another dns-stamp is about to write {name} at {server}")]
    Held {
        /// The record.
        name: String,
        /// The server.
        server: String,
    },
    /// The system does not let it be asked for.
    #[error("cannot lock {name}: {source}")]
    System {
        /// The record.
        name: String,
        /// What the system says.
        source: io::Error,
    },
}

impl Lock {
    /// Takes the right to make an injection.
    ///
    /// # Errors
    /// Another process has it.
    pub fn take(injection: &Injection) -> Result<Self, LockError> {
        let name = injection.name.to_string();
        let mut hasher = DefaultHasher::new();
        (&name, injection.server.to_string()).hash(&mut hasher);
        let path = format!("dns-stamp/{:016x}", hasher.finish());
        let listener = SocketAddr::from_abstract_name(path).and_then(|address| UnixListener::bind_addr(&address));
        match listener {
            Ok(listener) => Ok(Self(listener)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                Err(LockError::Held { name, server: injection.server.to_string() })
            }
            Err(source) => Err(LockError::System { name, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::update::Auth;

    #[test]
    fn one_run_for_a_record_at_a_time() {
        let injection = |name: &str| Injection {
            server: "192.0.2.1".parse().unwrap(),
            resolver: None,
            zone: "lock.test".parse().unwrap(),
            name: name.parse().unwrap(),
            ttl: 60,
            min_interval: Duration::ZERO,
            max_clock_skew: Duration::ZERO,
            deadline: Duration::ZERO,
            auth: Auth::None,
        };
        let lock = Lock::take(&injection("a.lock.test")).unwrap();
        let error = Lock::take(&injection("a.lock.test")).unwrap_err();
        assert_eq!(error.to_string(), "another dns-stamp is about to write a.lock.test at 192.0.2.1");
        Lock::take(&injection("b.lock.test")).unwrap();
        drop(lock);
        Lock::take(&injection("a.lock.test")).unwrap();
    }
}
