//! At Samba's domain controllers. One domain for all, since it takes long to make.

use std::path::Path;
use std::process::{Command, Output};

use pdns_rigs::process::Running;
use pdns_rigs::samba::{Domain, REALM, ZONE};
use pdns_rigs::wait;

use super::now;
use crate::util::{stderr, stdout};

/// The names of the controllers, which Kerberos goes by.
const DC1: &str = "dc1.local.lan";
const DC2: &str = "dc2.local.lan";

#[test]
fn a_domain_with_two_controllers() {
    let Some(mut domain) = pdns_rigs::or_skip(Domain::start()) else { return };
    let keytab = keytab(&domain, "dns");
    written_first_again_and_not_too_often(&domain, &keytab);
    a_wrong_clock_is_noticed(&domain, &keytab);
    refusals_say_what_is_wrong(&domain, &keytab);
    samba_tool_writes_over_rpc(&domain, &keytab);
    domain.join().unwrap();
    replicas_get_what_is_written(&domain, &keytab);
    a_stalled_replica_is_called_stale_by_name(&domain, &keytab);
}

/// By a plain user, who owns the name from the first time on.
fn written_first_again_and_not_too_often(domain: &Domain, keytab: &str) {
    let before = now();
    succeeds(&inject(domain, DC1, keytab, &[]));
    let first = stamped(domain, DC1, "stamp").unwrap();
    assert!((before..=now()).contains(&first));
    std::thread::sleep(std::time::Duration::from_millis(1100));
    succeeds(&inject(domain, DC1, keytab, &[]));
    assert_eq!(stamped(domain, DC1, "stamp"), Some(first));
    let output = inject(domain, DC1, keytab, &["--min-interval", "0", "--verbose"]);
    assert!(stamped(domain, DC1, "stamp") > Some(first), "{}", stderr(&output));
    // Newer ones may sign as the RFC has it.
    assert!(stdout(&output).contains("its reply is signed as "), "{}", stdout(&output));
}

fn a_wrong_clock_is_noticed(domain: &Domain, keytab: &str) {
    if pdns_rigs::or_skip(pdns_rigs::has("faketime")).is_none() {
        return;
    }
    let first = stamped(domain, DC1, "stamp");
    for (offset, problem) in
        [("-90s", "s behind that of"), ("+90s", "s ahead of that of"), ("+1h", "s ahead of that of")]
    {
        let mut command = domain.client(Path::new("faketime")).unwrap();
        command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1").env("DONT_FAKE_MONOTONIC", "1");
        command.args(["-f", offset, env!("CARGO_BIN_EXE_dns-stamp")]);
        fails(&run(command, DC1, keytab, &["--min-interval", "0"]), problem);
    }
    assert_eq!(stamped(domain, DC1, "stamp"), first);
}

fn refusals_say_what_is_wrong(domain: &Domain, keytab: &str) {
    let again = ["--min-interval", "0"];
    let other = self::keytab(domain, "other");
    fails(&inject(domain, DC1, &other, &again), "Samba answers so when another account created the name");
    // A member of DnsAdmins may.
    domain.add_to_group("DnsAdmins", "other").unwrap();
    succeeds(&inject(domain, DC1, &other, &again));

    domain.administer(&["user", "disable", "other", "-H", "ldap://dc1.local.lan"]).unwrap();
    fails(&inject(domain, DC1, &other, &again), "the account is disabled, locked or expired");
    let changed = self::keytab(domain, "changed");
    let password = "--newpassword=An0ther!password";
    domain.administer(&["user", "setpassword", "changed", password, "-H", "ldap://dc1.local.lan"]).unwrap();
    fails(&inject(domain, DC1, &changed, &again), "the password was changed since the keytab was made");

    fails(&inject(domain, DC1, keytab, &["--zone", "other.test"]), "is not the primary of other.test");
    fails(&inject(domain, "dc9.local.lan", keytab, &again), "dc9.local.lan has no address");
    fails(
        &inject(domain, "dc1.local.lan:54", keytab, &again),
        "cannot be reached over TCP: 10.77.0.1:54: Connection refused",
    );
    let service = format!("DNS/dc9.local.lan@{REALM}");
    let no_ticket = inject(domain, DC1, keytab, &["--min-interval", "0", "--service", &service]);
    fails(&no_ticket, "the KDC does not know the server by that name");
    let output = inject(domain, "10.77.0.1", keytab, &again);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("Kerberos knows servers by name; give the name of 10.77.0.1"));
    let unsigned = inject(domain, DC1, keytab, &["--auth", "none", "--min-interval", "0"]);
    fails(&unsigned, "takes no unsigned updates of local.lan");
}

