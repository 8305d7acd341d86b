//! What the machine itself knows of names: /etc/resolv.conf and /etc/hosts.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::name::DomainName;
use crate::server::DNS_PORT;

/// The most servers that are asked, as in resolv.conf(5).
const MAX_SERVERS: usize = 3;

/// The parts of the two files that matter here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemFiles {
    /// Who is asked, in this order.
    pub servers: Vec<SocketAddr>,
    /// What is appended to names without a dot.
    pub search: Vec<DomainName>,
    /// Names that are not asked for.
    pub hosts: Vec<(DomainName, IpAddr)>,
}

impl SystemFiles {
    /// Reads the machine's files. One that is not there is as good as empty.
    ///
    /// # Errors
    /// A file is there and cannot be read.
    pub fn read() -> io::Result<Self> {
        Ok(Self::parse(&content("/etc/resolv.conf")?, &content("/etc/hosts")?))
    }

    /// Reads the content of the two files. Lines that cannot be understood are passed over, as the system does.
    pub fn parse(resolv_conf: &str, hosts: &str) -> Self {
        let mut files = Self::default();
        for line in resolv_conf.lines() {
            files.resolv_conf_line(line);
        }
        if files.servers.is_empty() {
            files.servers.push(SocketAddr::from((Ipv4Addr::LOCALHOST, DNS_PORT)));
        }
        for line in hosts.lines() {
            files.hosts_line(line);
        }
        files
    }

    fn resolv_conf_line(&mut self, line: &str) {
        let line = line.split(['#', ';']).next().unwrap_or_default();
        let mut words = line.split_whitespace();
        match words.next() {
            Some("nameserver") if self.servers.len() < MAX_SERVERS => {
                // An address of a link needs its interface, which SocketAddr reads only with a port.
                let address = words.next().and_then(|word| {
                    let plain = word.parse().ok().map(|address: IpAddr| SocketAddr::new(address, DNS_PORT));
                    plain.or_else(|| format!("[{word}]:{DNS_PORT}").parse().ok())
                });
                self.servers.extend(address);
            }
            // The last line holds.
            Some("search" | "domain") => self.search = words.filter_map(|word| word.parse().ok()).collect(),
            _ => {}
        }
    }

    fn hosts_line(&mut self, line: &str) {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let Some(address) = words.next().and_then(|word| word.parse().ok()) else { return };
        let names = words.filter_map(|word| Some((word.parse().ok()?, address)));
        self.hosts.extend(names);
    }
}

fn content(path: &str) -> io::Result<String> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(io::Error::new(error.kind(), format!("{path}: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_is_read() {
        let files = SystemFiles::parse(
            "# by hand\ndomain old.lan\nnameserver 10.0.0.1 # first\nnameserver fe80::1%1\nnameserver ::1\n\
             nameserver 10.0.0.4\nsearch local.lan Office.example.\noptions edns0\nnameserver\n",
            "127.0.0.1 localhost\n::1 localhost ip6-localhost\n10.0.0.9 DC1.local.lan dc1 # a comment\nx y\n",
        );
        let servers: Vec<_> = files.servers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["10.0.0.1:53", "[fe80::1%1]:53", "[::1]:53"]);
        assert_eq!(files.search.iter().map(DomainName::as_str).collect::<Vec<_>>(), ["local.lan", "office.example"]);
        let hosts: Vec<_> = files.hosts.iter().map(|(name, address)| format!("{name} {address}")).collect();
        assert_eq!(
            hosts,
            ["localhost 127.0.0.1", "localhost ::1", "ip6-localhost ::1", "dc1.local.lan 10.0.0.9", "dc1 10.0.0.9"]
        );
    }

    #[test]
    fn without_servers_the_machine_asks_itself() {
        assert_eq!(SystemFiles::parse("", "").servers, ["127.0.0.1:53".parse().unwrap()]);
    }
}
