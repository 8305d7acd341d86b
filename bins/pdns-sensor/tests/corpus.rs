//! Whether the records differ from the corpus's oracle only where `docs/corpus-differences.md` says so.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::util::{corpus, skipped, workspace};

#[test]
fn only_the_known_captures_differ() {
    let Some(corpus) = corpus() else { return };
    if Command::new("python3").arg("--version").output().is_err() {
        skipped("no python3");
        return;
    }
    let output = Command::new("python3")
        .arg(corpus.join("compare.py"))
        .args(["--list", "--sensor", env!("CARGO_BIN_EXE_pdns-sensor"), "--dir"])
        .arg(&corpus)
        .output()
        .unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    let totals = report.lines().last().unwrap_or_default();
    assert!(totals.starts_with("captures "), "compare.py failed: {}", String::from_utf8_lossy(&output.stderr));
    assert!(totals.contains("refused 0, crashed 0"), "{totals}");
    // The counts are compared, too: a capture that differs for a known reason may come to differ for another.
    let differing: BTreeSet<_> = report.lines().filter(|line| line.contains(": missing ")).map(str::to_owned).collect();
    assert_eq!(differing, known(), "{report}");
}

/// The captures of the table in the documentation, with their counts as compare.py prints them.
fn known() -> BTreeSet<String> {
    let document = fs::read_to_string(workspace().join("docs/corpus-differences.md")).unwrap();
    let rows = document.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, capture, missing, extra, wrong, ..] = cells[..] else { panic!("not a row of five cells: {row}") };
        format!("{}: missing {missing}, extra {extra}, wrong {wrong}", capture.trim_matches('`'))
    })
    .collect()
}
