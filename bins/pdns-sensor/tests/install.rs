//! What `make install-sensor` puts in place, and whether systemd accepts it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::util::{Scratch, skip, workspace};

#[test]
fn everything_is_put_in_place_and_taken_away() {
    let Some(installed) = Installed::new() else { return };
    let files = installed.files();
    let expected = [
        "bin/pdns-sensor",
        "etc/pdns-sensor/pdns-sensor.env",
        "lib/systemd/system/pdns-sensor.service",
        "share/doc/pdns-sensor/LICENSE-MIT",
        "share/doc/pdns-sensor/configuration.md",
        "share/doc/pdns-sensor/examples/pdns-sensor.env",
        "share/doc/pdns-sensor/examples/pdns-sensor.logrotate",
        "share/man/man8/pdns-sensor.8",
    ];
    for file in expected {
        assert!(files.contains(Path::new(file)), "{file} is not among {files:?}");
    }
    let version = Command::new(installed.0.path("bin/pdns-sensor")).arg("--version").output().unwrap();
    assert!(version.status.success());
    let unit = fs::read_to_string(installed.unit()).unwrap();
    let folder = installed.0.path("");
    assert!(unit.contains(&format!("ExecStart={}bin/pdns-sensor\n", folder.display())), "{unit}");
    assert!(unit.contains(&format!("EnvironmentFile={}etc/pdns-sensor/pdns-sensor.env\n", folder.display())), "{unit}");

    // Settings that were changed survive both.
    let settings = installed.0.path("etc/pdns-sensor/pdns-sensor.env");
    fs::write(&settings, "PDNS_DEV=eth0\n").unwrap();
    succeeds(&installed.make("install-sensor"));
    succeeds(&installed.make("uninstall-sensor"));
    assert_eq!(installed.files(), BTreeSet::from([PathBuf::from("etc/pdns-sensor/pdns-sensor.env")]));
    assert_eq!(fs::read_to_string(&settings).unwrap(), "PDNS_DEV=eth0\n");
    // Those that were not go with the rest.
    fs::remove_file(&settings).unwrap();
    succeeds(&installed.make("install-sensor"));
    succeeds(&installed.make("uninstall-sensor"));
    assert_eq!(installed.files(), BTreeSet::new());
}

#[test]
fn systemd_accepts_the_unit_and_finds_it_hardened() {
    let Some(installed) = Installed::new() else { return };
    let analyze = |arguments: &[&str]| {
        let mut command = Command::new("systemd-analyze");
        command.args(arguments).arg(installed.unit()).env("MANPATH", installed.0.path("share/man")).output()
    };
    let Ok(verified) = analyze(&["verify", "--man=yes"]) else { return skip("no systemd-analyze") };
    succeeds(&verified);
    assert_eq!(String::from_utf8_lossy(&verified.stderr), "");
    // Out of 100, of which a unit without any hardening has 96.
    succeeds(&analyze(&["security", "--offline=true", "--threshold=20"]).unwrap());
}

/// What was installed from the program that is tested.
struct Installed(Scratch);

impl Installed {
    fn new() -> Option<Self> {
        let installed = Self(Scratch::new());
        if Command::new("make").arg("--version").output().is_err() {
            skip("no make");
            return None;
        }
        succeeds(&installed.make("install-sensor"));
        Some(installed)
    }

    fn make(&self, target: &str) -> Output {
        let folder = self.0.path("");
        let folder = folder.display().to_string();
        let folder = folder.trim_end_matches('/');
        // Not built anew.
        let mut command = Command::new("make");
        command.args(["-o", "build", target, &format!("PREFIX={folder}"), &format!("SYSCONFDIR={folder}/etc")]);
        command.arg(concat!("BINARY=", env!("CARGO_BIN_EXE_pdns-sensor"))).current_dir(workspace()).output().unwrap()
    }

    fn unit(&self) -> PathBuf {
        self.0.path("lib/systemd/system/pdns-sensor.service")
    }

    /// All files, from the folder they were installed to.
    fn files(&self) -> BTreeSet<PathBuf> {
        let top = self.0.path("");
        let mut files = BTreeSet::new();
        let mut folders = vec![top.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.insert(path.strip_prefix(&top).unwrap().to_owned());
                }
            }
        }
        files
    }
}

fn succeeds(output: &Output) {
    let text = [&output.stdout[..], &output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&text));
}
