//! What the tests share: running the program, captures to run it on, and work in parallel.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use pdns_fixtures::capture::{Capture, PcapFormat};
use pdns_fixtures::dns::rdata::{a, txt};
use pdns_fixtures::dns::{Message, Record, Rtype, prefixed};
use pdns_fixtures::tcp::{Connection, End};
use pdns_fixtures::wire::{link, udp};
use serde_json::Value;
use tempfile::TempDir;

/// Longer than any run here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The program with one worker and a fixed name; flags are added by the test.
pub(crate) fn sensor() -> Command {
    let mut command = bare_sensor();
    command.args(["--name", "test", "--numprocs", "1"]);
    command
}

/// The program with nothing set.
pub(crate) fn bare_sensor() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pdns-sensor"));
    without_settings(&mut command).stdin(Stdio::null());
    command
}

/// The command without the settings in the tests' own environment, of which `PDNS_CORPUS` may be one.
pub(crate) fn without_settings(command: &mut Command) -> &mut Command {
    let names = std::env::vars_os().map(|(name, _)| name);
    names.filter(|name| name.as_encoded_bytes().starts_with(b"PDNS_")).fold(command, Command::env_remove)
}

/// The program on one capture.
pub(crate) fn sensor_on(capture: &Path) -> Command {
    let mut command = sensor();
    command.arg("--pcap").arg(capture);
    command
}

/// How a run ended and what it printed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Self {
        Self::with_input(command, &[])
    }

    /// Runs the program with bytes on its standard input, when there are any.
    pub(crate) fn with_input(command: &mut Command, input: &[u8]) -> Self {
        if !input.is_empty() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        thread::scope(|scope| {
            // A program that refuses its input does not read all of it.
            scope.spawn(move || stdin.map(|mut pipe| pipe.write_all(input)));
            child.wait_with_output().unwrap().into()
        })
    }

    /// The records, in the order in which they were printed.
    pub(crate) fn records(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect("a record is a JSON object")).collect()
    }

    /// One field of every record.
    pub(crate) fn column(&self, field: &str) -> Vec<Value> {
        self.records().iter().map(|record| record[field].clone()).collect()
    }

    /// The lines, sorted.
    pub(crate) fn line_set(&self) -> Vec<&str> {
        let mut lines: Vec<_> = self.stdout.lines().collect();
        lines.sort_unstable();
        lines
    }

    /// Asserts that the run ended well and said nothing but records.
    pub(crate) fn assert_clean(self) -> Self {
        assert_eq!((self.status, self.stderr.as_str()), (0, ""));
        self
    }

    /// Asserts that the run could not start, for the reason that its one line of log tells.
    pub(crate) fn assert_refused(&self, reason: &str) {
        let expected = Self { status: 2, stdout: String::new(), stderr: format!("pdns-sensor: error: {reason}\n") };
        assert_eq!(*self, expected);
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().expect("no signal ended the program"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Waits for a program that should end by itself.
pub(crate) fn wait(child: &mut Child) -> i32 {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().expect("no signal ended the program");
        }
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("the program did not end");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Reads from a pipe until `lines` lines have come, on a thread of its own so that a silent pipe fails the test.
pub(crate) fn read_lines(mut pipe: impl Read + Send + 'static, lines: usize) -> String {
    let (done, text) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        let mut chunk = [0; 4096];
        while text.iter().filter(|&&byte| byte == b'\n').count() < lines {
            match pipe.read(&mut chunk) {
                Ok(length) if length > 0 => text.extend_from_slice(&chunk[..length]),
                _ => break,
            }
        }
        done.send(String::from_utf8(text).unwrap())
    });
    text.recv_timeout(PATIENCE).expect("the records did not come")
}

/// A folder for one test's files.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file and returns its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }
}

/// A capture to run the program on.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// How a failing test calls it.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// How many frames it has, when somebody else has counted them.
    pub(crate) frames: Option<u64>,
}

/// All captures there are: those made here, the fixtures and the corpus.
pub(crate) fn samples(scratch: &Scratch) -> Vec<Sample> {
    let made = [("plain", exchange(8), 16), ("mixed", mixed(), 23)];
    let mut samples: Vec<_> = made
        .into_iter()
        .map(|(name, capture, frames)| Sample {
            name: format!("made/{name}"),
            path: scratch.file(name, capture.pcap(PcapFormat::default())),
            frames: Some(frames),
        })
        .collect();
    samples.extend(fixtures());
    samples.extend(corpus_captures().unwrap_or_default());
    samples
}

/// The project's own captures, `fixtures/captures/<case>/input.*`.
fn fixtures() -> Vec<Sample> {
    let mut samples = Vec::new();
    for case in fs::read_dir(workspace().join("fixtures/captures")).into_iter().flatten() {
        let case = case.unwrap();
        for input in fs::read_dir(case.path()).into_iter().flatten() {
            let path = input.unwrap().path();
            if path.file_stem() == Some(OsStr::new("input")) {
                let name = format!("fixtures/{}", case.file_name().display());
                samples.push(Sample { name, path, frames: None });
            }
        }
    }
    samples.sort_by(|one, other| one.name.cmp(&other.name));
    samples
}

