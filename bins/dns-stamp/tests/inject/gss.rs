//! At BIND, with Kerberos.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use pdns_rigs::dns::bind::{Bind, Primary};
use pdns_rigs::dns::txt;
use pdns_rigs::kerberos::{Realm, client_config};
use pdns_rigs::process::free_address;

use super::{Auth, Inject, first_update_and_too_young, inject, stamped, wrong_clocks};
use crate::util::stdout;

/// A realm, and a server in it that lets `dns@TEST.LAN` write the record.
pub(super) struct Rig {
    realm: Realm,
    pub(super) bind: Bind,
    keytab: String,
    /// The server's own.
    server_keytab: String,
}

const SERVER: &str = "DNS/ns1.test.lan";

impl Rig {
    pub(super) fn start() -> Option<Self> {
        pdns_rigs::or_skip(Self::try_start())
    }

    fn try_start() -> Result<Self, String> {
        let realm = Realm::start()?;
        let text = |path: std::path::PathBuf| path.display().to_string();
        let (keytab, server_keytab) = (text(realm.principal("dns")?), text(realm.principal(SERVER)?));
        let bind = server(&realm, &server_keytab)?;
        Ok(Self { realm, bind, keytab, server_keytab })
    }

    /// Another server with the same keys.
    pub(super) fn another_server(&self) -> Bind {
        server(&self.realm, &self.server_keytab).unwrap()
    }

    fn inject(&self) -> Inject {
        self.inject_with(&self.keytab)
    }

    fn inject_with(&self, keytab: &str) -> Inject {
        self.run(self.bind.address, keytab)
    }

    /// At somebody who may not be the server.
    pub(super) fn inject_at(&self, server: SocketAddr) -> Inject {
        self.run(server, &self.keytab)
    }

    fn run(&self, server: SocketAddr, keytab: &str) -> Inject {
        let run = inject(server).auth(Auth::Kerberos { config: self.realm.config() });
        run.with(&["--keytab", keytab, "--service", "DNS/ns1.test.lan@TEST.LAN"])
    }
}

fn server(realm: &Realm, keytab: &str) -> Result<Bind, String> {
    Bind::primary(Primary {
        options: &format!("tkey-gssapi-keytab \"{keytab}\";"),
        policy: "grant dns@TEST.LAN name stamp.example.test. TXT;",
        environment: &[("KRB5_CONFIG", &realm.config())],
        ..Primary::default()
    })
}

#[test]
fn the_record_is_written_first_again_and_not_too_often() {
    let Some(rig) = Rig::start() else { return };
    first_update_and_too_young(|| rig.inject());
    let output = rig.inject().with(&["--min-interval", "0", "--verbose"]).run();
    assert!(stdout(&output).ends_with("; its reply is signed as RFC 8945 has it\n"), "{}", stdout(&output));
}

#[test]
fn a_wrong_clock_is_noticed_before_anything_is_written() {
    let Some(rig) = Rig::start() else { return };
    wrong_clocks(|| rig.inject());
}

#[test]
fn what_is_wrong_with_the_keytab_is_told_apart() {
    let Some(rig) = Rig::start() else { return };
    rig.inject_with("/nonexistent/keytab").ends(3, "cannot read the keytab /nonexistent/keytab: No such file");
    rig.inject_with("/etc/passwd").ends(3, "/etc/passwd is no keytab: it does not start with the bytes 05 02");
    let principal = |name: &str| rig.inject().with(&["--principal", name]);
    principal("stamp@TEST.LAN").ends(3, "has no key of stamp@TEST.LAN; it has keys of dns@TEST.LAN");
    principal("dns@OTHER.LAN").ends(3, "holds dns of realm TEST.LAN, not of OTHER.LAN");
    principal("dns").ends(3, "\"dns\" is no principal with its realm");
    assert!(txt(rig.bind.address, super::RECORD).unwrap().is_empty());
}

#[test]
fn what_the_kdc_says_is_told() {
    let Some(rig) = Rig::start() else { return };
    let gone = rig.realm.principal("gone").unwrap();
    rig.realm.admin("delprinc -force gone").unwrap();
    rig.inject_with(gone.to_str().unwrap()).fails("the KDC does not know the principal; is its name right?");

    let changed = rig.realm.principal("changed").unwrap();
    rig.realm.admin("cpw -randkey changed").unwrap();
    rig.inject_with(changed.to_str().unwrap()).fails("the password was changed since the keytab was made");

    let locked = rig.realm.principal("locked").unwrap();
    rig.realm.admin("modprinc -allow_tix locked").unwrap();
    rig.inject_with(locked.to_str().unwrap()).fails("the account is disabled, locked or expired");

    let other = inject(rig.bind.address).auth(Auth::Kerberos { config: rig.realm.config() });
    let other = other.with(&["--keytab", &rig.keytab, "--service", "DNS/ns2.test.lan@TEST.LAN"]);
    other.fails("the KDC does not know the server by that name; give --server as its full host name");

    // Somebody whom the zone's policy does not name.
    rig.inject_with(&rig.server_keytab).fails("does not let DNS/ns1.test.lan@TEST.LAN write stamp.example.test");
}

#[test]
fn the_server_has_to_know_its_own_key() {
    let Some(rig) = Rig::start() else { return };
    rig.realm.admin(&format!("cpw -randkey {SERVER}")).unwrap();
    rig.inject().fails("does not take the ticket for DNS/ns1.test.lan@TEST.LAN: its own keytab has no such key");
    rig.realm.export(SERVER).unwrap();
    rig.inject().succeeds();
    stamped(rig.bind.address);
}

#[test]
fn a_server_without_kerberos_says_so() {
    let Some(rig) = Rig::start() else { return };
    let plain = Bind::primary(Primary::default()).unwrap();
    let run = inject(plain.address).auth(Auth::Kerberos { config: rig.realm.config() });
    let run = run.with(&["--keytab", &rig.keytab, "--service", "DNS/ns1.test.lan@TEST.LAN"]);
    run.fails("does not take part in GSS-TSIG; BIND needs tkey-gssapi-keytab");
}

#[test]
fn a_kdc_that_is_down_or_silent_ends_in_time() {
    let Some(rig) = Rig::start() else { return };
    let with_config = |text: &str, problem: &str| {
        let config = tempfile::NamedTempFile::new().unwrap();
        fs::write(&config, text).unwrap();
        let run = rig.inject().auth(Auth::Kerberos { config: config.path().to_owned() });
        run.fails(problem);
    };
    with_config(&client_config(free_address().unwrap()), "no KDC answers; is port 88 reachable?");
    with_config("[libdefaults]\n dns_lookup_kdc = false\n", "name the KDC in krb5.conf");

    rig.realm.kdc.signal("STOP").unwrap();
    let start = Instant::now();
    rig.inject().with(&["--write-timeout", "2s"]).fails("time ran out while getting a Kerberos ticket; does a KDC");
    // By itself the library takes 36 s.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    rig.realm.kdc.signal("CONT").unwrap();
}

#[test]
fn keytabs_are_shown_without_their_keys() {
    let Some(rig) = Rig::start() else { return };
    let show = |path: &Path| crate::util::dns_stamp(&["keytab"]).arg(path).output().unwrap();
    let output = show(Path::new(&rig.keytab));
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0));
    assert!(text.starts_with("KVNO  WRITTEN"), "{text}");
    assert!(text.contains("aes256-cts-hmac-sha1-96     dns@TEST.LAN\n"), "{text}");
    assert_eq!(text.lines().count(), 3, "{text}");
    assert_eq!(show(Path::new("/etc/passwd")).status.code(), Some(3));
}
