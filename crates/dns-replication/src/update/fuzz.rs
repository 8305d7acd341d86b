//! A request without a server, for the fuzz targets.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::message::{self, Prerequisite, wire_name};
use super::reply::{Reply, ReplyError, Tkey};
use super::session::{Request, Session, Trust};
use crate::DomainName;
use crate::tsig::TsigKey;

/// A request that has been sent.
pub struct Exchange {
    session: Session,
    request: Request,
    key_name: Vec<u8>,
}

/// What was read of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateReply {
    /// The response code.
    pub rcode: u16,
    /// Where the TSIG record starts, and its MAC.
    pub tsig: Option<(usize, Vec<u8>)>,
    /// The error and the token of a TKEY record.
    pub tkey: Option<(u16, Vec<u8>)>,
}

impl Exchange {
    /// A question for the beginning of a GSS-TSIG session.
    pub fn tkey(id: u16, key: &DomainName) -> Self {
        let name = wire_name(key);
        let builder = message::tkey(id, &name, b"token", 1000).expect("a short message");
        let request = Request::unsigned(builder).expect("a short message");
        Self { session: Session::Open, request, key_name: name.as_slice().to_vec() }
    }

    /// A signed update of a record in a zone, at a time in Unix seconds.
    pub fn update(id: u16, zone: &DomainName, name: &DomainName, key: TsigKey, now: u64) -> Self {
        let (zone, name) = (wire_name(zone), wire_name(name));
        let builder = message::update(id, &zone, &name, &Prerequisite::Absent, None).expect("a short message");
        let mut session = Session::Tsig(key);
        let request = at_once(session.sign(builder, now)).expect("a short message");
        Self { session, request, key_name: Vec::new() }
    }

    /// The request.
    pub fn request(&self) -> &[u8] {
        &self.request.bytes
    }

    /// Reads a reply without regard to its signature.
    ///
    /// # Errors
    /// See [`ReplyError`].
    pub fn read(&self, bytes: &[u8]) -> Result<UpdateReply, ReplyError> {
        self.request.reply(bytes).map(|reply| self.shown(&reply))
    }

    /// Reads a reply that is signed with the key, if it is one.
    pub fn read_signed(&mut self, bytes: &[u8]) -> Option<UpdateReply> {
        match at_once(self.session.verify(&self.request, bytes)) {
            Ok((reply, Trust::Signed { .. })) => Some(self.shown(&reply)),
            _ => None,
        }
    }

    fn shown(&self, reply: &Reply<'_>) -> UpdateReply {
        UpdateReply {
            rcode: reply.rcode.0,
            tsig: reply.tsig.map(|tsig| (tsig.start, tsig.mac.to_vec())),
            tkey: Tkey::find(&reply.message, &self.key_name).map(|tkey| (tkey.error, tkey.token.to_vec())),
        }
    }
}

/// The output of a future that waits for nobody: only Kerberos is asked in another process.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}
