//! One run: read, decide, compare the clocks, write.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pdns_packet::dns::Rcode;

use super::error::InjectError;
use super::exchange::{Deadline, ExchangeError, Step, TimeIsUp, exchange, reachable};
use super::message::{self, Builder, NewStamp, Prerequisite, TooLong, WireName, wire_name};
use super::present::{Decision, Present, decide};
use super::refusal::{Refusal, Signer};
use super::reply::Reply;
use super::samba_tool::{self, Done, SambaTool};
use super::session::{MacForm, NotAccepted, NotSigned, Rejection, Request, Session, Trust, offset};
use crate::discover::{Family, Resolver};
use crate::gss;
use crate::tsig::TsigKey;
use crate::{DomainName, Host, Server};

/// What is to be written, where, and how.
#[derive(Clone, Debug)]
pub struct Injection {
    /// The server that is written to.
    pub server: Server,
    /// Who is asked for the server's addresses; none for the system's own way of looking names up.
    pub resolver: Option<Arc<Resolver>>,
    /// The zone.
    pub zone: DomainName,
    /// The full name of the record, in the zone.
    pub name: DomainName,
    /// The record's time to live in seconds.
    pub ttl: u32,
    /// A record younger than this is left alone.
    pub min_interval: Duration,
    /// How far the clocks here and there may be apart.
    pub max_clock_skew: Duration,
    /// How long all of it may take.
    pub deadline: Duration,
    /// Who writes.
    pub auth: Auth,
}

/// How the server knows who writes.
#[derive(Clone, Debug)]
pub enum Auth {
    /// It does not, or by the address. The clocks cannot be compared then.
    None,
    /// By a shared key: RFC 8945.
    Tsig(TsigKey),
    /// By Kerberos: RFC 3645.
    GssTsig(gss::Settings),
    /// By a program that writes over RPC; the time to live is the server's default then.
    SambaTool(SambaTool),
}

/// How a run ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The record was young, and was left alone.
    Young {
        /// The time in it, in Unix seconds.
        value: u64,
        /// Its age in seconds; less than none when another clock is ahead of this one.
        age: i64,
    },
    /// The present time was written.
    Stamped(Stamped),
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// The time that was written, in Unix seconds.
    pub value: u64,
    /// The time that stood there before, if there was one.
    pub previous: Option<u64>,
    /// The address that it was written to.
    pub address: SocketAddr,
    /// The server's time less ours in seconds, where it could be learned.
    pub clock_offset: Option<i64>,
    /// How the server's confirmation was signed; none when it was not.
    pub mac: Option<MacForm>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stamped = match self {
            Self::Young { value, age } => return write!(f, "is {age} s old ({value}): left alone"),
            Self::Stamped(stamped) => stamped,
        };
        write!(f, "is {} now", stamped.value)?;
        match stamped.previous {
            Some(previous) => write!(f, ", was {previous}")?,
            None => f.write_str(", had no time in it before")?,
        }
        if let Some(offset) = stamped.clock_offset {
            write!(f, "; the server's clock is {offset:+} s from this one")?;
        }
        match stamped.mac {
            Some(form) => write!(f, "; its reply is signed {form}"),
            None => f.write_str("; its reply is not signed"),
        }
    }
}

/// The machine's clock, in Unix seconds.
pub fn system_clock() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Writes the time that `clock` says into the record, in Unix seconds, unless the record is young.
///
/// # Errors
/// See [`InjectError`]. When the error is not about a missing reply to the update itself, nothing was written.
pub async fn inject(injection: &Injection, clock: impl Fn() -> u64 + Sync) -> Result<Outcome, InjectError> {
    let deadline = Deadline::after(injection.deadline);
    let run = Run::start(injection, &clock, deadline).await?;
    let records = match run.read().await? {
        Present::Records(records) => records,
        Present::Alias { target } => return Err(run.alias(target)),
    };
    match run.decide(records) {
        Decision::Keep { value, age } => Ok(Outcome::Young { value, age }),
        Decision::Write { prerequisite, previous } => run.write(prerequisite, previous).await,
    }
}

