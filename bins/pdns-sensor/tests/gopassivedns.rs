//! Whether every line that gopassivedns printed for its own captures is among ours, field by field.

use std::fs;

use serde_json::{Map, Value};

use crate::util::{Run, corpus, sensor_on};

/// Fields whose values are allowed to differ, and why.
const DIFFERENT: [(&str, &str); 3] = [
    ("tstamp", "theirs is the time of day when the capture was read; ours is when the response was captured"),
    ("elapsed", "theirs counts from the query's capture time to that time of day"),
    ("ra", "theirs is read from the query, in which nobody sets it"),
];

/// Fields whose values are allowed to differ over TCP, and why.
const DIFFERENT_OVER_TCP: [(&str, &str); 2] =
    [("sport", "theirs is 0"), ("bytes", "theirs is 0; ours is the message with its length prefix")];

/// Fields that gopassivedns has in the wrong order over TCP, when it got hold of the response's stream before the query's:
/// then the server is the source. Ours has the client there, as over UDP.
const SWAPPED_OVER_TCP: [&str; 2] = ["src", "dst"];

/// What gopassivedns has as `a` for a failed response, and what we have: the mnemonic that every other tool uses.
const RCODES: [(&str, &str); 1] = [("Non-Existent Domain", "NXDOMAIN")];

/// The fields that only ours have.
const ADDED: [&str; 2] = ["status", "sensor"];

#[test]
fn all_lines_are_there() {
    let Some(corpus) = corpus() else { return };
    let mut captures = 0;
    for entry in fs::read_dir(corpus.join("gopassivedns-output")).unwrap() {
        let output = entry.unwrap().path();
        let capture = corpus.join("gopassivedns").join(output.with_extension("pcap").file_name().unwrap());
        let run = Run::of(&mut sensor_on(&capture)).assert_clean();
        let mut ours: Vec<_> = run.stdout.lines().map(record).collect();
        for line in fs::read_to_string(&output).unwrap().lines() {
            let theirs = record(line);
            let found = ours.iter().position(|ours| comparable(ours) == comparable(&theirs));
            // Each of ours stands for one of theirs.
            ours.swap_remove(found.unwrap_or_else(|| panic!("{}: no record like {line}", capture.display())));
        }
        captures += 1;
    }
    assert_eq!(captures, 8);
}

#[test]
fn the_fields_have_their_names_types_and_order() {
    let Some(corpus) = corpus() else { return };
    let output = fs::read_to_string(corpus.join("gopassivedns-output/mx.jsonl")).unwrap();
    let run = Run::of(&mut sensor_on(&corpus.join("gopassivedns/mx.pcap"))).assert_clean();
    let keys = |line: &str| -> Vec<String> {
        let inner = line.trim_start_matches('{').trim_end_matches('}');
        inner.split(",\"").map(|pair| pair.trim_matches('"').split("\":").next().unwrap().to_owned()).collect()
    };
    let (theirs, ours) = (output.lines().next().unwrap(), run.stdout.lines().next().unwrap());
    let mut expected = keys(theirs);
    expected.extend(ADDED.map(str::to_owned));
    assert_eq!(keys(ours), expected);
    let (theirs, ours) = (record(theirs), record(ours));
    for (field, value) in &theirs {
        let kind = std::mem::discriminant(value);
        assert_eq!(std::mem::discriminant(&ours[field]), kind, "{field}");
    }
}

fn record(line: &str) -> Map<String, Value> {
    serde_json::from_str(line).unwrap()
}

/// A record of either program without what is allowed to differ.
fn comparable(record: &Map<String, Value>) -> Map<String, Value> {
    let mut record = record.clone();
    let over_tcp: &[_] = if record["protocol"] == "tcp" { &DIFFERENT_OVER_TCP } else { &[] };
    for (field, _reason) in DIFFERENT.iter().chain(over_tcp) {
        record.remove(*field).expect("both have the field");
    }
    for field in ADDED {
        record.remove(field);
    }
    if record["protocol"] == "tcp" {
        let mut ends = SWAPPED_OVER_TCP.map(|field| record.remove(field).expect("both have the field").to_string());
        ends.sort();
        record.insert("ends".to_owned(), ends.to_vec().into());
    }
    for (theirs, ours) in RCODES {
        if record["a"] == theirs {
            record["a"] = ours.into();
        }
    }
    record
}
