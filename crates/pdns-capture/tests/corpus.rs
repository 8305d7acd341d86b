//! Every capture of the shared corpus: how many frames tshark finds in it, and when it says they were captured.
//!
//! The corpus is looked for in `PDNS_CORPUS`, or beside the workspace as `../shared/corpus`; without it the test says so and
//! passes.

use std::fs;
use std::path::{Path, PathBuf};

use pdns_capture::{CaptureFile, ReadError};
use pdns_packet::file::{Framer, Step};

#[test]
fn frames_and_times_are_those_tshark_finds() {
    let Some((corpus, manifest)) = corpus() else { return };
    let mut lines = manifest.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let columns = lines.next().unwrap();
    let [path, packets, features] =
        ["path", "packets", "features"].map(|name| columns.iter().position(|column| *column == name).unwrap());
    let mut captures = 0;
    let mut timed = 0;
    for line in lines {
        let name = line[path];
        let (times, cut) = times(&corpus.join(name));
        assert_eq!(cut, line[features].split(' ').any(|feature| feature == "pcap-truncated-file"), "cut of {name}");
        assert_eq!(times.len().to_string(), line[packets], "frames in {name}");
        let oracle = corpus.join("oracle").join(format!("{}.tsv", name.replace('/', "__")));
        for (frame, nanos) in oracle_times(&oracle) {
            assert_eq!(times[frame - 1], nanos, "time of frame {frame} in {name}");
            timed += 1;
        }
        captures += 1;
    }
    assert!(captures >= 280 && timed > 5000, "{captures} captures, {timed} times");
}

/// libpcap as the second oracle: every frame's bytes and lengths, and in pcap files the time. It stops at a
/// second link type, and gives frames without a time another one.
#[test]
fn frames_are_those_libpcap_reads() {
    let Some((corpus, manifest)) = corpus() else { return };
    let mut captures = 0;
    for name in manifest.lines().skip(1).filter_map(|line| line.split('\t').next()) {
        let path = corpus.join(name);
        let Ok(mut theirs) = pcap::Capture::from_file_with_precision(&path, pcap::Precision::Nano) else { continue };
        let mut ours = CaptureFile::open(&path).unwrap();
        let pcapng = fs::read(&path).unwrap().starts_with(b"\n\r\r\n");
        let end = loop {
            let packet = match theirs.next_packet() {
                Ok(packet) => packet,
                Err(end) => break end,
            };
            let frame = ours.next().unwrap().unwrap();
            let header = packet.header;
            assert_eq!((frame.data, frame.wire_len), (packet.data, header.len.max(header.caplen)), "{name}");
            if !pcapng {
                // It takes the seconds as signed, and the years from 2038 on for those before 1970.
                let seconds = i64::from(header.ts.tv_sec as u32);
                assert_eq!(frame.time.nanos(), seconds * 1_000_000_000 + header.ts.tv_usec, "{name}");
            }
        };
        let whole = matches!(end, pcap::Error::NoMorePackets);
        assert!(pcapng || whole != ours.next().is_err(), "{name}: {end}");
        assert!(!whole || ours.next().unwrap().is_none(), "{name}");
        captures += 1;
    }
    assert!(captures > 250, "{captures} captures");
}

/// Reads that deliver a byte at a time change nothing.
#[test]
fn frames_are_the_same_byte_by_byte() {
    let Some((corpus, manifest)) = corpus() else { return };
    for name in manifest.lines().skip(1).filter_map(|line| line.split('\t').next()) {
        let bytes = fs::read(corpus.join(name)).unwrap();
        assert_eq!(steps(&bytes, bytes.len()), steps(&bytes, 1), "{name}");
    }
}

/// The frames that are found when a read delivers `chunk` bytes, and where in the file they are.
fn steps(bytes: &[u8], chunk: usize) -> Vec<(i64, u32, u16, usize, usize)> {
    let mut framer = Framer::new();
    let (mut start, mut end) = (0, 0);
    let mut frames = Vec::new();
    loop {
        match framer.next(&bytes[start..end]).unwrap() {
            Step::Need { .. } if end == bytes.len() => return frames,
            Step::Need { .. } => end = bytes.len().min(end + chunk),
            Step::Skip { consumed } => start += consumed,
            Step::Frame { time, wire_len, link, data, consumed } => {
                frames.push((time.nanos(), wire_len, link, start + data.start, start + data.end));
                start += consumed;
            }
        }
    }
}

/// The corpus and its manifest.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn corpus() -> Option<(PathBuf, String)> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let corpus = std::env::var_os("PDNS_CORPUS").map_or_else(beside, PathBuf::from);
    if let Ok(manifest) = fs::read_to_string(corpus.join("MANIFEST.tsv")) {
        return Some((corpus, manifest));
    }
    println!("skipped: no corpus at {}", corpus.display());
    None
}

/// When the frames of a file were captured, and whether the last one is cut.
fn times(path: &Path) -> (Vec<i64>, bool) {
    let mut file = CaptureFile::open(path).unwrap();
    let mut times = Vec::new();
    let cut = loop {
        match file.next() {
            Ok(Some(frame)) => times.push(frame.time.nanos()),
            Ok(None) => break false,
            Err(ReadError::Cut { offset, .. }) => {
                assert_eq!(Some(offset), file.size());
                break true;
            }
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(Some(file.position()), file.size(), "{}", path.display());
    (times, cut)
}

/// The frame number and time, in nanoseconds, of each message that tshark found.
fn oracle_times(path: &Path) -> Vec<(usize, i64)> {
    let text = fs::read_to_string(path).unwrap();
    let line = |line: &str| {
        let mut fields = line.split('\t');
        let frame = fields.next().unwrap().parse().unwrap();
        let (seconds, fraction) = fields.next().unwrap().split_once('.').unwrap();
        (frame, seconds.parse::<i64>().unwrap() * 1_000_000_000 + format!("{fraction:0<9}").parse::<i64>().unwrap())
    };
    text.lines().skip(1).map(line).collect()
}
