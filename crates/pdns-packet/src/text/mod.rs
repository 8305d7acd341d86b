//! Byte writers for presentation text: numbers and addresses without `fmt`, and one trait for raw or escaped output.

mod digits;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use digits::decimals;
pub(crate) use digits::nine_digits;
use digits::{
    HEX, SIX_DIGITS, ZERO_RUNS, base64_pair, hex_group, six_digits, three_digits, two_octets, up_to_six_digits,
};

/// Where presentation text is written.
///
/// Everything this crate prints is ASCII between space and `~`. Two of those bytes need care in an encoding such as
/// JSON, `"` and `\`, so they have their own methods and all others go through [`plain`](Text::plain) unseen.
pub trait Text {
    /// Appends printable ASCII that holds neither `"` nor `\`. Whoever appends something else
    /// [takes it back](Self::rewind) or [replaces](Self::overwrite) it.
    fn plain(&mut self, bytes: &[u8]);
    /// Appends the first `len` of `bytes`, at most all, which are as for [`plain`](Self::plain). To copy a number of bytes that is
    /// known beforehand takes no call, so an implementation may copy all and take back the rest.
    #[inline]
    fn padded<const N: usize>(&mut self, bytes: &[u8; N], len: usize) {
        self.plain(&bytes[..len.min(N)]);
    }
    /// Appends as many bytes of `block` as `edit` says, at most all, after it changed some of them: bytes that nearly are as for
    /// [`plain`](Self::plain).
    #[inline]
    fn edited<const N: usize>(&mut self, block: &[u8; N], edit: impl FnOnce(&mut [u8; N]) -> usize) {
        let mut block = *block;
        let len = edit(&mut block);
        self.padded(&block, len);
    }
    /// Appends one backslash.
    fn backslash(&mut self);
    /// Appends one double quote.
    fn quote(&mut self);
    /// The length of what was written so far, in bytes of the underlying buffer.
    fn position(&self) -> usize;
    /// Takes back everything written after `position`.
    fn rewind(&mut self, position: usize);
    /// Replaces the byte written at `position`.
    fn overwrite(&mut self, position: usize, byte: u8);

    /// Says that the name at `place` of a message was written from `position` to here. Whoever remembers that can
    /// [repeat](Self::repeat_name) it.
    #[inline]
    fn remember_name(&mut self, _place: usize, _position: usize) {}

