//! Files that are cut, damaged, compressed, several, piped, or no captures at all.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use pdns_fixtures::capture::{ByteOrder, Capture, Interface, PcapFormat, PcapNg};
use pdns_fixtures::wire::{Frame, LinkType, link, udp};
use rustix::process::{Pid, Signal, kill_process};

use crate::account::Account;
use crate::util::{
    Run, Scratch, client, exchange, in_parallel, pcap, query, read_lines, response, sensor, sensor_on, server, skipped,
    wait,
};

/// LINKTYPE_USB_LINUX: frames that have nothing to do with a network.
const USB: LinkType = LinkType(189);

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

#[test]
fn what_is_no_capture_is_refused_in_one_line() {
    let scratch = Scratch::new();
    let missing = scratch.path("missing.pcap");
    let refused = |path: &Path, reason: &str| {
        Run::of(&mut sensor_on(path)).assert_refused(&format!("{}: {reason}", path.display()));
    };
    refused(&missing, "No such file or directory (os error 2)");
    refused(&scratch.path("."), "is a directory, not a capture");
    refused(&scratch.file("empty", ""), "not a capture: empty");
    refused(&scratch.file("short", "ab"), "not a capture: only 2 bytes long");
    let text = scratch.file("text", "root:x:0:0:root\n");
    refused(&text, "not a capture: begins with 72 6f 6f 74, which is neither pcap nor pcapng");
    let compressed = scratch.file("text.gz", gzip(b"root:x:0:0:root\n"));
    refused(&compressed, "not a capture: begins with 72 6f 6f 74, which is neither pcap nor pcapng");
    Run::with_input(sensor().args(["--pcap", "-"]), b"nothing")
        .assert_refused("standard input: not a capture: begins with 6e 6f 74 68, which is neither pcap nor pcapng");
    Run::of(sensor().args(["--pcap", "-"])).assert_refused("standard input: not a capture: empty");
    // A name's control characters do not reach the terminal.
    let mut red = sensor();
    red.args(["--pcap", "\x1b[31mred\n"]);
    Run::of(&mut red).assert_refused("\\u001b[31mred\\n: No such file or directory (os error 2)");
}

#[test]
fn a_file_that_may_not_be_read_is_refused() {
    let scratch = Scratch::new();
    let file = scratch.file("secret.pcap", pcap(1));
    fs::set_permissions(&file, Permissions::from_mode(0o000)).unwrap();
    if File::open(&file).is_ok() {
        skipped("this user may read every file");
        return;
    }
    Run::of(&mut sensor_on(&file)).assert_refused(&format!("{}: Permission denied (os error 13)", file.display()));
}

#[test]
fn an_unknown_link_type_is_refused_by_name() {
    let scratch = Scratch::new();
    let mut capture = Capture::new();
    capture.at("0").frame(Frame { link_type: USB, bytes: vec![0; 64], missing: 0 });
    let file = capture.pcap(PcapFormat::default());
    let on_disk = scratch.file("usb.pcap", &file);
    let reason = "frames of link type 189 (USB_LINUX) cannot be decoded";
    Run::of(&mut sensor_on(&on_disk)).assert_refused(&format!("{}: {reason}", on_disk.display()));
    let header = scratch.file("header.pcap", &file[..24]);
    Run::of(&mut sensor_on(&header)).assert_refused(&format!("{}: {reason}", header.display()));
    Run::with_input(sensor().args(["--pcap", "-"]), &file).assert_refused(&format!("standard input: {reason}"));

    let usb = scratch.file("usb.pcapng", usb_and(None));
    Run::of(&mut sensor_on(&usb)).assert_refused(&format!("{}: {reason}", usb.display()));
}