/// A run, once the server is found.
pub(super) struct Run<'a> {
    pub(super) injection: &'a Injection,
    pub(super) clock: &'a (dyn Fn() -> u64 + Sync),
    pub(super) deadline: Deadline,
    address: SocketAddr,
    zone: WireName,
    name: WireName,
}

/// What a server says to an update.
enum Answer {
    /// It was made, or could be.
    Made(Trust),
    /// The record is no longer what it was.
    Changed,
}

impl<'a> Run<'a> {
    async fn start(
        injection: &'a Injection,
        clock: &'a (dyn Fn() -> u64 + Sync),
        deadline: Deadline,
    ) -> Result<Self, InjectError> {
        let server = || injection.server.to_string();
        let late = |step| move |up: TimeIsUp| InjectError::Deadline { server: server(), step, after: up.after };
        let addresses = deadline.limit(resolve(injection)).await.map_err(late(Step::Resolve))??;
        let address = deadline.limit(reachable(&addresses)).await.map_err(late(Step::Connect))?;
        let address = address.map_err(|failures| InjectError::Unreachable { server: server(), failures })?;
        let (zone, name) = (wire_name(&injection.zone), wire_name(&injection.name));
        Ok(Self { injection, clock, deadline, address, zone, name })
    }

    /// Reads the record.
    async fn read(&self) -> Result<Present, InjectError> {
        let query = message::read(random_id(), &self.name).map_err(|source| self.too_long(source))?;
        let request = Request::unsigned(query).map_err(|source| self.too_long(source))?;
        let bytes = self.exchange(Step::Read, &request.bytes).await?;
        let reply = request.reply(&bytes).map_err(|source| self.no_reply(Step::Read, source.into()))?;
        match reply.rcode {
            Rcode::NOERROR | Rcode::NXDOMAIN => Ok(Present::read(&reply.message, &self.name)),
            rcode => Err(self.refusal(Step::Read, rcode, Trust::Open).into()),
        }
    }

    fn decide(&self, records: Vec<Vec<u8>>) -> Decision {
        decide(records, (self.clock)(), self.injection.min_interval, self.injection.max_clock_skew)
    }

    /// Writes the record if it is still what was read; if not, reads it once more and decides again.
    async fn write(&self, mut prerequisite: Prerequisite, mut previous: Option<u64>) -> Result<Outcome, InjectError> {
        let mut session = self.open().await?;
        for _ in 0..2 {
            if let Some(stamped) = self.try_write(&mut session, &prerequisite, previous).await? {
                return Ok(Outcome::Stamped(stamped));
            }
            let records = match self.read().await? {
                Present::Records(records) => records,
                Present::Alias { target } => return Err(self.alias(target)),
            };
            match self.decide(records) {
                // Whoever wrote it did what was to be done here.
                Decision::Keep { value, age } => return Ok(Outcome::Young { value, age }),
                Decision::Write { prerequisite: again, previous: newer } => (prerequisite, previous) = (again, newer),
            }
        }
        Err(InjectError::Conflict { server: self.server(), name: self.injection.name.to_string() })
    }

    /// Writes the record; nothing is returned, and nothing written, when it is no longer what was read.
    async fn try_write(
        &self,
        session: &mut Session,
        prerequisite: &Prerequisite,
        previous: Option<u64>,
    ) -> Result<Option<Stamped>, InjectError> {
        if let Auth::SambaTool(tool) = &self.injection.auth {
            return self.try_tool(tool, prerequisite, previous).await;
        }
        // The payload is this clock, so it is compared before anything is written.
        if matches!(session, Session::Tsig(_)) {
            match self.update(session, Step::Time, prerequisite, None).await? {
                Answer::Made(trust) => self.compare_clocks(trust)?,
                Answer::Changed => return Ok(None),
            };
        }
        let value = (self.clock)();
        let new = NewStamp { value, ttl: self.injection.ttl };
        let trust = match self.update(session, Step::Update, prerequisite, Some(new)).await? {
            Answer::Made(trust) => trust,
            Answer::Changed => return Ok(None),
        };
        let (clock_offset, mac) = match trust {
            Trust::Signed { time, form } => (Some(offset(time, (self.clock)())), Some(form)),
            _ => (None, None),
        };
        Ok(Some(Stamped { value, previous, address: self.address, clock_offset, mac }))
    }

