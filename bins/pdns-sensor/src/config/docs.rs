//! What is made from the table of options: the table of `docs/configuration.md`, and the example of an environment file.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use super::table::{Fallback, Kind, OPTIONS, Spec};

const BEGIN: &str = "<!-- options: made from bins/pdns-sensor/src/config/table.rs -->\n";
const END: &str = "<!-- end of options -->\n";

fn table() -> String {
    let mut out = String::new();
    let mut group = "";
    for spec in OPTIONS {
        if spec.group != group {
            group = spec.group;
            write!(out, "\n### {group}\n\n| flag | environment | default | value | |\n|---|---|---|---|---|\n")
                .unwrap();
        }
        out.push_str(&row(spec));
    }
    out.push('\n');
    out
}

fn row(spec: &Spec) -> String {
    let old: String = spec.old.iter().map(|old| format!(" (`-{old}`)")).collect();
    let environment = spec.env.map_or_else(String::new, |env| format!("`{env}`"));
    let default = match spec.default {
        Fallback::Unset => String::new(),
        Fallback::Value(value) => format!("`{value}`"),
        Fallback::Words(words) => words.to_owned(),
    };
    let mut help = spec.help.to_owned();
    if !spec.more.is_empty() {
        help = format!("{help}. {}", spec.more);
    }
    let marks = [(spec.secret, "Never printed."), (!spec.in_file, "Not in the file.")];
    for (_, mark) in marks.iter().filter(|(applies, _)| *applies) {
        help = format!("{}. {mark}", help.trim_end_matches('.'));
    }
    let allowed = if spec.kind.is_list() { format!("list, each {}", spec.kind.allowed()) } else { spec.kind.allowed() };
    format!("| `--{}`{old} | {environment} | {default} | {allowed} | {help} |\n", spec.flag)
}

/// What the environment file begins with.
const ENVIRONMENT: &str = "\
# Settings of pdns-sensor as a service, read by pdns-sensor.service. The same names are read from a file .env in the
# working directory. Take the # away from what you set; what is shown is the default, or else an example.
# `pdns-sensor --check-config` says what is wrong. Apply changes with: systemctl restart pdns-sensor
#
# To begin with: the interface, and where records go.
#PDNS_DEV=eth0
#PDNS_LOG_FILE=/var/log/pdns-sensor/dns.json
";

fn environment() -> String {
    let mut out = ENVIRONMENT.to_owned();
    let mut group = "";
    for (spec, name) in OPTIONS.iter().filter_map(|spec| Some((spec, spec.env?))) {
        if spec.group != group {
            group = spec.group;
            write!(out, "\n\n## {group}\n").unwrap();
        }
        let value = match spec.default {
            Fallback::Value(value) => value,
            Fallback::Unset if spec.secret => "",
            Fallback::Unset | Fallback::Words(_) => spec.examples[0],
        };
        let words = match spec.default {
            Fallback::Words(words) => format!(" [default: {words}]"),
            _ => String::new(),
        };
        let choices = match spec.kind {
            Kind::Choice(names) => format!(" [values: {}]", names.join(", ")),
            _ => String::new(),
        };
        write!(out, "\n# {}.{words}{choices}\n#{name}={value}\n", spec.help.trim_end_matches('.')).unwrap();
    }
    out
}

#[test]
fn the_docs_have_the_environment_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist/pdns-sensor.env");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, environment()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    assert!(written == environment(), "if the change is meant: UPDATE_DOCS=1 cargo test -p pdns-sensor the_docs_have");
}

#[test]
fn the_docs_have_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the table's beginning is marked");
    let (written, after) = rest.split_once(END).expect("the table's end is marked");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, [before, BEGIN, &table(), END, after].concat()).unwrap();
    } else {
        assert_eq!(written, table(), "if the change is meant: UPDATE_DOCS=1 cargo test -p pdns-sensor the_docs_have");
    }
}