#[test]
fn known_link_types_are_read_beside_unknown_ones() {
    let scratch = Scratch::new();
    let file = scratch.file("mixed.pcapng", usb_and(Some(LinkType::ETHERNET)));
    let stats = scratch.path("stats.json");
    let run = Run::of(sensor_on(&file).arg("--stats").arg(&stats)).assert_clean();
    assert_eq!(run.column("query_id"), [1]);
    let account = Account::read(&stats);
    assert_eq!((account.count("frames_received"), account.count("frames_discarded/link_type")), (3, 2));
}

/// A pcapng file of USB frames, and of a query on an interface of another link type between them.
fn usb_and(other: Option<LinkType>) -> Vec<u8> {
    let usb = Frame { link_type: USB, bytes: vec![0; 64], missing: 0 };
    let mut file = PcapNg::new();
    file.section(ByteOrder::Little).interface(Interface::new(USB));
    if let Some(other) = other {
        file.interface(Interface::new(other));
    }
    file.frame(0, 1, &usb);
    if other.is_some() {
        file.frame(1, 2, &link::ethernet(udp(client(), server(), &query(1).compose())));
    }
    file.frame(0, 3, &usb).finish()
}

#[test]
fn a_file_cut_anywhere_gives_the_records_before_the_cut() {
    const HEADER: usize = 24;
    let scratch = Scratch::new();
    let whole = exchange(2).pcap(PcapFormat::default());
    let all = Run::of(&mut sensor_on(&scratch.file("whole.pcap", &whole))).assert_clean();
    let ends = frame_ends(&whole);
    assert_eq!((ends.len(), *ends.last().unwrap(), all.records().len()), (5, whole.len(), 2));
    in_parallel(0..whole.len(), |cut| {
        let file = scratch.file(&format!("{cut}.pcap"), &whole[..cut]);
        let run = Run::of(&mut sensor_on(&file));
        if cut < HEADER {
            let reason = match cut {
                0 => "not a capture: empty".to_owned(),
                1..4 => format!("not a capture: only {cut} bytes long"),
                _ => format!("cut at byte {cut}, within a frame or header"),
            };
            run.assert_refused(&format!("{}: {reason}", file.display()));
            return;
        }
        let frames = ends.iter().filter(|&&end| end <= cut).count() - 1;
        // The second of each pair of frames completes a record; the first alone is unanswered when the capture ends.
        let records = run.records();
        assert_eq!(records.len(), frames.div_ceil(2), "cut at {cut}");
        assert_eq!(
            run.stdout.lines().take(frames / 2).collect::<Vec<_>>(),
            all.stdout.lines().take(frames / 2).collect::<Vec<_>>()
        );
        if frames % 2 == 1 {
            assert_eq!(records.last().unwrap()["status"], "unanswered", "cut at {cut}");
        }
        let warning = format!(
            "pdns-sensor: warning: {}: cut at byte {cut}, within a frame or header; the records up to there are complete\n",
            file.display()
        );
        let expected = if ends.contains(&cut) { (0, String::new()) } else { (1, warning) };
        assert_eq!((run.status, run.stderr), expected, "cut at {cut}");
    });
}

/// Where a little-endian pcap file's header and frames end.
fn frame_ends(file: &[u8]) -> Vec<usize> {
    let mut ends = vec![24];
    while let Some(length) = file.get(ends[ends.len() - 1] + 8..).and_then(|rest| rest.first_chunk()) {
        ends.push(ends[ends.len() - 1] + 16 + u32::from_le_bytes(*length) as usize);
    }
    ends
}

#[test]
fn compression_is_told_by_content() {
    let scratch = Scratch::new();
    let plain = pcap(50);
    let expected = Run::of(&mut sensor_on(&scratch.file("plain", &plain))).assert_clean();
    assert_eq!(expected.records().len(), 50);
    let (first, second) = plain.split_at(777);
    let members = [gzip(first), gzip(second)].concat();
    for (name, content) in
        [("a.pcap", gzip(&plain)), ("b.gz", zstd(&plain)), ("c.zst", members), ("d.gz", plain.clone())]
    {
        assert_eq!(Run::of(&mut sensor_on(&scratch.file(name, &content))), expected, "{name}");
        assert_eq!(Run::with_input(sensor().args(["--pcap", "-"]), &content), expected, "{name} piped");
    }
}

