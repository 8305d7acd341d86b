//! Records to a file: beside standard output, put aside when it is large, and moved away by the real logrotate.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pdns_rigs::tmpfs::Tmpfs;

use crate::account::Account;
use crate::util::{Run, Scratch, pcap, sensor, sensor_on, wait};

const PATIENCE: Duration = Duration::from_secs(60);

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

#[test]
fn the_file_has_what_standard_output_has() {
    let scratch = Scratch::new();
    let capture = scratch.file("input.pcap", pcap(2000));
    let stats = scratch.path("stats.json");
    let log = scratch.path("logs/dns.log");
    for workers in ["1", "3"] {
        let mut command = sensor_on(&capture);
        command.args(["--numprocs", workers, "-logfile"]).arg(&log).arg("--stats").arg(&stats);
        let run = Run::of(&mut command).assert_clean();
        let written = fs::read_to_string(&log).unwrap();
        let mut sorted: Vec<_> = written.lines().collect();
        sorted.sort_unstable();
        assert_eq!(sorted, run.line_set(), "{workers}");
        let account = Account::read(&stats);
        for sink in ["stdout", "file"] {
            assert_eq!(account.count(&format!("sinks/{sink}/delivered")), 2000, "{sink}");
        }
        assert_eq!((account.count("records_made"), account.count("records_offered")), (2000, 4000));
        fs::remove_file(&log).unwrap();
    }
    assert_eq!(Run::of(sensor_on(&capture).args(["-quiet", "-logfile"]).arg(&log)).assert_clean().stdout, "");
    assert_eq!(lines(&log), 2000);
}

#[test]
fn old_files_are_named_and_compressed_as_gopassivedns_does() {
    let scratch = Scratch::new();
    // About 250 bytes each.
    let capture = scratch.file("input.pcap", pcap(10_000));
    let log = scratch.path("dns.log");
    let mut command = sensor_on(&capture);
    command.args(["-quiet", "-logMaxSize", "1", "-logMaxBackups", "1", "-logCompress", "-logfile"]).arg(&log);
    Run::of(&mut command).assert_clean();
    assert!(fs::metadata(&log).unwrap().size() <= 1 << 20);
    let old: Vec<_> = fs::read_dir(scratch.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("dns-"))
        .collect();
    let [old] = &old[..] else { panic!("{old:?}") };
    assert!(old.starts_with("dns-20") && old.ends_with(".log.gz"), "{old}");
    let mut text = String::new();
    let file = fs::File::open(scratch.path(old)).unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(file), &mut text).unwrap();
    assert!(text.len() <= 1 << 20 && text.ends_with("}\n"), "{}", text.len());
}

#[test]
fn a_file_that_cannot_be_written_is_told_of_while_the_other_sink_goes_on() {
    let scratch = Scratch::new();
    let capture = scratch.file("input.pcap", pcap(3));
    let log = scratch.path("folder");
    fs::create_dir(&log).unwrap();
    let mut command = sensor_on(&capture);
    command.args(["--drain-timeout", "300ms", "-logfile"]).arg(&log);
    let run = Run::of(&mut command);
    assert_eq!((run.status, run.records().len()), (1, 3));
    let beginning = format!("pdns-sensor: warning: file ({}): Is a directory", log.display());
    assert!(run.stderr.starts_with(&beginning), "{}", run.stderr);
    assert!(run.stderr.contains("3 records dropped: the time for the end is over"), "{}", run.stderr);
}

#[test]
fn a_full_disk_is_waited_for() {
    let Some(disk) = pdns_rigs::or_skip(Tmpfs::mount(2048)) else { return };
    let (scratch, log, ballast) = (Scratch::new(), disk.path().join("dns.log"), disk.path().join("ballast"));
    fs::write(&ballast, vec![0; 1900 << 10]).unwrap();
    let capture = scratch.file("input.pcap", pcap(2000));
    let mut command = sensor_on(&capture);
    command.args(["--quiet", "--drain-timeout", "2m", "--logfile"]).arg(&log);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = told.next().unwrap().unwrap();
    assert!(first.contains(&format!("file ({}): No space left on device", log.display())), "{first}");
    // What there was room for is whole.
    let written = fs::read_to_string(&log).unwrap();
    assert!(written.ends_with("}\n") && lines(&log) < 2000, "{}", written.len());
    fs::remove_file(ballast).unwrap();
    assert_eq!(wait(&mut child), 0);
    assert_eq!(lines(&log), 2000);
    let rest: Vec<_> = told.map(Result::unwrap).collect();
    assert!(rest.iter().any(|line| line.contains("takes records again")), "{rest:#?}");
}

#[test]
fn logrotate_moves_the_file_and_a_signal_begins_the_next() {
    let Some(()) = pdns_rigs::or_skip(pdns_rigs::has("logrotate")) else { return };
    let scratch = Scratch::new();
    let log = scratch.path("dns.log");
    let mut command = sensor();
    command.args(["--pcap", "-", "-quiet", "-logfile"]).arg(&log).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let rules = format!(
        "{} {{\n rotate 9\n missingok\n postrotate\n  kill -HUP {}\n endscript\n}}\n",
        log.display(),
        child.id()
    );
    let rules = scratch.file("rules", rules);
    // logrotate refuses rules that others may change.
    fs::set_permissions(&rules, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let capture = pcap(300);
    let mut feed = child.stdin.take().unwrap();
    let third = capture.len() / 3;
    for (turn, part) in [&capture[..third], &capture[third..2 * third], &capture[2 * third..]].into_iter().enumerate() {
        feed.write_all(part).unwrap();
        let start = Instant::now();
        // Something of this part is in the file, so that the signal before was heard.
        while lines(&log) == 0 {
            assert!(start.elapsed() < PATIENCE, "nothing is written to the new file");
            thread::sleep(Duration::from_millis(10));
        }
        if turn < 2 {
            let mut logrotate = Command::new("logrotate");
            logrotate.args(["--force", "--state"]).arg(scratch.path("state")).arg(&rules);
            pdns_rigs::run(&mut logrotate).unwrap();
        }
    }
    drop(feed);
    assert_eq!(wait(&mut child), 0);
    let counts = ["dns.log.2", "dns.log.1", "dns.log"].map(|name| lines(&scratch.path(name)));
    assert_eq!(counts.iter().sum::<usize>(), 300, "{counts:?}");
    assert!(counts.iter().all(|&count| count > 50), "{counts:?}");
}
