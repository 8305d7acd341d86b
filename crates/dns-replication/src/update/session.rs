//! How requests are signed, and replies believed.

use domain::base::Message;
use domain::rdata::tsig::Time48;
use domain::tsig::{Algorithm, ClientTransaction, Key};
use pdns_packet::dns::Rcode;
use std::sync::Arc;

use super::message::{Builder, GSS_TSIG, TooLong};
use super::reply::{Asked, BADKEY, BADSIG, BADTIME, Reply, ReplyError, Tsig};
use crate::gss::{self, GssError};
use crate::tsig::TsigKey;

/// What signs the requests of one run.
#[derive(Debug)]
pub(crate) enum Session {
    /// Nothing.
    Open,
    /// A shared key: RFC 8945.
    Tsig(TsigKey),
    /// A Kerberos session: RFC 3645.
    Gss(Box<gss::Session>),
}

/// A request on its way, and what its reply must fit.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) bytes: Vec<u8>,
    asked: Asked,
    proof: Proof,
}

#[derive(Debug)]
enum Proof {
    None,
    Tsig(Box<ClientTransaction<Arc<Key>>>),
    /// The request's signature.
    Gss(Vec<u8>),
}

/// How the server computed the signature over a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacForm {
    /// As RFC 8945 section 4.3 has it.
    Rfc,
    /// As Samba 4.17 does: the request's signature enters without its length.
    WithoutLength,
}

impl std::fmt::Display for MacForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Rfc => "as RFC 8945 has it",
            Self::WithoutLength => "as Samba does, without the length of the request's signature",
        })
    }
}

/// How far a reply can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Nothing was signed, so nothing is proven.
    Open,
    /// It comes from who has the key.
    Signed { time: u64, form: MacForm },
    /// It has no signature, though the request had one.
    Unsigned,
    /// It has the request's own signature: Samba answers errors so, and it proves nothing.
    Echoed,
    /// The server does not accept the request's signature. This is not proven either.
    Rejected { reason: Rejection },
}

/// Why a server does not accept a signature: the error field of its TSIG, RFC 8945 section 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// BADSIG.
    Signature,
    /// BADKEY.
    Key,
    /// BADTIME, with the server's time in Unix seconds.
    Time {
        /// The server's time, where it says it.
        server: Option<u64>,
    },
    /// Another code.
    Other(u16),
}

/// A reply that pretends to be signed and is not signed rightly. Nothing in it is believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Of another key.
    #[error("a reply that is signed with another key")]
    Key,
    /// Forged, or of another request.
    #[error("a reply whose signature is wrong")]
    Mac,
}

/// Why a reply is not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAccepted {
    #[error(transparent)]
    Reply(#[from] ReplyError),
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error(transparent)]
    Gss(#[from] GssError),
}

/// Why a request could not be signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotSigned {
    #[error(transparent)]
    TooLong(#[from] TooLong),
    #[error(transparent)]
    Gss(#[from] GssError),
}

impl Request {
    /// A request without a signature.
    pub(crate) fn unsigned(builder: Builder) -> Result<Self, TooLong> {
        Self::new(builder.finish(), Proof::None)
    }

    fn new(bytes: Vec<u8>, proof: Proof) -> Result<Self, TooLong> {
        // Every request here has a question, so it can only be the length.
        let asked = Asked::of(&bytes).filter(|_| bytes.len() <= usize::from(u16::MAX)).ok_or(TooLong)?;
        Ok(Self { bytes, asked, proof })
    }

    /// Reads a reply without regard to signatures.
    pub(crate) fn reply<'a>(&self, bytes: &'a [u8]) -> Result<Reply<'a>, ReplyError> {
        Reply::parse(bytes, &self.asked)
    }
}

impl Session {
    /// Signs a request at `now`, in Unix seconds.
    pub(crate) async fn sign(&mut self, mut builder: Builder, now: u64) -> Result<Request, NotSigned> {
        match self {
            Self::Open => Ok(Request::unsigned(builder)?),
            Self::Tsig(key) => {
                let transaction = ClientTransaction::request(key.key(), &mut builder, time48(now));
                let transaction = transaction.map_err(TooLong::from)?;
                Ok(Request::new(builder.finish(), Proof::Tsig(Box::new(transaction)))?)
            }
            Self::Gss(session) => {
                let (bytes, mac) = session.sign(builder.finish(), now).await?;
                Ok(Request::new(bytes, Proof::Gss(mac))?)
            }
        }
    }

    /// Reads the reply to a request, and says how far it can be believed.
    pub(crate) async fn verify<'a>(
        &mut self,
        request: &Request,
        bytes: &'a [u8],
    ) -> Result<(Reply<'a>, Trust), NotAccepted> {
        let reply = request.reply(bytes)?;
        let trust = match (&request.proof, self, &reply.tsig) {
            (Proof::None, ..) => Trust::Open,
            (_, _, None) => Trust::Unsigned,
            (Proof::Tsig(transaction), _, Some(tsig)) => verify_tsig(transaction, bytes, &reply, tsig)?,
            (Proof::Gss(mac), Self::Gss(session), Some(tsig)) => verify_gss(session, mac, bytes, &reply, tsig).await?,
            // Signed in one kind of session, and read in another.
            (Proof::Gss(_), _, Some(_)) => return Err(SignatureError::Key.into()),
        };
        Ok((reply, trust))
    }
}

