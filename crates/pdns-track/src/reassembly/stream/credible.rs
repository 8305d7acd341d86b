//! Whether bytes look like the start of a DNS message: how a stream is picked up behind a gap or in the middle.

use pdns_packet::dns::Header;

/// Bytes of a message's length prefix: RFC 1035 section 4.2.2.
pub(super) const PREFIX_LEN: usize = 2;

/// How many questions a message may have to be credible. More than one is rare, and no program asks many.
const MAX_QUESTIONS: u16 = 4;

/// The shortest question: root, type, class.
const MIN_QUESTION_LEN: usize = 5;

/// The shortest resource record: root, type, class, TTL, RDLENGTH.
const MIN_RECORD_LEN: usize = 11;

/// The longest name without compression: RFC 1035 section 3.1.
const MAX_NAME_LEN: usize = 255;

/// OPT, whose class is a size: RFC 6891 section 6.1.2.
const TYPE_OPT: u16 = 41;

/// Who sends the bytes, as far as the ports tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    Client,
    Server,
    Unknown,
}

/// What can be said about some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Credible,
    Not,
    /// The bytes there are could be a start, but they are too few to say.
    Undecided,
}

/// Where a message start was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// How many bytes are before it.
    pub(super) at: usize,
    /// Whether it is credible; else undecided, or `at` is the end of the bytes.
    pub(super) credible: bool,
}

/// Finds the first possible message start. When no more bytes follow (`last`), what is undecided is none.
pub(super) fn find(bytes: &[u8], sender: Sender, last: bool) -> Found {
    for at in 0..bytes.len() {
        // QDCOUNT first: nearly every place in other data fails here, so that a long search stays cheap.
        if let Some(&[_, _, _, _, _, _, high, low]) = bytes[at..].first_chunk()
            && u16::from_be_bytes([high, low]) > MAX_QUESTIONS
        {
            continue;
        }
        match credible(&bytes[at..], sender) {
            Verdict::Credible => return Found { at, credible: true },
            Verdict::Undecided if !last => return Found { at, credible: false },
            Verdict::Undecided | Verdict::Not => {}
        }
    }
    Found { at: bytes.len(), credible: false }
}

/// Whether a length prefix and a message start at the first of `bytes`. Looks at no more than the header and the first
/// name of this message and the header of the next, so it takes a bounded time.
pub(super) fn credible(bytes: &[u8], sender: Sender) -> Verdict {
    match header(bytes, sender) {
        Verdict::Credible => {}
        verdict => return verdict,
    }
    let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX_LEN>() else { return Verdict::Undecided };
    let len = usize::from(u16::from_be_bytes(*prefix));
    let (message, next) = rest.split_at_checked(len).unwrap_or((rest, &[]));
    match first_entry(message, len) {
        // What follows a message is a message.
        Verdict::Credible if !next.is_empty() && header(next, sender) == Verdict::Not => Verdict::Not,
        verdict => verdict,
    }
}

/// Whether a prefix and a header can be at the start of `bytes`; cheapest and most telling tests first.
fn header(bytes: &[u8], sender: Sender) -> Verdict {
    let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX_LEN>() else { return Verdict::Undecided };
    let len = usize::from(u16::from_be_bytes(*prefix));
    if len < Header::LEN {
        return Verdict::Not;
    }
    let Some(header) = Header::parse(rest) else { return Verdict::Undecided };
    let [questions, answers, authorities, additionals] = header.counts;
    let records = usize::from(answers) + usize::from(authorities) + usize::from(additionals);
    let least = Header::LEN + MIN_QUESTION_LEN * usize::from(questions) + MIN_RECORD_LEN * records;
    if questions > MAX_QUESTIONS || least > len || !flags_fit(&header, sender) {
        return Verdict::Not;
    }
    if questions == 0 && records == 0 && !may_be_bare(&header, len) {
        return Verdict::Not;
    }
    Verdict::Credible
}

fn flags_fit(header: &Header, sender: Sender) -> bool {
    let response = header.is_response();
    let direction_fits = match sender {
        Sender::Client => !response,
        Sender::Server => response,
        Sender::Unknown => true,
    };
    // RFC 1035 section 4.1.1: Z must be zero; the response code is set in responses.
    let reserved = header.flags & 0x0040;
    direction_fits && reserved == 0 && (response || header.rcode() == 0) && matches!(header.opcode(), 0..=2 | 4..=6)
}

/// Whether a message may do without any question and record: an error that repeats nothing of the query, or a DNS
/// Stateful Operation (RFC 8490 section 5.4), which has its TLVs behind the header.
fn may_be_bare(header: &Header, len: usize) -> bool {
    match header.opcode() {
        6 => true,
        _ => header.is_response() && header.rcode() != 0 && len == Header::LEN,
    }
}