fn samba_tool_writes_over_rpc(domain: &Domain, keytab: &str) {
    let tool = ["--auth", "samba-tool", "--record", "tool"];
    fails(&inject(domain, DC1, keytab, &tool), "the account has to be a member of DnsAdmins");
    let admin = self::keytab(domain, "admin");
    domain.add_to_group("DnsAdmins", "admin").unwrap();
    succeeds(&inject(domain, DC1, &admin, &tool));
    let first = stamped(domain, DC1, "tool").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    succeeds(&inject(domain, DC1, &admin, &tool));
    assert_eq!(stamped(domain, DC1, "tool"), Some(first));
    succeeds(&inject(domain, DC1, &admin, &[&tool[..], &["--min-interval", "0"]].concat()));
    assert!(stamped(domain, DC1, "tool") > Some(first));
    fails(&inject(domain, DC1, &admin, &[&tool[..], &["--zone", "other.test"]].concat()), "samba-tool says: ");
    let slow = inject(domain, DC1, &admin, &[&tool[..], &["--min-interval", "0", "--write-timeout", "40ms"]].concat());
    // On a busy machine the time may be up before that.
    fails(&slow, "not done within 40ms; time ran out while ");
}

fn replicas_get_what_is_written(domain: &Domain, keytab: &str) {
    succeeds(&inject(domain, DC1, keytab, &["--min-interval", "0"]));
    let written = stamped(domain, DC1, "stamp");
    wait::until(|| stamped(domain, DC2, "stamp") == written).unwrap();
    // And the other way round.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    succeeds(&inject(domain, DC2, keytab, &["--min-interval", "0"]));
    let written = stamped(domain, DC2, "stamp");
    wait::until(|| stamped(domain, DC1, "stamp") == written).unwrap();
}

fn a_stalled_replica_is_called_stale_by_name(domain: &Domain, keytab: &str) {
    const DC2_INDEX: usize = 1;
    domain.set_inbound_replication(DC2_INDEX, false).unwrap();
    // Older than what is fresh below.
    std::thread::sleep(std::time::Duration::from_secs(16));
    succeeds(&inject(domain, DC1, keytab, &["--min-interval", "0"]));
    let check = || {
        let mut command = domain.client(Path::new(env!("CARGO_BIN_EXE_dns-stamp"))).unwrap();
        command.args([
            "check",
            "--zone",
            ZONE,
            "--record",
            "stamp",
            "--discover",
            "ad",
            "--warn",
            "15s",
            "--timeout",
            "5s",
        ]);
        command.output().unwrap()
    };
    let output = check();
    assert_eq!(output.status.code(), Some(1), "{}{}", stdout(&output), stderr(&output));
    let line = |server: &str| stdout(&output).lines().find(|line| line.contains(server)).unwrap().to_owned();
    assert!(line(DC2).contains("stale"), "{}", stdout(&output));
    assert!(!line(DC1).contains("stale"), "{}", stdout(&output));
    let output = propagate(domain, keytab, "3s");
    assert_eq!(output.status.code(), Some(1), "{}{}", stdout(&output), stderr(&output));
    assert!(
        stdout(&output).lines().any(|line| line.contains(DC2) && line.contains("not within 3s")),
        "{}",
        stdout(&output)
    );

    serve_tells_them_apart(domain);
    propagation_has_its_lag_or_none(domain, keytab);

    domain.set_inbound_replication(DC2_INDEX, true).unwrap();
    domain.replicate(DC2_INDEX, 0).unwrap();
    wait::until(|| stamped(domain, DC2, "stamp") == stamped(domain, DC1, "stamp")).unwrap();
    succeeds(&inject(domain, DC1, keytab, &["--min-interval", "0"]));
    wait::until(|| check().status.code() == Some(0)).unwrap();
    let output = propagate(domain, keytab, "60s");
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    for server in [DC1, DC2] {
        assert!(
            stdout(&output).lines().any(|line| line.contains(server) && line.contains("after ")),
            "{}",
            stdout(&output)
        );
    }
}

