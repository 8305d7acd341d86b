//! pcap's variants.

use super::*;

/// A little-endian header with this magic, version and link type word.
fn header(magic: u32, version: (u16, u16), link: u32) -> Vec<u8> {
    let mut file = magic.to_le_bytes().to_vec();
    file.extend(version.0.to_le_bytes());
    file.extend(version.1.to_le_bytes());
    file.extend([0; 8]);
    file.extend(65_535_u32.to_le_bytes());
    file.extend(link.to_le_bytes());
    file
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn framed(nanos: i64, wire_len: u32, link: u16, data: &[u8]) -> Framed {
    Framed { nanos, wire_len, link, data: data.to_vec() }
}

fn micros_file() -> Vec<u8> {
    let mut file = header(0xa1b2_c3d4, (2, 4), 1);
    file.extend(words(&[1, 2, 3, 60]));
    file.extend(b"abc");
    file.extend(words(&[0xffff_ffff, 1_500_000, 0, 0]));
    file
}

#[test]
fn microseconds_carry_over_and_seconds_are_unsigned() {
    assert_eq!(
        good(&micros_file()),
        [framed(1_000_002_000, 60, 1, b"abc"), framed(4_294_967_296_500_000_000, 0, 1, b"")]
    );
    cut_everywhere(&micros_file(), &[24, 43]);
}

#[test]
fn nanoseconds() {
    let mut file = header(0xa1b2_3c4d, (2, 4), 1);
    file.extend(words(&[1, 2, 1, 1, 0x61]));
    file.truncate(file.len() - 3);
    assert_eq!(good(&file), [framed(1_000_000_002, 1, 1, b"a")]);
}

#[test]
fn the_other_byte_order() {
    let file = [
        0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 113, 0, 0, 0, 1, 0, 0,
        0, 2, 0, 0, 0, 1, 0, 0, 0, 9, b'x',
    ];
    assert_eq!(good(&file), [framed(1_000_002_000, 9, 113, b"x")]);
}

#[test]
fn the_modified_format_has_longer_records() {
    let mut file = header(0xa1b2_cd34, (2, 4), 1);
    file.extend(words(&[1, 2, 2, 2, 7, 0x0008_0000]));
    file.extend(b"hi");
    file.extend(words(&[1, 3, 0, 1, 7, 0]));
    assert_eq!(good(&file), [framed(1_000_002_000, 2, 1, b"hi"), framed(1_000_003_000, 1, 1, b"")]);
    cut_everywhere(&file, &[24, 50]);
}

#[test]
fn frame_check_sequence_bits_are_no_link_type() {
    let file = [header(0xa1b2_c3d4, (2, 4), 0x5400_0001), words(&[1, 0, 0, 0])].concat();
    assert_eq!(good(&file)[0].link, 1);
}

#[test]
fn old_versions_have_the_lengths_the_other_way_round() {
    for (version, lengths) in [((2, 2), [60, 1]), ((543, 0), [60, 1]), ((2, 3), [60, 1]), ((2, 3), [1, 60])] {
        let mut file = header(0xa1b2_c3d4, version, 1);
        file.extend(words(&[1, 2, lengths[0], lengths[1]]));
        file.push(b'a');
        assert_eq!(good(&file), [framed(1_000_002_000, 60, 1, b"a")]);
    }
    let (_, error) = fault(&header(0xa1b2_c3d4, (3, 0), 1));
    assert_eq!(error, FileError::Version { offset: 0, major: 3, minor: 0 });
}

#[test]
fn a_length_that_cannot_be_names_its_record() {
    let mut file = micros_file();
    let offset = file.len() as u64;
    file.extend(words(&[1, 2, MAX_LENGTH + 1, 1]));
    assert_eq!(fault(&file), (2, FileError::TooLong { offset, length: MAX_LENGTH + 1, max: MAX_LENGTH }));
}

#[test]
fn the_longest_frame_is_framed() {
    let mut file = header(0xa1b2_c3d4, (2, 4), 1);
    file.extend(words(&[1, 2, MAX_LENGTH, 1]));
    file.resize(file.len() + MAX_LENGTH as usize, 7);
    let found = good(&file);
    assert_eq!((found[0].data.len(), found[0].wire_len), (MAX_LENGTH as usize, MAX_LENGTH));
}
