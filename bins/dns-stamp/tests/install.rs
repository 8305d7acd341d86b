//! What `make install-stamp` puts in place, and whether systemd accepts it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const UNITS: [&str; 3] = ["dns-stamp.service", "dns-stamp-inject.service", "dns-stamp-inject.timer"];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs a target with everything below `folder`, without building anew.
fn make(target: &str, folder: &Path) -> Result<String, String> {
    let folder = folder.display();
    let mut command = Command::new("make");
    command.args(["-o", "build", target, &format!("PREFIX={folder}"), &format!("SYSCONFDIR={folder}/etc")]);
    pdns_rigs::run(command.arg(concat!("STAMP=", env!("CARGO_BIN_EXE_dns-stamp"))).current_dir(workspace()))
}

#[test]
fn everything_is_put_in_place_and_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    if pdns_rigs::or_skip(make("install-stamp", folder.path())).is_none() {
        return;
    }
    for name in ["prometheus.yml", "dns-stamp.rules.yml", "grafana-dashboard.json", "dns-stamp.toml", "dns-stamp.cron"]
    {
        assert!(path("share/doc/pdns-sensor/examples/dns-stamp").join(name).is_file(), "{name}");
    }
    assert!(path("lib/sysusers.d/dns-stamp.conf").is_file());
    for unit in UNITS {
        let text = fs::read_to_string(path("lib/systemd/system").join(unit)).unwrap();
        assert!(!text.contains("/usr/local/") && !text.contains(" /etc/"), "{text}");
    }
    // The settings that are put in place are good as they are, once the keytab is there.
    let settings = path("etc/dns-stamp/dns-stamp.toml");
    for command in ["check", "serve", "inject"] {
        let mut check = Command::new(path("bin/dns-stamp"));
        check.args([command, "--check-config", "--config"]).arg(&settings);
        pdns_rigs::run(&mut check).unwrap();
    }
    // Those that were changed survive.
    fs::write(&settings, "[zones]\n").unwrap();
    make("install-stamp", folder.path()).unwrap();
    make("uninstall-stamp", folder.path()).unwrap();
    assert_eq!(fs::read_to_string(&settings).unwrap(), "[zones]\n");
    assert!(!path("bin/dns-stamp").exists() && !path("lib/systemd/system/dns-stamp.service").exists());
}

#[test]
fn systemd_accepts_the_units_and_finds_them_hardened() {
    let folder = tempfile::tempdir().unwrap();
    if pdns_rigs::or_skip(make("install-stamp", folder.path())).is_none() {
        return;
    }
    let analyze = |arguments: &[&str], unit: &str| {
        let unit = folder.path().join("lib/systemd/system").join(unit);
        pdns_rigs::run(Command::new("systemd-analyze").args(arguments).arg(unit))
    };
    for unit in UNITS {
        if pdns_rigs::or_skip(analyze(&["verify", "--man=no"], unit)).is_none() {
            return;
        }
    }
    for service in &UNITS[..2] {
        // Out of 100, of which a unit without any hardening has 96.
        analyze(&["security", "--offline=true", "--threshold=20"], service).unwrap();
    }
}
