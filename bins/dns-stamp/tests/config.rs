//! Settings: which hold, and what is said of those that cannot.

use std::fs;

use crate::util::{dns_stamp, stderr, stdout};

const FILE: &str = "[defaults]\nrecord = 'stamp'\nwarn = '30m'\n\
    [zones.'local.lan']\nserver = ['10.0.0.1']\n\
    [zones.office]\nzone = 'office.example'\ndiscover = 'ns'\nwarn = '10m'\ntsig-key = 'k:hmac-sha256:c2VjcmV0'\n";

#[test]
fn the_command_line_goes_before_the_environment_before_the_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, FILE).unwrap();
    let path = file.path().to_str().unwrap();
    let mut command = dns_stamp(&["check", "--config", path, "--crit", "2h", "--print-config"]);
    let output = command.env("DNS_STAMP_TIMEOUT", "3s").env("DNS_STAMP_CRIT", "3h").output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    let table: toml::Table = stdout(&output).parse().unwrap();
    let zone = |name: &str, key: &str| table["zones"][name].get(key).map(|value| value.to_string());
    assert_eq!(zone("local.lan", "warn").unwrap(), "\"30m\"");
    assert_eq!(zone("office", "warn").unwrap(), "\"10m\"");
    for name in ["local.lan", "office"] {
        assert_eq!(zone(name, "crit").unwrap(), "\"2h\"");
        assert_eq!(zone(name, "timeout").unwrap(), "\"3s\"");
        assert_eq!(zone(name, "record").unwrap(), "\"stamp\"");
    }
    assert_eq!(zone("office", "tsig-key").unwrap(), "\"********\"");
    assert!(!stdout(&output).contains("c2VjcmV0"));
}

#[test]
fn what_is_printed_reads_back_with_its_zone() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let printed = dns_stamp(&["check", "--zone", "a.example", "--server", "::1", "--print-config"]).output().unwrap();
    fs::write(&file, &printed.stdout).unwrap();
    let again = dns_stamp(&["check", "--config", path, "--print-config"]).output().unwrap();
    assert_eq!(stdout(&again), stdout(&printed));
    let checked = dns_stamp(&["check", "--config", path, "--check-config"]).output().unwrap();
    assert_eq!((checked.status.code(), stderr(&checked)), (Some(0), String::new()));
}

#[test]
fn one_file_serves_all_commands() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, FILE.replace("[zones.office]", "[zones.office]\nprimary = 'ns1.office.example'")).unwrap();
    let path = file.path().to_str().unwrap();
    for command in ["inject", "check", "serve", "propagate"] {
        let output = dns_stamp(&[command, "--config", path, "--check-config"]).output().unwrap();
        assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()), "{command}");
    }
}

#[test]
fn wrong_settings_end_with_status_3_and_their_place() {
    let refused = |arguments: &[&str], message: &str| {
        let output = dns_stamp(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        assert!(stderr(&output).contains(message), "{arguments:?}: {}", stderr(&output));
    };
    refused(&["check"], "no zone; give --zone ZONE");
    refused(&["check", "--zone", "a.b"], "zone a.b: no servers; give --server HOST");
    refused(&["check", "--zone", "a b"], "invalid value 'a b' for '--zone <ZONE>'");
    refused(&["check", "--zoen", "a"], "unexpected argument '--zoen'");
    refused(&["check", "--zone", "a", "--server", "::1", "--warn", "2h", "--crit", "1h"], "warn is 2h, which is more");
    refused(&["check", "--zone", "a", "--server", "::1", "--tries", "0"], "tries is 0; 1 to 10 are possible");
    refused(&["inject", "--zone", "a", "--server", "::1,::2"], "it is not clear which server to write to");
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("none");
    refused(&["check", "--config", nowhere.to_str().unwrap()], "none: No such file");
    refused(&["check", "--zone", "a", "--record", "b.c."], "zone a: record: b.c is not in the zone a");

    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, "[defaults]\nwran = 1\n[zones.a]\nserver = ['::1']\n").unwrap();
    let path = file.path().to_str().unwrap();
    refused(
        &["check", "--config", path],
        &format!("wran in {path} line 2: there is no such setting; did you mean warn?"),
    );
    fs::write(&file, "[zones.a]\nserver = ['::1']\n").unwrap();
    refused(&["check", "--config", path, "--zone", "b"], "--zone b: the configuration file has only a");
    let output = dns_stamp(&["check", "--config", path]).env("DNS_STAMP_CRIT", "soon").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("DNS_STAMP_CRIT: \"soon\" is not a time"), "{}", stderr(&output));
}

#[test]
fn help_names_every_command() {
    let output = dns_stamp(&["--help"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    for word in ["inject", "check", "serve", "propagate", "keytab", "Exit status"] {
        assert!(stdout(&output).contains(word), "{word}");
    }
}

#[test]
fn the_file_in_the_documentation_is_good() {
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dns-stamp.md");
    let text = fs::read_to_string(docs).unwrap();
    let examples: Vec<_> = text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(!examples.is_empty());
    for example in examples {
        fs::write(&file, example).unwrap();
        for command in ["inject", "check", "serve", "propagate"] {
            let path = file.path().to_str().unwrap();
            let output = dns_stamp(&[command, "--config", path, "--check-config"]).output().unwrap();
            assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()), "{command} {example}");
        }
    }
}
