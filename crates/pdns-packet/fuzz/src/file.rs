//! Container formats.

use pdns_fuzz::{Target, heap, seeds};
use pdns_packet::file::{FileError, Framer, MAX_LENGTH, Step};
use pdns_packet::time::Timestamp;

/// pcap and pcapng: the bytes add up, however they come, and errors name a place in the file.
pub const FILE: Target = Target { name: "file", check, seeds: || seeds::captures(8 << 10), mutations: 50_000 };

/// What is found in a file: time, length on the wire, link type and bytes of each frame, and how it ends.
type Content<'a> = (Vec<(Timestamp, u32, u16, &'a [u8])>, Result<(), FileError>);

fn check(file: &[u8]) {
    let at_once = read(file, usize::MAX);
    for step in [1, 7, 100] {
        assert_eq!(read(file, step), at_once, "in steps of {step} bytes");
    }
}

/// Reads a file of which `step` more bytes come each time that there are too few.
fn read(file: &[u8], step: usize) -> Content<'_> {
    let mut framer = Framer::new();
    let mut frames = Vec::new();
    let (mut at, mut there) = (0, step.min(file.len()));
    let ended = loop {
        let buffer = &file[at..there];
        // A framer holds interfaces and no bytes.
        let next = heap::bounded(4096 + 2 * file.len(), || framer.next(buffer));
        match next {
            Ok(Step::Frame { time, wire_len, link, data, consumed }) => {
                assert!(0 < consumed && data.end <= consumed && consumed <= buffer.len());
                let data = &buffer[data];
                assert!(data.len() <= wire_len as usize);
                frames.push((time, wire_len, link, data));
                at += consumed;
            }
            Ok(Step::Skip { consumed }) => {
                assert!(0 < consumed && consumed <= buffer.len());
                at += consumed;
            }
            Ok(Step::Need { bytes }) => {
                assert!(buffer.len() < bytes && bytes <= MAX_LENGTH as usize + (1 << 16));
                if there == file.len() {
                    break framer.finish(buffer);
                }
                there = there.saturating_add(step).min(file.len());
            }
            Err(error) => break Err(error),
        }
        assert_eq!(framer.offset(), at as u64);
    };
    if let Err(error) = &ended {
        assert!(error.offset() <= file.len() as u64, "{error}");
        assert!(!error.to_string().is_empty());
    } else {
        assert!(at == file.len() && framer.is_capture());
    }
    (frames, ended)
}
