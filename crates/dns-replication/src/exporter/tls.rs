//! Encrypted connections.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// A certificate with its key.
#[derive(Clone)]
pub struct TlsSettings {
    pub(super) acceptor: TlsAcceptor,
}

/// Why connections cannot be encrypted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file is no PEM, or not with what is needed.
    #[error("{file}: {error}")]
    Pem {
        /// The file.
        file: String,
        /// What is wrong with it.
        error: pem::Error,
    },
    /// There is no certificate in the file.
    #[error("{file}: no certificate in it")]
    Empty {
        /// The file.
        file: String,
    },
    /// Certificate and key cannot be used together.
    #[error("certificate {certificate} and key {key}: {error}")]
    Unusable {
        /// The file of the certificate.
        certificate: String,
        /// The file of the key.
        key: String,
        /// What is wrong.
        error: rustls::Error,
    },
}

impl TlsSettings {
    /// Reads a certificate with its chain, and its key, both in PEM.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let name = |path: &Path| path.display().to_string();
        let pem = |path: &Path| {
            let file = name(path);
            move |error| TlsError::Pem { file, error }
        };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(pem(certificate))?;
        if chain.is_empty() {
            return Err(TlsError::Empty { file: name(certificate) });
        }
        let secret = PrivateKeyDer::from_pem_file(key).map_err(pem(key))?;
        let unusable = |error| TlsError::Unusable { certificate: name(certificate), key: name(key), error };
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
            .map_err(unusable)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}

impl std::fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsSettings")
    }
}

impl From<TlsError> for io::Error {
    fn from(error: TlsError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, error.to_string())
    }
}
