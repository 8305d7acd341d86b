//! Whether the examples in `docs/configuration.md` do what the page says.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::config_table::{OPTIONS, Spec};
use crate::util::{Scratch, bare_sensor, without_settings};

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md")).unwrap()
}

/// The text of all code blocks of a language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).map(|rest| rest.split_once("```").unwrap().0.to_owned()).collect()
}

/// A path on which the program stands first.
fn path() -> OsString {
    let folder = Path::new(env!("CARGO_BIN_EXE_pdns-sensor")).parent().unwrap();
    let mut path = folder.as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap());
    path
}

#[test]
fn the_examples_print_what_the_page_shows() {
    let examples = blocks(&page(), "console");
    assert!(examples.len() >= 2);
    for example in examples {
        let folder = Scratch::new();
        for step in example.split("$ ").skip(1) {
            let (command, output) = step.split_once('\n').unwrap();
            if let Some(file) = command.strip_prefix("cat ") {
                folder.file(file, output);
                continue;
            }
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("exec 2>&1; {command}")]).current_dir(folder.path(".")).env("PATH", path());
            let run = without_settings(&mut shell).output().unwrap();
            assert_eq!(String::from_utf8(run.stdout).unwrap(), output, "{command}");
        }
    }
}

#[test]
fn the_files_that_are_shown_are_good() {
    let folder = Scratch::new();
    folder.file(".env", &blocks(&page(), "sh")[0]);
    folder.file("pdns.toml", &blocks(&page(), "toml")[0]);
    let mut command = bare_sensor();
    command.args(["--print-config", "--config", "pdns.toml"]).current_dir(folder.path("."));
    let run = crate::util::Run::of(&mut command).assert_clean();
    for line in ["name = \"sensor one\"  # PDNS_NAME in .env line 3", "ports = [53, 5353]  # ports in pdns.toml line 5"]
    {
        assert!(run.stdout.lines().any(|printed| printed == line), "{line}: {}", run.stdout);
    }
}

#[test]
fn the_page_names_every_secret() {
    let secrets: Vec<_> = OPTIONS.iter().filter(|spec: &&Spec| spec.secret).map(|spec| spec.flag).collect();
    assert_eq!(
        secrets,
        ["kafka-password", "http-authorization", "http-password"],
        "the section on secrets says which there are"
    );
}
