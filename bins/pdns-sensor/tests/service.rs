//! What a service manager hears of the real program.

use std::io::{Read, Write};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::util::{PATIENCE, Scratch, is_root, pcap, sensor, wait};

#[test]
fn a_run_says_when_it_has_started_and_when_it_ends() {
    let scratch = Scratch::new();
    let manager = Manager::new(&scratch);
    let mut command = sensor();
    command.args(["--pcap", "-"]).env("NOTIFY_SOCKET", scratch.path("notify"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let capture = pcap(2);
    stdin.write_all(&capture[..100]).unwrap();
    assert_eq!(manager.next(), "READY=1");
    stdin.write_all(&capture[100..]).unwrap();
    drop(stdin);
    assert_eq!(manager.next(), "STOPPING=1");
    assert_eq!(wait(&mut child), 0);
}

#[test]
fn a_service_manager_that_is_gone_is_warned_of() {
    let scratch = Scratch::new();
    let file = scratch.file("input.pcap", pcap(1));
    let run = crate::util::Run::of(sensor().arg("--pcap").arg(&file).env("NOTIFY_SOCKET", "/no/such"));
    let warning = "pdns-sensor: warning: cannot reach the service manager at NOTIFY_SOCKET '/no/such': No such file or \
                   directory (os error 2)\n";
    assert_eq!((run.status, run.stderr.as_str()), (0, warning));
}

#[test]
fn a_capture_gives_signs_of_life_while_it_is_idle() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    let manager = Manager::new(&scratch);
    let mut child = capture(&scratch, &["--bpf", "less 0", "--numprocs", "2", "--user", "65534"], Stdio::null());
    assert_eq!(manager.next(), "READY=1");
    for _ in 0..3 {
        assert_eq!(manager.next(), "WATCHDOG=1");
    }
    terminate(&child);
    assert_eq!(manager.beyond("WATCHDOG=1"), "STOPPING=1");
    assert_eq!(wait(&mut child), 0);
}

#[test]
fn a_pipe_that_nobody_reads_does_not_stop_the_capture() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    let manager = Manager::new(&scratch);
    let arguments = ["--bpf", "udp dst port 53999", "--ports", "53999", "--gc-age", "1ms", "--numprocs", "1"];
    let mut child = capture(&scratch, &arguments, Stdio::piped());
    assert_eq!(manager.next(), "READY=1");
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    // More records of queries that nobody answers than fit into the pipe.
    for _ in 0..3 {
        for id in 0..2000_u16 {
            let query = crate::util::query(id).compose();
            // There is nobody to receive it, which the next one may be told of.
            socket.send_to(&query, "127.0.0.1:53999").ok();
        }
        assert_eq!(manager.next(), "WATCHDOG=1");
    }
    let mut stdout = child.stdout.take().unwrap();
    let reader = thread::spawn(move || stdout.read_to_end(&mut Vec::new()).unwrap());
    terminate(&child);
    assert_eq!(manager.beyond("WATCHDOG=1"), "STOPPING=1");
    assert_eq!(wait(&mut child), 0);
    assert!(reader.join().unwrap() > 100_000);
}

/// How far apart signs of life are, with the patience that [`capture`] sets: a thread's counters are at most a second old.
const SIGN: Duration = Duration::from_millis(1500);

/// The program on the loopback interface, started by a service manager that waits for signs of life.
fn capture(scratch: &Scratch, arguments: &[&str], stdout: Stdio) -> Child {
    let mut command = sensor();
    command.args(["--dev", "lo"]).args(arguments).env("NOTIFY_SOCKET", scratch.path("notify"));
    command.env("WATCHDOG_USEC", (3 * SIGN).as_micros().to_string());
    command.stdout(stdout).stderr(Stdio::null()).spawn().unwrap()
}

fn terminate(child: &Child) {
    let pid = Pid::from_child(child);
    kill_process(pid, Signal::TERM).unwrap();
}

/// The one that waits for news.
struct Manager(UnixDatagram);

impl Manager {
    fn new(scratch: &Scratch) -> Self {
        let path = scratch.path("notify");
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    fn next(&self) -> String {
        let mut text = [0; 256];
        loop {
            match self.0.recv(&mut text) {
                Ok(length) => return String::from_utf8(text[..length].to_vec()).unwrap(),
                // The system does not go on by itself after a signal where there is a time-out.
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => panic!("there is no news: {error}"),
            }
        }
    }

    /// The next one that says something else.
    fn beyond(&self, known: &str) -> String {
        std::iter::repeat_with(|| self.next()).find(|news| news != known).unwrap()
    }
}