    /// Has the record written by `samba-tool`.
    async fn try_tool(
        &self,
        tool: &SambaTool,
        prerequisite: &Prerequisite,
        previous: Option<u64>,
    ) -> Result<Option<Stamped>, InjectError> {
        tool.check()?;
        let server = match &self.injection.server.host {
            Host::Name(name) => name.to_string(),
            Host::Address(address) => address.to_string(),
        };
        let (zone, name) = (self.injection.zone.as_str(), self.injection.name.as_str());
        let value = (self.clock)();
        let written = tool.write(samba_tool::Record { server: &server, zone, name, value }, prerequisite);
        let written = self.within(Step::Command, written).await?;
        let failed = |source| InjectError::SambaTool { server: self.server(), source };
        match written.map_err(failed)? {
            Done::Written => {
                Ok(Some(Stamped { value, previous, address: self.address, clock_offset: None, mac: None }))
            }
            Done::Changed => Ok(None),
        }
    }

    /// Sends an update, or asks whether it could be made.
    async fn update(
        &self,
        session: &mut Session,
        step: Step,
        prerequisite: &Prerequisite,
        new: Option<NewStamp>,
    ) -> Result<Answer, InjectError> {
        let answer = self.update_in(session, step, prerequisite, new).await;
        // Samba remembers a number of sessions, and forgets the oldest for the newest.
        let is_forgotten = |refusal: &Refusal| refusal.rejection == Some(Rejection::Key);
        match (&*session, &answer) {
            (Session::Gss(_), Err(InjectError::Refused(refusal))) if is_forgotten(refusal) => {
                *session = self.open().await?;
                self.update_in(session, step, prerequisite, new).await
            }
            _ => answer,
        }
    }

    async fn update_in(
        &self,
        session: &mut Session,
        step: Step,
        prerequisite: &Prerequisite,
        new: Option<NewStamp>,
    ) -> Result<Answer, InjectError> {
        let update = message::update(random_id(), &self.zone, &self.name, prerequisite, new);
        let update = update.map_err(|source| self.too_long(source))?;
        let request = self.within(step, self.sign(session, update)).await??;
        let bytes = self.exchange(step, &request.bytes).await?;
        let verified = self.within(step, session.verify(&request, &bytes)).await?;
        let (reply, trust) = verified.map_err(|source| self.no_reply(step, source))?;
        self.judge(step, &reply, trust)
    }

    /// What a reply to an update means.
    fn judge(&self, step: Step, reply: &Reply<'_>, trust: Trust) -> Result<Answer, InjectError> {
        if let Trust::Rejected { reason: Rejection::Time { server: Some(time) } } = trust {
            self.compare_times(time)?;
        }
        match (reply.rcode, trust) {
            (Rcode::NOERROR, Trust::Open | Trust::Signed { .. }) => Ok(Answer::Made(trust)),
            (Rcode::NOERROR, _) => Err(InjectError::Unsigned { server: self.server(), step }),
            // Not always signed; who forges it has the record read again, which does no harm.
            (Rcode::YXRRSET | Rcode::NXRRSET | Rcode::YXDOMAIN | Rcode::NXDOMAIN, _) => Ok(Answer::Changed),
            (rcode, trust) => Err(self.refusal(step, rcode, trust).into()),
        }
    }

    fn compare_clocks(&self, trust: Trust) -> Result<(), InjectError> {
        match trust {
            Trust::Signed { time, .. } => self.compare_times(time),
            _ => Ok(()),
        }
    }

    /// Refuses to go on when the server's time is another than ours.
    pub(super) fn compare_times(&self, server_time: u64) -> Result<(), InjectError> {
        let (offset, limit) = (offset(server_time, (self.clock)()), self.injection.max_clock_skew);
        if Duration::from_secs(offset.unsigned_abs()) <= limit {
            return Ok(());
        }
        Err(InjectError::Clock { server: self.server(), offset, limit })
    }

