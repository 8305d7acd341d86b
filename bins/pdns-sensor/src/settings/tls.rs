//! What is asked for of TLS, by options that begin with the kind of sink.

use std::path::PathBuf;

use pdns_sink::tls::{Identity, Tls};

use super::sinks::both;
use crate::config::{Config, Findings};

/// The files for a kind of sink: `kafka-tls-ca`, `kafka-tls-cert`, `kafka-tls-key`. `None` when none is given.
pub(super) fn files(config: &Config, kind: &str, findings: &mut Findings) -> Option<Tls> {
    let [ca, cert, key] = ["ca", "cert", "key"].map(|file| format!("{kind}-tls-{file}"));
    let (certificate, private) = (config.path(&cert), config.path(&key));
    both(config, [&cert, &key], [certificate.is_some(), private.is_some()], findings);
    let identity = certificate.zip(private).map(|(certificate, key)| Identity { certificate, key });
    let ca = config.path(&ca);
    (ca.is_some() || identity.is_some()).then_some(Tls { ca, identity })
}

/// All files of it.
pub(super) fn paths(tls: &mut Tls) -> Vec<&mut PathBuf> {
    let identity = tls.identity.as_mut().map(|Identity { certificate, key }| [certificate, key]);
    tls.ca.as_mut().into_iter().chain(identity.into_iter().flatten()).collect()
}
