//! pcapng's blocks, in both byte orders.

use super::*;

/// Writes blocks in one byte order.
#[derive(Clone, Copy)]
pub(super) struct Writer {
    big: bool,
}

pub(super) const LITTLE: Writer = Writer { big: false };
pub(super) const BIG: Writer = Writer { big: true };

impl Writer {
    pub(super) fn u16(self, value: u16) -> [u8; 2] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub(super) fn u32(self, value: u32) -> [u8; 4] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub(super) fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let mut padded = body.to_vec();
        padded.resize(body.len().next_multiple_of(4), 0);
        let length = self.u32(padded.len() as u32 + 12);
        [&self.u32(kind)[..], &length, &padded, &length].concat()
    }

    pub(super) fn section(self) -> Vec<u8> {
        let body = [&self.u32(0x1a2b_3c4d)[..], &self.u16(1), &self.u16(0), &[0xff; 8]].concat();
        self.block(0x0a0d_0d0a, &body)
    }

    pub(super) fn interface(self, link: u16, snaplen: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = [&self.u16(link)[..], &[0; 2], &self.u32(snaplen)].concat();
        for (code, value) in options {
            body.extend(self.u16(*code));
            body.extend(self.u16(value.len() as u16));
            body.extend(*value);
            body.resize(body.len().next_multiple_of(4), 0);
        }
        self.block(1, &body)
    }

    pub(super) fn enhanced(self, interface: u32, ticks: u64, wire_len: u32, data: &[u8]) -> Vec<u8> {
        let words = [interface, (ticks >> 32) as u32, ticks as u32, data.len() as u32, wire_len];
        let mut body: Vec<u8> = words.iter().flat_map(|word| self.u32(*word)).collect();
        body.extend(data);
        self.block(6, &body)
    }

    pub(super) fn simple(self, wire_len: u32, data: &[u8]) -> Vec<u8> {
        self.block(3, &[&self.u32(wire_len)[..], data].concat())
    }
}

/// The time of one frame at `ticks` of an interface with these options.
fn nanos(w: Writer, ticks: u64, options: &[(u16, &[u8])]) -> i64 {
    let file = [w.section(), w.interface(1, 0, options), w.enhanced(0, ticks, 1, b"a")].concat();
    good(&file)[0].nanos
}

/// One section with blocks of every kind.
pub(super) fn all_kinds(w: Writer) -> Vec<Vec<u8>> {
    let obsolete = [&w.u16(1)[..], &w.u16(9), &w.u32(0), &w.u32(7), &w.u32(2), &w.u32(3), b"ob"].concat();
    vec![
        w.section(),
        w.simple_interface(),
        w.block(4, b"\0\0\0\0"),
        w.interface(113, 0, &[(9, &[9]), (0, b"")]),
        w.enhanced(1, 5, 100, b"hello"),
        w.block(2, &obsolete),
        w.simple(6, b"abcd"),
        w.block(5, &[0; 12]),
        w.block(10, b"secret.."),
        w.block(0xbad, b"custom"),
        w.block(0x4000_0bad, b""),
        w.enhanced(0, 1, 1, b"z"),
    ]
}

impl Writer {
    fn simple_interface(self) -> Vec<u8> {
        self.interface(1, 4, &[])
    }
}

#[test]
fn every_kind_of_block_in_both_byte_orders() {
    let expected = [(5, 100, 113, &b"hello"[..]), (7, 3, 113, b"ob"), (7, 6, 1, b"abcd"), (1000, 1, 1, b"z")];
    let expected = expected.map(|(nanos, wire_len, link, data)| Framed { nanos, wire_len, link, data: data.to_vec() });
    for w in [LITTLE, BIG] {
        let blocks = all_kinds(w);
        let file = blocks.concat();
        assert_eq!(good(&file), expected);
        let ends = blocks.iter().scan(0, |end, block| {
            *end += block.len();
            Some(*end)
        });
        cut_everywhere(&file, &ends.collect::<Vec<_>>());
    }
}

