//! Opening a Kerberos session with the server: RFC 3645 section 3.1.

use pdns_packet::dns::Rcode;

use super::error::InjectError;
use super::exchange::{Step, TimeIsUp};
use super::inject::{Run, random_id};
use super::message::{self, GSS_TSIG};
use super::reply::{BADKEY, Reply, Tkey};
use super::session::{Rejection, Request, SignatureError, Trust};
use crate::gss::{GssError, Prior, Progress, Session, Settings, reply_digest};

/// How many tokens each side may send. Servers need one.
const MAX_ROUNDS: usize = 5;

impl Run<'_> {
    /// Opens a session, and compares the clocks by the server's signature.
    pub(super) async fn negotiate(&self, settings: &Settings) -> Result<Session, InjectError> {
        settings.check()?;
        let begun = self.within(Step::Ticket, Session::begin(settings)).await?;
        let (mut session, mut token) = begun.map_err(|source| self.kerberos(source))?;
        for _ in 0..MAX_ROUNDS {
            let query = message::tkey(random_id(), session.key_name(), &token, (self.clock)());
            let request = query.and_then(Request::unsigned).map_err(|source| self.too_long(source))?;
            let bytes = self.exchange(Step::Session, &request.bytes).await?;
            let reply = request.reply(&bytes).map_err(|source| self.no_reply(Step::Session, source.into()))?;
            let tkey = self.tkey(&reply, &session)?;
            let advanced = self.within(Step::Ticket, session.advance(tkey.token)).await?;
            match advanced.map_err(|source| self.kerberos(source))? {
                Progress::Token(next) => token = next,
                Progress::Open => {
                    self.confirm(&mut session, &bytes, &reply).await?;
                    return Ok(session);
                }
            }
        }
        Err(InjectError::Session { server: self.server() })
    }

    /// The server's part of a round.
    fn tkey<'a>(&self, reply: &Reply<'a>, session: &Session) -> Result<Tkey<'a>, InjectError> {
        let tkey = Tkey::find(&reply.message, session.key_name().as_slice());
        match (reply.rcode, tkey) {
            // The code of the message says nothing of the session: failures come with NOERROR.
            (_, Some(Tkey { error: BADKEY, .. })) => {
                Err(self.refusal(Step::Session, reply.rcode, Trust::Rejected { reason: Rejection::Key }).into())
            }
            (_, Some(Tkey { error, .. })) if error != 0 => Err(self
                .refusal(Step::Session, reply.rcode, Trust::Rejected { reason: Rejection::Other(error) })
                .into()),
            (Rcode::NOERROR, Some(tkey)) => Ok(tkey),
            (Rcode::NOERROR, None) => Err(InjectError::Session { server: self.server() }),
            (rcode, _) => Err(self.refusal(Step::Session, rcode, Trust::Open).into()),
        }
    }

    /// Holds the server to the signature of its last reply: RFC 3645 section 3.1.3.1.
    async fn confirm(&self, session: &mut Session, bytes: &[u8], reply: &Reply<'_>) -> Result<(), InjectError> {
        let step = Step::Session;
        let Some(tsig) = reply.tsig else { return Err(InjectError::Unsigned { server: self.server(), step }) };
        if !tsig.is_of(session.key_name().as_slice(), GSS_TSIG) {
            return Err(self.no_reply(step, SignatureError::Key.into()));
        }
        let digest = reply_digest(bytes, &tsig, session.key_name().as_slice(), Prior::Unsigned);
        let verified = self.within(step, session.verify(&digest, tsig.mac)).await?;
        if !verified.map_err(|source| self.kerberos(source))? {
            return Err(self.no_reply(step, SignatureError::Mac.into()));
        }
        self.compare_times(tsig.time)
    }

    /// Waits for something, and gives up at the deadline.
    pub(super) async fn within<T>(&self, step: Step, future: impl Future<Output = T>) -> Result<T, InjectError> {
        let late = |TimeIsUp { after }| InjectError::Deadline { server: self.server(), step, after };
        self.deadline.limit(future).await.map_err(late)
    }

    pub(super) fn kerberos(&self, source: GssError) -> InjectError {
        let super::Auth::GssTsig(settings) = &self.injection.auth else {
            return InjectError::Session { server: self.server() };
        };
        InjectError::Kerberos {
            server: self.server(),
            principal: settings.principal.to_string(),
            service: settings.service.to_string(),
            source,
        }
    }
}
