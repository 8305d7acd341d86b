//! What a server's refusal means, and what to do about it.
//!
//! Servers differ in how they say no: one and the same wrong key is NOTAUTH with a TSIG error at BIND, Knot and Samba, and
//! a bare REFUSED at PowerDNS. The texts here are of what was seen from BIND 9.18, Knot 3.2, PowerDNS 4.7 and Samba 4.17.

use std::fmt;

use pdns_packet::dns::Rcode;

use super::exchange::Step;
use super::session::{Rejection, Trust};

/// A server's no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Who says it.
    pub server: String,
    /// To what.
    pub step: Step,
    /// The zone it is about.
    pub zone: String,
    /// The record it is about.
    pub name: String,
    /// Who asked.
    pub signer: Signer,
    /// The response code.
    pub rcode: Rcode,
    /// What the server has against the signature.
    pub rejection: Option<Rejection>,
    /// Whether the response itself was signed, so that it cannot be forged.
    pub proven: bool,
    /// Whether the response was the request sent back, as Samba does.
    pub echoed: bool,
}

/// Who signs the requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// Nobody.
    Nobody,
    /// Who holds a shared key.
    Key {
        /// The key's name.
        name: String,
    },
    /// A Kerberos principal.
    Principal {
        /// Who it is.
        principal: String,
        /// Whom its ticket is for.
        service: String,
    },
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("an unsigned request"),
            Self::Key { name } => write!(f, "the key {name}"),
            Self::Principal { principal, .. } => f.write_str(principal),
        }
    }
}

impl Refusal {
    pub(crate) fn with(self, trust: Trust) -> Self {
        Self {
            rejection: match trust {
                Trust::Rejected { reason } => Some(reason),
                _ => None,
            },
            proven: matches!(trust, Trust::Signed { .. }),
            echoed: trust == Trust::Echoed,
            ..self
        }
    }