/// The captures of the corpus, or a line that says that it is not there.
pub(crate) fn corpus_captures() -> Option<Vec<Sample>> {
    let corpus = corpus()?;
    let manifest = fs::read_to_string(corpus.join("MANIFEST.tsv")).unwrap();
    let rows = table(&manifest);
    Some(
        rows.into_iter()
            .map(|row| Sample {
                path: corpus.join(row["path"]),
                name: row["path"].to_owned(),
                frames: row["packets"].parse().ok(),
            })
            .collect(),
    )
}

/// Where the corpus is.
pub(crate) fn corpus() -> Option<PathBuf> {
    let path = std::env::var_os("PDNS_CORPUS").map_or_else(|| workspace().join("../shared/corpus"), PathBuf::from);
    if path.join("MANIFEST.tsv").is_file() {
        return Some(path);
    }
    skipped("no corpus");
    None
}

/// Says what a test could not look at.
#[expect(clippy::print_stdout, reason = "the test runner shows it")]
pub(crate) fn skipped(reason: &str) {
    println!("skipped: {reason}");
}

/// Says why a test does nothing, which with `PDNS_REQUIRE_RIGS=1` in the environment is a failure.
pub(crate) fn skip(reason: &str) {
    assert!(std::env::var_os("PDNS_REQUIRE_RIGS").is_none_or(|value| value != "1"), "cannot be skipped: {reason}");
    skipped(reason);
}

/// Whether this is root; where it is not, says that the test does nothing.
pub(crate) fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        skip("no root");
    }
    root
}

pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The rows of tab-separated values with a header line.
fn table(text: &str) -> Vec<BTreeMap<&str, &str>> {
    let mut lines = text.lines();
    let header: Vec<_> = lines.next().unwrap().split('\t').collect();
    lines.map(|line| header.iter().copied().zip(line.split('\t')).collect()).collect()
}

/// Calls `check` with every item, on as many threads as there are cores, and fails when one of them does.
pub(crate) fn in_parallel<T: Send>(items: impl IntoIterator<Item = T>, check: impl Fn(T) + Sync) {
    let items: Vec<_> = items.into_iter().collect();
    let queue = Mutex::new(items.into_iter());
    let next = || queue.lock().unwrap().next();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some(item) = next() {
                    check(item);
                }
            });
        }
    });
}

pub(crate) fn client() -> SocketAddr {
    "192.0.2.1:40000".parse().unwrap()
}

pub(crate) fn server() -> SocketAddr {
    "192.0.2.53:53".parse().unwrap()
}

pub(crate) fn query(id: u16) -> Message {
    Message::query(id, "example.com", Rtype::A)
}

pub(crate) fn response(id: u16) -> Message {
    query(id).response().answer([Record::new("example.com", 300, a([192, 0, 2, 80]))])
}

/// So many queries over UDP, ids from 0, each with its response a millisecond later.
pub(crate) fn exchange(count: u16) -> Capture {
    let mut capture = Capture::new();
    for id in 0..count {
        let second = 10 * u32::from(id);
        capture.at(&format!("{second}")).udp(client(), server(), query(id).compose());
        capture.at(&format!("{second}.001")).udp(server(), client(), response(id).compose());
    }
    capture
}

/// [`exchange`] as a pcap file.
pub(crate) fn pcap(count: u16) -> Vec<u8> {
    exchange(count).pcap(PcapFormat::default())
}

/// A little of everything that counts: every status, TCP with a gap, fragments, tags and frames that are discarded.
pub(crate) fn mixed() -> Capture {
    let mut capture = Capture::new();
    capture.at("0").udp(client(), server(), query(1).compose());
    capture.at("0.1").udp(client(), server(), query(1).compose());
    capture.at("0.2").udp(server(), client(), response(1).compose());
    capture.at("0.3").udp(server(), client(), response(1).compose());
    capture.at("0.4").udp(server(), client(), response(2).compose());
    capture.at("0.5").udp(client(), server(), query(3).compose());
    capture.at("0.6").udp(client(), server(), [0; 11]);
    capture.at("0.7").udp(client(), "192.0.2.53:80".parse().unwrap(), [0; 11]);
    let text = Record::new("example.com", 60, txt(vec![[b'x'; 200]; 10]));
    let long = query(4).response().answer([text]);
    let whole = udp(server(), client(), &long.compose());
    capture.at("0.8").packets(whole.fragments(1, &[1200]));
    capture.at("0.9").packet(link::vlan(7, udp(client(), server(), &query(5).compose())));

    let mut connection = Connection::new("[2001:db8::1]:40001".parse().unwrap(), "[2001:db8::53]:53".parse().unwrap());
    capture.at("1").packets(connection.handshake());
    capture.at("1.1").packets(connection.send_cut(End::Client, &prefixed(&query(6).compose()), &[1, 20]));
    capture.at("1.2").packet(connection.ack(End::Server));
    let two = [6, 7].map(|id| prefixed(&response(id).compose())).concat();
    capture.at("1.3").packet(connection.send(End::Server, &two));
    connection.skip(End::Server, 100);
    capture.at("1.4").packet(connection.send(End::Server, &prefixed(&response(8).compose())));
    capture.at("1.5").packets(connection.close());
    capture
}