/// Whether the first question, or the first record where there is no question, can be read. `message` may be only the
/// beginning of the `len` bytes.
fn first_entry(message: &[u8], len: usize) -> Verdict {
    let Some(header) = Header::parse(message) else { return Verdict::Undecided };
    if header.counts == [0; 4] {
        return Verdict::Credible;
    }
    let end = match first_name(message, len) {
        Ok(end) => end,
        Err(verdict) => return verdict,
    };
    let is_question = header.counts[0] > 0;
    let fixed_len = if is_question { 4 } else { 10 };
    if end + fixed_len > len {
        return Verdict::Not;
    }
    let Some(fixed) = message.get(end..end + fixed_len) else { return Verdict::Undecided };
    let word = |at: usize| fixed.get(at..at + 2).map_or(0, |bytes| u16::from_be_bytes([bytes[0], bytes[1]]));
    let (kind, class) = (word(0), word(2));
    let data_fits = is_question || end + fixed_len + usize::from(word(8)) <= len;
    let class_fits = matches!(class, 1 | 3 | 4 | 254 | 255) || (!is_question && kind == TYPE_OPT);
    if kind != 0 && class_fits && data_fits { Verdict::Credible } else { Verdict::Not }
}

/// Where the name after the header ends. Nothing stands before it that a compression pointer could point to.
fn first_name(message: &[u8], len: usize) -> Result<usize, Verdict> {
    let mut at = Header::LEN;
    loop {
        if at >= len || at - Header::LEN >= MAX_NAME_LEN {
            return Err(Verdict::Not);
        }
        match message.get(at) {
            None => return Err(Verdict::Undecided),
            Some(0) => return Ok(at + 1),
            Some(&label @ 1..=63) => at += 1 + usize::from(label),
            Some(_) => return Err(Verdict::Not),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &[u8] = b"\0\x13\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x01";

    fn with(at: usize, value: u8) -> Vec<u8> {
        let mut bytes = QUERY.to_vec();
        bytes[at] = value;
        bytes
    }

    #[test]
    fn a_query_is_credible_from_a_client_only() {
        assert_eq!(credible(QUERY, Sender::Client), Verdict::Credible);
        assert_eq!(credible(QUERY, Sender::Unknown), Verdict::Credible);
        assert_eq!(credible(QUERY, Sender::Server), Verdict::Not);
        assert_eq!(credible(&with(4, 0x81), Sender::Server), Verdict::Credible);
    }

    #[test]
    fn every_beginning_of_it_is_undecided() {
        for len in 0..QUERY.len() {
            assert_eq!(credible(&QUERY[..len], Sender::Client), Verdict::Undecided, "{len}");
        }
    }

    #[test]
    fn one_impossible_field_is_enough() {
        // Prefix, opcode, response code of a query, Z, counts, label, type, class.
        for (at, value) in [(1, 11), (4, 0x19), (5, 1), (5, 0x40), (7, 2), (9, 1), (14, 0x40), (18, 0), (20, 2)] {
            assert_eq!(credible(&with(at, value), Sender::Client), Verdict::Not, "{at} {value}");
        }
    }

    #[test]
    fn what_follows_must_fit_too() {
        let twice = [QUERY, QUERY].concat();
        assert_eq!(credible(&twice, Sender::Client), Verdict::Credible);
        let then_text = [QUERY, b"\0\x0bzzzzzzzzzzzzzzzzzz"].concat();
        assert_eq!(credible(&then_text, Sender::Client), Verdict::Not);
        assert_eq!(find(&then_text, Sender::Client, true), Found { at: then_text.len(), credible: false });
    }

    #[test]
    fn messages_without_question() {
        let record = b"\0\x1b\0\x01\x80\0\0\0\0\x01\0\0\0\0\0\0\x01\0\x01\0\0\0\0\0\x04\x01\x02\x03\x04";
        assert_eq!(credible(record, Sender::Server), Verdict::Credible);
        let refused = b"\0\x0c\0\x01\x80\x05\0\0\0\0\0\0\0\0";
        assert_eq!(credible(refused, Sender::Server), Verdict::Credible);
        assert_eq!(credible(&[0, 12, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0], Sender::Server), Verdict::Not);
    }

    #[test]
    fn the_search_stops_at_the_first_start() {
        let bytes = [b"\xff\xff\0\0\xffgarbage", QUERY].concat();
        assert_eq!(find(&bytes, Sender::Client, false), Found { at: 12, credible: true });
        assert_eq!(find(&bytes[..30], Sender::Client, false), Found { at: 12, credible: false });
        assert_eq!(find(&bytes[..30], Sender::Client, true), Found { at: 30, credible: false });
    }
}
