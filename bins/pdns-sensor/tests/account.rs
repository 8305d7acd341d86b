//! Whether the account adds up: every frame, fragment, byte, message and record is in exactly one place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::util::{Run, Sample, Scratch, in_parallel, samples, sensor_on, workspace};

/// The account that `--stats` wrote.
pub(crate) struct Account(pdns_fixtures::account::Account);

impl Account {
    pub(crate) fn read(path: &Path) -> Self {
        Self(pdns_fixtures::account::Account::read(path).unwrap())
    }

    /// The counter at a JSON pointer without its first slash; of an object the sum.
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.0.count(name)
    }

    /// The counts under the reasons of a counter that has some.
    pub(crate) fn reasons(&self, name: &str) -> Option<BTreeMap<String, f64>> {
        let reasons = self.0.object().pointer(&format!("/{name}"))?.as_object()?;
        Some(reasons.iter().map(|(reason, count)| (reason.clone(), count.as_f64().unwrap())).collect())
    }

    /// A counter of each sink, by the sink's name.
    pub(crate) fn of_sinks(&self, name: &str) -> BTreeMap<String, f64> {
        let sinks = self.0.object()["sinks"].as_object().unwrap().iter();
        sinks.map(|(sink, counters)| (sink.clone(), counters[name].as_f64().unwrap())).collect()
    }

    /// The names of all counters, as [`count`](Self::count) takes them, sorted.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let top = self.0.object().as_object().unwrap().keys().filter(|name| *name != "tcp").cloned();
        top.chain(self.0.object()["tcp"].as_object().unwrap().keys().map(|name| format!("tcp/{name}"))).collect()
    }

    /// Fails unless all sums hold and nothing is on its way any more.
    pub(crate) fn assert_balanced(&self, name: &str) {
        self.assert_sums(name);
        const ON_THE_WAY: [&str; 8] = [
            "fragments_pending",
            "udp_datagrams_queued",
            "tcp_segments_queued",
            "tcp/bytes_pending",
            "tcp/streams_open",
            "queries_outstanding",
            "responses_held",
            "records_queued",
        ];
        for gauge in ON_THE_WAY {
            assert_eq!(self.count(gauge), 0, "{name}: {gauge}");
        }
        assert_eq!(self.count("records_made"), self.count("records_offered"), "{name}");
    }

    /// Fails unless all sums hold that hold at any moment: those of `docs/account.md`.
    pub(crate) fn assert_sums(&self, name: &str) {
        let wrong = self.0.wrong_sums();
        assert!(wrong.is_empty(), "{name}: {wrong:?} in {}", self.0.object());
    }

    /// Fails unless every transaction was offered as a record or not wanted, and the records printed are those delivered.
    fn assert_records(&self, name: &str, run: &Run) {
        let statuses = ["answered", "unanswered", "orphan", "duplicate"];
        let transactions: u64 = statuses.iter().map(|status| self.count(status)).sum();
        assert_eq!(transactions, self.count("records_made") + self.count("transactions_unwanted"), "{name}");
        assert_eq!(self.count("records_delivered"), run.stdout.lines().count() as u64, "{name}");
        let printed = run.column("status");
        for status in statuses {
            let lines = printed.iter().filter(|&printed| printed == status).count() as u64;
            assert_eq!(lines, self.count(status), "{name}: {status}");
        }
    }
}

#[test]
fn it_adds_up_on_every_capture() {
    let scratch = Scratch::new();
    let runs = samples(&scratch).into_iter().enumerate().flat_map(|(index, sample)| {
        ["1", "3"].map(|workers| (scratch.path(&format!("{index}-{workers}.json")), workers, sample.clone()))
    });
    in_parallel(runs.collect::<Vec<_>>(), |(stats, workers, Sample { name, path, frames })| {
        let mut command = sensor_on(&path);
        command.args(["--format", "transaction", "--numprocs", workers, "--stats"]).arg(&stats);
        let run = Run::of(&mut command);
        // A cut capture has an account, too: of what was there.
        assert!(run.status < 2, "{name}: {}", run.stderr);
        let account = Account::read(&stats);
        account.assert_balanced(&name);
        account.assert_records(&name, &run);
        if let Some(frames) = frames {
            assert_eq!(account.count("frames_received"), frames, "{name}");
        }
    });
}

#[test]
fn the_documentation_shows_a_real_account_and_explains_every_counter() {
    let document = fs::read_to_string(workspace().join("docs/account.md")).unwrap();
    let (_, example) = document.split_once("```json\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let scratch = Scratch::new();
    let mixed = samples(&scratch).into_iter().find(|sample| sample.name == "made/mixed").unwrap();
    let stats = scratch.path("stats.json");
    Run::of(sensor_on(&mixed.path).args(["--format", "transaction", "--stats"]).arg(&stats)).assert_clean();
    let written = fs::read_to_string(&stats).unwrap();
    assert_eq!(written, example, "the example is not what the program writes");

    let names = written.lines().filter_map(|line| line.trim().strip_prefix('"')?.split_once('"')).map(|(name, _)| name);
    let unexplained: Vec<_> =
        names.filter(|name| !matches!(*name, "tcp" | "stdout") && !document.contains(&format!("`{name}`"))).collect();
    assert!(unexplained.is_empty(), "not explained: {unexplained:?}");
}

#[test]
fn everything_is_counted_where_it_belongs() {
    let scratch = Scratch::new();
    let mixed = samples(&scratch).into_iter().find(|sample| sample.name == "made/mixed").unwrap();
    let stats = scratch.path("stats.json");
    Run::of(sensor_on(&mixed.path).arg("--stats").arg(&stats)).assert_clean();
    let account = Account::read(&stats);
    let expected = [
        ("frames_received", 23),
        ("frames_discarded/not_dns_port", 1),
        ("udp_datagrams", 8),
        ("fragments", 2),
        ("fragments_reassembled", 2),
        ("reassembled_udp_datagrams", 1),
        ("tcp_segments", 12),
        ("tcp/messages", 4),
        ("tcp/gaps", 1),
        ("tcp/bytes_lost", 100),
        ("messages_discarded/short_header", 1),
        ("queries", 5),
        ("responses", 7),
        ("retransmissions", 1),
        ("answered", 2),
        ("unanswered", 2),
        ("orphan", 4),
        ("duplicate", 1),
    ];
    let counted = expected.map(|(name, _)| (name, account.count(name)));
    assert_eq!(counted, expected);
}

#[test]
fn transactions_that_are_not_wanted_and_runs_without_records_are_counted() {
    let scratch = Scratch::new();
    let sample = samples(&scratch).into_iter().find(|sample| sample.name == "made/mixed").unwrap();
    let stats = scratch.path("stats.json");
    let mut command = sensor_on(&sample.path);
    command.args(["--format", "transaction", "--statuses", "orphan,answered", "--stats"]).arg(&stats);
    let run = Run::of(&mut command).assert_clean();
    let account = Account::read(&stats);
    account.assert_balanced("unwanted");
    assert_eq!((account.count("transactions_unwanted"), run.stdout.lines().count()), (3, 6));
    assert_eq!((account.count("unanswered"), account.count("duplicate")), (2, 1));

    let run = Run::of(sensor_on(&sample.path).arg("--quiet").arg("--stats").arg(&stats)).assert_clean();
    let account = Account::read(&stats);
    account.assert_balanced("quiet");
    assert_eq!((run.stdout.as_str(), account.count("records_offered"), account.count("orphan")), ("", 0, 4));
}
