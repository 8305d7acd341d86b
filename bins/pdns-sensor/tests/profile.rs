//! Whether Go's pprof reads the CPU profile.

use std::path::Path;
use std::process::Command;

use pdns_rigs::network::{in_namespace, pair};
use pdns_rigs::{folder, has, or_skip, run};

use crate::live::{Sensor, live};
use crate::util::{Run, Scratch, pcap, sensor};

/// What `go tool pprof` says of a profile.
fn top(profile: &Path) -> String {
    let mut command = Command::new("go");
    // Newer ones compile the tool when it is first asked for.
    command.args(["tool", "pprof", "-top", "-nodecount=2000"]).arg(profile).env("GOCACHE", folder("go").unwrap());
    run(&mut command).unwrap()
}

#[test]
fn a_profile_names_where_the_time_went() {
    if or_skip(has("go")).is_none() {
        return;
    }
    let scratch = Scratch::new();
    let (capture, profile) = (scratch.file("input.pcap", pcap(u16::MAX)), scratch.path("cpu.pprof"));
    for workers in ["1", "2"] {
        // Some seconds at least, so that there are samples.
        let mut command = sensor();
        command.args(["--quiet", "--numprocs", workers, "-cpuprofile"]).arg(&profile);
        (0..12).for_each(|_| {
            command.arg("--pcap").arg(&capture);
        });
        Run::of(&mut command).assert_clean();
        let top = top(&profile);
        assert!(top.contains("Type: cpu") && top.contains("pdns_track::"), "{top}");
    }
}

#[test]
fn a_signal_to_end_writes_the_profile() {
    let scratch = Scratch::new();
    let profile = scratch.path("cpu.pprof");
    in_namespace(|| {
        pair("cap0", "far0");
        Sensor::start(live(&["cap0"]).arg("--cpuprofile").arg(&profile)).end();
        assert!(std::fs::read(&profile).unwrap().starts_with(&[0x1f, 0x8b]));
        if or_skip(has("go")).is_some() {
            top(&profile);
        }
    });
}

#[test]
fn a_profile_that_cannot_be_written_is_refused() {
    let scratch = Scratch::new();
    let (capture, nowhere) = (scratch.file("input.pcap", pcap(1)), scratch.path("no/cpu.pprof"));
    let run = Run::of(sensor().arg("--pcap").arg(&capture).arg("--cpuprofile").arg(&nowhere));
    let reason =
        format!("cannot write the CPU profile to {}: No such file or directory (os error 2)", nowhere.display());
    run.assert_refused(&reason);
}
