//! Looking up names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use pdns_packet::dns::{Message, Name, Rcode, Record, Rtype};

use super::{Family, SystemFiles};
use crate::name::DomainName;
use crate::query::{Limits, QueryError, Question, ask};

/// Where Active Directory lists its domain controllers, below the domain.
const DOMAIN_CONTROLLERS: &str = "_ldap._tcp.dc._msdcs";

/// Asks resolvers, which are to find out themselves what they do not know.
#[derive(Clone, Debug)]
pub struct Resolver {
    files: SystemFiles,
    limits: Limits,
}

/// Why a name cannot be looked up.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// No resolver gave an answer; what the last one said.
    #[error("{name} {rtype} cannot be looked up: {error}")]
    Query {
        /// The name.
        name: DomainName,
        /// What was looked for.
        rtype: Rtype,
        /// What went wrong with the last resolver.
        error: QueryError,
    },
    /// The resolvers answer, but with an error; what the last one said.
    #[error("{name} {rtype} cannot be looked up: {server} answers {rcode}")]
    Refused {
        /// The name.
        name: DomainName,
        /// What was looked for.
        rtype: Rtype,
        /// The last resolver.
        server: SocketAddr,
        /// Its answer.
        rcode: Rcode,
    },
    /// There is nothing of that kind.
    #[error("{name} has no {what}")]
    Nothing {
        /// The name.
        name: DomainName,
        /// What it does not have.
        what: &'static str,
    },
    /// More servers than anybody has.
    #[error("{zone} has more than {} servers", super::MAX_TARGETS)]
    TooMany {
        /// The zone.
        zone: DomainName,
    },
}

impl Resolver {
    /// Asks as the machine does.
    pub const fn new(files: SystemFiles, limits: Limits) -> Self {
        Self { files, limits }
    }

    /// Asks these servers instead of the machine's; its files still count.
    #[must_use]
    pub fn with_servers(mut self, servers: Vec<SocketAddr>) -> Self {
        self.files.servers = servers;
        self
    }

    /// The addresses of a host, from the machine's list of hosts or from resolvers.
    ///
    /// # Errors
    /// It has none, or nobody could be asked.
    pub async fn addresses(&self, name: &DomainName, family: Family) -> Result<Vec<IpAddr>, LookupError> {
        let listed: Vec<_> = self.files.hosts.iter().filter(|(host, _)| host == name).map(|&(_, at)| at).collect();
        if !listed.is_empty() {
            return wanted(listed, name, family);
        }
        let mut outcome = self.looked_up(name, family).await;
        if !name.as_str().contains('.') {
            for domain in &self.files.search {
                if outcome.is_ok() {
                    break;
                }
                let Ok(full) = name.below(domain) else { continue };
                outcome = self.looked_up(&full, family).await;
            }
        }
        outcome
    }

    async fn looked_up(&self, name: &DomainName, family: Family) -> Result<Vec<IpAddr>, LookupError> {
        let of = |rtype| self.lookup(name, rtype, move |_, record| address(record));
        let (v4, v6) = tokio::join!(of(Rtype::A), of(Rtype::AAAA));
        match (v4, v6) {
            // One of the two is enough; a zone may refuse the other.
            (Err(error), Err(_)) => Err(error),
            (v4, v6) => wanted([v4.unwrap_or_default(), v6.unwrap_or_default()].concat(), name, family),
        }
    }

    /// The names of a zone's servers, sorted.
    ///
    /// # Errors
    /// There are none, or nobody could be asked.
    pub async fn name_servers(&self, zone: &DomainName) -> Result<Vec<DomainName>, LookupError> {
        let found = self.lookup(zone, Rtype::NS, |_, record| record.rdata.name()?.to_string().parse().ok()).await?;
        some(found, zone, "name servers")
    }

    /// The names of a domain's controllers, sorted.
    ///
    /// # Errors
    /// There are none, or nobody could be asked.
    pub async fn domain_controllers(&self, domain: &DomainName) -> Result<Vec<DomainName>, LookupError> {
        let nothing = || LookupError::Nothing { name: domain.clone(), what: "domain controllers" };
        let name: DomainName = format!("{DOMAIN_CONTROLLERS}.{domain}").parse().map_err(|_| nothing())?;
        let found = self.lookup(&name, Rtype::SRV, srv_target).await?;
        some(found, &name, "SRV records of domain controllers")
    }