#[test]
fn a_section_has_its_own_byte_order_and_interfaces() {
    let first = [LITTLE.section(), LITTLE.interface(1, 0, &[]), LITTLE.enhanced(0, 1, 1, b"a")].concat();
    let second = [BIG.section(), BIG.interface(0, 0, &[]), BIG.enhanced(0, 2, 1, b"b")].concat();
    let found = good(&[first.clone(), second, first].concat());
    assert_eq!(
        found.iter().map(|frame| (frame.nanos, frame.link)).collect::<Vec<_>>(),
        [(1000, 1), (2000, 0), (1000, 1)]
    );

    let orphan = [LITTLE.section(), LITTLE.interface(1, 0, &[]), BIG.section(), BIG.enhanced(0, 2, 1, b"b")].concat();
    assert_eq!(fault(&orphan), (0, FileError::Interface { offset: 76, interface: 0, known: 0 }));
}

#[test]
fn resolutions_of_ten_and_two() {
    for w in [LITTLE, BIG] {
        assert_eq!(nanos(w, 1_600_000_000_123_456, &[]), 1_600_000_000_123_456_000);
        assert_eq!(nanos(w, 3, &[(9, &[0])]), 3_000_000_000);
        assert_eq!(nanos(w, 1_600_000_000_123_456_789, &[(9, &[9])]), 1_600_000_000_123_456_789);
        assert_eq!(nanos(w, 12_345, &[(9, &[12])]), 12);
        assert_eq!(nanos(w, 3 << 19, &[(9, &[0x94])]), 1_500_000_000);
        assert_eq!(nanos(w, u64::MAX, &[(9, &[0xc0])]), 999_999_999);
    }
}

#[test]
fn no_resolution_or_offset_overflows() {
    for resolution in 0..=255 {
        for offset in [0, 1, -1, i64::MAX, i64::MIN] {
            for ticks in [0, 1, u64::MAX] {
                let found = nanos(LITTLE, ticks, &[(9, &[resolution]), (14, &offset.to_le_bytes())]);
                let expected = match offset {
                    i64::MAX => i64::MAX,
                    i64::MIN if ticks < 2 => i64::MIN,
                    _ if ticks == 0 => offset * 1_000_000_000,
                    _ => continue,
                };
                assert_eq!(found, expected, "{resolution} {offset} {ticks}");
            }
        }
    }
    assert_eq!(nanos(LITTLE, u64::MAX, &[]), i64::MAX);
    assert_eq!(nanos(LITTLE, u64::MAX, &[(9, &[28])]), 1);
    assert_eq!(nanos(LITTLE, u64::MAX, &[(9, &[29])]), 0);
    assert_eq!(nanos(LITTLE, u64::MAX, &[(9, &[0xff])]), 0);
}

#[test]
fn offsets_are_whole_seconds() {
    assert_eq!(nanos(BIG, 5, &[(14, &(-2_i64).to_be_bytes())]), -1_999_995_000);
    assert_eq!(nanos(LITTLE, 5, &[(14, &7_i64.to_le_bytes()), (9, &[9])]), 7_000_000_005);
}

#[test]
fn options_that_lie_are_passed_over() {
    // Wrong lengths for what they are.
    assert_eq!(nanos(LITTLE, 5, &[(9, &[9, 9]), (14, &[1, 2])]), 5000);
    // What follows the end does not count.
    assert_eq!(nanos(LITTLE, 5, &[(0, b""), (9, &[9])]), 5000);
    // A length that reaches past the block ends them; those before it hold.
    let mut body = vec![1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0, 14, 0, 0xff, 0xff, 1, 1, 1, 1];
    let file = |body: &[u8]| [LITTLE.section(), LITTLE.block(1, body), LITTLE.enhanced(0, 5, 1, b"a")].concat();
    assert_eq!(good(&file(&body))[0].nanos, 5);
    body.truncate(18);
    assert_eq!(good(&file(&body))[0].nanos, 5);
}

#[test]
fn a_simple_packet_is_cut_by_the_snap_length() {
    let head = [LITTLE.section(), LITTLE.interface(1, 3, &[])].concat();
    let found = good(&[head.clone(), LITTLE.simple(60, b"abc"), LITTLE.simple(2, b"ab")].concat());
    assert_eq!(
        found.iter().map(|frame| (frame.wire_len, &frame.data[..])).collect::<Vec<_>>(),
        [(60, &b"abc"[..]), (2, b"ab")]
    );
    assert_eq!(found[0].nanos, 0);

    let unlimited = [LITTLE.section(), LITTLE.interface(1, 0, &[]), LITTLE.simple(60, b"abc")].concat();
    assert_eq!(fault(&unlimited), (0, FileError::Data { offset: 48, length: 60, room: 4 }));
}

