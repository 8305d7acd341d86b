//! Settings of `dns-stamp`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use dns_stamp::fuzz::{Resolved, config};
use pdns_fuzz::{Target, heap};

/// Settings from file, environment and command line: each mistake is told, and what is printed reads back as the same.
pub const STAMP_CONFIG: Target = Target { name: "stamp_config", check, seeds, mutations: 1000 };

/// The file, the environment and the arguments, each of their lines ended by a line feed, with a 0 between them.
fn check(input: &[u8]) {
    let mut parts = input.splitn(3, |&byte| byte == 0);
    let mut part = || parts.next().unwrap_or_default();
    let Ok(file) = str::from_utf8(part()) else { return };
    let lines = |text: &[u8]| -> Vec<OsString> {
        text.split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| OsString::from_vec(line.to_vec()))
            .collect()
    };
    let variables: Vec<_> = part()
        .split(|&byte| byte == b'\n')
        .filter_map(|line| {
            let at = line.iter().position(|&byte| byte == b'=')?;
            let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
            Some((text(&line[..at]), text(&line[at + 1..])))
        })
        .collect();
    let arguments = [vec!["check".into()], lines(part())].concat();
    // A table and its places, values that are copied to each zone, and a message of some hundred bytes for each mistake.
    let limit = (2 << 20) + 4096 * input.len();
    let Ok(resolved) = heap::bounded(limit, || config(file, &variables, &arguments)) else { return };
    let Resolved { problems, toml } = resolved;
    assert!(problems.iter().all(|problem| !problem.trim().is_empty()));
    let again = config(&toml, &[], &["check".into()]).expect("a command line");
    // What the program would not start with is shown as far as it goes.
    if problems.is_empty() {
        assert!(again.problems.is_empty(), "{:?} in\n{toml}", again.problems);
        assert_eq!(settings(&again.toml), settings(&toml));
    }
}

/// All settings. Which zone of several was chosen for one run is none of them.
fn settings(text: &str) -> toml::Table {
    let mut settings: toml::Table = text.parse().unwrap_or_else(|error| panic!("{error} in\n{text}"));
    let has_zones = settings["zones"].as_table().is_some_and(|zones| !zones.is_empty());
    if let Some(defaults) = settings["defaults"].as_table_mut().filter(|_| has_zones) {
        defaults.remove("zone");
    }
    settings
}

fn seeds() -> Vec<Vec<u8>> {
    let zones = "[defaults]\nwarn = 2000\nrecord = 'stamp'\n[zones.'local.lan']\nserver = ['10.0.0.1', '[::1]:5353']\n\
                 crit = '2h'\n[zones.office]\nzone = 'office.example'\nserver = '10.0.1.1'\nwarn = '1h'\n[serve]\nallow-any = true\n";
    let wrong = "warn = 1\n[defaults]\nwran = 1\ncrit = 'soon'\nttl = -1\n[zones]\n'a b' = {}\nx = 1\n";
    let environment =
        "DNS_STAMP_WARN=30m\nDNS_STAMP_SERVER=a.example,b.example:54\nDNS_STAMP_TSIG_KEY=k:hmac-sha256:c2VjcmV0\n";
    let arguments = "--zone\nlocal.lan\n--server\n2001:db8::1\n--timeout\n2s\n";
    let example = include_str!("../../../../dist/dns-stamp/dns-stamp.toml");
    [
        [example, "", ""],
        [zones, "", ""],
        [wrong, "", arguments],
        ["", environment, arguments],
        [zones, environment, "--warn\n90\n"],
        [
            "[inject]\nauth = 'tsig'\ntsig-key = 'k:hmac-sha256:c2VjcmV0'\n[check]\noutput = 'json'\n",
            "DNS_STAMP_ZONE=x\n",
            "",
        ],
    ]
    .map(|parts| parts.join("\0").into_bytes())
    .to_vec()
}
