//! Whether each capture under `fixtures/captures` gives exactly the records that were checked by hand for it.
//!
//! A case may have these files beside its capture, `input.*`:
//!
//! - `README.md` (always): its purpose, and which records must come out and why.
//! - `expected.jsonl` (always): the records in layout `transaction`.
//! - `expected-answer.jsonl`: the records in layout `answer`.
//! - `arguments`: further flags of the program, one word a line.
//! - `expected-stderr` and `expected-status`: what the program logs and how it ends, when that is not nothing and 0.
//!
//! `PDNS_BLESS=1 cargo test -p pdns-sensor --test main every_case_gives` writes the program's output to the files, which
//! are then to be read against the README before they are committed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::util::{Run, in_parallel, sensor, workspace};

/// Files that every case has or may have.
const FILES: [&str; 6] =
    ["README.md", "arguments", "expected.jsonl", "expected-answer.jsonl", "expected-status", "expected-stderr"];

/// How many differences a failing case shows.
const SHOWN: usize = 5;

#[test]
fn every_case_gives_the_records_that_were_checked() {
    let bless = std::env::var_os("PDNS_BLESS").is_some_and(|value| value == "1");
    let outcomes = Mutex::new(Vec::new());
    in_parallel(cases(), |case| {
        let outcome = if bless { case.bless() } else { case.compare() };
        outcomes.lock().unwrap().extend(outcome);
    });
    let mut outcomes = outcomes.into_inner().unwrap();
    outcomes.sort_unstable();
    if bless {
        println!("written, to be read before they are committed:\n{}", outcomes.join("\n"));
    } else {
        assert!(outcomes.is_empty(), "{}", outcomes.join("\n"));
    }
}

#[test]
fn every_case_is_complete_and_has_nothing_else() {
    for Case { name, path } in cases() {
        let files: Vec<_> = fs::read_dir(&path).unwrap().map(|file| file.unwrap().file_name()).collect();
        let has = |wanted: &str| files.iter().any(|file| file == wanted);
        assert!(has("README.md"), "{name} does not say what it is for");
        assert!(has("expected.jsonl"), "{name} does not say what comes out: see the golden test");
        for file in files.iter().map(|file| file.to_str().unwrap()) {
            assert!(file.starts_with("input.") || FILES.contains(&file), "{name}/{file} is read by nobody");
        }
    }
}

#[test]
fn every_record_is_as_the_documentation_says() {
    let documentation = fs::read_to_string(workspace().join("docs/record-layouts.md")).unwrap();
    for (file, layout) in [("expected.jsonl", "transaction"), ("expected-answer.jsonl", "answer")] {
        let fields = documented_fields(&documentation, layout);
        for case in cases() {
            let Ok(text) = fs::read_to_string(case.path.join(file)) else { continue };
            assert!(text.is_empty() || text.ends_with('\n'), "{}/{file} ends within a line", case.name);
            for (index, line) in text.lines().enumerate() {
                let place = format!("{}/{file}:{}", case.name, index + 1);
                assert!(!line.contains(char::is_control), "{place}: a control character is not escaped");
                match serde_json::from_str(line).unwrap_or_else(|error| panic!("{place}: {error}")) {
                    Json::Object(members) => check_object(&place, "", &members, &fields),
                    _ => panic!("{place} is no object"),
                }
            }
        }
    }
}

#[test]
fn a_difference_names_the_fields() {
    let show = |expected, printed| differences(expected, printed).unwrap();
    assert_eq!(differences("{\"a\":1}\n", "{\"a\":1}\n"), None);
    assert_eq!(
        show("{\"a\":1,\"b\":2}\n{}\n", "{\"a\":1,\"b\":3,\"c\":4}\n{}\n"),
        "1 of 2 lines differ (2 printed)\n  line 1: b: expected 2, printed 3; c: expected nothing, printed 4"
    );
    assert_eq!(
        show("{\"a\":1}\n", "{\"a\":1}\n{\"a\":2}\n"),
        "1 of 1 lines differ (2 printed)\n  line 2: not expected: {\"a\":2}"
    );
    assert_eq!(show("{}\n", ""), "1 of 1 lines differ (0 printed)\n  line 1: missing: {}");
    assert_eq!(
        show("{\"a\":1,\"b\":2}\n", "{\"b\":2,\"a\":1}\n"),
        "1 of 1 lines differ (1 printed)\n  line 1: expected {\"a\":1,\"b\":2}\n          printed  {\"b\":2,\"a\":1}"
    );
}

