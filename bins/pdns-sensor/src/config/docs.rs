//! The table of `docs/configuration.md`, made from the table of options.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use super::table::{Fallback, OPTIONS, Spec};

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