fn propagate(domain: &Domain, keytab: &str, deadline: &str) -> Output {
    let mut command = domain.client(Path::new(env!("CARGO_BIN_EXE_dns-stamp"))).unwrap();
    command.args(["propagate", "--zone", ZONE, "--record", "stamp", "--primary", DC1, "--keytab", keytab]);
    command.args(["--discover", "ad", "--timeout", "5s", "--deadline", deadline]).output().unwrap()
}

/// While the second controller gets nothing.
fn serve_tells_them_apart(domain: &Domain) {
    const ADDRESS: &str = "10.77.0.10:9543";
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut command = domain.client(Path::new(env!("CARGO_BIN_EXE_dns-stamp"))).unwrap();
    command.args(["serve", "--listen", ADDRESS, "--zone", ZONE, "--record", "stamp", "--discover", "ad"]);
    command.args(["--warn", "15s", "--timeout", "5s"]);
    let mut server = Running::start(&mut command, &log).unwrap();
    server.wait_until(|| std::fs::read_to_string(&log).is_ok_and(|log| log.contains("listening on "))).unwrap();
    let mut curl = domain.client(Path::new("curl")).unwrap();
    let page =
        stdout(&curl.args(["--silent", "--max-time", "60", &format!("http://{ADDRESS}/probe")]).output().unwrap());
    let of = |metric: &str, server: &str| {
        let mut lines = page.lines().filter(|line| line.starts_with(&format!("{metric}{{")));
        lines
            .find(|line| line.contains(&format!("server=\"{server}\"")))
            .and_then(|line| line.rsplit_once(' '))
            .unwrap()
    };
    let time = |server| of("dns_stamp_timestamp_seconds", server).1.parse::<u64>().unwrap();
    assert!(time(DC1) > time(DC2), "{page}");
    let stale = format!("server=\"{DC2}\",address=\"10.77.0.2\",state=\"stale\"}} 1");
    assert!(page.contains(&stale), "{page}");
}

/// While the second controller gets nothing.
fn propagation_has_its_lag_or_none(domain: &Domain, keytab: &str) {
    let mut command = domain.client(Path::new(env!("CARGO_BIN_EXE_dns-stamp"))).unwrap();
    command.args(["propagate", "--zone", ZONE, "--record", "stamp", "--discover", "ad", "--primary", DC1]);
    command.args(["--auth", "gss-tsig", "--keytab", keytab, "--timeout", "5s", "--deadline", "4s"]);
    let output = command.output().unwrap();
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}{}", stderr(&output));
    let line = |server: &str| text.lines().find(|line| line.contains(server)).unwrap();
    assert!(line(DC1).starts_with("OK") && line(DC1).contains("  after "), "{text}");
    assert!(line(DC2).starts_with("WARNING") && line(DC2).contains("not within 4s: "), "{text}");
}

fn keytab(domain: &Domain, user: &str) -> String {
    domain.user(user).unwrap().display().to_string()
}

fn inject(domain: &Domain, server: &str, keytab: &str, arguments: &[&str]) -> Output {
    run(domain.client(Path::new(env!("CARGO_BIN_EXE_dns-stamp"))).unwrap(), server, keytab, arguments)
}

fn run(mut command: Command, server: &str, keytab: &str, arguments: &[&str]) -> Output {
    let given = |option: &str| arguments.contains(&option);
    command.args(["inject", "--server", server, "--keytab", keytab]).args(arguments);
    for (option, default) in [("--zone", ZONE), ("--record", "stamp"), ("--auth", "gss-tsig")] {
        if !given(option) {
            command.args([option, default]);
        }
    }
    command.output().unwrap()
}

#[track_caller]
fn succeeds(output: &Output) {
    assert_eq!((output.status.code(), stdout(output), stderr(output)), (Some(0), String::new(), String::new()));
}

#[track_caller]
fn fails(output: &Output, problem: &str) {
    let message = stderr(output);
    assert_eq!((output.status.code(), stdout(output)), (Some(2), String::new()), "{message}");
    assert!(message.contains(problem) && message.lines().count() == 1, "{message}");
}

/// The time in a record of a controller.
fn stamped(domain: &Domain, server: &str, record: &str) -> Option<u64> {
    let mut dig = domain.client(Path::new("dig")).unwrap();
    let name = format!("{record}.{ZONE}");
    let output = dig.args([&format!("@{server}"), "+short", "+tries=2", &name, "TXT"]).output().unwrap();
    stdout(&output).trim().trim_matches('"').parse().ok()
}
