//! Messages of the Forward protocol, version 1.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use rmp::Marker;
use rmp::decode::{read_map_len, read_marker, read_str_len};
use rmp::encode::{write_array_len, write_bin_len, write_map_len, write_str, write_uint};

use crate::RecordId;

/// The most that an answer may have: a map with the chunk's name, which is ours.
pub(super) const MAX_ANSWER: usize = 1024;

/// The name of a chunk: 128 bits in base64, as the protocol has it. The records' ids never repeat, and so the name does
/// not.
pub(super) fn chunk_name(first: RecordId) -> String {
    STANDARD.encode(first.to_bytes())
}

/// Writes a message of mode PackedForward, or CompressedPackedForward, to `out`: `[tag, entries, options]`.
///
/// # Errors
/// The entries are longer than the protocol can say: 4 GiB.
pub(super) fn compose(
    tag: &str,
    entries: &[u8],
    records: u64,
    chunk: &str,
    gzip: bool,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    write_array_len(out, 3)?;
    write_str(out, tag)?;
    if gzip {
        let packed = compressed(entries)?;
        write_bin(out, &packed)?;
    } else {
        write_bin(out, entries)?;
    }
    write_map_len(out, 2 + u32::from(gzip))?;
    write_str(out, "size")?;
    write_uint(out, records)?;
    write_str(out, "chunk")?;
    write_str(out, chunk)?;
    if gzip {
        write_str(out, "compressed")?;
        write_str(out, "gzip")?;
    }
    Ok(())
}

/// What the beginning of an answer says: `{"ack": CHUNK}`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer<'a> {
    /// The chunk of this name was taken.
    Acknowledged(&'a str),
    /// The answer has not come to its end yet.
    Incomplete,
    /// It is something else.
    Unexpected,
}

/// Reads an answer.
pub(super) fn parse(bytes: &[u8]) -> Answer<'_> {
    match fields(bytes) {
        Ok(Some(chunk)) => Answer::Acknowledged(chunk),
        Ok(None) => Answer::Unexpected,
        Err(Incomplete) => Answer::Incomplete,
    }
}

/// There are too few bytes so far.
struct Incomplete;

fn fields(mut bytes: &[u8]) -> Result<Option<&str>, Incomplete> {
    let mut chunk = None;
    let Some(count) = known(read_map_len(&mut bytes), is_end)? else { return Ok(None) };
    for _ in 0..count {
        let (Some(name), Some(value)) = (text(&mut bytes)?, text(&mut bytes)?) else { return Ok(None) };
        if name == "ack" {
            chunk = Some(value);
        }
    }
    Ok(chunk)
}

/// A string; `None` when there is something else.
fn text<'a>(bytes: &mut &'a [u8]) -> Result<Option<&'a str>, Incomplete> {
    let mut ahead = *bytes;
    match read_marker(&mut ahead) {
        Err(_) => return Err(Incomplete),
        Ok(Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32) => {}
        Ok(_) => return Ok(None),
    }
    let Ok(length) = read_str_len(bytes) else { return Err(Incomplete) };
    let (text, rest) = bytes.split_at_checked(length as usize).ok_or(Incomplete)?;
    *bytes = rest;
    Ok(str::from_utf8(text).ok())
}

fn known<T, E>(result: Result<T, E>, is_end: impl Fn(&E) -> bool) -> Result<Option<T>, Incomplete> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_end(&error) => Err(Incomplete),
        Err(_) => Ok(None),
    }
}

/// Whether reading came to the end of what there is.
fn is_end<E: rmp::decode::RmpReadErr>(error: &rmp::decode::ValueReadError<E>) -> bool {
    !matches!(error, rmp::decode::ValueReadError::TypeMismatch(_))
}

fn write_bin(out: &mut Vec<u8>, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a chunk of more than 4 GiB"))?;
    write_bin_len(out, length)?;
    out.extend_from_slice(bytes);
    Ok(())
}

fn compressed(entries: &[u8]) -> io::Result<Vec<u8>> {
    // Records repeat so much that higher levels take several times as long for a few percent.
    let mut encoder = GzEncoder::new(Vec::with_capacity(entries.len() / 4), Compression::fast());
    encoder.write_all(entries)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    const ENTRY: &[u8] = b"\x92\xd7\x00\0\0\0\x01\0\0\0\x02\x80";

    fn composed(gzip: bool) -> Vec<u8> {
        let mut out = Vec::new();
        compose("ns1.service", ENTRY, 1, "abc", gzip, &mut out).unwrap();
        out
    }

    #[test]
    fn a_message_is_tag_entries_and_options() {
        let mut expected = b"\x93\xabns1.service\xc4\x0c".to_vec();
        expected.extend_from_slice(ENTRY);
        expected.extend_from_slice(b"\x82\xa4size\x01\xa5chunk\xa3abc");
        assert_eq!(composed(false), expected);
    }

    #[test]
    fn compressed_entries_say_so() {
        let message = composed(true);
        let body = message.strip_prefix(b"\x93\xabns1.service\xc4").unwrap();
        let (packed, options) = body[1..].split_at(body[0] as usize);
        let mut entries = Vec::new();
        GzDecoder::new(packed).read_to_end(&mut entries).unwrap();
        assert_eq!(entries, ENTRY);
        assert_eq!(options, b"\x83\xa4size\x01\xa5chunk\xa3abc\xaacompressed\xa4gzip");
    }

    #[test]
    fn names_of_chunks_are_128_bits() {
        assert_eq!(chunk_name(RecordId::first(1, 2)), "AAAAAAAAAAEAAgAAAAAAAA==");
    }

    #[test]
    fn an_acknowledgement_is_read_however_it_comes() {
        let answer = b"\x82\xa4more\xa1x\xa3ack\xd9\x03abc";
        assert_eq!(parse(answer), Answer::Acknowledged("abc"));
        for end in 0..answer.len() {
            assert_eq!(parse(&answer[..end]), Answer::Incomplete, "{end} bytes");
        }
    }

    #[test]
    fn anything_else_is_unexpected() {
        for answer in
            [b"HTTP/1.1 400".as_slice(), b"\x81\xa3ack\x05", b"\x81\xa3nak\xa1x", b"\x81\xa3ack\xa1\xff", b"\xc0"]
        {
            assert_eq!(parse(answer), Answer::Unexpected, "{answer:?}");
        }
    }
}
