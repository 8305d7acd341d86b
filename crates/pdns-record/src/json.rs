//! JSON without an intermediate form.

use pdns_packet::text::{Text, is_unprintable};

use crate::draft::Draft;

/// Any text as a JSON string with its quotes.
pub(crate) fn string(text: &str) -> Vec<u8> {
    let mut out = vec![b'"'];
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..b' ' | 0x7f => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[
                    b"01234567"[usize::from(byte >> 4)],
                    b"0123456789abcdef"[usize::from(byte & 15)],
                ]);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
    out
}

/// Appends a signed number.
pub(crate) fn signed(out: &mut Draft, value: i64) {
    if value < 0 {
        out.plain(b"-");
    }
    out.number(value.unsigned_abs());
}

/// Appends text of unknown origin inside a JSON string: UTF-8 as it is, broken UTF-8 replaced, and escaped what is not
/// printed but obeyed, so that nothing in it reaches a terminal as a command, ends a line or turns its order round.
pub(crate) fn untrusted(out: &mut Draft, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\\' => out.plain(&[b'\\', character as u8]),
                _ if is_unprintable(character) => {
                    let digit = |place: u32| b"0123456789abcdef"[character as usize >> (4 * place) & 15];
                    out.plain(&[b'\\', b'u', digit(3), digit(2), digit(1), digit(0)]);
                }
                _ => out.plain(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        if !chunk.invalid().is_empty() {
            out.plain("\u{fffd}".as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drafted(write: impl Fn(&mut Draft)) -> Vec<u8> {
        let mut out = Draft::new();
        write(&mut out);
        [b"\"", out.bytes(), b"\""].concat()
    }

    #[test]
    fn strings_are_valid_json_whatever_they_hold() {
        for text in ["", "ns1", "a\"b\\c", "tab\tnul\0del\x7f", "größe \u{1f600}"] {
            let parsed: String = serde_json::from_slice(&string(text)).unwrap();
            assert_eq!(parsed, text);
        }
    }

    #[test]
    fn untrusted_text_holds_no_control_bytes() {
        let out = drafted(|out| untrusted(out, b"a\x1b[31m\"\\\xff\xc3\xa9\xc2\x9b"));
        assert!(out.iter().all(|&byte| byte >= 0x20 && byte != 0x7f));
        let parsed: String = serde_json::from_slice(&out).unwrap();
        assert_eq!(parsed, "a\x1b[31m\"\\\u{fffd}é\u{9b}");
    }

    #[test]
    fn untrusted_text_ends_no_line_and_keeps_its_order() {
        let text = "\u{85}\u{2028}\u{202e}\u{2066}\u{feff}\u{61c}é\u{1f600}";
        let out = drafted(|out| untrusted(out, text.as_bytes()));
        assert_eq!(String::from_utf8(out.clone()).unwrap(), r#""\u0085\u2028\u202e\u2066\ufeff\u061cé😀""#);
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
    }

    #[test]
    fn numbers_of_both_signs() {
        let out = drafted(|out| {
            signed(out, i64::MIN);
            signed(out, 0);
            signed(out, -1);
        });
        assert_eq!(out, b"\"-92233720368547758080-1\"");
    }
}
