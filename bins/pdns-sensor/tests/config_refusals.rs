//! What is said of settings that make no sense, and that no secret is.

use std::fs;
use std::path::Path;

use crate::config::{SOURCES, Setup};
use crate::config_table::OPTIONS;
use crate::util::{Run, pcap};

#[test]
fn secrets_are_in_no_message() {
    let secret = "s3cret-word";
    let spec = OPTIONS.iter().find(|spec| spec.secret).unwrap();
    for source in SOURCES {
        let setup = Setup::new().give(spec, source, secret).arguments(&["--debug"]);
        let printed = Run::of(setup.command().arg("--print-config"));
        let refused = setup.run();
        assert_eq!((printed.status, refused.status), (0, 2));
        assert!(refused.stderr.contains("--kafka-username is needed as well"), "{}", refused.stderr);
        for text in [printed.stdout, printed.stderr, refused.stdout, refused.stderr] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    let number = Setup::new().file("kafka_password = 12345").arguments(&["--print-config"]).run();
    number.assert_refused("kafka_password in pdns.toml line 1: *** is not a string in quotes");
}

#[test]
fn checking_says_what_is_wrong_and_starts_nothing() {
    let setup = || {
        let setup = Setup::new();
        setup.folder.file("in.pcap", pcap(1));
        setup.arguments(&["--check-config", "--pcap", "in.pcap", "--stats", "stats.json"])
    };
    let good = setup();
    assert_eq!(good.run().assert_clean().stdout, "");
    assert!(!good.folder.path("stats.json").exists());
    let all = setup().dot_env("PDNS_THREADS=0\nPDNS_BPF=\"udp and (\"").arguments(&["--pcap", "no.pcap"]).run();
    let expected = [
        "PDNS_THREADS in .env line 1: '0' is not a whole number from 1 to 1024",
        "filter 'udp and (' for link type 1 (EN10MB): can't parse filter expression: syntax error",
        "no.pcap: No such file or directory (os error 2)",
    ];
    let expected: String = expected.iter().map(|line| format!("pdns-sensor: error: {line}\n")).collect();
    assert_eq!((all.status, all.stdout.as_str(), all.stderr), (2, "", expected));
    let folder = setup().arguments(&["--stats", "no/stats.json"]).run();
    folder.assert_refused("cannot write the account to no/stats.json: No such file or directory (os error 2)");
}

#[test]
fn interfaces_and_files_exclude_one_another() {
    let setup = Setup::new().dot_env("PDNS_DEV=eth0").environment("PDNS_PCAP_FILE", "in.pcap");
    setup.folder.file("in.pcap", pcap(1));
    let run = setup.run();
    let expected = "pdns-sensor: error: PDNS_DEV in .env line 1 and PDNS_PCAP_FILE in the environment are both given: capture \
                    either from interfaces or from files; --dev '' or --pcap '' takes one back\n";
    assert!(run.status == 2 && run.stderr.contains(expected), "{}", run.stderr);
    assert_eq!(setup.arguments(&["--dev", "", "--numprocs", "1"]).run().assert_clean().records().len(), 1);
}

#[test]
fn overridden_mistakes_are_only_warned_of() {
    let setup = Setup::new().environment("PDNS_THREADS", "many").arguments(&["-numprocs", "1", "-pcap", "in.pcap"]);
    setup.folder.file("in.pcap", pcap(1));
    let run = setup.run();
    assert_eq!(
        (run.status, run.stderr.as_str()),
        (
            0,
            "pdns-sensor: warning: PDNS_THREADS in the environment: 'many' is not a whole number from 1 to 1024; \
             --numprocs is used\n"
        )
    );
    assert_eq!(run.records().len(), 1);
}

#[test]
fn mistakes_of_type_are_only_warned_of_as_well() {
    let setup = || {
        let setup = Setup::new().file("numprocs = '4'\nname = 7").arguments(&["-pcap", "in.pcap", "-name", "x"]);
        setup.folder.file("in.pcap", pcap(1));
        setup
    };
    let warning = "pdns-sensor: warning: name in pdns.toml line 2: 7 is not a string in quotes; --name is used\n";
    let error =
        "pdns-sensor: error: numprocs in pdns.toml line 1: '4' is not a whole number from 1 to 1024, without quotes\n";
    let refused = setup().run();
    assert_eq!((refused.status, refused.stderr), (2, format!("{warning}{error}")));
    let run = setup().environment("PDNS_THREADS", "1").run();
    assert!(run.status == 0 && run.stderr.contains("; PDNS_THREADS in the environment is used\n"), "{}", run.stderr);
    assert_eq!(run.column("sensor"), ["x"]);
}

#[test]
fn unreadable_sources_are_told_of() {
    Setup::new()
        .arguments(&["--config", "no.toml", "--print-config"])
        .run()
        .assert_refused("configuration file no.toml: No such file or directory (os error 2)");
    let folder = Setup::new().arguments(&["--print-config"]);
    fs::create_dir(folder.folder.path(".env")).unwrap();
    folder.run().assert_clean();
    let latin = Setup::new().arguments(&["--print-config"]);
    latin.folder.file(".env", b"A=1\nB=caf\xe9\n");
    latin.run().assert_refused(".env: line 2 is not UTF-8");
}

#[test]
fn gopassivednss_syslog_priority_alone_starts_nothing() {
    let setup = || {
        let setup = Setup::new().arguments(&["-pcap", "in.pcap", "-name", "x"]);
        setup.folder.file("in.pcap", pcap(1));
        setup
    };
    let levels = setup().arguments(&["-syslog_priority", "INFO"]).run().assert_clean().column("level");
    assert_eq!(levels, ["INFO"]);
    let facility = setup().arguments(&["-syslog_facility", "local0"]).run();
    let warning = "pdns-sensor: warning: --syslog-facility: nothing goes to syslog without --syslog-priority\n";
    assert_eq!((facility.status, facility.stderr.as_str()), (0, warning));
    let both = setup().arguments(&["-syslog_priority", "info", "-syslog_facility", "local9"]).run();
    assert!(
        both.status == 2
            && both.stderr.starts_with("pdns-sensor: error: --syslog-facility: 'local9' is not one of kern,")
    );
}

/// The examples under `fixtures/config`: `NAME.toml` or `NAME.env`, and beside it a file `.expected` with what is said.
///
/// Of a bad one that is what `--check-config` logs, of a good one the lines of `--print-config` that come from it.
#[test]
fn the_examples_are_as_good_or_bad_as_they_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/config");
    let mut examples = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let setup = Setup::new();
        let setup = match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => setup.arguments(&["--config", name]),
            Some("env") => setup.dot_env(fs::read_to_string(&path).unwrap().trim_end_matches('\n')),
            _ => continue,
        };
        setup.folder.file(name, fs::read(&path).unwrap());
        let said = if name.starts_with("invalid-") {
            let run = Run::of(setup.command().arg("--check-config"));
            assert_eq!((run.status, run.stdout.as_str()), (2, ""), "{name}: {}", run.stderr);
            run.stderr
        } else {
            assert!(name.starts_with("good-"), "{name}");
            let printed = Run::of(setup.command().arg("--print-config"));
            assert_eq!(printed.status, 0, "{name}: {}", printed.stderr);
            let from_here = printed.stdout.lines().filter(|line| line.contains(" in "));
            printed.stderr + &from_here.map(|line| format!("{line}\n")).collect::<String>()
        };
        let expected = folder.join(format!("{name}.expected"));
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            fs::write(&expected, &said).unwrap();
        }
        assert_eq!(said, fs::read_to_string(&expected).unwrap_or_default(), "{name}");
        examples += 1;
    }
    assert!(examples >= 12, "only {examples} examples");
}