#[test]
fn damaged_compression_gives_the_records_before_the_damage() {
    let scratch = Scratch::new();
    let plain = pcap(2000);
    for (kind, whole) in [("gzip", gzip(&plain)), ("zstd", zstd(&plain))] {
        let cut = scratch.file("cut", &whole[..whole.len() * 3 / 4]);
        let run = Run::of(&mut sensor_on(&cut));
        let message = format!("pdns-sensor: warning: {}: the {kind} data is cut, after byte ", cut.display());
        assert_eq!((run.status, run.stderr.starts_with(&message)), (1, true), "{}", run.stderr);
        assert!(run.stderr.ends_with(" of its content; the records up to there are complete\n"), "{}", run.stderr);
        assert_eq!(run.stderr.lines().count(), 1);
        let after = run.stderr[message.len()..].split(' ').next().unwrap().parse::<usize>().unwrap();
        let frames = frame_ends(&plain[..after]).iter().filter(|&&end| end <= after).count() - 1;
        assert!(frames > 100, "{frames}");
        assert_eq!(run.records().len(), frames.div_ceil(2), "{kind}");
    }
    // The checksum at the end, RFC 1952 section 2.3.1: all that came before it is suspect, but it is there.
    let mut gzip = gzip(&plain);
    let checksum = gzip.len() - 8;
    gzip[checksum] ^= 0xff;
    let file = scratch.file("damaged.gz", &gzip);
    let run = Run::of(&mut sensor_on(&file));
    let message = format!("pdns-sensor: warning: {}: the gzip data is damaged after byte ", file.display());
    assert_eq!((run.status, run.stderr.starts_with(&message)), (1, true), "{}", run.stderr);
    assert!(!run.records().is_empty());
}

#[test]
fn several_files_are_one_run_in_the_order_given() {
    let scratch = Scratch::new();
    let mut capture = Capture::new();
    capture.at("0").udp(client(), server(), query(1).compose());
    let first = scratch.file("first.pcap", capture.pcap(PcapFormat::default()));
    let mut capture = Capture::new();
    capture.at("0.5").udp(server(), client(), response(1).compose());
    let second =
        scratch.file("second.pcap.gz", gzip(&capture.pcap(PcapFormat { nanoseconds: true, ..PcapFormat::default() })));
    let run = Run::of(sensor_on(&first).arg("--pcap").arg(&second)).assert_clean();
    assert_eq!((run.column("status"), run.column("elapsed")), (vec!["answered".into()], vec![500_000_000.into()]));
    let input = fs::read(&first).unwrap();
    let piped = Run::with_input(sensor().args(["--pcap", "-", "--pcap"]).arg(&second), &input).assert_clean();
    assert_eq!(piped, run);

    let files = [[1, 2], [3, 4]].map(|ids| {
        let mut capture = Capture::new();
        for id in ids {
            capture.at(&format!("{id}")).udp(client(), server(), query(id).compose());
            capture.at(&format!("{id}.1")).udp(server(), client(), response(id).compose());
        }
        scratch.file(&format!("{}.pcap", ids[0]), capture.pcap(PcapFormat::default()))
    });
    let ids = |one: usize, other: usize| {
        Run::of(sensor_on(&files[one]).arg("--pcap").arg(&files[other])).assert_clean().column("query_id")
    };
    assert_eq!(ids(0, 1), [1, 2, 3, 4]);
    assert_eq!(ids(1, 0), [3, 4, 1, 2], "also when the next file is older");
}

