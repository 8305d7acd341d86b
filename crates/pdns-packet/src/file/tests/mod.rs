//! Files byte by byte, and what they come to.

mod pcap;
mod pcapng;
mod properties;

use super::{FileError, Framer, MAX_LENGTH, Step};
use crate::time::Timestamp;

/// A frame and everything a step tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Framed {
    nanos: i64,
    wire_len: u32,
    link: u16,
    data: Vec<u8>,
}

/// The frames of a file of which every read delivers `chunk` bytes, and how it ends. Checks what [`Step`] promises.
fn frames(file: &[u8], chunk: usize) -> (Vec<Framed>, Result<(), FileError>) {
    let mut framer = Framer::new();
    let mut found = Vec::new();
    let (mut start, mut end) = (0, 0);
    loop {
        let buffer = &file[start..end];
        assert_eq!(framer.offset(), start as u64);
        let consumed = match framer.next(buffer) {
            Err(error) => return (found, Err(error)),
            Ok(Step::Need { bytes }) => {
                assert!(bytes > buffer.len(), "{bytes} bytes of {} do not need reading", buffer.len());
                assert!(bytes <= MAX_LENGTH as usize + (1 << 16));
                if end == file.len() {
                    return (found, framer.finish(buffer));
                }
                end = file.len().min(end + chunk);
                continue;
            }
            Ok(Step::Skip { consumed }) => consumed,
            Ok(Step::Frame { time, wire_len, link, data, consumed }) => {
                assert!(data.end <= consumed && wire_len as usize >= data.len());
                found.push(Framed { nanos: time.nanos(), wire_len, link, data: buffer[data].to_vec() });
                consumed
            }
        };
        assert!(consumed > 0 && consumed <= buffer.len());
        start += consumed;
    }
}

/// The frames of a file that has no fault.
fn good(file: &[u8]) -> Vec<Framed> {
    let (found, end) = frames(file, usize::MAX / 2);
    assert_eq!(end, Ok(()));
    found
}

/// What is wrong with a file, after how many good frames.
fn fault(file: &[u8]) -> (usize, FileError) {
    let (found, end) = frames(file, usize::MAX / 2);
    (found.len(), end.unwrap_err())
}

/// Cuts a file at every byte: the frames before the cut come out, and the cut is noticed unless it falls on one of `ends`.
fn cut_everywhere(file: &[u8], ends: &[usize]) {
    let whole = good(file);
    for length in 4..file.len() {
        let (found, end) = frames(&file[..length], usize::MAX / 2);
        assert_eq!(found, whole[..found.len()]);
        match end {
            Ok(()) => assert!(ends.contains(&length), "no cut noticed at {length}"),
            Err(cut @ FileError::Cut { offset, need, have }) => {
                assert!(!ends.contains(&length));
                assert_eq!((cut.offset(), offset + have), (length as u64, length as u64));
                assert!(need > have);
            }
            Err(error) => panic!("cut at {length}: {error}"),
        }
    }
}

#[test]
fn what_is_no_capture_says_so() {
    assert_eq!(fault(b""), (0, FileError::Empty));
    assert_eq!(fault(b"abc"), (0, FileError::TooShort { length: 3 }));
    let (_, error) = fault(b"GET / HTTP/1.1");
    assert_eq!(error.to_string(), "not a capture: begins with 47 45 54 20, which is neither pcap nor pcapng");
}