    /// Asks one resolver after the other until one knows, and reads what it says with `read`.
    async fn lookup<T>(
        &self,
        name: &DomainName,
        rtype: Rtype,
        read: impl Fn(&Message<'_>, &Record<'_>) -> Option<T>,
    ) -> Result<Vec<T>, LookupError> {
        let question = Question { name: name.clone(), rtype, recurse: true };
        let mut failure = LookupError::Nothing { name: name.clone(), what: "resolver to ask" };
        for &server in &self.files.servers {
            let reply = match ask(server, &question, self.limits).await {
                Ok(reply) => reply,
                Err(error) => {
                    failure = LookupError::Query { name: name.clone(), rtype, error };
                    continue;
                }
            };
            match reply.rcode() {
                // Owners are not compared: a resolver's answer may lead through aliases.
                Rcode::NOERROR => {
                    return Ok(reply.message(|message| {
                        let of_type = message.answers().filter(|record| record.rtype == rtype);
                        of_type.filter_map(|record| read(message, &record)).collect()
                    }));
                }
                Rcode::NXDOMAIN => return Ok(Vec::new()),
                rcode => failure = LookupError::Refused { name: name.clone(), rtype, server, rcode },
            }
        }
        Err(failure)
    }
}

fn wanted(addresses: Vec<IpAddr>, name: &DomainName, family: Family) -> Result<Vec<IpAddr>, LookupError> {
    let what = match family {
        Family::Any => "address",
        Family::V4 => "IPv4 address",
        Family::V6 => "IPv6 address",
    };
    some(addresses.into_iter().filter(|&address| family.has(address)).collect(), name, what)
}

/// What was found, sorted and each once; none is an error.
fn some<T: Ord>(mut found: Vec<T>, name: &DomainName, what: &'static str) -> Result<Vec<T>, LookupError> {
    found.sort_unstable();
    found.dedup();
    if found.is_empty() { Err(LookupError::Nothing { name: name.clone(), what }) } else { Ok(found) }
}

fn address(record: &Record<'_>) -> Option<IpAddr> {
    let bytes = record.rdata.bytes();
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(octets).into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|octets| Ipv6Addr::from(octets).into())
}

/// The host that a SRV record names: RFC 2782, after priority, weight and port. A dot means that there is none.
fn srv_target(message: &Message<'_>, record: &Record<'_>) -> Option<DomainName> {
    let name = Name::new(message.bytes(), record.rdata.start() + 6);
    let end = record.rdata.start() + record.rdata.bytes().len();
    (name.end() == Ok(end)).then(|| name.to_string().parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn srv_records_name_hosts() {
        let bytes = b"\0\0\x84\0\0\0\0\x03\0\0\0\0\
            \x01a\x00\x00\x21\x00\x01\x00\x00\x00\x01\x00\x0b\x00\x00\x00\x64\x01\x85\x03DC1\x00\
            \x01a\x00\x00\x21\x00\x01\x00\x00\x00\x01\x00\x07\x00\x00\x00\x64\x01\x85\x00\
            \x01a\x00\x00\x21\x00\x01\x00\x00\x00\x01\x00\x05\x00\x00\x00\x64\x01";
        let message = Message::parse(bytes).unwrap();
        let targets: Vec<_> = message.answers().map(|record| srv_target(&message, &record)).collect();
        assert_eq!(targets, [Some("dc1".parse().unwrap()), None, None]);
    }

    #[test]
    fn families_are_told_apart() {
        let both = || vec!["::1".parse().unwrap(), "127.0.0.1".parse().unwrap()];
        let name = "a".parse().unwrap();
        let wanted = |family| wanted(both(), &name, family).unwrap().len();
        assert_eq!([Family::Any, Family::V4, Family::V6].map(wanted), [2, 1, 1]);
        let error = super::wanted(Vec::new(), &name, Family::V6).unwrap_err();
        assert_eq!(error.to_string(), "a has no IPv6 address");
    }
}