fn verify_tsig(
    transaction: &ClientTransaction<Arc<Key>>,
    bytes: &[u8],
    reply: &Reply<'_>,
    tsig: &Tsig<'_>,
) -> Result<Trust, SignatureError> {
    if !tsig.is_of(transaction.key().name().as_slice(), algorithm_name(transaction.key().algorithm())) {
        return Err(SignatureError::Key);
    }
    // `domain` takes BADTIME, which is signed at the request's time, for a wrong signature.
    if let Some(reason) = rejection(reply, tsig) {
        return Ok(Trust::Rejected { reason });
    }
    // The signature is taken out of the copy.
    let mut message = Message::from_octets(bytes.to_vec()).map_err(|_| SignatureError::Mac)?;
    // How far the clocks may be apart is judged elsewhere, so the signature is looked at as of its own time.
    transaction.answer(&mut message, time48(tsig.time)).map_err(|_| SignatureError::Mac)?;
    Ok(Trust::Signed { time: tsig.time, form: MacForm::Rfc })
}

async fn verify_gss(
    session: &mut gss::Session,
    request_mac: &[u8],
    bytes: &[u8],
    reply: &Reply<'_>,
    tsig: &Tsig<'_>,
) -> Result<Trust, NotAccepted> {
    if !tsig.is_of(session.key_name().as_slice(), GSS_TSIG) {
        return Err(SignatureError::Key.into());
    }
    if let Some(reason) = rejection(reply, tsig) {
        return Ok(Trust::Rejected { reason });
    }
    if tsig.mac == request_mac {
        return Ok(Trust::Echoed);
    }
    // A signature that is tried in vain does not disturb the session.
    for form in [MacForm::Rfc, MacForm::WithoutLength] {
        let prior = gss::Prior::Mac(request_mac, form);
        let digest = gss::reply_digest(bytes, tsig, session.key_name().as_slice(), prior);
        if session.verify(&digest, tsig.mac).await? {
            return Ok(Trust::Signed { time: tsig.time, form });
        }
    }
    Err(SignatureError::Mac.into())
}

/// The error that the server reports in the TSIG of its reply.
fn rejection(reply: &Reply<'_>, tsig: &Tsig<'_>) -> Option<Rejection> {
    match tsig.error {
        0 => None,
        // RFC 8945 section 5.2 wants NOTAUTH with these; a secondary of BIND says REFUSED.
        _ if reply.rcode == Rcode::NOERROR => None,
        BADSIG => Some(Rejection::Signature),
        BADKEY => Some(Rejection::Key),
        BADTIME => Some(Rejection::Time { server: tsig.other_time() }),
        other => Some(Rejection::Other(other)),
    }
}

/// One time less another, in seconds.
pub(crate) fn offset(time: u64, now: u64) -> i64 {
    i64::try_from(i128::from(time) - i128::from(now)).unwrap_or(if time > now { i64::MAX } else { i64::MIN })
}

/// The time in the 48 bits that TSIG has for it: some nine million years.
fn time48(seconds: u64) -> Time48 {
    Time48::from_u64(seconds.min((1 << 48) - 1))
}

fn algorithm_name(algorithm: Algorithm) -> &'static [u8] {
    match algorithm {
        Algorithm::Sha1 => b"\x09hmac-sha1\0",
        Algorithm::Sha256 => b"\x0bhmac-sha256\0",
        Algorithm::Sha384 => b"\x0bhmac-sha384\0",
        Algorithm::Sha512 => b"\x0bhmac-sha512\0",
    }
}

#[cfg(test)]
mod tests {
    use domain::base::MessageBuilder;
    use domain::base::iana::Rcode as DomainRcode;
    use domain::tsig::ServerTransaction;

    use super::super::message::{Prerequisite, update, wire_name};
    use super::*;

    /// A request and the reply that a server with the same key signs.
    fn exchange() -> (Session, Request, Vec<u8>) {
        let key = TsigKey::new("stamp-key", "hmac-sha256", "c2VjcmV0").unwrap();
        let (zone, name) = ("lan".parse().unwrap(), "s.lan".parse().unwrap());
        let builder = update(1, &wire_name(&zone), &wire_name(&name), &Prerequisite::Absent, None).unwrap();
        let mut session = Session::Tsig(key.clone());
        let request = wait(session.sign(builder, 1000)).unwrap();
        let mut asked = Message::from_octets(request.bytes.clone()).unwrap();
        let signed = ServerTransaction::request(&*key.key(), &mut asked, time48(1000)).unwrap().unwrap();
        let mut reply = MessageBuilder::new_vec().start_answer(&asked, DomainRcode::NOERROR).unwrap().additional();
        signed.answer(&mut reply, time48(1003)).unwrap();
        (session, request, reply.finish())
    }

    /// The value of a future that waits for nothing.
    fn wait<T>(future: impl Future<Output = T>) -> T {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::pin!(future).poll(&mut context) {
            std::task::Poll::Ready(value) => value,
            std::task::Poll::Pending => panic!("waits"),
        }
    }

    #[test]
    fn a_signed_reply_tells_the_servers_time() {
        let (mut session, request, reply) = exchange();
        let (_, trust) = wait(session.verify(&request, &reply)).unwrap();
        assert_eq!(trust, Trust::Signed { time: 1003, form: MacForm::Rfc });
    }

    #[test]
    fn times_are_subtracted_whatever_they_are() {
        assert_eq!((offset(5, 7), offset(7, 5)), (-2, 2));
        assert_eq!((offset(u64::MAX, 0), offset(0, u64::MAX)), (i64::MAX, i64::MIN));
    }

    #[test]
    fn what_was_changed_is_not_believed() {
        let (mut session, request, reply) = exchange();
        for at in 0..reply.len() {
            for bits in 1..=u8::MAX {
                let mut changed = reply.clone();
                changed[at] ^= bits;
                let verified = wait(session.verify(&request, &changed));
                // A letter of a name in the other case is the same name.
                let is_same = changed.eq_ignore_ascii_case(&reply);
                assert!(is_same || !matches!(verified, Ok((_, Trust::Signed { .. }))), "{at} {bits:#x}");
            }
        }
    }
}
