//! All settings, in groups: a group is a heading of the help, and the commands choose among them.
//!
//! The command line, the environment and the file fill the same groups, so that an option is declared once.

use std::path::PathBuf;

use clap::Args;
use dns_replication::{DomainName, Server};
use serde::{Deserialize, Serialize};

use super::word::{Period, Secret, Word, list};

/// Options that come together.
pub(crate) trait Group: Default {
    /// The names of the options, as in a file.
    fn keys() -> impl Iterator<Item = String>;

    /// These, and the other's where these are not given.
    fn or(self, weaker: Self) -> Self;
}

/// Declares a group, so that nothing has to name its fields a second time.
macro_rules! group {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, Args, Deserialize, Serialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub(crate) struct $name {
            $($(#[$field_meta])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$type>,)*
        }

        impl Group for $name {
            fn keys() -> impl Iterator<Item = String> {
                [$(stringify!($field)),*].into_iter().map(|field| field.replace('_', "-"))
            }

            fn or(self, weaker: Self) -> Self {
                Self { $($field: self.$field.or(weaker.$field),)* }
            }
        }
    };
}

/// What can be set for each zone.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct ZoneOptions {
    #[serde(flatten)]
    pub target: TargetOptions,
    #[serde(flatten)]
    pub judge: JudgeOptions,
    #[serde(flatten)]
    pub write: WriteOptions,
    #[serde(flatten)]
    pub propagate: PropagateOptions,
}

impl ZoneOptions {
    pub(crate) fn or(self, weaker: Self) -> Self {
        Self {
            target: self.target.or(weaker.target),
            judge: self.judge.or(weaker.judge),
            write: self.write.or(weaker.write),
            propagate: self.propagate.or(weaker.propagate),
        }
    }
}

group! {
    /// Which record, and whom to ask for it.
    TargetOptions {
        /// The zone of the record; with a configuration file, which of its zones
        #[arg(long, value_name = "ZONE", help_heading = "Record")]
        zone: Word<DomainName>,
        /// The record's name in the zone, `@` for the zone itself [default: dns-monitor-stamp]
        #[arg(long, value_name = "NAME", help_heading = "Record")]
        record: Word<String>,
        /// A server, with a port or without, such as 2001:db8::1 or dc1.local.lan:5353; repeatable
        #[arg(long, value_name = "HOST", value_delimiter = ',', help_heading = "Servers")]
        #[serde(deserialize_with = "list")]
        server: Vec<Word<Server>>,
        /// Who is asked for the addresses of servers; repeatable [default: those of /etc/resolv.conf]
        #[arg(long, value_name = "HOST", value_delimiter = ',', help_heading = "Servers")]
        #[serde(deserialize_with = "list")]
        resolver: Vec<Word<Server>>,
        /// How long a server has for its answer, all tries together [default: 1s]
        #[arg(long, value_name = "TIME", help_heading = "Servers")]
        timeout: Word<Period>,
        /// How often a server is asked within that time [default: 2]
        #[arg(long, value_name = "COUNT", help_heading = "Servers")]
        tries: Word<u8>,
        /// Let servers ask others for what they do not have themselves (RD), as is needed to watch resolvers
        #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "true|false", help_heading = "Servers")]
        recurse: Word<bool>,
        /// How far clocks may be apart: nothing is written, and stamps are called future ones, beyond [default: 60s]
        #[arg(long, value_name = "TIME", help_heading = "Record")]
        max_clock_skew: Word<Period>,
    }
}

group! {
    /// Which servers there are, and when they are stale.
    JudgeOptions {
        /// Find the servers: `ns`, those of the zone's NS records; `ad`, the domain controllers of Active Directory
        #[arg(long, value_name = "HOW", help_heading = "Servers")]
        discover: Word<Discover>,
        /// The port of servers that are found [default: 53]
        #[arg(long, value_name = "PORT", help_heading = "Servers")]
        discover_port: Word<u16>,
        /// Which addresses of names count: any, ipv4 or ipv6 [default: any]
        #[arg(long, value_name = "FAMILY", help_heading = "Servers")]
        family: Word<Family>,
        /// From which age a record is a warning [default: 2000s]
        #[arg(long, value_name = "TIME", help_heading = "Record")]
        warn: Word<Period>,
        /// From which age a record is critical [default: 4000s]
        #[arg(long, value_name = "TIME", help_heading = "Record")]
        crit: Word<Period>,
    }
}

