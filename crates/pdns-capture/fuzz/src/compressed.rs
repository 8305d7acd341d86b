//! Capture files as they are read from disk, compressed or not.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use flate2::write::GzEncoder;
use pdns_capture::{CaptureFile, Compression, Frame, OpenError, ReadError};
use pdns_fuzz::{Input, Target, heap, seeds};
use pdns_packet::time::Timestamp;
use rustix::fs::{MemfdFlags, memfd_create};

/// Files of any bytes, and captures in gzip and zstd, whole or damaged: frames are those of the plain file.
pub const COMPRESSED: Target = Target { name: "compressed", check, seeds: files, mutations: 2000 };

/// What a reader and its decompressor take besides what a file has: two buffers, tables, and libzstd's own memory, which is
/// not counted.
const READER: usize = 1 << 20;

/// How the bytes come: as they are; in gzip or zstd, in one part or two. Where in the compressed bytes there is damage, and
/// which; then the bytes.
fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let (kind, parts) = (input.below(3), 1 + input.below(2));
    let (at, damage) = (usize::from(input.word()), input.byte());
    let plain = input.rest();
    let whole = read(plain, false);
    let exchanged = read(plain, true);
    assert_eq!((&exchanged.frames, &exchanged.ended), (&whole.frames, &whole.ended));
    // What is compressed twice is taken out once.
    if matches!(plain, [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]) {
        return;
    }
    let (compressed, compression) = match kind {
        0 => return,
        1 => (gzip(plain, parts), Compression::Gzip),
        _ => (zstd(plain, parts), Compression::Zstd),
    };
    let found = read(&compressed, false);
    assert_eq!(found.frames, whole.frames);
    assert_eq!(found.ended.as_ref().err(), whole.ended.as_ref().err());
    if found.is_capture {
        assert_eq!(found.compression, Some(compression));
    }
    if damage > 0 {
        let mut damaged = compressed;
        let at = at % damaged.len();
        match damage {
            1 => damaged.truncate(at),
            damage => damaged[at] ^= damage,
        }
        read(&damaged, true);
    }
}

/// A frame that is kept: time, length on the wire, link type, bytes.
type OwnFrame = (Timestamp, u32, u16, Vec<u8>);

/// What a file gave.
#[derive(Debug)]
struct Content {
    is_capture: bool,
    compression: Option<Compression>,
    frames: Vec<OwnFrame>,
    /// The end, or the place and kind of what is wrong.
    ended: Result<(), String>,
}

/// Reads a file to its end; `exchanges`: in another buffer for each frame, and first without reading.
fn read(bytes: &[u8], exchanges: bool) -> Content {
    let (_file, path) = file(bytes);
    let mut content = Content { is_capture: false, compression: None, frames: Vec::new(), ended: Ok(()) };
    let mut file = match heap::bounded(READER + 4 * bytes.len(), || CaptureFile::open(&path)) {
        Ok(file) => file,
        Err(error) => {
            content.ended = Err(open_error(&error));
            return content;
        }
    };
    content.is_capture = true;
    content.compression = file.compression();
    assert_eq!(file.size(), Some(bytes.len() as u64));
    let (mut made, mut other) = (0, Vec::new());
    loop {
        // A frame's memory grows with what there is of it, to twice that.
        let room = READER + 4 * bytes.len() + if content.compression.is_some() { 64 << 20 } else { 0 };
        if exchanges {
            file.exchange_buffer(&mut other);
        }
        match heap::bounded(room, || next(&mut file, exchanges)) {
            Ok(Some(frame)) => {
                made += frame.3.len() as u64;
                assert!(frame.1 as usize >= frame.3.len() && made <= file.offset());
                // Decompressed bytes without end are read as they come and not kept.
                if content.frames.len() < 10_000 {
                    content.frames.push(frame);
                }
            }
            Ok(None) => break,
            Err(error) => {
                assert!(matches!(file.next(), Ok(None)), "an end after an error");
                content.ended = Err(read_error(&error));
                break;
            }
        }
        assert!(file.position() <= bytes.len() as u64);
    }
    content
}

fn next(file: &mut CaptureFile, looks_first: bool) -> Result<Option<OwnFrame>, ReadError> {
    if looks_first && let Some(frame) = file.next_buffered()? {
        return Ok(Some(owned(frame)));
    }
    file.next().map(|frame| frame.map(owned))
}

fn owned(frame: Frame<'_>) -> OwnFrame {
    (frame.time, frame.wire_len, frame.link, frame.data.to_vec())
}

fn open_error(error: &OpenError) -> String {
    match error {
        OpenError::NotACapture { reason, .. } => reason.to_string(),
        OpenError::Read(error) => read_error(error),
        other => panic!("{other}"),
    }
}

/// What is wrong and where, without the name of the file.
fn read_error(error: &ReadError) -> String {
    match error {
        ReadError::Cut { offset, .. } => format!("cut at {offset}"),
        ReadError::Damaged { reason, .. } => reason.to_string(),
        ReadError::Corrupt { offset, .. } => format!("corrupt after {offset}"),
        other => panic!("{other}"),
    }
}

/// A file in memory, for as long as it is open.
fn file(bytes: &[u8]) -> (File, PathBuf) {
    let mut file = File::from(memfd_create("capture", MemfdFlags::CLOEXEC).expect("memory"));
    file.write_all(bytes).expect("memory");
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    (file, path)
}

fn gzip(bytes: &[u8], parts: usize) -> Vec<u8> {
    let (first, second) = bytes.split_at(bytes.len() / parts);
    let member = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    };
    [member(first), if parts > 1 { member(second) } else { Vec::new() }].concat()
}

fn zstd(bytes: &[u8], parts: usize) -> Vec<u8> {
    let (first, second) = bytes.split_at(bytes.len() / parts);
    let frame = |bytes: &[u8]| zstd::bulk::compress(bytes, 1).expect("memory");
    [frame(first), if parts > 1 { frame(second) } else { Vec::new() }].concat()
}

fn files() -> Vec<Vec<u8>> {
    let captures = seeds::captures(4 << 10);
    let seed = |(index, capture): (usize, &Vec<u8>)| {
        let head = [index as u8 % 3, index as u8 / 3 % 2, 0, 40, [0, 0, 1, 8][index % 4]];
        [&head[..], capture].concat()
    };
    let mut files: Vec<_> = captures.iter().enumerate().map(seed).collect();
    // Compressed bytes as they are, so that mutations are of them.
    for capture in captures.iter().take(8) {
        files.push([&[0; 5][..], &gzip(capture, 1)].concat());
        files.push([&[0; 5][..], &zstd(capture, 2)].concat());
    }
    files
}
