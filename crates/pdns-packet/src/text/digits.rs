//! Digits from tables: three decimal ones, an octet, a byte or twelve bits at a time.

/// One more than the largest number of six digits.
pub(super) const SIX_DIGITS: u64 = 1_000_000;

/// The three decimal digits of each number, the first in the lowest byte, and in the highest byte how many of them are left
/// when zeros in front are not shown.
const THREES: [u32; 1000] = {
    let mut table = [0; 1000];
    let mut value = 0;
    while value < table.len() {
        let [hundreds, tens, ones] = [value / 100, value / 10 % 10, value % 10];
        let len = if hundreds > 0 { 3 } else { 1 + (tens > 0) as u8 };
        table[value] = u32::from_le_bytes([b'0' + hundreds as u8, b'0' + tens as u8, b'0' + ones as u8, len]);
        value += 1;
    }
    table
};

/// The three digits of a number below 1,000 and how many count: an entry of [`THREES`].
#[inline]
pub(super) const fn three_digits(value: u32) -> u32 {
    THREES[value as usize % THREES.len()]
}

/// The six decimal digits of a number below 1,000,000, zeros in front, and rubbish behind them.
#[inline]
pub(super) const fn six_digits(value: u32) -> u64 {
    let [high, low] = [three_digits(value / 1000), three_digits(value % 1000)];
    (high & 0x00ff_ffff) as u64 | (low as u64) << 24
}

/// The decimal digits of a number below 1,000,000, rubbish behind them, and how many there are.
#[inline]
pub(super) const fn up_to_six_digits(value: u32) -> (u64, usize) {
    let [high, low] = [three_digits(value / 1000), three_digits(value % 1000)];
    let len = if value < 1000 { low >> 24 } else { 3 + (high >> 24) };
    let text = (high & 0x00ff_ffff) as u64 | (low as u64) << 24;
    // At most six, which the compiler cannot see.
    (text >> (8 * (6_u32.wrapping_sub(len) & 7)), len as usize)
}

/// The nine decimal digits of a number below 1,000,000,000, zeros in front: the first eight, and the last.
#[inline]
pub(crate) const fn nine_digits(value: u32) -> (u64, u8) {
    let last = three_digits(value % 1000);
    (six_digits(value / 1000) & 0x0000_ffff_ffff_ffff | (last as u64) << 48, (last >> 16) as u8)
}

/// The eight decimal digits of a number below 100,000,000, zeros in front.
#[inline]
pub fn decimals(value: u64) -> [u8; 8] {
    nine_digits((value % 100_000_000) as u32 * 10).0.to_le_bytes()
}

/// The decimal digits of each octet and a dot after them, the first in the lowest byte.
const OCTETS: [u32; 256] = {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let (hundreds, tens, ones) = (octet / 100, octet / 10 % 10, octet % 10);
        let [hundreds, tens, ones] = [b'0' + hundreds as u8, b'0' + tens as u8, b'0' + ones as u8];
        table[octet] = u32::from_le_bytes(match octet {
            0..=9 => [ones, b'.', 0, 0],
            10..=99 => [tens, ones, b'.', 0],
            _ => [hundreds, tens, ones, b'.'],
        });
        octet += 1;
    }
    table
};

/// Two octets in decimal, a dot after each, and how long that is.
#[inline]
pub(super) fn two_octets(first: u8, second: u8) -> ([u8; 8], usize) {
    let [first, second] = [OCTETS[usize::from(first)], OCTETS[usize::from(second)]];
    // The dot is the highest byte that is not zero, and two of its bits are zeros.
    let [first_bits, second_bits] = [first, second].map(|text| 34 - text.leading_zeros());
    let text = u64::from(first) | u64::from(second) << first_bits;
    (text.to_le_bytes(), (first_bits + second_bits) as usize / 8)
}

/// The first of the longest runs of two or more zero groups, for each set of zero groups, all as bits.
pub(super) const ZERO_RUNS: [u8; 256] = {
    let mut table = [0; 256];
    let mut zeros = 0;
    while zeros < table.len() {
        // The beginnings of runs that are followed by ever more of them.
        let (mut begins, mut len) = (zeros, 1);
        while begins & begins >> 1 != 0 {
            begins &= begins >> 1;
            len += 1;
        }
        if len > 1 {
            table[zeros] = (((1 << len) - 1) << begins.trailing_zeros()) as u8;
        }
        zeros += 1;
    }
    table
};

/// The two digits in base 64 for each twelve bits, the first in the lower byte: RFC 4648 section 4.
const BASE64: [u16; 1 << 12] = {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [0; 1 << 12];
    let mut bits = 0;
    while bits < table.len() {
        table[bits] = u16::from_le_bytes([DIGITS[bits >> 6], DIGITS[bits & 63]]);
        bits += 1;
    }
    table
};

/// The digits for the lowest twelve of `bits`.
#[inline]
pub(super) const fn base64_pair(bits: u64) -> u16 {
    BASE64[bits as usize % BASE64.len()]
}

/// The two digits of each byte in lower case, the first in the lower byte.
pub(super) const HEX: [u16; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = u16::from_le_bytes([DIGITS[byte >> 4], DIGITS[byte & 15]]);
        byte += 1;
    }
    table
};

/// A group without leading zeros and a colon after it, and how many digits it has.
#[inline]
pub(super) fn hex_group(group: u16) -> ([u8; 8], usize) {
    let [high, low] = group.to_be_bytes().map(|byte| u64::from(HEX[usize::from(byte)]));
    let last = (group | 1).ilog2() / 4;
    let text = (high | low << 16 | u64::from(b':') << 32) >> (8 * (3 - last));
    (text.to_le_bytes(), last as usize + 1)
}
