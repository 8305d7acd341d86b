//! Asking all servers at once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pdns_packet::dns::{Message, Name, Rcode, Rtype};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::name::DomainName;
use crate::query::{Limits, QueryError, Question, Reply, Transport, ask};
use crate::server::Server;
use crate::stamp::Stamp;
use crate::verdict::{Thresholds, Verdict};

/// What is probed, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The zone, whose SOA serial is read along.
    pub zone: DomainName,
    /// The full name of the TXT record.
    pub record: DomainName,
    /// RD: whether servers may ask others.
    pub recurse: bool,
    /// How long and how often each server is asked.
    pub limits: Limits,
    /// When a record is stale.
    pub thresholds: Thresholds,
}

/// A server to probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// As it was listed or found.
    pub server: Server,
    /// One of its addresses, or why it has none.
    pub address: Result<SocketAddr, String>,
}

/// What a server answered, and what is to be said of it.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Who was asked.
    pub target: Target,
    /// When the answer was there, in Unix seconds: what the age counts from.
    pub at: u64,
    /// How long all of it took.
    pub duration: Duration,
    /// The time in the record.
    pub timestamp: Option<u64>,
    /// The judgement.
    pub verdict: Verdict,
    /// About the answer, where there is one.
    pub answer: Option<Answer>,
    /// The zone's serial there.
    pub serial: Option<u32>,
}

/// What an answer tells besides the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its response code.
    pub rcode: Rcode,
    /// From question to answer.
    pub elapsed: Duration,
    /// Which of several machines behind one address it came from, as far as it can be shown.
    pub nsid: Option<String>,
    /// Whether the server speaks for the zone.
    pub is_authoritative: bool,
    /// Whether it came over a connection.
    pub by_tcp: bool,
}

/// Probes all targets at once, and returns the outcomes in their order.
///
/// `concurrency` bounds how many are asked at a time. Each has two sockets then.
pub async fn probe_all(plan: &Arc<Plan>, targets: Vec<Target>, concurrency: usize) -> Vec<Probe> {
    let probes = targets.into_iter().map(|target| {
        let plan = Arc::clone(plan);
        async move { probe(&plan, target).await }
    });
    at_once(probes, concurrency).await
}

/// Runs futures at once, no more than `concurrency` of them at a time, and returns their outcomes in their order.
pub(crate) async fn at_once<T, F>(futures: impl IntoIterator<Item = F>, concurrency: usize) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(concurrency.max(1)));
    let mut tasks = JoinSet::new();
    for (index, future) in futures.into_iter().enumerate() {
        let permits = Arc::clone(&permits);
        tasks.spawn(async move {
            // Nobody closes the semaphore, so that this is a permit.
            let _permit = permits.acquire_owned().await;
            (index, future.await)
        });
    }
    let mut outcomes = tasks.join_all().await;
    outcomes.sort_unstable_by_key(|&(index, _)| index);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Probes one target.
pub async fn probe(plan: &Plan, target: Target) -> Probe {
    let start = Instant::now();
    let address = match &target.address {
        Ok(address) => *address,
        Err(reason) => {
            let verdict = Verdict::Unresolved(reason.clone());
            let (at, duration) = (unix_now(), start.elapsed());
            return Probe { target, at, duration, timestamp: None, verdict, answer: None, serial: None };
        }
    };
    let question = |name: &DomainName, rtype| Question { name: name.clone(), rtype, recurse: plan.recurse };
    let (txt, soa) = (question(&plan.record, Rtype::TXT), question(&plan.zone, Rtype::SOA));
    let ask_txt = async {
        let outcome = ask(address, &txt, plan.limits).await;
        // Now, not when the serial has come as well.
        (outcome, unix_now())
    };
    let ((outcome, at), soa) = tokio::join!(ask_txt, ask(address, &soa, plan.limits));
    let answer = outcome.as_ref().ok().map(Answer::of);
    let stamp = outcome.map(|reply| stamp(&reply, &plan.record));
    Probe {
        target,
        at,
        duration: start.elapsed(),
        timestamp: timestamp(&stamp),
        verdict: Verdict::of(&stamp, at, &plan.thresholds),
        answer,
        serial: soa.ok().and_then(|reply| reply.message(|message| serial(message, &plan.zone))),
    }
}

impl Probe {
    /// The age in seconds at the time of the answer; below zero when it is ahead of our clock.
    pub fn age(&self) -> Option<i64> {
        let difference = i128::from(self.at) - i128::from(self.timestamp?);
        Some(i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX }))
    }
}

impl Answer {
    fn of(reply: &Reply) -> Self {
        Self {
            rcode: reply.rcode(),
            elapsed: reply.elapsed,
            nsid: reply.nsid().map(|nsid| shown_nsid(&nsid)),
            is_authoritative: reply.is_authoritative(),
            by_tcp: reply.transport == Transport::Tcp,
        }
    }
}

/// The time in the record, where there is one.
fn timestamp(stamp: &Result<Stamp, QueryError>) -> Option<u64> {
    match stamp {
        Ok(Stamp::Time(time)) => Some(*time),
        _ => None,
    }
}

fn stamp(reply: &Reply, record: &DomainName) -> Stamp {
    reply.message(|message| Some(Stamp::read(message, record))).unwrap_or(Stamp::Missing)
}

/// The serial of the zone's SOA record: RFC 1035 section 3.3.13.
fn serial(message: &Message<'_>, zone: &DomainName) -> Option<u32> {
    let is_soa = |record: &pdns_packet::dns::Record<'_>| {
        record.rtype == Rtype::SOA && crate::query::is_name(&record.owner, zone.as_str())
    };
    let record = message.answers().find(is_soa)?;
    let after_mname = Name::new(message.bytes(), record.rdata.start()).end().ok()?;
    let after_rname = Name::new(message.bytes(), after_mname).end().ok()?;
    let offset = after_rname.checked_sub(record.rdata.start())?;
    let bytes = record.rdata.bytes().get(offset..)?.first_chunk()?;
    Some(u32::from_be_bytes(*bytes))
}

/// An identifier as text where it is one, else in hexadecimal, as other tools show it.
fn shown_nsid(nsid: &[u8]) -> String {
    const LONGEST: usize = 64;
    let nsid = nsid.get(..LONGEST).unwrap_or(nsid);
    if nsid.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') {
        return String::from_utf8_lossy(nsid).into_owned();
    }
    nsid.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The clock, in Unix seconds.
pub fn unix_now() -> u64 {
    // A clock before 1970 is one that was never set.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serial_stands_after_two_names() {
        let bytes = b"\0\0\x84\0\0\x01\0\x01\0\0\0\0\x02zz\x00\x00\x06\x00\x01\
            \xc0\x0c\x00\x06\x00\x01\x00\x00\x00\x3c\x00\x1b\x02ns\xc0\x0c\xc0\x0c\x00\x00\x00\x07\
            \x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01";
        let zone = "zz".parse().unwrap();
        assert_eq!(serial(&Message::parse(bytes).unwrap(), &zone), Some(7));
        assert_eq!(serial(&Message::parse(bytes).unwrap(), &"yy".parse().unwrap()), None);
    }

    #[test]
    fn identifiers_are_text_or_hexadecimal() {
        assert_eq!(shown_nsid(b"ns1 fra"), "ns1 fra");
        assert_eq!(shown_nsid(b"\x00\xffa"), "00ff61");
        assert_eq!(shown_nsid(&[b'x'; 500]).len(), 64);
    }
}
