//! Where settings come from and which of them holds: every option in every source, on the real program.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::process::Command;

use toml::Value;

use crate::config_table::{Fallback, Kind, OPTIONS, Spec};
use crate::util::{Run, Scratch, bare_sensor, in_parallel, pcap};

/// Where a setting is given, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    File,
    Environment,
    DotEnv,
    CommandLine,
}

pub(crate) const SOURCES: [Source; 4] = [Source::File, Source::Environment, Source::DotEnv, Source::CommandLine];

/// A run of the program in a folder of its own.
pub(crate) struct Setup {
    pub(crate) folder: Scratch,
    arguments: Vec<OsString>,
    environment: Vec<(String, OsString)>,
    dot_env: String,
    file: String,
}

/// What `--print-config` has of a key: its value, and the comment after it.
pub(crate) type Printed = BTreeMap<String, (String, String)>;

impl Setup {
    pub(crate) fn new() -> Self {
        let (arguments, environment) = (Vec::new(), Vec::new());
        Self { folder: Scratch::new(), arguments, environment, dot_env: String::new(), file: String::new() }
    }

    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(OsString::from));
        self
    }

    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn dot_env(mut self, line: &str) -> Self {
        self.dot_env += &format!("{line}\n");
        self
    }

    pub(crate) fn file(mut self, line: &str) -> Self {
        self.file += &format!("{line}\n");
        self
    }

    /// Gives an option a value in some source.
    pub(crate) fn give(self, spec: &Spec, source: Source, value: &str) -> Self {
        let env = spec.env.unwrap_or_default();
        match source {
            Source::File => self.file(&format!("{} = {}", spec.key(), in_toml(spec, value))),
            Source::Environment => self.environment(env, value),
            Source::DotEnv => self.dot_env(&format!("{env}=\"{value}\"")),
            Source::CommandLine => self.arguments(&[&format!("--{}={value}", spec.flag)]),
        }
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = bare_sensor();
        command.current_dir(self.folder.path(".")).args(&self.arguments).envs(self.environment.iter().cloned());
        if !self.dot_env.is_empty() {
            self.folder.file(".env", &self.dot_env);
        }
        if !self.file.is_empty() {
            self.folder.file("pdns.toml", &self.file);
            command.args(["--config", "pdns.toml"]);
        }
        command
    }

    pub(crate) fn run(&self) -> Run {
        Run::of(&mut self.command())
    }

    pub(crate) fn print(&self) -> Printed {
        printed(&Run::of(self.command().arg("--print-config")).assert_clean().stdout)
    }
}

/// Splits the lines of `--print-config`.
fn printed(text: &str) -> Printed {
    let lines = text.lines().filter_map(|line| line.trim_start_matches("# ").split_once(" = "));
    let split = |value: &str| value.rsplit_once("  # ").map(|(value, source)| (value.to_owned(), source.to_owned()));
    lines.map(|(key, value)| (key.to_owned(), split(value).unwrap())).collect()
}

/// A value as the configuration file has it, and as it is printed.
fn in_toml(spec: &Spec, value: &str) -> String {
    let text = |text: &str| Value::from(text).to_string();
    match spec.kind {
        Kind::Switch | Kind::Number { .. } => value.to_owned(),
        Kind::Ports => {
            Value::Array(value.split(',').map(|port| port.parse::<i64>().unwrap().into()).collect()).to_string()
        }
        Kind::Choices(_) | Kind::Interfaces | Kind::Hosts => {
            Value::Array(value.split(',').map(Value::from).collect()).to_string()
        }
        Kind::Paths | Kind::Headers => Value::Array(vec![value.into()]).to_string(),
        _ => text(value),
    }
}

/// The comment on a value from some source, when it is the only one there.
fn place(spec: &Spec, source: Source) -> String {
    match source {
        Source::File => format!("{} in pdns.toml line 1", spec.key()),
        Source::Environment => format!("{} in the environment", spec.env.unwrap()),
        Source::DotEnv => format!("{} in .env line 1", spec.env.unwrap()),
        Source::CommandLine => format!("--{}", spec.flag),
    }
}

