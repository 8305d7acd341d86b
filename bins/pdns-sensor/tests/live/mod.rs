//! Live capture by the real program, on virtual interfaces in network namespaces that each test makes and removes.
//!
//! - `capture`: records as packets come, and what is counted.
//! - `signals`: how a run ends and what it lives through.
//! - `privileges`: what is given up.
//! - `options`: what can be asked for, gopassivedns's options in all their spellings among it.
//! - `dnsperf`: whether the records are what a real client did with a real server.

mod capture;
mod dnsperf;
mod memory;
mod options;
mod privileges;
mod signals;

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use pdns_fixtures::wire::{link, udp};
use pdns_rigs::network::Sender;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::util::{PATIENCE, client, query, response, sensor, server, wait};

/// The program at work. It is ended when the test is over.
pub(crate) struct Sensor {
    child: Child,
    /// Its standard output, unless somebody reads it.
    stdout: Option<ChildStdout>,
    records: Option<Lines>,
    log: Lines,
    logged: Vec<String>,
}

impl Sensor {
    /// Starts it and waits until it captures; its records are read as they come.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut sensor = Self::start_unread(command);
        sensor.records = sensor.stdout.take().map(Lines::of);
        sensor
    }

    /// Starts it and waits until it captures; nobody reads its records.
    pub(crate) fn start_unread(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdout, log) = (child.stdout.take(), Lines::of(child.stderr.take().unwrap()));
        let mut sensor = Self { child, stdout, records: None, log, logged: Vec::new() };
        sensor.wait_for("capturing on ");
        sensor
    }

    /// Waits for a line of the log that has this text.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let start = Instant::now();
        loop {
            let line = self.log.next(PATIENCE.saturating_sub(start.elapsed()));
            let line = line.unwrap_or_else(|| panic!("no '{text}' in the log: {:#?}", self.logged));
            self.logged.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits for the next record.
    pub(crate) fn record(&mut self) -> Value {
        let line = self.records.as_mut().unwrap().next(PATIENCE).expect("the record did not come");
        serde_json::from_str(&line).expect("a record is a JSON object")
    }

    /// Closes its standard output.
    pub(crate) fn close(&mut self) {
        self.stdout = None;
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn pid(&self) -> i32 {
        Pid::from_child(&self.child).as_raw_pid()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end: the status, the rest of the records, and all that it logged.
    pub(crate) fn wait(mut self) -> (i32, Vec<Value>, Vec<String>) {
        let status = wait(&mut self.child);
        let rest = self.records.take().map(Lines::rest).unwrap_or_default();
        let mut logged = std::mem::take(&mut self.logged);
        while let Some(line) = self.log.next(PATIENCE) {
            logged.push(line);
        }
        let parse = |line: &String| serde_json::from_str(line).expect("a record is a JSON object");
        (status, rest.iter().map(parse).collect(), logged)
    }

    /// Ends it as an operator would, and expects that all is well.
    pub(crate) fn end(self) -> (Vec<Value>, Vec<String>) {
        self.signal(Signal::TERM);
        let (status, records, logged) = self.wait();
        assert_eq!(status, 0, "{logged:#?}");
        (records, logged)
    }
}

impl Drop for Sensor {
    fn drop(&mut self) {
        // It may have ended; a test that failed leaves nothing behind.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Lines of a pipe as they come.
struct Lines(Receiver<String>);

impl Lines {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let (send, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines() {
                let Ok(line) = line else { break };
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Self(lines)
    }

    /// The next line; `None` at the end.
    fn next(&mut self, patience: Duration) -> Option<String> {
        match self.0.recv_timeout(patience) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("no line came, and no end"),
        }
    }

    fn rest(mut self) -> Vec<String> {
        std::iter::from_fn(|| self.next(PATIENCE)).collect()
    }
}

/// The program capturing on interfaces, with one worker and records of transactions.
pub(crate) fn live(interfaces: &[&str]) -> Command {
    let mut command = sensor();
    command.args(["--format", "transaction"]);
    for interface in interfaces {
        command.args(["--dev", interface]);
    }
    command
}

/// With an account.
pub(crate) fn with_stats<'a>(command: &'a mut Command, stats: &Path) -> &'a mut Command {
    command.arg("--stats").arg(stats)
}

/// Frames of queries and responses between one client's port and the server.
pub(crate) fn query_frame(id: u16) -> Vec<u8> {
    link::ethernet(udp(client(), server(), &query(id).compose())).bytes
}

pub(crate) fn response_frame(id: u16) -> Vec<u8> {
    link::ethernet(udp(server(), client(), &response(id).compose())).bytes
}

/// A query of another client.
pub(crate) fn query_of(client: SocketAddr, id: u16) -> Vec<u8> {
    link::ethernet(udp(client, server(), &query(id).compose())).bytes
}

pub(crate) fn response_to(client: SocketAddr, id: u16) -> Vec<u8> {
    link::ethernet(udp(server(), client, &response(id).compose())).bytes
}

/// Sends queries with their responses, of ids from `first` on.
pub(crate) fn exchange(sender: &mut Sender, first: u16, count: u16) {
    for id in first..first + count {
        sender.send(&query_frame(id));
        sender.send(&response_frame(id));
    }
}
