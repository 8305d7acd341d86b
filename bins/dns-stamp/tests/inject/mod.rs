//! Writing, at real servers.

mod bind;
mod gss;
mod knot;
mod liar;
mod powerdns;
mod samba;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Output;

use pdns_rigs::dns::{KEY, ZONE};

use crate::util::{dns_stamp, dns_stamp_at, stderr, stdout};

/// A run of `inject`, at a server.
struct Inject {
    server: SocketAddr,
    arguments: Vec<String>,
    auth: Auth,
    /// How far the clock that the run sees is from the true one.
    clock: Option<&'static str>,
}

#[derive(Clone)]
enum Auth {
    Key(String),
    Kerberos { config: PathBuf },
    None,
}

/// The record that the rigs let the key write.
const RECORD: &str = "stamp.example.test";

fn inject(server: SocketAddr) -> Inject {
    Inject { server, arguments: Vec::new(), auth: Auth::Key(KEY.to_owned()), clock: None }
}

impl Inject {
    fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    /// With another key.
    fn key(self, key: &str) -> Self {
        self.auth(Auth::Key(key.to_owned()))
    }

    fn auth(self, auth: Auth) -> Self {
        Self { auth, ..self }
    }

    /// With a clock that is wrong by as much, such as `-2m`.
    fn clock(self, offset: &'static str) -> Self {
        Self { clock: Some(offset), ..self }
    }

    fn run(&self) -> Output {
        let given = |option: &str| self.arguments.iter().any(|argument| argument == option);
        let server = self.server.to_string();
        let mut command = match self.clock {
            None => dns_stamp(&["inject"]),
            Some(offset) => dns_stamp_at(offset, &["inject"]),
        };
        command.args(["--server", &server]);
        if !given("--zone") {
            command.args(["--zone", ZONE]);
        }
        if !given("--record") {
            command.args(["--record", "stamp"]);
        }
        command.args(&self.arguments);
        match &self.auth {
            Auth::Key(key) => command.args(["--auth", "tsig"]).env("DNS_STAMP_TSIG_KEY", key),
            Auth::Kerberos { config } => command.args(["--auth", "gss-tsig"]).env("KRB5_CONFIG", config),
            Auth::None => command.args(["--auth", "none"]),
        };
        command.output().unwrap()
    }

    /// Runs it; it must end well and say nothing.
    #[track_caller]
    fn succeeds(&self) {
        let output = self.run();
        assert_eq!((output.status.code(), stdout(&output), stderr(&output)), (Some(0), String::new(), String::new()));
    }

    /// Runs it; it must write nothing, and say why in one line.
    #[track_caller]
    fn fails(&self, problem: &str) {
        self.ends(2, problem);
    }

    /// Runs it; it must end with this status, and say why in one line.
    #[track_caller]
    fn ends(&self, status: i32, problem: &str) {
        let output = self.run();
        let message = stderr(&output);
        assert_eq!((output.status.code(), stdout(&output)), (Some(status), String::new()), "{message}");
        assert!(message.contains(problem), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

/// The one number in a record.
#[track_caller]
fn stamped(server: SocketAddr) -> u64 {
    let records = pdns_rigs::dns::txt(server, RECORD).unwrap();
    let [record] = &records[..] else { panic!("{records:?}") };
    record.trim_matches('"').parse().unwrap()
}

fn now() -> u64 {
    dns_replication::update::system_clock()
}

/// What every server must do.
fn first_update_and_too_young(run: impl Fn() -> Inject) {
    let server = run().server;
    let before = now();
    run().succeeds();
    let first = stamped(server);
    assert!((before..=now()).contains(&first), "{first}");

    // Young: left alone.
    while now() == first {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    run().succeeds();
    assert_eq!(stamped(server), first);

    // Old enough: replaced.
    run().with(&["--min-interval", "0"]).succeeds();
    assert!(stamped(server) > first);
}

/// What must happen at every server when the clock here is wrong.
fn wrong_clocks(run: impl Fn() -> Inject) {
    let server = run().server;
    if pdns_rigs::or_skip(pdns_rigs::has("faketime")).is_none() {
        return;
    }
    run().clock("-90s").fails("s behind that of");
    run().clock("+90s").fails("s ahead of that of");
    // Beyond the five minutes that TSIG allows.
    run().clock("-1000s").fails("s behind that of");
    assert!(pdns_rigs::dns::txt(server, RECORD).unwrap().is_empty());
    // What may be apart is up to the user.
    run().clock("+90s").with(&["--max-clock-skew", "2m"]).succeeds();
    assert!(stamped(server) >= now() + 80);
    // And then a stamp of the future is no young one, once the clock is right.
    run().succeeds();
    assert!(stamped(server) <= now());
}
