//! Every capture of the shared corpus: how many frames tshark finds in it, and when it says they were captured.
//!
//! The corpus is looked for in `PDNS_CORPUS`, or beside the workspace as `../shared/corpus`; without it the test says so and
//! passes.

use std::fs;
use std::path::{Path, PathBuf};

use pdns_capture::{CaptureFile, ReadError};

#[test]
fn frames_and_times_are_those_tshark_finds() {
    let Some(corpus) = corpus() else { return };
    let manifest = fs::read_to_string(corpus.join("MANIFEST.tsv")).unwrap();
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

#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn corpus() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let corpus = std::env::var_os("PDNS_CORPUS").map_or_else(beside, PathBuf::from);
    if corpus.join("MANIFEST.tsv").is_file() {
        return Some(corpus);
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
