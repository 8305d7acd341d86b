//! TLS for sinks: whom to trust and who we are.

#[cfg(feature = "http")]
mod agent;
mod socket;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

#[cfg(feature = "http")]
pub(crate) use self::agent::agent_tls;
pub(crate) use self::socket::TlsSocket;

/// Files in PEM format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Certificates of the authorities that are trusted; the system's when there is none.
    pub ca: Option<PathBuf>,
    /// Our own certificate with those between it and the authority, and its private key, for servers that ask for one.
    pub identity: Option<Identity>,
}

/// A certificate and its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, and those between it and the authority.
    pub certificate: PathBuf,
    /// The private key: PKCS #8, PKCS #1 or SEC 1, not encrypted.
    pub key: PathBuf,
}

/// Why TLS cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read, or holds nothing of what it should.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// A file does not hold what it should.
    #[error("{}: there is no {what} in it", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
    },
    /// The system has no certificates of authorities.
    #[error("the system has no certificates of authorities: {reason}")]
    NoSystemCertificates {
        /// What was found wrong.
        reason: String,
    },
    /// Certificates or the key are not what they should be.
    #[error("{}: {source}", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// TLS itself cannot be set up.
    #[error(transparent)]
    Protocol(rustls::Error),
}

impl Tls {
    /// Reads the files. The server's certificate is always checked, with its name.
    ///
    /// # Errors
    /// A file cannot be read or used.
    pub fn load(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Protocol)?
            .with_root_certificates(self.roots()?);
        let config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let chain = certificates(&identity.certificate)?;
                let key = PrivateKeyDer::from_pem_file(&identity.key)
                    .map_err(|source| TlsError::file(&identity.key, source))?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(|source| TlsError::Unusable { path: identity.key.clone(), source })?
            }
        };
        Ok(Arc::new(config))
    }

    fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        let (added, _) = roots.add_parsable_certificates(self.authorities()?);
        if added > 0 {
            return Ok(roots);
        }
        Err(match &self.ca {
            Some(path) => TlsError::Empty { path: path.clone(), what: "certificate of an authority" },
            None => TlsError::NoSystemCertificates { reason: "none can be used".to_owned() },
        })
    }

    /// The certificates of the authorities that are trusted.
    fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        if let Some(path) = &self.ca {
            return certificates(path);
        }
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            let reason = found.errors.first().map_or_else(|| "none was found".to_owned(), ToString::to_string);
            return Err(TlsError::NoSystemCertificates { reason });
        }
        Ok(found.certs)
    }
}

impl TlsError {
    fn file(path: &Path, source: pem::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |source| TlsError::file(path, source);
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(wrong)?.collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    if certificates.is_empty() {
        return Err(TlsError::Empty { path: path.to_owned(), what: "certificate" });
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let tls = Tls { ca: Some("/does/not/exist.pem".into()), identity: None };
        assert!(tls.load().unwrap_err().to_string().starts_with("/does/not/exist.pem: "));
    }

    #[test]
    fn a_file_without_certificates_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "no PEM at all\n").unwrap();
        let tls = Tls { ca: Some(file.path().to_owned()), identity: None };
        let expected = format!("{}: there is no certificate in it", file.path().display());
        assert_eq!(tls.load().unwrap_err().to_string(), expected);
    }
}