    /// Appends `separator` and the name at `place` of the message, if it is remembered, and says whether it is.
    #[inline]
    fn repeat_name<const N: usize>(&mut self, _separator: &[u8; N], _place: usize) -> bool {
        false
    }

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
        if value >= SIX_DIGITS {
            return self.long_number(value);
        }
        let (text, len) = up_to_six_digits(value as u32);
        self.padded(&text.to_le_bytes(), len);
    }

    /// Appends a decimal number as [`number`](Self::number) does, faster where it can be foreseen whether numbers are below
    /// 1,000.
    #[inline]
    fn foreseen_number(&mut self, value: u64) {
        if value < 1000 {
            let digits = three_digits(value as u32);
            let len = (digits >> 24) as usize;
            // At most three, which the compiler cannot see.
            return self.padded(&(digits >> (8 * (3_usize.wrapping_sub(len) & 3))).to_le_bytes(), len);
        }
        self.number(value);
    }

    /// Appends a number of more than six digits.
    #[inline(never)]
    fn long_number(&mut self, value: u64) {
        self.number(value / SIX_DIGITS);
        self.padded(&six_digits((value % SIX_DIGITS) as u32).to_le_bytes(), 6);
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

    /// Appends bytes as hexadecimal digits, in lower case.
    fn lower_hex(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(4) {
            let digits = chunk.iter().rev().fold(0, |digits, &byte| digits << 16 | u64::from(HEX[usize::from(byte)]));
            self.padded(&digits.to_le_bytes(), 2 * chunk.len());
        }
    }

    /// Appends bytes in base 64 with padding: RFC 4648 section 4.
    fn base64(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        // Six bytes become a block of eight digits, and are read as the upper part of eight.
        while let (Some(block), Some(behind)) = (rest.first_chunk(), rest.get(6..)) {
            let bits = u64::from_be_bytes(*block);
            let pair = |place: u32| u64::from(base64_pair(bits >> (52 - 12 * place))) << (16 * place);
            self.padded(&(pair(0) | pair(1) | pair(2) | pair(3)).to_le_bytes(), 8);
            rest = behind;
        }
        for group in rest.chunks(3) {
            let bits = group.iter().fold(0, |bits, &byte| bits << 8 | u64::from(byte)) << (8 * (3 - group.len()));
            let [[a, b], [c, d]] = [12, 0].map(|shift| base64_pair(bits >> shift).to_le_bytes());
            self.plain(&match group.len() {
                1 => [a, b, b'=', b'='],
                2 => [a, b, c, b'='],
                _ => [a, b, c, d],
            });
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
    #[inline(always)]
    fn ipv4(&mut self, address: Ipv4Addr) {
        let [a, b, c, d] = address.octets();
        let (first, first_len) = two_octets(a, b);
        let (last, last_len) = two_octets(c, d);
        self.padded(&first, first_len);
        self.padded(&last, last_len - 1);
    }

    /// Appends an IPv6 address in the form of RFC 5952: longest run of zero groups as `::`, lower case, and an
    /// IPv4-mapped address with its last four bytes dotted.
    fn ipv6(&mut self, address: Ipv6Addr) {
        if let Some(v4) = address.to_ipv4_mapped() {
            self.plain(b"::ffff:");
            return self.ipv4(v4);
        }
        let groups = address.segments();
        let zeros = groups.iter().rev().fold(0_u8, |bits, &group| bits << 1 | u8::from(group == 0));
        // The groups that are not shown: a bit for each.
        let run = ZERO_RUNS[usize::from(zeros)];
        self.edited(&[0; IPV6_ROOM], |text| {
            let mut len = 0;
            let mut append = |chunk: [u8; 8], chunk_len: usize| {
                if let Some(place) = text.get_mut(len..len + chunk.len()) {
                    place.copy_from_slice(&chunk);
                }
                len += chunk_len;
            };
            let colon = u64::from(b':').to_le_bytes();
            // Each group has a colon behind it, and so has the run.
            append(colon, (run & 1).into());
            for (index, &group) in groups.iter().enumerate() {
                let is_shown = run >> index & 1 == 0;
                let begins_run = run << (7 - index) == 1 << 7;
                let (digits, digits_len) = hex_group(group);
                let chunk = if is_shown { digits } else { colon };
                append(chunk, if is_shown { digits_len + 1 } else { begins_run.into() });
            }
            len - usize::from(run >> 7 == 0)
        });
    }
}

/// Room for any IPv6 address with a colon behind it, and for a block of eight at its end.
const IPV6_ROOM: usize = 48;

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

    fn overwrite(&mut self, position: usize, byte: u8) {
        if let Some(place) = self.get_mut(position) {
            *place = byte;
        }
    }
}

/// Whether a character is obeyed rather than shown: control characters, ends of lines and paragraphs, and what directs how
/// others are laid out. None of them is above U+FFFF.
pub const fn is_unprintable(character: char) -> bool {
    matches!(
        character,
        '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    )
}

/// Text of unknown origin as one line for people, with what is not shown but obeyed as `\n`, `\r`, `\t` or `\uXXXX`: none
/// of it reaches a terminal as a command, begins a line of its own, or turns the order of another round.
///
/// ```
/// assert_eq!(pdns_packet::text::printable("ns1\x1b[2J\nß"), "ns1\\u001b[2J\\nß");
/// ```
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => out.extend(character.escape_default()),
            _ if is_unprintable(character) => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out
}

/// Up to eight bytes as the upper end of a number.
fn left_aligned(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_be_bytes(word)
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
    fn nothing_that_is_obeyed_stays_in_a_printable_line() {
        let text: String = (0..=0x1_ffff).filter_map(char::from_u32).collect();
        let line = printable(&text);
        assert!(!line.contains(|character: char| character.is_control() || is_unprintable(character)));
        assert_eq!(printable("a\r\n\u{9b}\u{202e}\x7fé"), "a\\r\\n\\u009b\\u202e\\u007fé");
    }

    #[test]
    fn numbers_match_the_standard_library() {
        let powers = (0..20).map(|exponent| 10_u64.pow(exponent)).flat_map(|power| [power - 1, power, power + 1]);
        for value in powers.chain([0, 7, 42, 65_535, 4_294_967_295, u64::MAX]) {
            assert_eq!(written(|out| out.number(value)), value.to_string());
            let padded = format!("{:08}", value % 100_000_000);
            assert_eq!(decimals(value), padded.as_bytes());
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
        assert_eq!(written(|out| out.lower_hex(&long[..7])), "fb".repeat(7));
        assert_eq!(written(|out| out.lower_hex(&[0x01, 0x23, 0x45, 0x67, 0x89, 0xab])), "0123456789ab");
        assert_eq!(written(|out| out.base64(&long)), "+/v7".repeat(33) + "+w==");
    }

    #[test]
    fn base_64_shows_six_bits_after_the_other_at_every_length() {
        const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let bytes: Vec<_> = (0..=255).chain((0..=255).rev().map(|byte: u8| byte.wrapping_mul(89))).collect();
        for len in (0..70).chain([bytes.len()]) {
            let bits: Vec<_> =
                bytes[..len].iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)).collect();
            let digits = bits.chunks(6).map(|six| {
                let number = (0..6).fold(0, |number, bit| number << 1 | usize::from(*six.get(bit).unwrap_or(&0)));
                &DIGITS[number..=number]
            });
            let padding = ["", "==", "="][len % 3];
            assert_eq!(written(|out| out.base64(&bytes[..len])), digits.collect::<String>() + padding);
        }
    }
}
