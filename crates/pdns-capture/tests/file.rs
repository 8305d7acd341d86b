//! Capture files as they are met: compressed, cut, damaged, or coming through a pipe.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flate2::write::GzEncoder;
use pdns_capture::{CaptureFile, Compression, OpenError, ReadError};
use pdns_packet::file::FileError;
use proptest::prelude::*;
use tempfile::TempDir;

/// A pcap file of a frame for each of these lengths.
fn pcap(lengths: &[usize]) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 1, 0, 0, 0];
    for (index, length) in lengths.iter().enumerate() {
        for word in [index, 0, *length, *length + 1] {
            file.extend((word as u32).to_le_bytes());
        }
        file.extend((0..*length).map(|at| (at * 7 + index) as u8));
    }
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// A file's bytes on disk.
struct Disk {
    directory: TempDir,
}

impl Disk {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn write(&self, bytes: &[u8]) -> PathBuf {
        let path = self.directory.path().join("x.pcap");
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The frames of a file with these bytes, and how it ends.
    fn read(&self, bytes: &[u8]) -> Result<(Vec<Vec<u8>>, Option<ReadError>), OpenError> {
        let mut file = CaptureFile::open(&self.write(bytes))?;
        let mut frames = Vec::new();
        loop {
            match file.next() {
                Ok(Some(frame)) => {
                    assert!(frame.wire_len as usize >= frame.data.len());
                    frames.push(frame.data.to_vec());
                }
                Ok(None) => return Ok((frames, None)),
                Err(error) => {
                    assert!(file.next().unwrap().is_none(), "nothing follows an error");
                    return Ok((frames, Some(error)));
                }
            }
        }
    }
}

fn message(bytes: &[u8]) -> String {
    let disk = Disk::new();
    let text = match disk.read(bytes) {
        Ok((_, error)) => error.unwrap().to_string(),
        Err(error) => error.to_string(),
    };
    let name = format!("{}: ", disk.directory.path().join("x.pcap").display());
    text.strip_prefix(&name).expect("an error names its file").to_owned()
}

#[test]
fn compression_makes_no_difference() {
    let disk = Disk::new();
    let plain = pcap(&[60, 0, 1500, 300_000, 3, 70_000]);
    let (head, tail) = plain.split_at(400);
    let skippable = [&[0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3][..], &zstd(&plain)].concat();
    let (expected, end) = disk.read(&plain).unwrap();
    assert!(end.is_none() && expected.len() == 6 && expected[3].len() == 300_000);
    for (compression, bytes) in [
        (None, plain.clone()),
        (Some(Compression::Gzip), gzip(&plain)),
        (Some(Compression::Gzip), [gzip(head), gzip(b""), gzip(tail)].concat()),
        (Some(Compression::Zstd), zstd(&plain)),
        (Some(Compression::Zstd), [zstd(head), zstd(b""), zstd(tail)].concat()),
        (Some(Compression::Zstd), skippable),
    ] {
        let (frames, end) = disk.read(&bytes).unwrap();
        assert!(frames == expected && end.is_none(), "{compression:?} {end:?}");
        let mut file = CaptureFile::open(&disk.write(&bytes)).unwrap();
        while file.next().unwrap().is_some() {}
        assert_eq!(file.compression(), compression);
        assert_eq!((file.position(), file.size()), (bytes.len() as u64, Some(bytes.len() as u64)));
        assert_eq!(file.offset(), plain.len() as u64);
        assert_eq!(file.links().collect::<Vec<_>>(), [1]);
    }
}

#[test]
fn a_plain_file_cut_anywhere_gives_the_frames_before() {
    let disk = Disk::new();
    let plain = pcap(&[3, 0, 17]);
    let (whole, _) = disk.read(&plain).unwrap();
    for length in 4..plain.len() {
        let (frames, error) = match disk.read(&plain[..length]) {
            Ok(read) => read,
            Err(OpenError::Read(error)) => (Vec::new(), Some(error)),
            Err(error) => panic!("{length}: {error}"),
        };
        assert_eq!(frames, whole[..[43, 59].iter().filter(|end| **end <= length).count()]);
        match error {
            None => assert!([24, 43, 59].contains(&length)),
            Some(ReadError::Cut { offset, compression: None, .. }) => assert_eq!(offset, length as u64),
            Some(error) => panic!("{length}: {error}"),
        }
    }
}

#[test]
fn compressed_data_cut_anywhere_gives_the_frames_before() {
    let disk = Disk::new();
    let plain = pcap(&[300; 40]);
    let (whole, _) = disk.read(&plain).unwrap();
    // zstd hands out whole blocks, so it gets several; they part within a frame.
    let blocks: Vec<_> = plain.chunks(1000).map(zstd).collect();
    let ends = blocks.iter().scan(0, |end, block| {
        *end += block.len();
        Some(*end)
    });
    let ends: Vec<_> = ends.collect();
    for (compression, bytes) in [(Compression::Gzip, gzip(&plain)), (Compression::Zstd, blocks.concat())] {
        let mut most = 0;
        for length in 4..bytes.len() {
            let (frames, error) = match disk.read(&bytes[..length]) {
                Ok((frames, error)) => (frames, error.unwrap()),
                Err(OpenError::Read(error)) => (Vec::new(), error),
                Err(error) => panic!("{length}: {error}"),
            };
            assert_eq!(frames, whole[..frames.len()]);
            most = most.max(frames.len());
            let ReadError::Cut { offset, compression: found, .. } = error else { panic!("{length}: {error}") };
            let between = compression == Compression::Zstd && ends.contains(&length);
            assert_eq!(found, (!between).then_some(compression));
            let framed = if frames.is_empty() { 0 } else { 24 + 316 * frames.len() as u64 };
            assert!(offset >= framed && offset < framed + 316 + 24, "{length}: {offset}");
        }
        assert!(most >= 36, "{compression}: only {most} frames ever came out");
    }
}

#[test]
fn what_cannot_be_opened_is_said_in_a_line() {
    assert_eq!(message(b""), "not a capture: empty");
    assert_eq!(message(&gzip(b"")), "not a capture: empty");
    assert_eq!(message(&zstd(b"")), "not a capture: empty");
    assert_eq!(message(b"ab"), "not a capture: only 2 bytes long");
    assert_eq!(message(b"hello"), "not a capture: begins with 68 65 6c 6c, which is neither pcap nor pcapng");
    assert_eq!(message(&gzip(b"hello")), message(b"hello"));
    assert_eq!(message(&pcap(&[])[..10]), "cut at byte 10, within a frame or header");

    let missing = CaptureFile::open(Path::new("/nonexistent/x.pcap")).unwrap_err();
    assert_eq!(missing.to_string(), "/nonexistent/x.pcap: No such file or directory (os error 2)");
    let directory = CaptureFile::open(Path::new("/")).unwrap_err();
    assert_eq!(directory.to_string(), "/: is a directory, not a capture");
    // Its first page is never mapped, so reading it fails.
    let unreadable = CaptureFile::open(Path::new("/proc/self/mem")).unwrap_err();
    assert!(matches!(&unreadable, OpenError::Open { path, .. } if path == Path::new("/proc/self/mem")), "{unreadable}");
}

#[test]
fn damage_is_said_with_its_byte() {
    let mut long = pcap(&[5, 5]);
    long[24 + 16 + 5 + 8 + 3] = 0x7f;
    assert_eq!(message(&long), "damaged at byte 45: a length of 2130706437 bytes, more than 16777216");
    let error = Disk::new().read(&long).unwrap().1.unwrap();
    assert!(matches!(error, ReadError::Damaged { reason: FileError::TooLong { offset: 45, .. }, .. }));

    let plain = pcap(&[5, 5]);
    assert_eq!(message(&plain[..60]), "cut at byte 60, within a frame or header");
    let mut checksum = gzip(&plain);
    let at = checksum.len() - 8;
    checksum[at] ^= 1;
    let (frames, error) = Disk::new().read(&checksum).unwrap();
    assert_eq!(frames.len(), 2);
    assert!(matches!(error, Some(ReadError::Corrupt { compression: Compression::Gzip, offset: 66, .. })), "{error:?}");
    assert!(message(&checksum).starts_with("the gzip data is damaged after byte 66 of its content: "));
}

#[test]
fn an_unsupported_link_type_is_named() {
    let disk = Disk::new();
    let file = CaptureFile::open(&disk.write(&pcap(&[]))).unwrap();
    let prefix = format!("{}: frames of link type ", file.path().display());
    assert_eq!(file.unsupported(195).to_string(), format!("{prefix}195 (IEEE802_15_4) cannot be decoded"));
    assert_eq!(file.unsupported(65_000).to_string(), format!("{prefix}65000 cannot be decoded"));
}

/// Not a test by itself: the program that [`a_slow_pipe_delivers_frames_as_they_arrive`] writes to.
#[test]
fn child() {
    if env::var_os(CHILD).is_none() {
        return;
    }
    let mut file = CaptureFile::open(Path::new("-")).unwrap();
    assert_eq!((file.size(), file.path()), (None, Path::new("standard input")));
    loop {
        match file.next() {
            Ok(Some(frame)) => println!("frame {}", frame.data.len()),
            Ok(None) => break,
            Err(error) => println!("error {error}"),
        }
    }
}

#[test]
fn a_slow_pipe_delivers_frames_as_they_arrive() {
    let lengths = [5, 0, 300_000, 7];
    let plain = pcap(&lengths);
    for bytes in [plain.clone(), flushed_gzip(&lengths)] {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(CHILD, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap)
            .filter_map(|line| line.find("frame ").or_else(|| line.find("error ")).map(|at| line[at..].to_owned()));
        // Two bytes at a time, then the first frame must come out although the pipe is still open.
        let (first, rest) = bytes.split_at(bytes.len().min(first_frame_end(&bytes, &plain)));
        for piece in first.chunks(2) {
            stdin.write_all(piece).unwrap();
        }
        assert_eq!(lines.next().unwrap(), "frame 5");
        stdin.write_all(rest).unwrap();
        for length in &lengths[1..] {
            assert_eq!(lines.next().unwrap(), format!("frame {length}"));
        }
        drop(stdin);
        assert_eq!(lines.next(), None);
        assert!(child.wait().unwrap().success());
    }
}

/// gzip data that was flushed after the first frame, as a program does that compresses live.
fn flushed_gzip(lengths: &[usize]) -> Vec<u8> {
    let plain = pcap(lengths);
    let (first, rest) = plain.split_at(45);
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(first).unwrap();
    encoder.flush().unwrap();
    encoder.write_all(rest).unwrap();
    encoder.finish().unwrap()
}

/// Where in the bytes on disk the first frame, of five bytes, is complete.
fn first_frame_end(bytes: &[u8], plain: &[u8]) -> usize {
    if bytes == plain {
        return 45;
    }
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&plain[..45]).unwrap();
    encoder.flush().unwrap();
    encoder.get_ref().len()
}

proptest! {
    #[test]
    fn damaged_compressed_data_ends(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        compressed in prop::sample::select(vec![gzip(&pcap(&[90; 9])), zstd(&pcap(&[90; 9]))]),
    ) {
        let mut bytes = compressed;
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        match Disk::new().read(&bytes) {
            Ok((frames, _)) => prop_assert!(frames.len() <= 1000),
            Err(error) => prop_assert!(error.to_string().lines().count() == 1),
        }
    }
}

const CHILD: &str = "PDNS_TEST_CHILD";
