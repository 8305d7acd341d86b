//! What the real program gives up once its capture is open. As root, for only root has something to give.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::util::{Run, Scratch, exchange, is_root, pcap, sensor, sensor_on, wait};

/// A user that has nothing, by number, and the system's name of another.
const NOBODY: &str = "65534";

#[test]
fn every_thread_is_without_privileges() {
    if !is_root() {
        return;
    }
    let arguments = ["--pcap", "-", "--user", NOBODY, "--group", "1", "--numprocs", "3"];
    // It reads the beginning of a capture before it gives anything up, and waits for the rest.
    let mut command = sensor();
    let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let capture = pcap(2);
    stdin.write_all(&capture[..100]).unwrap();
    let threads = confined(&mut child, 5);
    for status in threads {
        assert_eq!(status["Uid"], "65534 65534 65534 65534");
        assert_eq!(status["Gid"], "1 1 1 1");
        assert_eq!(status["Groups"], "");
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            assert_eq!(status[set], "0000000000000000", "{set}");
        }
        assert_eq!((status["NoNewPrivs"].as_str(), status["Seccomp"].as_str()), ("1", "2"));
    }
    stdin.write_all(&capture[100..]).unwrap();
    drop(stdin);
    assert_eq!(wait(&mut child), 0);
}

#[test]
fn the_sandbox_can_be_turned_off() {
    let mut command = sensor();
    let arguments = ["--pcap", "-", "--no-sandbox"];
    let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&pcap(1)).unwrap();
    let threads = statuses(&mut child, |threads| threads.iter().all(|status| status["NoNewPrivs"] == "1"));
    assert!(threads.iter().all(|status| status["Seccomp"] == "0"));
    drop(stdin);
    assert_eq!(wait(&mut child), 0);
}

#[test]
fn later_files_are_read_as_the_new_user() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    let [first, second] = ["first.pcap", "second.pcap"].map(|name| scratch.file(name, pcap(2)));
    let folder = first.parent().unwrap();
    let run = || Run::of(sensor_on(&first).arg("--pcap").arg(&second).args(["--user", NOBODY, "--group", NOBODY]));
    let refusal = |what: &str| {
        format!(
            "user 'nobody' in group '{NOBODY}' is to continue, and has to reach what is read and written: {what} {}: Permission \
             denied",
            second.display()
        )
    };
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    run().assert_refused(&refusal("cannot read"));
    chown(folder, Some(65534), None).unwrap();
    // The first is open by then.
    fs::set_permissions(&first, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(run().assert_clean().records().len(), 4);
    fs::set_permissions(&second, fs::Permissions::from_mode(0o600)).unwrap();
    run().assert_refused(&refusal("cannot read"));
}

#[test]
fn the_root_is_changed() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    let [first, second] = ["first.pcap", "second.pcap"].map(|name| scratch.file(name, pcap(2)));
    let folder = second.parent().unwrap();
    let run = Run::of(sensor_on(&first).arg("--pcap").arg(&second).arg("--debug").arg("--chroot").arg(folder));
    assert_eq!(run.records().len(), 4);
    let expected = ["pdns-sensor: running as uid 0 gid 0 beneath ", "pdns-sensor: reading /second.pcap\n"];
    assert!(expected.iter().all(|line| run.stderr.contains(line)), "{}", run.stderr);
    let empty = Scratch::new();
    fs::create_dir(empty.path("root")).unwrap();
    let run = Run::of(sensor_on(&first).arg("--pcap").arg(&second).arg("--chroot").arg(empty.path("root")));
    run.assert_refused(&format!(
        "--pcap: {} is not in {}, which is to be the root by then",
        second.display(),
        empty.path("root").display()
    ));
}

#[test]
fn what_waits_on_disk_is_written_and_read_as_the_new_user_beneath_the_new_root() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    let (capture, spool, stats) = (scratch.file("in.pcap", pcap(3)), scratch.path("spool"), scratch.path("stats.json"));
    fs::create_dir(&spool).unwrap();
    chown(&spool, Some(65534), Some(65534)).unwrap();
    // Nobody listens there, in either run.
    for (run, restored) in [0, 3].into_iter().enumerate() {
        let mut command = sensor_on(&capture);
        command.args(["--quiet", "--http-url", "http://127.0.0.1:9/", "--drain-timeout", "1s", "--user", NOBODY]);
        command.args(["--group", NOBODY, "--chroot"]).arg(capture.parent().unwrap());
        let run_ended = Run::of(command.arg("--spool-dir").arg(&spool).arg("--stats").arg(&stats));
        assert_eq!(run_ended.status, 0, "{}", run_ended.stderr);
        let account: serde_json::Value = serde_json::from_str(&fs::read_to_string(&stats).unwrap()).unwrap();
        let sink = &account["sinks"]["http"];
        let counts = ["restored", "offered", "spooled"].map(|name| sink[name].as_u64().unwrap());
        assert_eq!(counts, [restored, 3, restored + 3], "run {run}: {sink}");
    }
}

#[test]
fn the_account_is_written_to_a_file_that_root_opened() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    let file = scratch.file("input.pcap", pcap(2));
    let stats = scratch.path("stats.json");
    Run::of(sensor_on(&file).args(["--user", NOBODY, "--group", NOBODY]).arg("--stats").arg(&stats)).assert_clean();
    assert!(fs::read_to_string(&stats).unwrap().contains("\"frames_received\""));
}

#[test]
fn names_and_folders_that_are_not_there_are_refused() {
    let scratch = Scratch::new();
    let file = scratch.file("input.pcap", exchange(1).pcap(Default::default()));
    let refused = |arguments: &[&str], reason: &str| Run::of(sensor_on(&file).args(arguments)).assert_refused(reason);
    refused(&["--user", "no-such"], "--user: there is no user 'no-such'");
    refused(&["--group", "no-such"], "--group: there is no group 'no-such'");
    refused(
        &["--user", "4000000000"],
        "--user: the system knows this user by number alone, so --group is needed as well",
    );
    refused(
        &["--chroot", "/no/such"],
        "--chroot: cannot use /no/such as the root: No such file or directory (os error 2)",
    );
    let run = Run::of(sensor_on(&file).env("PDNS_USER", "no-such"));
    run.assert_refused("PDNS_USER in the environment: there is no user 'no-such'");
}

/// The threads of the program, as soon as there are at least so many and all are confined.
pub(crate) fn confined(child: &mut Child, count: usize) -> Vec<BTreeMap<String, String>> {
    statuses(child, |threads| threads.len() >= count && threads.iter().all(|status| status["Seccomp"] == "2"))
}

/// What `/proc` says of each thread, once it is as expected.
fn statuses(
    child: &mut Child,
    expected: impl Fn(&[BTreeMap<String, String>]) -> bool,
) -> Vec<BTreeMap<String, String>> {
    let start = Instant::now();
    loop {
        let folder = fs::read_dir(format!("/proc/{}/task", child.id())).unwrap();
        let threads: Vec<_> = folder
            .filter_map(|task| fs::read_to_string(task.ok()?.path().join("status")).ok())
            .map(|text| text.lines().filter_map(field).collect::<BTreeMap<_, _>>())
            .collect();
        if expected(&threads) {
            return threads;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{:?}; {threads:#?}", child.try_wait());
        thread::sleep(Duration::from_millis(5));
    }
}

fn field(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    Some((name.to_owned(), value.split_whitespace().collect::<Vec<_>>().join(" ")))
}
