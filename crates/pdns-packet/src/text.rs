//! Byte writers for presentation text: numbers and addresses without `fmt`, and one trait for raw or escaped output.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where presentation text is written.
///
/// Everything this crate prints is ASCII between space and `~`. Two of those bytes need care in an encoding such as
/// JSON, `"` and `\`, so they have their own methods and all others go through [`plain`](Text::plain) unseen.
pub trait Text {
    /// Appends printable ASCII that holds neither `"` nor `\`.
    fn plain(&mut self, bytes: &[u8]);
    /// Appends the first `len` of `bytes`, which are as for [`plain`](Self::plain). To copy a number of bytes that is
    /// known beforehand takes no call, so an implementation may copy all and take back the rest.
    #[inline]
    fn padded<const N: usize>(&mut self, bytes: &[u8; N], len: usize) {
        self.plain(&bytes[..len.min(N)]);
    }
    /// Appends one backslash.
    fn backslash(&mut self);
    /// Appends one double quote.
    fn quote(&mut self);
    /// The length of what was written so far, in bytes of the underlying buffer.
    fn position(&self) -> usize;
    /// Takes back everything written after `position`.
    fn rewind(&mut self, position: usize);

    /// Appends one byte of any value the way RFC 1035 section 5.1 escapes it outside quotes: `\DDD` when it is not
    /// printable, a backslash before `"` and `\`.
    fn escaped(&mut self, byte: u8) {
        match byte {
            b'"' => {
                self.backslash();
                self.quote();
            }
            b'\\' => {
                self.backslash();
                self.backslash();
            }
            b' '..=b'~' => self.plain(&[byte]),
            _ => self.decimal_escape(byte),
        }
    }

    /// Appends `\DDD`.
    fn decimal_escape(&mut self, byte: u8) {
        self.backslash();
        self.plain(&[b'0' + byte / 100, b'0' + byte / 10 % 10, b'0' + byte % 10]);
    }

    /// Appends a decimal number.
    #[inline]
    fn number(&mut self, value: u64) {
        // Most numbers are ports, lengths and TTLs. Arrays of a known length are copied without a call.
        match value {
            0..10 => self.plain(&[b'0' + value as u8]),
            10..100 => self.plain(&pair(value as u32)),
            100..100_000 => {
                let value = value as u32;
                let (high, low) = (value / 100, value % 100);
                let ([c, d], [e, f]) = (pair(high % 100), pair(low));
                let digits = [b'0' + (high / 100) as u8, c, d, e, f, 0, 0, 0];
                match value {
                    0..1000 => self.plain(&[d, e, f]),
                    1000..10_000 => self.plain(&[c, d, e, f]),
                    _ => self.padded(&digits, 5),
                }
            }
            _ => self.long_number(value),
        }
    }

    /// Appends a number of more than five digits.
    fn long_number(&mut self, value: u64) {
        let mut digits = [0; 20];
        self.plain(decimal(value, &mut digits));
    }

    /// Appends bytes as hexadecimal digits, in upper case as RFC 4034 section 5.3 and RFC 3597 section 5 show them.
    fn hex(&mut self, bytes: &[u8]) {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let mut buffer = [0; 64];
        for chunk in bytes.chunks(buffer.len() / 2) {
            for (digits, byte) in buffer.chunks_exact_mut(2).zip(chunk) {
                digits[0] = DIGITS[usize::from(byte >> 4)];
                digits[1] = DIGITS[usize::from(byte & 15)];
            }
            self.plain(&buffer[..chunk.len() * 2]);
        }
    }

    /// Appends bytes in base 64 with padding: RFC 4648 section 4.
    fn base64(&mut self, bytes: &[u8]) {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut buffer = [0; 64];
        for chunk in bytes.chunks(buffer.len() / 4 * 3) {
            for (digits, group) in buffer.chunks_exact_mut(4).zip(chunk.chunks(3)) {
                let bits = left_aligned(group);
                for (index, digit) in digits.iter_mut().enumerate() {
                    *digit = DIGITS[(bits >> (58 - 6 * index)) as usize & 63];
                }
                digits[group.len() + 1..].fill(b'=');
            }
            self.plain(&buffer[..chunk.len().div_ceil(3) * 4]);
        }
    }