    /// What is wrong, and what to do.
    fn explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { zone, name, signer, .. } = self;
        if let Some(rejection) = self.rejection {
            return self.explain_rejection(rejection, f);
        }
        match (self.step, self.rcode, signer) {
            (Step::Read, Rcode::REFUSED | Rcode::NOTAUTH, _) => {
                write!(f, "does not answer for {zone}: it has no such zone, or does not answer this address")
            }
            (Step::Read, Rcode::SERVFAIL, _) => {
                write!(f, "cannot answer for {zone}: the zone is not loaded, or has expired there")
            }
            (Step::Session, ..) => f.write_str(
                "does not take part in GSS-TSIG; BIND needs tkey-gssapi-keytab, and its own keytab readable",
            ),
            (_, Rcode::REFUSED, Signer::Nobody) => write!(
                f,
                "takes no unsigned updates of {zone} from this address; allow them there, or give --auth tsig or gss-tsig"
            ),
            (_, Rcode::NOTAUTH, Signer::Nobody) => write!(
                f,
                "is not the primary of {zone}, or takes no unsigned updates (as Knot says it); \
                 give the primary, or --auth tsig"
            ),
            (_, Rcode::REFUSED, _) if self.proven => write!(
                f,
                "does not let {signer} write {name}: its policy does not grant it, or it is no primary of {zone}"
            ),
            (_, Rcode::REFUSED, _) => write!(
                f,
                "does not let {signer} write {name}. PowerDNS says no more than that when the key is unknown, not in the \
                 zone's TSIG-ALLOW-DNSUPDATE, its secret is wrong, or the clocks are apart; others when updates are \
                 not allowed from this address"
            ),
            (_, Rcode::NOTAUTH, _) => write!(f, "is not the primary of {zone}, or does not have it at all"),
            (_, Rcode::NOTZONE, _) => write!(f, "says that {name} is outside of {zone}"),
            (_, Rcode::SERVFAIL, Signer::Principal { principal, .. }) => write!(
                f,
                "does not let {principal} write {name}: Samba answers so when another account created the name; \
                 delete it there, or write as that account or as a member of DnsAdmins"
            ),
            (_, Rcode::SERVFAIL, _) => write!(f, "could not make the update of {zone}; its log says why"),
            (_, Rcode::NOTIMP | Rcode::FORMERR, _) => f.write_str("does not take dynamic updates"),
            _ => write!(f, "refuses to write {name}"),
        }
    }

    fn explain_rejection(&self, rejection: Rejection, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match (rejection, &self.signer) {
            (Rejection::Signature, Signer::Key { name: key }) => {
                write!(f, "has another secret for the key {key}; give it the one of the server")
            }
            (Rejection::Key, Signer::Key { name: key }) => write!(
                f,
                "has no key {key} of this algorithm, or (as Knot says it) does not let it write {name}; \
                 add the key and allow it there"
            ),
            (Rejection::Key, Signer::Principal { service, .. }) if self.step == Step::Session => write!(
                f,
                "does not take the ticket for {service}: its own keytab has no such key, or not the present one, \
                 or the server is another host"
            ),
            (Rejection::Key, Signer::Principal { .. }) => f.write_str("has forgotten the session, twice; try again"),
            (Rejection::Signature, _) => f.write_str("finds the signature wrong"),
            (Rejection::Time { server: Some(server) }, _) => {
                write!(f, "has another time: {server}; correct the clocks")
            }
            (Rejection::Time { server: None }, _) => f.write_str("has another time; correct the clocks"),
            (Rejection::Key, _) => f.write_str("does not know the key"),
            (Rejection::Other(code), _) => write!(f, "does not accept the signature (TSIG error {code})"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.server)?;
        self.explain(f)?;
        let mut rcode = Vec::new();
        self.rcode.write(&mut rcode);
        let rcode = String::from_utf8_lossy(&rcode).into_owned();
        let error = match self.rejection {
            Some(Rejection::Signature) => ", BADSIG",
            Some(Rejection::Key) => ", BADKEY",
            Some(Rejection::Time { .. }) => ", BADTIME",
            _ => "",
        };
        // Who signs expects the same of the server.
        let proof = if self.proven || self.signer == Signer::Nobody || self.step == Step::Read {
            ""
        } else if self.echoed {
            ", not signed: it sent the request back"
        } else {
            ", not signed"
        };
        write!(f, " ({rcode}{error}{proof})")
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Signer {
        Signer::Key { name: "stamp-key".to_owned() }
    }

    fn principal() -> Signer {
        Signer::Principal { principal: "dns@LOCAL.LAN".to_owned(), service: "DNS/dc1.local.lan@LOCAL.LAN".to_owned() }
    }

    fn said(step: Step, signer: Signer, rcode: Rcode, trust: Trust) -> String {
        let refusal = Refusal {
            server: "dc1".to_owned(),
            step,
            zone: "local.lan".to_owned(),
            name: "stamp.local.lan".to_owned(),
            signer,
            rcode,
            rejection: None,
            proven: false,
            echoed: false,
        };
        refusal.with(trust).to_string()
    }

    const SIGNED: Trust = Trust::Signed { time: 0, form: super::super::session::MacForm::Rfc };

    #[test]
    fn every_refusal_that_was_seen_says_what_to_do() {
        let rejected = |reason| Trust::Rejected { reason };
        assert_eq!(
            said(Step::Update, key(), Rcode::NOTAUTH, rejected(Rejection::Signature)),
            "dc1 has another secret for the key stamp-key; give it the one of the server (NOTAUTH, BADSIG, not signed)"
        );
        assert!(
            said(Step::Update, key(), Rcode::NOTAUTH, rejected(Rejection::Key)).starts_with("dc1 has no key stamp-key")
        );
        assert_eq!(
            said(Step::Time, key(), Rcode::NOTAUTH, rejected(Rejection::Time { server: Some(5) })),
            "dc1 has another time: 5; correct the clocks (NOTAUTH, BADTIME, not signed)"
        );
        assert_eq!(
            said(Step::Update, key(), Rcode::REFUSED, SIGNED),
            "dc1 does not let the key stamp-key write stamp.local.lan: its policy does not grant it, or it is no primary of \
             local.lan (REFUSED)"
        );
        assert!(said(Step::Update, key(), Rcode::REFUSED, Trust::Unsigned).contains("PowerDNS says no more than that"));
        assert_eq!(
            said(Step::Update, key(), Rcode::NOTAUTH, SIGNED),
            "dc1 is not the primary of local.lan, or does not have it at all (NOTAUTH)"
        );
        assert_eq!(
            said(Step::Update, key(), Rcode::NOTZONE, SIGNED),
            "dc1 says that stamp.local.lan is outside of local.lan (NOTZONE)"
        );
        let samba = said(Step::Update, principal(), Rcode::SERVFAIL, Trust::Echoed);
        assert!(
            samba.starts_with("dc1 does not let dns@LOCAL.LAN write stamp.local.lan: Samba answers so when another")
        );
        assert!(samba.ends_with("(SERVFAIL, not signed: it sent the request back)"));
        assert!(
            said(Step::Session, principal(), Rcode::NOTAUTH, rejected(Rejection::Key))
                .starts_with("dc1 does not take the ticket for DNS/dc1.local.lan@LOCAL.LAN")
        );
        assert!(said(Step::Session, principal(), Rcode::REFUSED, Trust::Open).contains("tkey-gssapi-keytab"));
    }

    #[test]
    fn unsigned_requests_are_told_to_sign() {
        let refused = said(Step::Update, Signer::Nobody, Rcode::REFUSED, Trust::Open);
        assert!(refused.starts_with("dc1 takes no unsigned updates of local.lan from this address"));
        assert!(refused.ends_with("gss-tsig (REFUSED)"));
        assert!(said(Step::Update, Signer::Nobody, Rcode::NOTAUTH, Trust::Open).contains("as Knot says it"));
        assert_eq!(
            said(Step::Read, Signer::Nobody, Rcode::REFUSED, Trust::Open),
            "dc1 does not answer for local.lan: it has no such zone, or does not answer this address (REFUSED)"
        );
    }
}
