//! Who is to be probed: listed servers, those that a zone names, the domain controllers of Active Directory; every
//! address of each.

mod resolver;
mod system;

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::name::DomainName;
use crate::probe::{Target, at_once};
use crate::server::{Host, Server};

pub use resolver::{LookupError, Resolver};
pub use system::SystemFiles;

/// The most targets of a zone; that there are more is said, and not a surprise for the network.
pub const MAX_TARGETS: usize = 10_000;

/// How many names are looked up at a time: resolvers are not to be flooded.
const LOOKUPS: usize = 64;

/// How servers are found besides those listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// The NS records of the zone.
    NameServers,
    /// The SRV records of `_ldap._tcp.dc._msdcs.<zone>`, where Active Directory lists its domain controllers.
    DomainControllers,
}

/// Which addresses of a server are probed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Family {
    /// All.
    #[default]
    Any,
    /// Those of IPv4.
    V4,
    /// Those of IPv6.
    V6,
}

/// Where the servers of a zone come from.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Servers that are listed.
    pub servers: Vec<Server>,
    /// How more are found.
    pub search: Option<Search>,
    /// The port of those that are found.
    pub port: u16,
    /// Which of their addresses count.
    pub family: Family,
}

impl Family {
    const fn has(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The targets: listed ones first, each address once. A server without an address is a target, too, which says so.
    pub targets: Vec<Target>,
    /// Why it is not known which servers there are besides those.
    pub problem: Option<LookupError>,
}

/// Finds all targets of a zone.
pub async fn targets(zone: &DomainName, sources: &Sources, resolver: &Arc<Resolver>) -> Found {
    let mut servers = sources.servers.clone();
    let searched = match sources.search {
        Some(Search::NameServers) => resolver.name_servers(zone).await,
        Some(Search::DomainControllers) => resolver.domain_controllers(zone).await,
        None => Ok(Vec::new()),
    };
    let (names, problem) = match searched {
        Ok(names) => (names, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    servers.extend(names.into_iter().map(|name| Server { host: Host::Name(name), port: sources.port }));
    let lookups = servers.into_iter().map(|server| {
        let (resolver, family) = (Arc::clone(resolver), sources.family);
        async move { of_server(server, family, &resolver).await }
    });
    let mut known = HashSet::new();
    let mut targets = Vec::new();
    for target in at_once(lookups, LOOKUPS).await.into_iter().flatten() {
        let key = target.address.clone().map_err(|_| target.server.clone());
        if known.insert(key) {
            targets.push(target);
        }
    }
    if targets.len() > MAX_TARGETS {
        targets.truncate(MAX_TARGETS);
        return Found { targets, problem: Some(LookupError::TooMany { zone: zone.clone() }) };
    }
    Found { targets, problem }
}

/// A target for each address of a server.
pub(crate) async fn of_server(server: Server, family: Family, resolver: &Resolver) -> Vec<Target> {
    let name = match &server.host {
        // One that is written as an address is meant as it is.
        Host::Address(address) => {
            let address = SocketAddr::new(*address, server.port);
            return vec![Target { server, address: Ok(address) }];
        }
        Host::Name(name) => name,
    };
    let addresses = resolver.addresses(name, family).await;
    match addresses {
        Ok(addresses) => {
            let target = |address| {
                let address = SocketAddr::new(address, server.port);
                Target { server: server.clone(), address: Ok(address) }
            };
            addresses.into_iter().map(target).collect()
        }
        Err(error) => vec![Target { server, address: Err(error.to_string()) }],
    }
}