    /// Appends bytes in base 32 with extended hex alphabet, without padding: RFC 4648 section 7, RFC 5155 section 3.3.
    fn base32hex(&mut self, bytes: &[u8]) {
        const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";
        for group in bytes.chunks(5) {
            let bits = left_aligned(group);
            let mut digits = [0; 8];
            for (index, digit) in digits.iter_mut().enumerate() {
                *digit = DIGITS[(bits >> (59 - 5 * index)) as usize & 31];
            }
            self.plain(&digits[..(group.len() * 8).div_ceil(5)]);
        }
    }

    /// Appends an IP address, IPv6 in the form of RFC 5952.
    fn ip(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) => self.ipv4(address),
            IpAddr::V6(address) => self.ipv6(address),
        }
    }

    /// Appends an IPv4 address.
    fn ipv4(&mut self, address: Ipv4Addr) {
        let mut buffer = [0; 17];
        let mut at = 0;
        for octet in address.octets() {
            let entry = OCTETS[usize::from(octet)];
            // Always four bytes; the next octet, or the end, covers what is too much.
            buffer[at..at + 4].copy_from_slice(&entry);
            at += 2 + usize::from(octet >= 10) + usize::from(octet >= 100);
        }
        self.padded(&buffer, at - 1);
    }

    /// Appends an IPv6 address in the form of RFC 5952: longest run of zero groups as `::`, lower case, and an
    /// IPv4-mapped address with its last four bytes dotted.
    fn ipv6(&mut self, address: Ipv6Addr) {
        if let Some(v4) = address.to_ipv4_mapped() {
            self.plain(b"::ffff:");
            return self.ipv4(v4);
        }
        let groups = address.segments();
        let (start, length) = longest_zero_run(&groups);
        let mut buffer = [0; 39];
        let mut at = 0;
        let mut index = 0;
        while index < 8 {
            if length > 1 && index == start {
                buffer[at..at + 2].copy_from_slice(b"::");
                at += 2;
                index += length;
                continue;
            }
            if index > 0 && (length < 2 || index != start + length) {
                buffer[at] = b':';
                at += 1;
            }
            at += hex_group(groups[index], &mut buffer[at..]);
            index += 1;
        }
        self.plain(&buffer[..at]);
    }
}

impl Text for Vec<u8> {
    #[inline]
    fn plain(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn padded<const N: usize>(&mut self, bytes: &[u8; N], len: usize) {
        let end = self.len() + len.min(N);
        self.extend_from_slice(bytes);
        self.truncate(end);
    }

    fn backslash(&mut self) {
        self.push(b'\\');
    }

    fn quote(&mut self) {
        self.push(b'"');
    }

    fn position(&self) -> usize {
        self.len()
    }

    fn rewind(&mut self, position: usize) {
        self.truncate(position);
    }
}

/// The decimal digits of each octet and a dot after them.
const OCTETS: [[u8; 4]; 256] = {
    let mut table = [*b"0.  "; 256];
    let mut octet = 0;
    while octet < 256 {
        let (hundreds, tens, ones) = (octet / 100, octet / 10 % 10, octet % 10);
        let [hundreds, tens, ones] = [b'0' + hundreds as u8, b'0' + tens as u8, b'0' + ones as u8];
        table[octet] = match octet {
            0..=9 => [ones, b'.', b' ', b' '],
            10..=99 => [tens, ones, b'.', b' '],
            _ => [hundreds, tens, ones, b'.'],
        };
        octet += 1;
    }
    table
};

/// Writes `value` in decimal at the end of `buffer` and returns the digits.
pub fn decimal(mut value: u64, buffer: &mut [u8; 20]) -> &[u8] {
    let mut at = buffer.len();
    loop {
        at -= 2;
        buffer[at..at + 2].copy_from_slice(&pair((value % 100) as u32));
        if value < 100 {
            return &buffer[at + usize::from(value < 10)..];
        }
        value /= 100;
    }
}

/// The two digits of a number below a hundred.
#[inline]
const fn pair(value: u32) -> [u8; 2] {
    PAIRS[(value % 100) as usize]
}

const PAIRS: [[u8; 2]; 100] = {
    let mut table = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        table[number] = [b'0' + number as u8 / 10, b'0' + number as u8 % 10];
        number += 1;
    }
    table
};

