//! Registry numbers: types, classes, opcodes, rcodes, EDNS option codes and extended errors, with their IANA names.
//!
//! Each is the number as on the wire, so that a value nobody has registered survives; it prints as RFC 3597 section 5
//! does it for types and classes: `TYPE65280`, `CLASS77`, and in the same way `RCODE23`, `OPCODE9`, `OPT65001`.

use std::fmt;

use crate::text::Text;

/// Defines a newtype over a registry number with a constant, a mnemonic and a line of documentation for each entry.
macro_rules! registry {
    (
        $(#[$meta:meta])* $name:ident($int:ty) else $prefix:literal {
            $($constant:ident = $value:literal $mnemonic:literal $doc:literal,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $int);

        impl $name {
            $(#[doc = concat!("`", $mnemonic, "`: ", $doc, ".")] pub const $constant: Self = Self($value);)*

            /// The numbers that have a name.
            pub const NAMED: &[Self] = &[$(Self($value),)*];

            /// The registered name, if there is one.
            #[inline]
            pub const fn mnemonic(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($mnemonic),)*
                    _ => None,
                }
            }

            /// Appends the registered name, or the prefix of this registry and the number.
            #[inline]
            pub fn write(self, out: &mut impl Text) {
                match self.mnemonic() {
                    Some(mnemonic) => out.plain(mnemonic.as_bytes()),
                    None => {
                        out.plain($prefix.as_bytes());
                        out.number(u64::from(self.0));
                    }
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.mnemonic() {
                    Some(mnemonic) => f.pad(mnemonic),
                    None => write!(f, concat!($prefix, "{}"), self.0),
                }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

registry! {
    /// A record or query type: IANA "Resource Record (RR) TYPEs".
    Rtype(u16) else "TYPE" {
        A = 1 "A" "IPv4 address",
        NS = 2 "NS" "authoritative name server",
        MD = 3 "MD" "mail destination, obsolete",
        MF = 4 "MF" "mail forwarder, obsolete",
        CNAME = 5 "CNAME" "canonical name of an alias",
        SOA = 6 "SOA" "start of a zone of authority",
        MB = 7 "MB" "mailbox domain name",
        MG = 8 "MG" "mail group member",
        MR = 9 "MR" "mail rename domain name",
        NULL = 10 "NULL" "anything",
        WKS = 11 "WKS" "well known services",
        PTR = 12 "PTR" "domain name pointer",
        HINFO = 13 "HINFO" "host information",
        MINFO = 14 "MINFO" "mailbox or mail list information",
        MX = 15 "MX" "mail exchange",
        TXT = 16 "TXT" "text strings",
        RP = 17 "RP" "responsible person",
        AFSDB = 18 "AFSDB" "AFS data base location",
        X25 = 19 "X25" "X.25 PSDN address",
        ISDN = 20 "ISDN" "ISDN address",
        RT = 21 "RT" "route through",
        NSAP = 22 "NSAP" "NSAP address",
        NSAP_PTR = 23 "NSAP-PTR" "name for an NSAP address",
        SIG = 24 "SIG" "signature, RFC 2535 and SIG(0)",
        KEY = 25 "KEY" "key, RFC 2535",
        PX = 26 "PX" "X.400 mail mapping",
        GPOS = 27 "GPOS" "geographical position",
        AAAA = 28 "AAAA" "IPv6 address",
        LOC = 29 "LOC" "location",
        NXT = 30 "NXT" "next domain, obsolete",
        EID = 31 "EID" "endpoint identifier",
        NIMLOC = 32 "NIMLOC" "Nimrod locator",
        SRV = 33 "SRV" "server selection",
        ATMA = 34 "ATMA" "ATM address",
        NAPTR = 35 "NAPTR" "naming authority pointer",
        KX = 36 "KX" "key exchanger",
        CERT = 37 "CERT" "certificate",
        A6 = 38 "A6" "IPv6 address in parts, obsolete",
        DNAME = 39 "DNAME" "redirection of a subtree",
        SINK = 40 "SINK" "kitchen sink",
        OPT = 41 "OPT" "EDNS pseudo-record",
        APL = 42 "APL" "address prefix list",
        DS = 43 "DS" "delegation signer",
        SSHFP = 44 "SSHFP" "SSH key fingerprint",
        IPSECKEY = 45 "IPSECKEY" "IPsec key",
        RRSIG = 46 "RRSIG" "signature of an RRset",
        NSEC = 47 "NSEC" "next secure name",
        DNSKEY = 48 "DNSKEY" "zone key",
        DHCID = 49 "DHCID" "DHCP client identifier",
        NSEC3 = 50 "NSEC3" "next secure name, hashed",
        NSEC3PARAM = 51 "NSEC3PARAM" "parameters of NSEC3",
        TLSA = 52 "TLSA" "TLS certificate association",
        SMIMEA = 53 "SMIMEA" "S/MIME certificate association",
        HIP = 55 "HIP" "host identity protocol",
        NINFO = 56 "NINFO" "zone status information",
        RKEY = 57 "RKEY" "resource key",
        TALINK = 58 "TALINK" "trust anchor link",
        CDS = 59 "CDS" "child DS",
        CDNSKEY = 60 "CDNSKEY" "child DNSKEY",
        OPENPGPKEY = 61 "OPENPGPKEY" "OpenPGP key",
        CSYNC = 62 "CSYNC" "child to parent synchronization",
        ZONEMD = 63 "ZONEMD" "message digest of a zone",
        SVCB = 64 "SVCB" "general-purpose service binding",
        HTTPS = 65 "HTTPS" "service binding for HTTPS",
        DSYNC = 66 "DSYNC" "endpoint discovery for delegation synchronization",
        HHIT = 67 "HHIT" "hierarchical host identity tag",
        BRID = 68 "BRID" "UAS broadcast remote identification",
        SPF = 99 "SPF" "sender policy, obsolete",
        UINFO = 100 "UINFO" "user information",
        UID = 101 "UID" "user ID",
        GID = 102 "GID" "group ID",
        UNSPEC = 103 "UNSPEC" "unspecified data",
        NID = 104 "NID" "ILNP node identifier",
        L32 = 105 "L32" "ILNP 32-bit locator",
        L64 = 106 "L64" "ILNP 64-bit locator",
        LP = 107 "LP" "ILNP locator pointer",
        EUI48 = 108 "EUI48" "EUI-48 address",
        EUI64 = 109 "EUI64" "EUI-64 address",
        NXNAME = 128 "NXNAME" "marks a name that does not exist in compact denial",
        TKEY = 249 "TKEY" "transaction key",
        TSIG = 250 "TSIG" "transaction signature",
        IXFR = 251 "IXFR" "incremental zone transfer",
        AXFR = 252 "AXFR" "zone transfer",
        MAILB = 253 "MAILB" "mailbox-related records",
        MAILA = 254 "MAILA" "mail agent records, obsolete",
        ANY = 255 "ANY" "some or all records; the registry writes it `*`",
        URI = 256 "URI" "URI",
        CAA = 257 "CAA" "certification authority restriction",
        AVC = 258 "AVC" "application visibility and control",
        DOA = 259 "DOA" "digital object architecture",
        AMTRELAY = 260 "AMTRELAY" "automatic multicast tunneling relay",
        RESINFO = 261 "RESINFO" "resolver information",
        WALLET = 262 "WALLET" "public wallet address",
        CLA = 263 "CLA" "BP convergence layer adapter",
        IPN = 264 "IPN" "BP node number",
        TA = 32768 "TA" "DNSSEC trust authorities",
        DLV = 32769 "DLV" "DNSSEC lookaside validation, obsolete",
    }
}

registry! {
    /// A class: IANA "DNS CLASSes".
    Class(u16) else "CLASS" {
        IN = 1 "IN" "the Internet",
        CH = 3 "CH" "Chaos",
        HS = 4 "HS" "Hesiod",
        NONE = 254 "NONE" "no class, RFC 2136",
        ANY = 255 "ANY" "any class; the registry writes it `*`",
    }
}

registry! {
    /// What kind of request a message is: IANA "DNS OpCodes".
    Opcode(u8) else "OPCODE" {
        QUERY = 0 "QUERY" "a standard query",
        IQUERY = 1 "IQUERY" "an inverse query, obsolete",
        STATUS = 2 "STATUS" "server status",
        NOTIFY = 4 "NOTIFY" "zone change notification, RFC 1996",
        UPDATE = 5 "UPDATE" "dynamic update, RFC 2136",
        DSO = 6 "DSO" "stateful operations, RFC 8490",
    }
}

registry! {
    /// A response code of up to twelve bits, or the sixteen bits of an error field: IANA "DNS RCODEs".
    Rcode(u16) else "RCODE" {
        NOERROR = 0 "NOERROR" "no error",
        FORMERR = 1 "FORMERR" "format error",
        SERVFAIL = 2 "SERVFAIL" "server failure",
        NXDOMAIN = 3 "NXDOMAIN" "the name does not exist",
        NOTIMP = 4 "NOTIMP" "not implemented",
        REFUSED = 5 "REFUSED" "refused by policy",
        YXDOMAIN = 6 "YXDOMAIN" "the name exists when it should not",
        YXRRSET = 7 "YXRRSET" "the RRset exists when it should not",
        NXRRSET = 8 "NXRRSET" "the RRset does not exist when it should",
        NOTAUTH = 9 "NOTAUTH" "not authoritative, or not authorized",
        NOTZONE = 10 "NOTZONE" "the name is not in the zone",
        DSOTYPENI = 11 "DSOTYPENI" "DSO type not implemented",
        BADVERS = 16 "BADVERS" "EDNS version not supported",
        BADKEY = 17 "BADKEY" "key not recognized",
        BADTIME = 18 "BADTIME" "signature out of its time window",
        BADMODE = 19 "BADMODE" "bad TKEY mode",
        BADNAME = 20 "BADNAME" "duplicate key name",
        BADALG = 21 "BADALG" "algorithm not supported",
        BADTRUNC = 22 "BADTRUNC" "bad truncation",
        BADCOOKIE = 23 "BADCOOKIE" "bad or missing server cookie",
    }
}

impl Rcode {
    /// Appends the name this number has in the error field of TSIG and TKEY, where 16 is `BADSIG` (RFC 8945 section 3).
    pub fn write_tsig(self, out: &mut impl Text) {
        match self.0 {
            16 => out.plain(b"BADSIG"),
            _ => self.write(out),
        }
    }
}

registry! {
    /// An EDNS option: IANA "DNS EDNS0 Option Codes".
    OptionCode(u16) else "OPT" {
        LLQ = 1 "LLQ" "long-lived queries",
        UL = 2 "UL" "update lease",
        NSID = 3 "NSID" "name server identifier",
        DAU = 5 "DAU" "DNSSEC algorithms understood",
        DHU = 6 "DHU" "DS hashes understood",
        N3U = 7 "N3U" "NSEC3 hashes understood",
        ECS = 8 "ECS" "client subnet; the registry writes it `edns-client-subnet`",
        EXPIRE = 9 "EXPIRE" "SOA expire",
        COOKIE = 10 "COOKIE" "cookie",
        TCP_KEEPALIVE = 11 "TCP-KEEPALIVE" "idle timeout of a TCP connection",
        PADDING = 12 "PADDING" "padding",
        CHAIN = 13 "CHAIN" "chain query",
        KEY_TAG = 14 "KEY-TAG" "key tags of trust anchors",
        EDE = 15 "EDE" "extended DNS error",
        CLIENT_TAG = 16 "CLIENT-TAG" "client tag",
        SERVER_TAG = 17 "SERVER-TAG" "server tag",
        REPORT_CHANNEL = 18 "REPORT-CHANNEL" "agent domain for error reports",
        ZONEVERSION = 19 "ZONEVERSION" "version of the answering zone",
        MQTYPE_QUERY = 20 "MQTYPE-QUERY" "more types asked for",
        MQTYPE_RESPONSE = 21 "MQTYPE-RESPONSE" "more types answered",
        EDE_EXTRA_TEXT_LANGUAGE = 22 "EDE-EXTRA-TEXT-LANGUAGE" "language of the text of an extended error",
        FILTERING_CONTACT = 23 "FILTERING-CONTACT" "whom to ask about filtering",
        FILTERING_ORGANIZATION = 24 "FILTERING-ORGANIZATION" "who filters",
        FILTERING_DB = 25 "FILTERING-DB" "data base behind the filtering",
        UMBRELLA_IDENT = 20292 "UMBRELLA-IDENT" "Cisco Umbrella identification",
        DEVICEID = 26946 "DEVICEID" "Cisco Umbrella device",
    }
}

registry! {
    /// An extended DNS error (RFC 8914), by its INFO-CODE: IANA "Extended DNS Error Codes".
    EdeCode(u16) else "EDE" {
        OTHER = 0 "Other Error" "none of the others",
        DNSKEY_ALGORITHM = 1 "Unsupported DNSKEY Algorithm" "no supported algorithm among the DNSKEYs",
        DS_DIGEST = 2 "Unsupported DS Digest Type" "no supported digest among the DSs",
        STALE_ANSWER = 3 "Stale Answer" "answered from expired cache",
        FORGED_ANSWER = 4 "Forged Answer" "answered by policy with other data",
        DNSSEC_INDETERMINATE = 5 "DNSSEC Indeterminate" "validation ended indeterminate",
        DNSSEC_BOGUS = 6 "DNSSEC Bogus" "validation ended bogus",
        SIGNATURE_EXPIRED = 7 "Signature Expired" "no valid signature, some expired",
        SIGNATURE_NOT_YET_VALID = 8 "Signature Not Yet Valid" "no valid signature, some too new",
        DNSKEY_MISSING = 9 "DNSKEY Missing" "a DS matches no DNSKEY",
        RRSIGS_MISSING = 10 "RRSIGs Missing" "no signature found",
        NO_ZONE_KEY = 11 "No Zone Key Bit Set" "no DNSKEY is a zone key",
        NSEC_MISSING = 12 "NSEC Missing" "denial without proof",
        CACHED_ERROR = 13 "Cached Error" "the failure comes from the cache",
        NOT_READY = 14 "Not Ready" "the server is not up yet",
        BLOCKED = 15 "Blocked" "blocked by the operator",
        CENSORED = 16 "Censored" "blocked by order from outside",
        FILTERED = 17 "Filtered" "blocked as the client asked",
        PROHIBITED = 18 "Prohibited" "the client is not served",
        STALE_NXDOMAIN = 19 "Stale NXDOMAIN Answer" "NXDOMAIN from expired cache",
        NOT_AUTHORITATIVE = 20 "Not Authoritative" "not authoritative for the name",
        NOT_SUPPORTED = 21 "Not Supported" "operation or query not supported",
        NO_REACHABLE_AUTHORITY = 22 "No Reachable Authority" "no authoritative server answered",
        NETWORK_ERROR = 23 "Network Error" "unrecoverable network trouble",
        INVALID_DATA = 24 "Invalid Data" "the zone's data cannot be used",
        EXPIRED_BEFORE_VALID = 25 "Signature Expired before Valid" "a signature expires before it begins",
        TOO_EARLY = 26 "Too Early" "TLS early data not accepted",
        NSEC3_ITERATIONS = 27 "Unsupported NSEC3 Iterations Value" "too many NSEC3 iterations",
        POLICY = 28 "Unable to conform to policy" "policy cannot be met",
        SYNTHESIZED = 29 "Synthesized" "the answer was synthesized",
        INVALID_QUERY_TYPE = 30 "Invalid Query Type" "the type cannot be queried for",
        RATE_LIMITED = 31 "Rate Limited" "too many queries",
        OVER_QUOTA = 32 "Over Quota" "the client's quota is used up",
        NEGATIVE_TRUST_ANCHOR = 33 "Negative Trust Anchor" "validation is switched off here",
        NEW_DELEGATION_ONLY = 34 "New Delegation Only" "the new form of delegation is needed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registered_and_unknown_numbers_print_as_text_and_display_alike() {
        fn check(write: impl Fn(&mut Vec<u8>), display: &str, expected: &str) {
            let mut out = Vec::new();
            write(&mut out);
            assert_eq!((String::from_utf8(out).unwrap().as_str(), display), (expected, expected));
        }
        for (rtype, text) in [(0, "TYPE0"), (1, "A"), (23, "NSAP-PTR"), (255, "ANY"), (65280, "TYPE65280")] {
            check(|out| Rtype(rtype).write(out), &Rtype(rtype).to_string(), text);
        }
        check(|out| Class(77).write(out), &Class(77).to_string(), "CLASS77");
        check(|out| Class::CH.write(out), &Class::CH.to_string(), "CH");
        check(|out| Opcode(9).write(out), &Opcode(9).to_string(), "OPCODE9");
        check(|out| Rcode(24).write(out), &Rcode(24).to_string(), "RCODE24");
        check(|out| Rcode(23).write(out), &Rcode(23).to_string(), "BADCOOKIE");
        check(|out| OptionCode(65001).write(out), &OptionCode(65001).to_string(), "OPT65001");
        check(|out| Rcode(16).write(out), &Rcode(16).to_string(), "BADVERS");
        check(|out| Rcode(16).write_tsig(out), "BADSIG", "BADSIG");
        check(|out| Rcode(17).write_tsig(out), "BADKEY", "BADKEY");
    }

    #[test]
    fn no_mnemonic_needs_escaping() {
        for number in 0..=u16::MAX {
            let names = [
                Rtype(number).mnemonic(),
                Class(number).mnemonic(),
                Rcode(number).mnemonic(),
                OptionCode(number).mnemonic(),
                EdeCode(number).mnemonic(),
            ];
            for name in names.into_iter().flatten() {
                assert!(name.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'));
            }
        }
    }
}