#[test]
fn repeated_and_misplaced_fields_are_found() {
    let documentation =
        "## Layout `x`\n\n| field | type |\n|---|---|\n| `a`, `b` | x |\n| `c` | `no` |\n## Layout `y`\n| `d` |";
    let fields = documented_fields(documentation, "x");
    assert_eq!(fields, ["a", "b", "c"]);
    let order = |line| match serde_json::from_str(line).unwrap() {
        Json::Object(members) => misplaced(&members, &fields).map(str::to_owned),
        _ => None,
    };
    assert_eq!(order(r#"{"a":1,"c":[null,{"x":1.5}]}"#), None);
    assert_eq!(order(r#"{"a":1,"c":3,"b":2}"#).as_deref(), Some("b"));
    assert_eq!(order(r#"{"a":1,"a":1}"#).as_deref(), Some("a"));
    assert_eq!(order(r#"{"a":1,"e":1}"#).as_deref(), Some("e"));
}

/// A directory under `fixtures/captures`.
#[derive(Clone, Debug)]
struct Case {
    name: String,
    path: PathBuf,
}

impl Case {
    /// What comes out, by the file that says so.
    fn outputs(&self) -> BTreeMap<&'static str, String> {
        let Run { status, stdout, stderr } = self.run("transaction");
        let mut outputs = BTreeMap::from([("expected.jsonl", stdout)]);
        if !stderr.is_empty() {
            outputs.insert("expected-stderr", stderr);
        }
        if status != 0 {
            outputs.insert("expected-status", format!("{status}\n"));
        }
        if self.path.join("expected-answer.jsonl").exists() {
            outputs.insert("expected-answer.jsonl", self.run("answer").stdout);
        }
        outputs
    }

    /// Runs the program in the case's directory, so that what it logs names no other.
    fn run(&self, format: &str) -> Run {
        let mut command = sensor();
        command.current_dir(&self.path).args(["--name", "fixture", "--format", format]);
        self.add_arguments(&mut command);
        command.arg("--pcap").arg(self.input().file_name().unwrap());
        Run::of(&mut command)
    }

    fn add_arguments(&self, command: &mut Command) {
        let arguments = fs::read_to_string(self.path.join("arguments")).unwrap_or_default();
        command.args(arguments.lines());
    }

    fn input(&self) -> PathBuf {
        let mut files = fs::read_dir(&self.path).unwrap().map(|file| file.unwrap().path());
        let input = files.find(|file| file.file_stem().is_some_and(|stem| stem == "input"));
        input.unwrap_or_else(|| panic!("{} has no capture", self.name))
    }

    /// What is different from the files, each with the case's name.
    fn compare(&self) -> Vec<String> {
        let outputs = self.outputs();
        let expectations = FILES.iter().filter(|file| file.starts_with("expected"));
        expectations
            .filter_map(|file| {
                let expected = fs::read_to_string(self.path.join(file)).unwrap_or_default();
                let printed = outputs.get(file).map_or("", String::as_str);
                Some(format!("{}/{file}: {}", self.name, differences(&expected, printed)?))
            })
            .collect()
    }

    /// Writes the files that are different, removes those that say what no longer comes, and returns their names.
    fn bless(&self) -> Vec<String> {
        let outputs = self.outputs();
        let mut changed = Vec::new();
        for file in FILES.iter().filter(|file| file.starts_with("expected")) {
            let path = self.path.join(file);
            match (outputs.get(file), fs::read_to_string(&path).ok()) {
                (Some(printed), expected) if expected.as_ref() != Some(printed) => fs::write(&path, printed).unwrap(),
                (None, Some(_)) => fs::remove_file(&path).unwrap(),
                _ => continue,
            }
            changed.push(format!("{}/{file}", self.name));
        }
        changed
    }
}

fn cases() -> Vec<Case> {
    let directories = fs::read_dir(workspace().join("fixtures/captures")).unwrap();
    let mut cases: Vec<_> = directories
        .map(|directory| directory.unwrap().path())
        .map(|path| Case { name: path.file_name().unwrap().to_str().unwrap().to_owned(), path })
        .collect();
    assert!(!cases.is_empty(), "there are no cases");
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

/// What is different, line by line and field by field; `None` when nothing is.
fn differences(expected: &str, printed: &str) -> Option<String> {
    if expected == printed {
        return None;
    }
    let (wanted, got): (Vec<_>, Vec<_>) = (expected.lines().collect(), printed.lines().collect());
    let lines: Vec<_> = (0..wanted.len().max(got.len()))
        .filter_map(|index| line_difference(wanted.get(index).copied(), got.get(index).copied(), index + 1))
        .collect();
    let more = lines.len().checked_sub(SHOWN + 1).map(|more| format!("\n  and {} more", more + 1));
    let shown = lines[..lines.len().min(SHOWN)].join("\n  ");
    let counts = format!("{} of {} lines differ ({} printed)", lines.len(), wanted.len(), got.len());
    Some(format!("{counts}\n  {shown}{}", more.unwrap_or_default()))
}

fn line_difference(expected: Option<&str>, printed: Option<&str>, number: usize) -> Option<String> {
    let (expected, printed) = match (expected, printed) {
        (Some(expected), Some(printed)) if expected == printed => return None,
        (Some(expected), Some(printed)) => (expected, printed),
        (Some(expected), None) => return Some(format!("line {number}: missing: {expected}")),
        (None, printed) => return Some(format!("line {number}: not expected: {}", printed?)),
    };
    let fields = |line: &str| serde_json::from_str::<BTreeMap<String, Value>>(line).unwrap_or_default();
    let (wanted, got) = (fields(expected), fields(printed));
    let names: BTreeSet<_> = wanted.keys().chain(got.keys()).collect();
    let value = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), ToString::to_string);
    let changes: Vec<_> = names
        .into_iter()
        .filter(|name| wanted.get(*name) != got.get(*name))
        .map(|name| format!("{name}: expected {}, printed {}", value(wanted.get(name)), value(got.get(name))))
        .collect();
    if changes.is_empty() {
        return Some(format!("line {number}: expected {expected}\n          printed  {printed}"));
    }
    Some(format!("line {number}: {}", changes.join("; ")))
}

/// JSON with an object's members as they stand there: serde_json would sort them, and keep one of several equal names.
#[derive(Clone, Debug)]
enum Json {
    Object(Vec<(String, Self)>),
    Array(Vec<Self>),
    Text(String),
    Null,
    Other,
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Json;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Json::Object(members))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Json, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = array.next_element()? {
                    items.push(item);
                }
                Ok(Json::Array(items))
            }

            fn visit_str<E>(self, text: &str) -> Result<Json, E> {
                Ok(Json::Text(text.to_owned()))
            }

            fn visit_unit<E>(self) -> Result<Json, E> {
                Ok(Json::Null)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
                Ok(Json::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Json, E> {
                Ok(Json::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
                Ok(Json::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
                Ok(Json::Other)
            }
        }
        deserializer.deserialize_any(Members)
    }
}

/// The fields of a layout in the order of its table in the documentation.
fn documented_fields<'a>(documentation: &'a str, layout: &str) -> Vec<&'a str> {
    let (_, section) = documentation.split_once(&format!("## Layout `{layout}`")).expect("the layout has a section");
    let (_, table) = section.split_once("|---|").expect("the section has a table");
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let names = rows.flat_map(|row| row.split('|').nth(1).unwrap_or_default().split(','));
    names.map(|name| name.trim().trim_matches('`')).collect()
}

/// Asserts that an object has nothing but these fields, each once and in this order, and that its values are in order.
fn check_object(place: &str, field: &str, members: &[(String, Json)], fields: &[&str]) {
    if let Some(name) = misplaced(members, fields) {
        panic!("{place}: {field:?} has `{name}` twice, out of order or undocumented");
    }
    for (name, value) in members {
        check_value(place, name, value);
    }
}

fn check_value(place: &str, field: &str, value: &Json) {
    match value {
        Json::Object(members) => check_object(place, field, members, inner_fields(field)),
        Json::Array(items) => items.iter().for_each(|item| check_value(place, field, item)),
        // The two texts that are not made of bytes escaped by rules of the DNS.
        Json::Text(text) => assert!(
            text.is_ascii() || matches!(field, "sensor" | "extra_text"),
            "{place}: {field} is not ASCII: {text}"
        ),
        Json::Null => panic!("{place}: {field} is null"),
        Json::Other => (),
    }
}

/// The first field that is not behind all before it.
fn misplaced<'a>(members: &'a [(String, Json)], fields: &[&str]) -> Option<&'a str> {
    let mut left = fields.iter();
    members.iter().map(|(name, _)| name.as_str()).find(|name| !left.any(|field| field == name))
}

/// The fields of the objects in a field, in their order.
fn inner_fields(field: &str) -> &'static [&'static str] {
    match field {
        "questions" => &["name", "type", "class"],
        "answers" | "authorities" | "additionals" => &["name", "type", "class", "ttl", "rdata"],
        "edns" => &["version", "udp_size", "do", "options"],
        "options" => &[
            "code",
            "name",
            "address",
            "source_prefix",
            "scope_prefix",
            "data",
            "text",
            "client",
            "server",
            "info_code",
            "info_name",
            "extra_text",
            "length",
            "timeout_ms",
        ],
        _ => &[],
    }
}