#[test]
fn lengths_that_contradict_name_their_byte() {
    let head = [LITTLE.section(), LITTLE.interface(1, 0, &[]), LITTLE.enhanced(0, 1, 1, b"a")].concat();
    let at = head.len();
    let offset = at as u64;
    let with = |block: &[u8]| fault(&[&head[..], block].concat());

    for kind in [6, 77] {
        let mut block = LITTLE.block(kind, &[0; 20]);
        block[28] = 36;
        let trailer = FileError::Trailer { offset: offset + 28, leading: 32, trailing: 36 };
        assert_eq!(with(&block), (1, trailer));
        for length in [0, 8, 11, 33] {
            block[4] = length;
            assert_eq!(with(&block), (1, FileError::BlockLength { offset, length: length.into() }));
        }
    }
    for kind in [1, 2, 3, 6] {
        assert_eq!(with(&LITTLE.block(kind, b"")), (1, FileError::BlockLength { offset, length: 12 }));
    }
    let mut long = LITTLE.enhanced(0, 1, 1, b"abcde");
    long[20] = 9;
    assert_eq!(with(&long), (1, FileError::Data { offset, length: 9, room: 8 }));
    long[4..8].fill(0xfc);
    assert_eq!(with(&long), (1, FileError::TooLong { offset, length: 0xfcfc_fcfc, max: MAX_LENGTH + (1 << 16) }));
    assert_eq!(with(&LITTLE.enhanced(1, 1, 1, b"")), (1, FileError::Interface { offset, interface: 1, known: 1 }));
}

#[test]
fn a_section_header_that_is_none() {
    let mut mark = LITTLE.section();
    mark[8] = 0;
    assert_eq!(fault(&mark), (0, FileError::ByteOrder { offset: 0, magic: 0x003c_2b1a }));
    let mut version = LITTLE.section();
    version[12] = 2;
    assert_eq!(fault(&version), (0, FileError::Version { offset: 0, major: 2, minor: 0 }));
    let mut length = LITTLE.section();
    length[4] = 24;
    assert_eq!(fault(&length), (0, FileError::BlockLength { offset: 0, length: 24 }));
}

#[test]
fn a_skipped_block_may_be_longer_than_memory() {
    let mut framer = Framer::new();
    let head = LITTLE.section();
    assert_eq!(framer.next(&head), Ok(Step::Skip { consumed: 16 }));
    assert_eq!(framer.next(&head[16..]), Ok(Step::Skip { consumed: 8 }));
    assert_eq!(framer.next(&head[24..]), Ok(Step::Skip { consumed: 4 }));
    let length = 0xffff_fffc_u32.to_le_bytes();
    assert_eq!(framer.next(&[&[99, 0, 0, 0][..], &length].concat()), Ok(Step::Skip { consumed: 8 }));
    let body = vec![0; 1 << 20];
    let mut left = 0xffff_fffc_usize - 12;
    while left > 0 {
        let Ok(Step::Skip { consumed }) = framer.next(&body) else { panic!("{left} bytes left") };
        left -= consumed;
    }
    assert_eq!(framer.next(&length), Ok(Step::Skip { consumed: 4 }));
    assert_eq!((framer.offset(), framer.finish(&[])), (28 + 0xffff_fffc, Ok(())));
}

#[test]
fn interfaces_are_listed_and_bounded() {
    let mut framer = Framer::new();
    let file = [LITTLE.section(), LITTLE.interface(1, 0, &[]), LITTLE.interface(113, 0, &[])].concat();
    let mut at = 0;
    while let Ok(Step::Skip { consumed }) = framer.next(&file[at..]) {
        at += consumed;
    }
    assert_eq!(framer.links().collect::<Vec<_>>(), [1, 113]);

    let many = [LITTLE.section(), LITTLE.interface(1, 0, &[]).repeat((1 << 16) + 1)].concat();
    let offset = 28 + 20 * (1 << 16);
    assert_eq!(fault(&many), (0, FileError::Interfaces { offset, max: 1 << 16 }));
}

#[test]
fn times_are_reported_in_full() {
    let found = nanos(LITTLE, 4_294_967_296_000_000, &[]);
    assert_eq!(Timestamp::from_nanos(found), Timestamp::new(4_294_967_296, 0));
}