group! {
    /// How the record is written.
    WriteOptions {
        /// How long writing may take, Kerberos and all [default: 30s]
        #[arg(long, value_name = "TIME", help_heading = "Writing")]
        write_timeout: Word<Period>,
        /// The server that is written to [default: that of --server, when there is one only]
        #[arg(long, value_name = "HOST", help_heading = "Writing")]
        primary: Word<Server>,
        /// The record's time to live in seconds [default: 60]
        #[arg(long, value_name = "SECONDS", help_heading = "Writing")]
        ttl: Word<u32>,
        /// Younger records are left alone, so that replication has time to work [default: 1700s]
        #[arg(long, value_name = "TIME", help_heading = "Writing")]
        min_interval: Word<Period>,
        /// How to authenticate: gss-tsig, tsig, none or samba-tool
        #[arg(long, value_name = "HOW", help_heading = "Writing")]
        auth: Word<Auth>,
        /// gss-tsig, samba-tool: file with the principal's keys
        #[arg(long, value_name = "FILE", help_heading = "Writing")]
        keytab: PathBuf,
        /// gss-tsig, samba-tool: who writes, such as dns@LOCAL.LAN [default: the one in the keytab]
        #[arg(long, value_name = "NAME@REALM", help_heading = "Writing")]
        principal: Word<String>,
        /// gss-tsig: the server's principal, such as DNS/dc1.local.lan@LOCAL.LAN [default: of its name and the writer's realm]
        #[arg(long, value_name = "NAME@REALM", help_heading = "Writing")]
        service: Word<String>,
        /// tsig: file with the key, in the form of BIND or Knot, or NAME:ALGORITHM:SECRET
        #[arg(long, value_name = "FILE", help_heading = "Writing")]
        tsig_key_file: PathBuf,
        /// tsig: which key of the file, when it holds several
        #[arg(long, value_name = "NAME", help_heading = "Writing")]
        tsig_key_name: Word<String>,
        /// tsig: the key itself; better in DNS_STAMP_TSIG_KEY, since others can see command lines
        #[arg(long, value_name = "NAME:ALGORITHM:SECRET", help_heading = "Writing")]
        tsig_key: Word<Secret>,
    }
}

group! {
    /// How long propagation is watched.
    PropagateOptions {
        /// How long every server has to show the new value [default: 60s]
        #[arg(long, value_name = "TIME", help_heading = "Record")]
        deadline: Word<Period>,
    }
}

group! {
    /// Options of `check` alone.
    CheckOptions {
        /// What is printed: text, json, prometheus or nagios [default: text]
        #[arg(long, value_name = "FORM", help_heading = "Output")]
        output: Word<Output>,
        /// Print nothing of servers that are fresh, so that cron is silent when all is well
        #[arg(long, short, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "true|false", help_heading = "Output")]
        quiet: Word<bool>,
        /// Write metrics to this file, for the textfile collector of node_exporter
        #[arg(long, value_name = "FILE", help_heading = "Output")]
        textfile: PathBuf,
    }
}

group! {
    /// Options of `inject` alone.
    InjectOptions {
        /// Say what was done, also when all is well
        #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "true|false", help_heading = "Output")]
        verbose: Word<bool>,
        /// Write metrics to this file, for the textfile collector of node_exporter
        #[arg(long, value_name = "FILE", help_heading = "Output")]
        textfile: PathBuf,
    }
}

group! {
    /// Options of `serve` alone.
    ServeOptions {
        /// Address and port to listen on [default: 127.0.0.1:9543]
        #[arg(long, value_name = "ADDRESS:PORT", help_heading = "Serving")]
        listen: Word<std::net::SocketAddr>,
        /// Let anybody who reaches this have any server asked, not only those configured
        #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "true|false", help_heading = "Serving")]
        allow_any: Word<bool>,
        /// Who may see anything: NAME:HASH lines, as `htpasswd -B` writes them [default: everybody]
        #[arg(long, value_name = "FILE", help_heading = "Serving")]
        auth_file: PathBuf,
        /// Certificate and chain in PEM, to serve HTTPS
        #[arg(long, value_name = "FILE", help_heading = "Serving")]
        tls_cert: PathBuf,
        /// The certificate's key in PEM
        #[arg(long, value_name = "FILE", help_heading = "Serving")]
        tls_key: PathBuf,
    }
}

/// A setting that is one of a few names.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name { $($(#[$variant_meta])* $variant,)* }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(format!("{text:?} is none of: {}", [$($text),*].join(", "))),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $(Self::$variant => $text,)* })
            }
        }
    };
}

choice! {
    /// How servers are found.
    Discover {
        /// The zone's name servers.
        Ns = "ns",
        /// The domain controllers of Active Directory.
        Ad = "ad",
    }
}

choice! {
    /// Which addresses of names count.
    Family {
        /// All.
        Any = "any",
        /// Those of IPv4.
        V4 = "ipv4",
        /// Those of IPv6.
        V6 = "ipv6",
    }
}

choice! {
    /// How writing is authenticated.
    Auth {
        /// Kerberos: RFC 3645.
        GssTsig = "gss-tsig",
        /// A shared key: RFC 8945.
        Tsig = "tsig",
        /// Not at all.
        None = "none",
        /// By `samba-tool dns`.
        SambaTool = "samba-tool",
    }
}

choice! {
    /// What `check` prints.
    Output {
        /// Lines for people.
        Text = "text",
        /// One object.
        Json = "json",
        /// Metrics.
        Prometheus = "prometheus",
        /// One line for Nagios, Icinga and their like.
        Nagios = "nagios",
    }
}
