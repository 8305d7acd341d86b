//! A Kerberos session with a DNS server, as far as it is not about the network.

use super::helper::{Answer, Ask, Running};
use super::{GssError, Settings, mac};
use crate::update::{WireName, random};

/// A session that is open, or about to be.
#[derive(Debug)]
pub(crate) struct Session {
    helper: Running,
    key_name: WireName,
}

/// What opening a session needs next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The server is to be given this token, and to answer with one.
    Token(Vec<u8>),
    /// Nothing: it is open.
    Open,
}

impl Session {
    /// Gets a ticket for the server, and its first token.
    pub(crate) async fn begin(settings: &Settings) -> Result<(Self, Vec<u8>), GssError> {
        let mut helper = Running::start(settings)?;
        let keytab = settings.keytab.to_str().ok_or_else(|| GssError::Helper {
            problem: format!("cannot be told a path that is no text: {}", settings.keytab.display()),
        })?;
        let parts = format!("{}\0{keytab}\0{}", settings.principal, settings.service);
        let (_, token) = helper.ask(Ask::Begin, parts.as_bytes()).await?;
        Ok((Self { helper, key_name: new_key_name() }, token))
    }

    /// Takes the server's token.
    pub(crate) async fn advance(&mut self, token: &[u8]) -> Result<Progress, GssError> {
        let (answer, token) = self.helper.ask(Ask::Step, token).await?;
        Ok(if answer == Answer::More || !token.is_empty() { Progress::Token(token) } else { Progress::Open })
    }

    /// The name of the session's key, which is this session's alone.
    pub(crate) const fn key_name(&self) -> &WireName {
        &self.key_name
    }

    /// Signs a request at `now`, in Unix seconds; the signature is also returned alone.
    pub(crate) async fn sign(&mut self, message: Vec<u8>, now: u64) -> Result<(Vec<u8>, Vec<u8>), GssError> {
        let key_name = self.key_name.as_slice();
        let digest = mac::request_digest(&message, key_name, now);
        let (_, signature) = self.helper.ask(Ask::Sign, &digest).await?;
        Ok((mac::append(message, key_name, now, &signature), signature))
    }

    /// Whether the server signed this so.
    pub(crate) async fn verify(&mut self, digest: &[u8], signature: &[u8]) -> Result<bool, GssError> {
        let body = [&(signature.len() as u32).to_be_bytes(), signature, digest].concat();
        let (answer, _) = self.helper.ask(Ask::Verify, &body).await?;
        Ok(answer == Answer::Done)
    }
}

/// A name that no other session has: servers refuse one that they know already (BADKEY).
fn new_key_name() -> WireName {
    let name = format!("{:016x}.dns-stamp", random());
    // Two labels of letters, digits and a hyphen.
    name.parse().unwrap_or_else(|_| WireName::root_vec())
}