#[track_caller]
fn assert_printed(printed: &Printed, spec: &Spec, value: &str, source: &str) {
    let expected = if spec.secret {
        ("***".to_owned(), format!("{source}; a secret is not printed"))
    } else {
        (in_toml(spec, value), source.to_owned())
    };
    assert_eq!(printed.get(&spec.key()), Some(&expected), "--{}", spec.flag);
}

/// The options that every source can give.
pub(crate) fn everywhere() -> impl Iterator<Item = &'static Spec> {
    OPTIONS.iter().filter(|spec| spec.in_file && spec.env.is_some())
}

#[test]
fn each_source_goes_before_the_next() {
    let pairs = || SOURCES.windows(2).map(|pair| (pair[0], pair[1]));
    let cases = everywhere().flat_map(|spec| pairs().map(move |pair| (spec, pair)));
    in_parallel(cases, |(spec, (weak, strong))| {
        let [one, other] = spec.examples;
        // Both ways round: the value alone does not decide.
        for (strong_value, weak_value) in [(one, other), (other, one)] {
            let setup = Setup::new().give(spec, weak, weak_value).give(spec, strong, strong_value);
            assert_printed(&setup.print(), spec, strong_value, &place(spec, strong));
        }
    });
}

#[test]
fn every_source_goes_before_the_default() {
    let nothing = Setup::new().print();
    let cases = everywhere().flat_map(|spec| SOURCES.map(|source| (spec, source)));
    in_parallel(cases, |(spec, source)| {
        match spec.default {
            Fallback::Value(value) => assert_printed(&nothing, spec, value, "default"),
            Fallback::Words(words) if nothing.contains_key(&spec.key()) => {
                assert_eq!(nothing[&spec.key()].1, format!("default: {words}"));
            }
            _ => assert!(!nothing.contains_key(&spec.key()), "{}", spec.flag),
        }
        for value in spec.examples {
            let setup = Setup::new().give(spec, source, value);
            assert_printed(&setup.print(), spec, value, &place(spec, source));
        }
    });
}

#[test]
fn the_configuration_file_itself_is_found_by_precedence() {
    let setup = || {
        let setup = Setup::new();
        for name in ["cli", "dotenv", "env"] {
            setup.folder.file(&format!("{name}.toml"), format!("name = \"{name}\"\n"));
        }
        setup.environment("PDNS_CONFIG", "env.toml")
    };
    let name = |setup: Setup| setup.print()["name"].0.clone();
    assert_eq!(name(setup()), "\"env\"");
    assert_eq!(name(setup().dot_env("PDNS_CONFIG=dotenv.toml")), "\"dotenv\"");
    assert_eq!(name(setup().dot_env("PDNS_CONFIG=dotenv.toml").arguments(&["-config", "cli.toml"])), "\"cli\"");
    let none = setup().arguments(&["--config", "", "--name", "x"]).print();
    assert_eq!(none["name"].1, "--name");
}

/// gopassivedns's flags with their names in the environment, from its `config.go`, and a value for each.
const OLD: [(&str, &str, &str); 26] = [
    ("dev", "PDNS_DEV", "eth0"),
    ("kafka_brokers", "PDNS_KAFKA_PEERS", "one:9092,two"),
    ("kafka_topic", "PDNS_KAFKA_TOPIC", "dns"),
    ("kafka_flush_freq", "PDNS_KAFKA_FLUSH_FREQ", "500"),
    ("kafka_avro", "PDNS_KAFKA_AVRO", "true"),
    ("bpf", "PDNS_BPF", "udp port 53"),
    ("pcap", "PDNS_PCAP_FILE", "a,b.pcap"),
    ("logfile", "PDNS_LOG_FILE", "/var/log/dns.log"),
    ("logMaxAge", "PDNS_LOG_AGE", "7"),
    ("logMaxBackups", "PDNS_LOG_BACKUP", "9"),
    ("logMaxSize", "PDNS_LOG_SIZE", "50"),
    ("quiet", "PDNS_QUIET", "true"),
    ("gc_age", "PDNS_GC_AGE", "-2m"),
    ("gc_interval", "PDNS_GC_INTERVAL", "4m"),
    ("debug", "PDNS_DEBUG", "true"),
    ("cpuprofile", "PDNS_PROFILE_FILE", "cpu.pprof"),
    ("numprocs", "PDNS_THREADS", "8"),
    ("pfring", "PDNS_PFRING", "true"),
    ("name", "PDNS_NAME", "sensor"),
    ("statsd_host", "PDNS_STATSD_HOST", "localhost:8125"),
    ("statsd_interval", "PDNS_STATSD_INTERVAL", "10"),
    ("statsd_prefix", "PDNS_STATSD_PREFIX", "dns"),
    ("syslog_facility", "PDNS_SYSLOG_FACILITY", "LOCAL0"),
    ("syslog_priority", "PDNS_SYSLOG_PRIORITY", "Info"),
    ("fluentd_socket", "PDNS_FLUENTD_SOCKET", "/run/fluentd.sock"),
    ("snaplen", "PDNS_SNAPLEN", "4096"),
];