    /// Opens what signs the requests.
    async fn open(&self) -> Result<Session, InjectError> {
        match &self.injection.auth {
            Auth::None | Auth::SambaTool(_) => Ok(Session::Open),
            Auth::Tsig(key) => Ok(Session::Tsig(key.clone())),
            Auth::GssTsig(settings) => Ok(Session::Gss(Box::new(self.negotiate(settings).await?))),
        }
    }

    async fn sign(&self, session: &mut Session, builder: Builder) -> Result<Request, InjectError> {
        session.sign(builder, (self.clock)()).await.map_err(|error| match error {
            NotSigned::TooLong(source) => self.too_long(source),
            NotSigned::Gss(source) => self.kerberos(source),
        })
    }

    pub(super) async fn exchange(&self, step: Step, request: &[u8]) -> Result<Vec<u8>, InjectError> {
        let server = || self.server();
        match self.deadline.limit(exchange(self.address, request)).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(ExchangeError::Connect(error))) => {
                Err(InjectError::Unreachable { server: server(), failures: vec![(self.address, error)] })
            }
            Ok(Err(ExchangeError::Broken(source))) => Err(InjectError::Broken { server: server(), step, source }),
            Err(TimeIsUp { after }) => Err(InjectError::Deadline { server: server(), step, after }),
        }
    }

    pub(super) fn server(&self) -> String {
        self.injection.server.to_string()
    }

    fn alias(&self, target: String) -> InjectError {
        InjectError::Alias { server: self.server(), name: self.injection.name.to_string(), target }
    }

    pub(super) fn too_long(&self, source: TooLong) -> InjectError {
        InjectError::TooLong { server: self.server(), name: self.injection.name.to_string(), source }
    }

    pub(super) fn no_reply(&self, step: Step, source: NotAccepted) -> InjectError {
        let server = self.server();
        match source {
            NotAccepted::Reply(source) => InjectError::Reply { server, step, source },
            NotAccepted::Signature(source) => InjectError::Signature { server, step, source },
            NotAccepted::Gss(source) => self.kerberos(source),
        }
    }

    pub(super) fn refusal(&self, step: Step, rcode: Rcode, trust: Trust) -> Refusal {
        let signer = match &self.injection.auth {
            Auth::None | Auth::SambaTool(_) => Signer::Nobody,
            Auth::Tsig(key) => Signer::Key { name: key.name() },
            Auth::GssTsig(settings) => {
                Signer::Principal { principal: settings.principal.to_string(), service: settings.service.to_string() }
            }
        };
        let (rejection, proven, echoed) = (None, false, false);
        let (zone, name) = (self.injection.zone.to_string(), self.injection.name.to_string());
        Refusal { server: self.server(), step, zone, name, signer, rcode, rejection, proven, echoed }.with(trust)
    }
}

/// The addresses of the server.
async fn resolve(injection: &Injection) -> Result<Vec<SocketAddr>, InjectError> {
    let Server { host, port } = &injection.server;
    let name = match host {
        Host::Address(address) => return Ok(vec![SocketAddr::new(*address, *port)]),
        Host::Name(name) => name,
    };
    let addresses = match &injection.resolver {
        Some(resolver) => match resolver.addresses(name, Family::default()).await {
            Ok(addresses) => Ok(addresses.into_iter().map(|address| SocketAddr::new(address, *port)).collect()),
            Err(error) => Err(error.to_string()),
        },
        None => match tokio::net::lookup_host((name.as_str(), *port)).await {
            Ok(addresses) => Ok(addresses.collect::<Vec<_>>()),
            Err(error) => Err(error.to_string()),
        },
    };
    match addresses {
        Ok(addresses) if !addresses.is_empty() => Ok(addresses),
        Ok(_) => Err("the resolver knows none".to_owned()),
        Err(problem) => Err(problem),
    }
    .map_err(|problem| InjectError::Resolve { server: injection.server.to_string(), problem })
}

/// An id that a stranger cannot guess.
pub(super) fn random_id() -> u16 {
    random() as u16
}

/// A number of the random keys that the standard library gives its hash tables.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
