//! TLS as the HTTP client takes it.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use super::{Tls, TlsError, certificates};

/// The settings for [`ureq`].
pub(crate) fn agent_tls(tls: &Tls) -> Result<TlsConfig, TlsError> {
    let owned = |der: &[u8]| Certificate::from_der(der).to_owned();
    let roots: Vec<_> = tls.authorities()?.iter().map(|der| owned(der)).collect();
    let mut identity = None;
    if let Some(files) = &tls.identity {
        let chain: Vec<_> = certificates(&files.certificate)?.iter().map(|der| owned(der)).collect();
        let text = std::fs::read(&files.key).map_err(|source| TlsError::file(&files.key, pem::Error::Io(source)))?;
        let key = PrivateKey::from_pem(&text)
            .map_err(|_| TlsError::Empty { path: files.key.clone(), what: "private key" })?;
        identity = Some(ClientCert::new_with_certs(&chain, key));
    }
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&roots))
        .client_cert(identity)
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build())
}
