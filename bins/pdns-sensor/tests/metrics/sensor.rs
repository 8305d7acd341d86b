//! The program while it runs.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use pdns_fixtures::capture::{Capture, PcapFormat};
use pdns_rigs::wait::poll;

use crate::account::Account;
use crate::metrics::web::Samples;
use crate::util::{Scratch, sensor, wait};

/// The bytes of a capture before its first frame.
pub(crate) const HEADER: usize = 24;

/// A run that reads a capture out of a pipe for as long as the test holds it.
pub(crate) struct Sensor {
    child: Child,
    input: Option<ChildStdin>,
    log: Arc<Mutex<String>>,
    scratch: Scratch,
}

impl Sensor {
    /// Starts the program with a port of its own for metrics.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let scratch = Scratch::new();
        let mut command = sensor();
        command.args(["--pcap", "-", "--debug", "--metrics-listen", "127.0.0.1:0", "--stats"]);
        command.arg(scratch.path("stats.json")).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = Arc::<Mutex<String>>::default();
        let (lines, copy) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&log));
        thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| copy.lock().unwrap().push_str(&(line + "\n")));
        });
        let mut sensor = Self { input: child.stdin.take(), child, log, scratch };
        // It looks at what it is to read before it does anything else.
        sensor.write(&Capture::new().pcap(PcapFormat::default()));
        sensor
    }

    /// Where its pages are.
    pub(crate) fn address(&self) -> SocketAddr {
        poll("the address", || {
            let log = self.log();
            let (_, rest) = log.split_once("metrics are served on http://")?;
            rest.split_once("/metrics\n")?.0.parse().ok()
        })
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Gives it the frames of a capture.
    pub(crate) fn feed(&mut self, capture: &Capture) {
        self.write(&capture.pcap(PcapFormat::default())[HEADER..]);
    }

    /// Gives it the next bytes of its input.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    /// Waits until so many frames are on the page, and nothing of them is on its way to a worker or a sink.
    pub(crate) fn settle(&self, frames: u64) -> Samples {
        let address = self.address();
        poll("the count of frames", || {
            let samples = Samples::fetch(address);
            let [received, queued, made, delivered] = [
                "pdns_capture_received_frames_total",
                "pdns_worker_queued_packets",
                "pdns_dns_made_records_total",
                "pdns_sink_delivered_records_total",
            ]
            .map(|name| samples.sum(name));
            (received == frames as f64 && queued == 0.0 && made == delivered).then_some(samples)
        })
    }

    /// Ends the capture and waits for the program: its account.
    pub(crate) fn finish(mut self) -> Account {
        drop(self.input.take());
        assert_eq!(wait(&mut self.child), 0, "{}", self.log());
        Account::read(&self.scratch.path("stats.json"))
    }
}

impl Drop for Sensor {
    fn drop(&mut self) {
        // One that has ended cannot be.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