/// Up to eight bytes as the upper end of a number.
fn left_aligned(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_be_bytes(word)
}

/// The first of the longest runs of zero groups, as (index, length).
fn longest_zero_run(groups: &[u16; 8]) -> (usize, usize) {
    let (mut best, mut best_length, mut run) = (0, 0, 0);
    for (index, &group) in groups.iter().enumerate() {
        run = if group == 0 { run + 1 } else { 0 };
        if run > best_length {
            best = index + 1 - run;
            best_length = run;
        }
    }
    (best, best_length)
}

/// Writes a group without leading zeros and returns how many digits it took.
fn hex_group(group: u16, out: &mut [u8]) -> usize {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let length = match group {
        0..=0xf => 1,
        0x10..=0xff => 2,
        0x100..=0xfff => 3,
        _ => 4,
    };
    for (index, digit) in out[..length].iter_mut().enumerate() {
        *digit = DIGITS[usize::from(group >> (4 * (length - 1 - index)) & 15)];
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_match_the_standard_library() {
        let powers = (0..20).map(|exponent| 10_u64.pow(exponent)).flat_map(|power| [power - 1, power, power + 1]);
        for value in powers.chain([0, 7, 42, 65_535, 4_294_967_295, u64::MAX]) {
            assert_eq!(written(|out| out.number(value)), value.to_string());
            assert_eq!(decimal(value, &mut [0; 20]), value.to_string().as_bytes());
        }
    }

    #[test]
    fn addresses_match_the_standard_library() {
        for text in [
            "0.0.0.0",
            "9.10.99.100",
            "255.255.255.255",
            "::",
            "::1",
            "1::",
            "fe80::1:0:0:2",
            "2001:db8:0:1:1:1:1:1",
            "2001:0:0:1::1",
            "1:2:3:4:5:6:7:8",
            "::ffff:1.2.3.4",
            "64:ff9b::c000:221",
            "0:1::",
            "1:0:2:0:3:0:4:0",
            "::2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7:0",
            "1:2:3:4:5:6::",
            "0:0:1::",
        ] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(written(|out| out.ip(address)), address.to_string());
        }
        let mut state = 1_u64;
        for _ in 0..20_000 {
            let mut segments = [0_u16; 8];
            for segment in &mut segments {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *segment = if state >> 62 == 0 { (state >> 40) as u16 } else { 0 };
            }
            let address = Ipv6Addr::from(segments);
            if address.to_ipv4().is_none() {
                assert_eq!(written(|out| out.ipv6(address)), address.to_string());
            }
        }
    }

    #[test]
    fn bytes_are_escaped_as_master_files_do() {
        let text = written(|out| b"a\"\\ ~\x7f\x00\xff".iter().for_each(|&byte| out.escaped(byte)));
        assert_eq!(text, "a\\\"\\\\ ~\\127\\000\\255");
    }

    #[test]
    fn encodings_match_the_vectors_of_rfc_4648() {
        for (bytes, hex, base64, base32hex) in [
            ("", "", "", ""),
            ("f", "66", "Zg==", "CO"),
            ("fo", "666F", "Zm8=", "CPNG"),
            ("foo", "666F6F", "Zm9v", "CPNMU"),
            ("foob", "666F6F62", "Zm9vYg==", "CPNMUOG"),
            ("fooba", "666F6F6261", "Zm9vYmE=", "CPNMUOJ1"),
            ("foobar", "666F6F626172", "Zm9vYmFy", "CPNMUOJ1E8"),
        ] {
            assert_eq!(written(|out| out.hex(bytes.as_bytes())), hex);
            assert_eq!(written(|out| out.base64(bytes.as_bytes())), base64);
            assert_eq!(written(|out| out.base32hex(bytes.as_bytes())), base32hex);
        }
        let long = [0xfb; 100];
        assert_eq!(written(|out| out.hex(&long)), "FB".repeat(100));
        assert_eq!(written(|out| out.base64(&long)), "+/v7".repeat(33) + "+w==");
    }
}
