//! The sums of an account, as its documentation states them.

use serde_json::Value;

const DOCUMENT: &str = include_str!("../../../../docs/account.md");

/// Fails unless every sum holds that the documentation promises.
pub(crate) fn assert_sums(account: &Value, is_transaction: bool) {
    let sums = sums();
    assert!(sums.len() > 10, "the sums are not where they were");
    for (left, right) in sums {
        if right.contains("(layout transaction)") && !is_transaction {
            continue;
        }
        let right = right.replace("(layout transaction)", "");
        assert_eq!(sum(account, &left), sum(account, &right), "{left} = {right} in {account}");
    }
}

/// The two sides of each sum.
fn sums() -> Vec<(String, String)> {
    let block = DOCUMENT.split_once("```text\n").and_then(|(_, rest)| rest.split_once("```"));
    let (block, _) = block.expect("a block with the sums");
    let mut lines: Vec<String> = Vec::new();
    for line in block.lines() {
        match lines.last_mut().filter(|_| line.starts_with(' ')) {
            Some(last) => last.push_str(line),
            None => lines.push(line.to_owned()),
        }
    }
    let sides = |line: &String| line.split_once('=').map(|(left, right)| (left.to_owned(), right.to_owned()));
    lines.iter().map(|line| sides(line).expect("a sum")).collect()
}

fn sum(account: &Value, side: &str) -> u64 {
    side.split('+').map(|term| count(account, term.trim())).sum()
}

/// The counter of this name, or `all of` those under its reasons.
fn count(account: &Value, term: &str) -> u64 {
    let name = term.strip_prefix("all of ").unwrap_or(term);
    match account.pointer(&format!("/{}", name.replace('.', "/"))) {
        Some(Value::Object(reasons)) => reasons.values().filter_map(Value::as_u64).sum(),
        counter => counter.and_then(Value::as_u64).unwrap_or_else(|| panic!("no counter {name}")),
    }
}