#[test]
fn gopassivednss_options_work_in_every_spelling_and_source() {
    in_parallel(OLD, |(flag, env, value)| {
        let spec = OPTIONS.iter().find(|spec| spec.env == Some(env)).unwrap_or_else(|| panic!("{env} is missing"));
        let check = |setup: Setup, place: &str| assert_printed(&setup.print(), spec, value, place);
        let ours = format!("--{}", spec.flag);
        for dashes in ["-", "--"] {
            check(Setup::new().arguments(&[&format!("{dashes}{flag}={value}")]), &ours);
            let separate = if spec.kind == Kind::Switch { vec![] } else { vec![value] };
            let flag = format!("{dashes}{flag}");
            check(Setup::new().arguments(&[[flag.as_str()].as_slice(), &separate].concat()), &ours);
        }
        check(Setup::new().environment(env, value), &format!("{env} in the environment"));
        check(Setup::new().dot_env(&format!("{env}={value}")), &format!("{env} in .env line 1"));
    });
    // The 27th is `-config`, which has a test of its own.
    assert!(OPTIONS.iter().any(|spec| spec.flag == "config" && spec.env == Some("PDNS_CONFIG")));
    let off = Setup::new().environment("PDNS_QUIET", "true").arguments(&["-quiet=false"]).print();
    assert_eq!(off["quiet"], ("false".to_owned(), "--quiet".to_owned()));
}