#[test]
fn one_bad_file_among_several_decides_the_status() {
    let scratch = Scratch::new();
    let good = scratch.file("good.pcap", pcap(3));
    let cut = scratch.file("cut.pcap", &pcap(3)[..300]);
    let run = Run::of(sensor_on(&cut).arg("--pcap").arg(&good));
    assert_eq!(run.status, 1);
    let warning = "cut at byte 300, within a frame or header; the records up to there are complete";
    assert_eq!(run.stderr, format!("pdns-sensor: warning: {}: {warning}\n", cut.display()));
    assert!(run.records().len() > 3, "the good one is read, too");

    let missing = scratch.path("missing.pcap");
    Run::of(sensor_on(&good).arg("--pcap").arg(&missing))
        .assert_refused(&format!("{}: No such file or directory (os error 2)", missing.display()));

    // A pipe is looked at when its turn comes.
    let stats = scratch.path("stats.json");
    let piped = Run::with_input(sensor_on(&good).args(["--pcap", "-", "--stats"]).arg(&stats), b"nothing");
    assert_eq!((piped.status, piped.records().len()), (2, 3));
    let account: serde_json::Value = serde_json::from_slice(&fs::read(stats).unwrap()).unwrap();
    assert_eq!(account["records_delivered"], 3, "what was read before stands in the account");
}

#[test]
fn records_come_while_a_pipe_is_silent() {
    let all = pcap(5);
    let ends = frame_ends(&all);
    for workers in ["1", "3"] {
        let mut command = sensor();
        command.args(["--pcap", "-", "--numprocs", workers]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        // Two transactions and the beginning of the third one's query.
        input.write_all(&all[..ends[4] + 7]).unwrap();
        let output = child.stdout.take().unwrap();
        let early = read_lines(output.try_clone_reader(), 2);
        assert_eq!(early.lines().count(), 2, "{early}");
        assert!(child.try_wait().unwrap().is_none(), "the program waits for more");
        input.write_all(&all[ends[4] + 7..]).unwrap();
        drop(input);
        let late = io::read_to_string(output).unwrap();
        assert_eq!((late.lines().count(), wait(&mut child)), (3, 0));
    }
}

#[test]
fn a_named_pipe_is_read_as_soon_as_somebody_writes_to_it() {
    let scratch = Scratch::new();
    let pipe = fifo(&scratch);
    let mut child = sensor().arg("--pcap").arg(&pipe).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = File::options().write(true).open(&pipe).unwrap();
    let all = pcap(3);
    // In pieces, with silence before the first and between them.
    for piece in all.chunks(all.len() / 2) {
        thread::sleep(Duration::from_millis(120));
        input.write_all(piece).unwrap();
    }
    drop(input);
    let records = io::read_to_string(child.stdout.take().unwrap()).unwrap();
    assert_eq!((records.lines().count(), wait(&mut child)), (3, 0));
}

#[test]
fn a_signal_ends_the_wait_for_somebody_who_writes_to_a_named_pipe() {
    for workers in ["1", "2"] {
        let scratch = Scratch::new();
        let pipe = fifo(&scratch);
        let mut command = sensor();
        let mut child = command.arg("--pcap").arg(&pipe).args(["--numprocs", workers]).spawn().unwrap();
        let is_open = (0..1000).any(|_| {
            thread::sleep(Duration::from_millis(10));
            has_open(child.id(), &pipe)
        });
        assert!(is_open && child.try_wait().unwrap().is_none(), "it waits, and not for the pipe to be opened");
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        assert_eq!(wait(&mut child), 0);
    }
}

/// Whether a process has a file open.
fn has_open(process: u32, path: &Path) -> bool {
    let files = fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    files.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|open| open == path))
}

fn fifo(scratch: &Scratch) -> PathBuf {
    let path = scratch.path("pipe");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    path
}

/// A second handle of a pipe's end.
trait TryCloneReader {
    fn try_clone_reader(&self) -> File;
}

impl TryCloneReader for std::process::ChildStdout {
    fn try_clone_reader(&self) -> File {
        use std::os::fd::AsFd;
        File::from(self.as_fd().try_clone_to_owned().unwrap())
    }
}
