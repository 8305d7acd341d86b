//! Messages of syslog: RFC 5424 for remote receivers, the older form for local ones.

use std::io::Write;

use pdns_packet::time::{Rfc3339, Timestamp};

use super::Config;

/// Writes messages of one configuration.
#[derive(Debug)]
pub(super) struct Composer {
    /// What all messages begin with: `<14>1 `, or all of it for a local receiver.
    start: Vec<u8>,
    /// What follows the time in messages to remote receivers.
    origin: Vec<u8>,
    is_local: bool,
    clock: Rfc3339,
    max_bytes: usize,
}

/// What a record became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Composed {
    Whole,
    /// It was too long, and its end is missing.
    Cut,
}

impl Composer {
    pub(super) fn new(config: &Config, is_local: bool) -> Self {
        let (priority, process) = (config.priority(), std::process::id());
        let app_name = visible(&config.app_name, 48);
        let (start, origin) = if is_local {
            // Receivers have the time from their own clock, and pass over one that is not there.
            (format!("<{priority}>{app_name}[{process}]: "), String::new())
        } else {
            let hostname = visible(&config.hostname, 255);
            (format!("<{priority}>1 "), format!(" {hostname} {app_name} {process} record - "))
        };
        Self {
            start: start.into_bytes(),
            origin: origin.into_bytes(),
            is_local,
            clock: Rfc3339::default(),
            max_bytes: config.max_bytes.max(Config::LEAST_MAX_BYTES),
        }
    }

    /// Appends the message of a record of this time.
    pub(super) fn compose(&mut self, time: Timestamp, record: &[u8], out: &mut Vec<u8>) -> Composed {
        let record = record.strip_suffix(b"\n").unwrap_or(record);
        let message = out.len();
        out.extend_from_slice(&self.start);
        if !self.is_local {
            // Section 6.2.3: at most six decimals, of the nine that come with a `Z` after them.
            self.clock.write(time, out);
            out.truncate(out.len() - 4);
            out.push(b'Z');
            out.extend_from_slice(&self.origin);
        }
        let room = self.max_bytes.saturating_sub(out.len() - message);
        if record.len() <= room {
            out.extend_from_slice(record);
            return Composed::Whole;
        }
        let mark = format!("...cut, {} bytes in all", record.len());
        out.extend_from_slice(beginning(record, room.saturating_sub(mark.len())));
        out.extend_from_slice(mark.as_bytes());
        Composed::Cut
    }

    /// Appends the message with its length before it, RFC 6587 section 3.4.1. `scratch` is used again and again.
    pub(super) fn compose_counted(
        &mut self,
        time: Timestamp,
        record: &[u8],
        scratch: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Composed {
        scratch.clear();
        let composed = self.compose(time, record, scratch);
        // A vector takes whatever is written.
        drop(write!(out, "{} ", scratch.len()));
        out.extend_from_slice(scratch);
        composed
    }
}

/// As much of the text's beginning as fits into so many bytes without a part of a character.
fn beginning(text: &[u8], mut length: usize) -> &[u8] {
    const CONTINUATION: u8 = 0b1000_0000;
    while length > 0 && text.get(length).is_some_and(|byte| byte & 0b1100_0000 == CONTINUATION) {
        length -= 1;
    }
    &text[..length.min(text.len())]
}

/// A field of the header, RFC 5424 section 6: visible ASCII of a bounded length, and never empty.
fn visible(text: &str, length: usize) -> String {
    let text: String =
        text.chars().map(|character| if character.is_ascii_graphic() { character } else { '_' }).collect();
    if text.is_empty() { "-".to_owned() } else { text[..text.len().min(length)].to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syslog::{Facility, Severity, Transport};
    use pdns_record::Layout;

    fn composer(max_bytes: usize, is_local: bool) -> Composer {
        let (facility, severity) = (Facility::from_name("local0").unwrap(), Severity::from_name("info").unwrap());
        let config = Config::new(Layout::Answer, Transport::local(), facility, severity, "ns 1\u{e9}");
        Composer::new(&Config { max_bytes, ..config }, is_local)
    }

    const TIME: Timestamp = Timestamp::new(1_585_917_601, 123_456_789);

    fn composed(composer: &mut Composer, record: &str) -> (String, Composed) {
        let mut out = Vec::new();
        let composed = composer.compose(TIME, record.as_bytes(), &mut out);
        (String::from_utf8(out).unwrap(), composed)
    }

    #[test]
    fn remote_messages_are_rfc_5424() {
        let (text, outcome) = composed(&mut composer(8000, false), "{\"q\":\"x\"}\n");
        let process = std::process::id();
        let expected =
            format!("<134>1 2020-04-03T12:40:01.123456Z ns_1_ pdns-sensor {process} record - {{\"q\":\"x\"}}");
        assert_eq!((text, outcome), (expected, Composed::Whole));
    }

    #[test]
    fn local_messages_begin_with_the_program() {
        let (text, outcome) = composed(&mut composer(8000, true), "{}\n");
        assert_eq!((text, outcome), (format!("<134>pdns-sensor[{}]: {{}}", std::process::id()), Composed::Whole));
    }

    #[test]
    fn long_records_are_cut_at_the_limit_between_characters_and_marked() {
        for length in 900..910 {
            let record = format!("{}\u{e9}\u{20ac}{}", "x".repeat(length), "y".repeat(1000));
            let (text, outcome) = composed(&mut composer(1000, false), &record);
            assert_eq!(outcome, Composed::Cut);
            assert!((997..=1000).contains(&text.len()), "{}", text.len());
            assert!(text.ends_with(&format!("...cut, {} bytes in all", record.len())), "{text}");
        }
        let fitting = 1000 - composed(&mut composer(1000, false), "").0.len();
        assert_eq!(composed(&mut composer(1000, false), &"x".repeat(fitting)).1, Composed::Whole);
        assert_eq!(composed(&mut composer(1000, false), &"x".repeat(fitting + 1)).1, Composed::Cut);
    }

    #[test]
    fn counted_messages_begin_with_their_length() {
        let mut out = Vec::new();
        let mut composer = composer(8000, true);
        composer.compose_counted(TIME, b"{}\n", &mut Vec::new(), &mut out);
        composer.compose_counted(TIME, b"{}\n", &mut Vec::new(), &mut out);
        let message = composed(&mut composer, "{}").0;
        assert_eq!(String::from_utf8(out).unwrap(), format!("{0} {message}{0} {message}", message.len()));
    }

    #[test]
    fn fields_are_visible_and_bounded() {
        assert_eq!(
            (visible("", 5), visible("a\nb c\u{e9}", 48), visible("abcdef", 3)),
            ("-".into(), "a_b_c_".into(), "abc".into())
        );
    }
}