#[test]
fn texts_survive_every_source_exactly() {
    const TEXTS: [&str; 14] = [
        "007",
        "123",
        "true",
        "1.0",
        " x ",
        "'a'",
        "\"q\"",
        "[a,b]",
        "{a}",
        "$HOME ${x}",
        "a#b",
        "#",
        "a\\nb",
        "\u{e9}=\u{1f980}",
    ];
    let spec = OPTIONS.iter().find(|spec| spec.flag == "kafka-topic").unwrap();
    in_parallel(TEXTS, |text| {
        let mut setups = vec![
            Setup::new().give(spec, Source::CommandLine, text),
            Setup::new().arguments(&["-kafka_topic", text]),
            Setup::new().give(spec, Source::Environment, text),
            Setup::new().give(spec, Source::File, text),
            Setup::new().dot_env(&format!("PDNS_KAFKA_TOPIC=\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))),
        ];
        if !text.contains('\'') {
            setups.push(Setup::new().dot_env(&format!("PDNS_KAFKA_TOPIC='{text}'")));
        }
        for setup in setups {
            let out = Run::of(setup.command().arg("--print-config")).assert_clean().stdout;
            let table: toml::Table = out.parse().unwrap();
            assert_eq!(table["kafka_topic"].as_str(), Some(text));
        }
    });
}

#[test]
fn what_is_empty_is_not_set_or_takes_back() {
    // In the environment and in `.env` the weaker source holds.
    let spec = |flag: &str| OPTIONS.iter().find(|spec| spec.flag == flag).unwrap();
    in_parallel(everywhere(), |spec| {
        let value = spec.examples[0];
        let setup = Setup::new().give(spec, Source::File, value).give(spec, Source::Environment, "");
        assert_printed(&setup.give(spec, Source::DotEnv, "").print(), spec, value, &place(spec, Source::File));
    });
    // On the command line and in the file the default holds again.
    let setup = || Setup::new().environment("PDNS_KAFKA_PEERS", "kafka").environment("PDNS_STATSD_PREFIX", "x");
    let taken_back = setup().arguments(&["-kafka_brokers", "", "-statsd_prefix="]).print();
    assert!(!taken_back.contains_key("kafka_brokers"), "{taken_back:?}");
    assert_printed(&taken_back, spec("statsd-prefix"), "gopassivedns", "--statsd-prefix");
    // No filter is a filter, too.
    let none = Setup::new().environment("PDNS_BPF", "udp").arguments(&["-bpf", ""]).print();
    assert_eq!(none["bpf"], ("\"\"".to_owned(), "--bpf".to_owned()));
    let number = Setup::new().arguments(&["--numprocs", "", "--print-config"]).run();
    number.assert_refused("--numprocs: '' is not a whole number from 1 to 1024");
}

#[test]
fn what_is_printed_can_be_read_back() {
    for index in [0, 1] {
        let given = everywhere().filter(|spec| !spec.secret).fold(Setup::new(), |setup, spec| {
            let source = SOURCES[(spec.flag.len() + index) % SOURCES.len()];
            setup.give(spec, source, spec.examples[index])
        });
        let first = Run::of(given.command().arg("--print-config")).assert_clean().stdout;
        let again = Setup::new().file(&first).print();
        let values = |printed: &Printed| {
            printed.iter().map(|(key, (value, _))| (key.clone(), value.clone())).collect::<Vec<_>>()
        };
        assert_eq!(values(&again), values(&printed(&first)));
        assert!(again.values().all(|(_, source)| source.contains(" in pdns.toml line ")), "{again:?}");
    }
    let nothing = Run::of(Setup::new().command().arg("--print-config")).assert_clean().stdout;
    let table: toml::Table = nothing.parse().unwrap();
    assert_eq!(printed(&nothing).len(), table.len());
}

#[test]
fn a_run_is_the_same_whatever_its_settings_come_from() {
    let capture = pcap(3);
    let setup = || {
        let setup = Setup::new();
        setup.folder.file("a,b c.pcap", &capture);
        setup
    };
    let flags = ["--name=x", "--numprocs=1", "--format=transaction", "--pcap=a,b c.pcap"];
    let by_flags = setup().arguments(&flags).run().assert_clean();
    assert_eq!(by_flags.records().len(), 3);
    let by_dot_env = setup()
        .dot_env("PDNS_NAME=x\nPDNS_THREADS=1\nexport PDNS_FORMAT=transaction # why\nPDNS_PCAP_FILE=a,b c.pcap")
        .run();
    assert_eq!(by_dot_env, by_flags);
    let by_environment = setup()
        .environment("PDNS_NAME", "x")
        .environment("PDNS_THREADS", "1")
        .environment("PDNS_FORMAT", "transaction")
        .environment("PDNS_PCAP_FILE", "a,b c.pcap")
        .run();
    assert_eq!(by_environment, by_flags);
    let by_file = setup().file("name = 'x'\nnumprocs = 1\nformat = 'transaction'\npcap = ['a,b c.pcap']").run();
    assert_eq!(by_file, by_flags);
    let quiet = setup().arguments(&flags).environment("PDNS_QUIET", "yes").run().assert_clean();
    assert_eq!(quiet.stdout, "");
}

#[test]
fn file_names_need_not_be_utf_8() {
    let name = OsString::from_vec(b"caf\xe9.pcap".to_vec());
    let setup = || {
        let setup = Setup::new();
        fs::write(setup.folder.path(".").join(&name), pcap(1)).unwrap();
        setup
    };
    let mut by_flag = setup();
    by_flag.arguments.extend(["-pcap".into(), name.clone()]);
    assert_eq!(by_flag.run().assert_clean().records().len(), 1);
    let mut by_environment = setup();
    by_environment.environment.push(("PDNS_PCAP_FILE".to_owned(), name.clone()));
    assert_eq!(by_environment.run().assert_clean().records().len(), 1);
    let printed = Run::of(by_flag.command().arg("--print-config")).assert_clean().stdout;
    assert!(printed.contains("# pcap: cannot be written in TOML, because it is not UTF-8  # --pcap\n"), "{printed}");
}
