//! Kerberos for dynamic update: GSS-TSIG, RFC 3645.
//!
//! The Kerberos library blocks: for more than half a minute when a KDC does not answer. So it runs in a process of its own,
//! the helper, which is killed at the deadline. It lives in that process's memory alone what a run needs of credentials:
//! there is no credential cache on disk.
//!
//! ```text
//! Session ──pipe──> helper ──> libgssapi_krb5 ──> KDC
//!    └──DNS──> server
//! ```

mod ffi;
mod helper;
mod mac;
mod session;
mod trace;

pub use helper::{Helper, serve};
pub(crate) use mac::{Prior, reply_digest};
pub(crate) use session::{Progress, Session};

use std::path::PathBuf;

use crate::keytab::{Keytab, KeytabError, MissingPrincipal, Principal};

/// Who writes, and to whom.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file with the principal's keys.
    pub keytab: PathBuf,
    /// Who writes.
    pub principal: Principal,
    /// The server's principal: `DNS/dc1.local.lan@LOCAL.LAN`. It is taken as it is written, and looked up nowhere.
    pub service: Principal,
    /// The program that does it.
    pub helper: Helper,
}

/// Why Kerberos does not work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GssError {
    /// The library is not there.
    #[error("the Kerberos library cannot be loaded: {problem}; install it (Debian: libgssapi-krb5-2)")]
    Library {
        /// What the loader says.
        problem: String,
    },
    /// The library says no.
    #[error("{text} (Kerberos error {minor})")]
    Kerberos {
        /// The error's number.
        minor: i32,
        /// The library's words.
        text: String,
    },
    /// The helper does not run, or has ended.
    #[error("the helper process for Kerberos {problem}")]
    Helper {
        /// What happened.
        problem: String,
    },
    /// The helper was asked out of order.
    #[error("a session was used before it was opened")]
    Protocol,
}

/// What an error means, and what to do about it.
pub(crate) fn advice(error: &GssError) -> String {
    // krb5_err: the numbers of RFC 4120 section 7.5.9, and the library's own.
    let what_to_do = match error {
        GssError::Kerberos { minor: -1_765_328_378, .. } => "the KDC does not know the principal; is its name right?",
        GssError::Kerberos { minor: -1_765_328_377, .. } => {
            "the KDC does not know the server by that name; give --server as its full host name, or --service"
        }
        GssError::Kerberos { minor: -1_765_328_360 | -1_765_328_353, .. } => {
            "the password was changed since the keytab was made; export it anew"
        }
        GssError::Kerberos { minor: -1_765_328_366, .. } => "the account is disabled, locked or expired",
        GssError::Kerberos { minor: -1_765_328_361, .. } => "the account's password has expired",
        GssError::Kerberos { minor: -1_765_328_347, .. } => "correct the clocks",
        GssError::Kerberos { minor: -1_765_328_230 | -1_765_328_164, .. } => {
            "name the KDC in krb5.conf, or let this machine ask a DNS server of the domain"
        }
        GssError::Kerberos { minor: -1_765_328_228, .. } => "no KDC answers; is port 88 reachable?",
        _ => return error.to_string(),
    };
    format!("{error}: {what_to_do}")
}

/// Why the keytab cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// It cannot be read.
    #[error(transparent)]
    Keytab(#[from] KeytabError),
    /// It does not have the principal.
    #[error("{}: {source}", path.display())]
    Principal {
        /// The file.
        path: PathBuf,
        /// What is there instead.
        source: MissingPrincipal,
    },
}

impl Settings {
    /// Reads the keytab and says whether the principal's key is in it. The library's own message for all that can be
    /// wrong is "No credentials cache found".
    ///
    /// # Errors
    /// It cannot be read, or does not have the principal.
    pub fn check(&self) -> Result<(), CredentialError> {
        let keytab = Keytab::read(&self.keytab)?;
        let missing = |source| CredentialError::Principal { path: self.keytab.clone(), source };
        keytab.check(&self.principal).map_err(missing)
    }
}
