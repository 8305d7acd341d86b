//! `[[sink]]` tables: several sinks of a kind, what is refused of them, and `--test-sinks`.

use std::fs;

use crate::account::Account;
use crate::util::{Run, Scratch, pcap, sensor, sensor_on};

#[test]
fn tables_make_several_sinks_of_a_kind() {
    let scratch = Scratch::new();
    let capture = scratch.file("input.pcap", pcap(20));
    let [answers, transactions, stats] =
        ["answers.log", "transactions.log", "stats.json"].map(|name| scratch.path(name));
    fs::create_dir(scratch.path("spool")).unwrap();
    let config = format!(
        "quiet = true\nspool_dir = {:?}\n[[sink]]\nkind = \"file\"\npath = {:?}\n[[sink]]\nkind = \"file\"\nname = \"two\"\npath = {:?}\nformat = \
         \"transaction\"\nspool_dir = {:?}\nspool_always = true\n",
        scratch.path("spool"),
        answers,
        transactions,
        scratch.path("spool")
    );
    let config = scratch.file("pdns.toml", config);
    Run::of(sensor_on(&capture).arg("--config").arg(&config).arg("--stats").arg(&stats)).assert_clean();
    let lines = |path| fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(lines(&answers)[0].starts_with("{\"query_id\":") && lines(&transactions)[0].starts_with("{\"sensor\":"));
    assert_eq!((lines(&answers).len(), lines(&transactions).len()), (20, 20));
    let account = Account::read(&stats);
    assert_eq!((account.count("sinks/file/delivered"), account.count("sinks/two/delivered")), (20, 20));
    // Only the one that asked for it has a spool: what goes to a file here is not kept for later here.
    assert!(scratch.path("spool/two/position").exists() && !scratch.path("spool/file").exists());

    let printed = Run::of(sensor().arg("--config").arg(&config).arg("--print-config")).assert_clean().stdout;
    assert!(printed.contains("\n[[sink]]\nkind = \"file\"\nname = \"two\"\n"), "{printed}");
    // It can be read back.
    let again = scratch.file("again.toml", &printed);
    Run::of(sensor_on(&capture).arg("--config").arg(&again)).assert_clean();
    assert_eq!(lines(&transactions).len(), 40);

    let tried = Run::of(sensor().arg("--config").arg(&config).arg("--test-sinks"));
    assert_eq!(tried.status, 0, "{}", tried.stderr);
    assert!(tried.stderr.contains(&format!("pdns-sensor: two ({}): took the record\n", transactions.display())));
    assert!(lines(&answers).last().unwrap().contains("test.pdns-sensor.invalid"));
}

#[test]
fn a_sink_that_does_not_take_the_test_is_told_of() {
    let scratch = Scratch::new();
    let folder = scratch.path("folder");
    fs::create_dir(&folder).unwrap();
    let tried = Run::of(sensor().arg("--test-sinks").arg("--logfile").arg(&folder));
    assert_eq!((tried.status, tried.records().len()), (1, 1));
    let failed = format!("pdns-sensor: file ({}): failed: Is a directory (os error 21)\n", folder.display());
    assert!(tried.stderr.ends_with(&failed), "{}", tried.stderr);
}

#[test]
fn what_is_wrong_with_a_table_is_said_with_its_line() {
    let scratch = Scratch::new();
    let config = scratch.file(
        "pdns.toml",
        "[[sink]]\nkind = \"file\"\npaht = \"x\"\n[[sink]]\nkind = \"kafak\"\n[[sink]]\nname = \"x\"\n[[sink]]\nkind = \"file\"\npath = \"x\"\n\
         [[sink]]\nkind = \"kafka\"\nname = \"a/b\"\n[[sink]]\nkind = \"kafka\"\npassword = 7\n",
    );
    let run = Run::of(sensor().arg("--check-config").arg("--config").arg(&config));
    assert_eq!(run.status, 2);
    let file = config.display();
    let kinds = "stdout, file, kafka, fluentd, syslog, http";
    for expected in [
        format!("paht of file 'file' in {file} line 3: a file sink has no such setting; did you mean path?"),
        format!("sink 2 in {file} line 4: kind 'kafak' is not one of {kinds}"),
        format!("sink 3 in {file} line 6: it has no kind, which is one of {kinds}"),
        format!(
            "sink 4 in {file} line 8: there is a sink called 'file' already, sink 1 in {file} line 1: give one of them another name"
        ),
        format!(
            "sink 5 in {file} line 11: name 'a/b' is not one of letters, digits, '-', '_' and '.', up to 64 of them"
        ),
        format!("password of kafka 'kafka' in {file} line 16: *** is not a string in quotes"),
        format!("sink 1 in {file} line 1: a file sink needs path"),
    ] {
        assert!(run.stderr.contains(&format!("pdns-sensor: error: {expected}\n")), "{expected}\n{}", run.stderr);
    }
}
