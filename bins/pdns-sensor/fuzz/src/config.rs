//! Settings of `pdns-sensor`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use pdns_fuzz::{Target, heap};
use pdns_sensor::fuzz::{Resolved, config};

/// Settings from file, `.env` and command line: each mistake is told, and what is printed reads back as the same.
pub const SENSOR_CONFIG: Target = Target { name: "sensor_config", check, seeds, mutations: 200 };

/// The file, `.env` and the arguments, a line each, with a 0 between them.
fn check(input: &[u8]) {
    let mut parts = input.splitn(3, |&byte| byte == 0);
    let mut part = || parts.next().unwrap_or_default();
    let (file, dot_env, arguments) = (part(), part(), part());
    let arguments: Vec<_> = arguments
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| OsString::from_vec(line.to_vec()))
        .collect();
    // A table and its places, layers of them, and a message of some hundred bytes for each mistake.
    let limit = (4 << 20) + 4096 * input.len();
    let Ok(resolved) = heap::bounded(limit, || config(file, dot_env, &arguments)) else { return };
    let Resolved { problems, warnings, toml } = resolved;
    assert!(problems.iter().chain(&warnings).all(|line| !line.trim().is_empty()));
    let again = config(toml.as_bytes(), b"", &[]).expect("a command line");
    assert!(again.problems.is_empty() && again.warnings.is_empty(), "{:?} in\n{toml}", again.problems);
    let (found, mut expected) = (values(&again.toml), values(&toml));
    if !problems.is_empty() {
        // What was wrong is not there, and has its default the second time.
        for (key, value) in &found {
            expected.entry(key).or_insert_with(|| value.clone());
        }
    }
    assert_eq!(found, expected);
}

/// The values that are set, without where they come from.
fn values(toml: &str) -> toml::Table {
    toml.parse().unwrap_or_else(|error| panic!("{error} in\n{toml}"))
}

fn seeds() -> Vec<Vec<u8>> {
    let file = |content: &[u8]| content.to_vec();
    let dot_env = |content: &[u8]| [b"\0", content].concat();
    let arguments = |words: &str| [b"\0\0", words.as_bytes()].concat();
    vec![
        file(include_bytes!("../../../../fixtures/config/good-deployment.toml")),
        file(include_bytes!("../../../../fixtures/config/good-file.toml")),
        file(include_bytes!("../../../../fixtures/config/invalid-keys.toml")),
        file(include_bytes!("../../../../fixtures/config/invalid-syntax.toml")),
        file(include_bytes!("../../../../fixtures/config/invalid-twice.toml")),
        file(include_bytes!("../../../../fixtures/config/invalid-types.toml")),
        file(include_bytes!("../../../../fixtures/config/invalid-values.toml")),
        file(b"[[sink]]\nkind = 'http'\nurl = 'https://es.example:9200'\nindex = 'dns-{date}'\n[[sink]]\nkind = 'file'\npath = '/x'\n"),
        dot_env(include_bytes!("../../../../fixtures/config/good-gopassivedns.env")),
        dot_env(include_bytes!("../../../../fixtures/config/invalid-names.env")),
        dot_env(include_bytes!("../../../../fixtures/config/invalid-syntax.env")),
        dot_env(include_bytes!("../../../../fixtures/config/invalid-values.env")),
        dot_env(include_bytes!("../../../../dist/pdns-sensor.env")),
        arguments("-dev\neth0\n-kafka_brokers=a,b\n-logMaxAge\n28\n-gc_age\n-1m\n"),
        arguments("--pcap\n-\n--format\ntransaction\n--statuses\norphan,answered\n--ports=53,5353\n--quiet\n"),
        arguments("--name\nx\n--syslog-facility=local0\n--syslog-priority\ninfo\n--metrics-listen\n[::1]:9100\n"),
    ]
}
