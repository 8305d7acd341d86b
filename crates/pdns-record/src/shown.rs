//! How much of a transaction's messages its records show: all of it, unless compression makes far more text of a message
//! than it has bytes.

use std::iter::once;
use std::mem::replace;

use pdns_packet::dns::{Message, Record, Rtype, Section};
use pdns_packet::text::Text;
use pdns_track::Transaction;

use crate::Layout;
use crate::names::Names;
use crate::transaction::{asking, carrier};

/// Names and data may have so many characters for each byte of the transaction's messages. A pointer of two bytes stands
/// for a name of up to 255, each of which may need four characters; names as they occur stay far below this.
const TEXT_PER_BYTE: usize = 32;

/// And so many more, whatever the messages' length.
const FREE_TEXT: usize = 4096;

/// When query and response claim to have no more questions and records than this, in so many bytes, all are shown without
/// a look at their text.
const FEW: u32 = 10;
const FEW_BYTES: usize = 4096;

/// How many questions and records are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    pub questions: u16,
    pub answers: u16,
    pub authorities: u16,
    pub additionals: u16,
    cut: Option<Cut>,
}

/// What is left out.
#[derive(Clone, Copy, Debug)]
struct Cut {
    message: &'static str,
    section: Section,
    /// The first that is not shown, from 0.
    index: u16,
}

impl Shown {
    pub(crate) const ALL: Self =
        Self { questions: u16::MAX, answers: u16::MAX, authorities: u16::MAX, additionals: u16::MAX, cut: None };

    /// What the records of a layout show.
    pub(crate) fn of(layout: Layout, transaction: &Transaction<'_>) -> Self {
        let messages = [transaction.query, transaction.response].into_iter().flatten();
        let (claimed, bytes) = messages.fold((0, 0), |(claimed, bytes), observed| {
            let counts = observed.message.header().counts.map(u32::from);
            (claimed + counts.iter().sum::<u32>(), bytes + observed.message.bytes().len())
        });
        if claimed <= FEW && bytes <= FEW_BYTES {
            return Self::ALL;
        }
        Budget { left: allowance(transaction), shown: Self::ALL }.spent(layout, transaction)
    }

    /// Whether something is left out.
    pub(crate) const fn is_cut(&self) -> bool {
        self.cut.is_some()
    }

    /// From where on something is left out, and why. It holds no quote, backslash or control character.
    pub(crate) fn reason(&self) -> Option<String> {
        let Cut { message, section, index } = self.cut?;
        Some(format!(
            "{message}: left out from {section} {} on: more than {TEXT_PER_BYTE} characters a byte",
            u32::from(index) + 1
        ))
    }
}

/// How many characters names and data of a transaction may have.
#[inline]
pub(crate) fn allowance(transaction: &Transaction<'_>) -> usize {
    let messages = [transaction.query, transaction.response].into_iter().flatten();
    FREE_TEXT + TEXT_PER_BYTE * messages.map(|observed| observed.message.bytes().len()).sum::<usize>()
}

/// How much text may still come.
struct Budget {
    left: usize,
    shown: Shown,
}

impl Budget {
    fn spent(mut self, layout: Layout, transaction: &Transaction<'_>) -> Shown {
        match layout {
            Layout::Answer => self.answers(transaction),
            Layout::Transaction => self.messages(transaction),
        }
        self.shown
    }

    /// Each answer repeats the question. The first one is always shown: without it the record were that of a response without
    /// answers.
    fn answers(&mut self, transaction: &Transaction<'_>) {
        let Some(response) = transaction.response else { return };
        let mut text = Length::default();
        if let Some(question) = asking(transaction).and_then(Message::question) {
            // A question that was counted has a readable name.
            let _readable = question.qname.write(&mut text);
        }
        let question = text.len;
        let mut text = Length::default();
        let further = response.message.answers().skip(1);
        let lengths = further.map(|record| question + text.of(|text| record.rdata.write(text)));
        let lengths = once(0).chain(lengths);
        self.shown.answers = self.fitting("response", Section::Answer, lengths);
    }

    fn messages(&mut self, transaction: &Transaction<'_>) {
        let name = |message| match transaction.query {
            Some(query) if std::ptr::eq(query.message, message) => "query",
            _ => "response",
        };
        if let Some(asking) = asking(transaction) {
            let mut text = Length::default();
            let lengths = asking.questions().map(|question| {
                text.of(|text| {
                    // A question that was counted has a readable name.
                    let _readable = question.qname.write(text);
                })
            });
            self.shown.questions = self.fitting(name(asking), Section::Question, lengths);
        }
        let Some(shown) = transaction.response.or(transaction.query) else { return };
        let carrier = carrier(transaction, shown);
        let mut text = Length::default();
        let mut length = |record: Record<'_>| {
            text.of(|text| {
                // An owner that was counted is readable.
                let _readable = record.owner.write(text);
                record.rdata.write(text);
            })
        };
        let name = name(carrier);
        self.shown.answers = self.fitting(name, Section::Answer, carrier.answers().map(&mut length));
        self.shown.authorities = self.fitting(name, Section::Authority, carrier.authorities().map(&mut length));
        let mut has_edns = false;
        let additionals = carrier.additionals().map(|record| {
            let is_edns = record.rtype == Rtype::OPT && !replace(&mut has_edns, true);
            if is_edns { 0 } else { length(record) }
        });
        self.shown.additionals = self.fitting(name, Section::Additional, additionals);
    }

    /// How many entries of a section with texts of these lengths there is room for; all when it is for every one. None
    /// follows one that is left out.
    fn fitting(&mut self, message: &'static str, section: Section, lengths: impl Iterator<Item = usize>) -> u16 {
        for (index, length) in (0..).zip(lengths) {
            if self.left < length || self.shown.is_cut() {
                self.left = 0;
                self.shown.cut.get_or_insert(Cut { message, section, index });
                return index;
            }
            self.left -= length;
        }
        u16::MAX
    }
}

/// Text of which only the length is kept, in characters of presentation format.
#[derive(Default)]
struct Length {
    len: usize,
    names: Names,
}

impl Length {
    /// How much longer it becomes.
    fn of(&mut self, write: impl FnOnce(&mut Self)) -> usize {
        let before = self.len;
        write(self);
        self.len - before
    }
}

impl Text for Length {
    #[inline]
    fn plain(&mut self, bytes: &[u8]) {
        self.len += bytes.len();
    }

    #[inline]
    fn padded<const N: usize>(&mut self, _block: &[u8; N], len: usize) {
        self.len += len.min(N);
    }

    fn backslash(&mut self) {
        self.len += 1;
    }

    fn quote(&mut self) {
        self.len += 1;
    }

    fn decimal_escape(&mut self, _byte: u8) {
        self.len += r"\DDD".len();
    }

    #[inline]
    fn position(&self) -> usize {
        self.len
    }

    fn rewind(&mut self, position: usize) {
        self.len = self.len.min(position);
        self.names.forget_behind(position);
    }

    #[inline]
    fn overwrite(&mut self, _position: usize, _byte: u8) {}

    #[inline]
    fn remember_name(&mut self, place: usize, position: usize) {
        self.names.remember(place, position..self.len);
    }

    #[inline]
    fn repeat_name<const N: usize>(&mut self, _separator: &[u8; N], place: usize) -> bool {
        let Some(range) = self.names.find(place) else { return false };
        self.len += N + range.len();
        true
    }
}

#[cfg(test)]
mod tests {
    use pdns_packet::frame::VlanTags;
    use pdns_packet::time::Timestamp;
    use pdns_track::{Observed, Status, Transport};

    use super::*;
    use crate::{Encoder, Encoding, Format};

    /// A response about a name of 255 bytes, none of which can be printed, with so many aliases of it in each section.
    fn response(aliases: [u16; 3]) -> Vec<u8> {
        let mut message = vec![0x12, 0x34, 0x80, 0, 0, 1];
        aliases.iter().for_each(|count| message.extend_from_slice(&count.to_be_bytes()));
        for len in [63, 63, 63, 61] {
            message.push(len);
            message.extend_from_slice(&vec![1; usize::from(len)]);
        }
        message.extend_from_slice(b"\0\0\x05\0\x01");
        for _ in 0..aliases.iter().sum() {
            message.extend_from_slice(b"\xc0\x0c\0\x05\0\x01\0\0\0\0\0\x02\xc0\x0c");
        }
        message
    }

    fn records(encoding: Encoding, response: &[u8]) -> (Vec<Vec<u8>>, u64) {
        let message = Message::parse(response).unwrap();
        let observed = Observed { time: Timestamp::default(), message: &message, missing: 0, frame_len: 0 };
        let transaction = Transaction {
            status: Status::Orphan,
            client: [192, 0, 2, 1].into(),
            client_port: 40_000,
            server: [192, 0, 2, 53].into(),
            server_port: 53,
            transport: Transport::Tcp,
            vlan: VlanTags::NONE,
            query: None,
            response: Some(&observed),
            retransmits: 0,
        };
        let (mut out, mut ends) = (Vec::new(), vec![0]);
        let mut encoder = Encoder::of(encoding, "x", "");
        encoder.encode_each(&transaction, &mut out, &mut |end| ends.push(end));
        (ends.windows(2).map(|ends| out[ends[0]..ends[1]].to_vec()).collect(), encoder.shortened())
    }

    fn of(layout: Layout, format: Format, aliases: [u16; 3]) -> (Vec<Vec<u8>>, u64) {
        records(Encoding { layout, format }, &response(aliases))
    }

    fn contains(record: &[u8], text: &str) -> bool {
        record.windows(text.len()).any(|window| window == text.as_bytes())
    }

    #[test]
    fn few_records_are_shown_whatever_their_text() {
        for format in Format::ALL {
            let (records, shortened) = of(Layout::Transaction, format, [9, 0, 0]);
            assert_eq!((records.len(), shortened), (1, 0));
            assert!(!contains(&records[0], "left out"));
            assert_eq!(of(Layout::Answer, format, [9, 0, 0]).1, 0);
        }
    }

    #[test]
    fn what_is_left_out_is_said_and_counted() {
        for (aliases, place) in [
            ([500, 500, 500], "answer 341"),
            ([100, 500, 500], "authority record 152"),
            ([50, 60, 1000], "additional record 144"),
        ] {
            let reason = format!("response: left out from {place} on: more than 32 characters a byte");
            for format in Format::ALL {
                let (records, shortened) = of(Layout::Transaction, format, aliases);
                assert_eq!((records.len(), shortened), (1, 1));
                assert!(contains(&records[0], &reason), "{aliases:?} {format:?}");
            }
        }
    }

    #[test]
    fn an_answer_that_is_left_out_has_no_line() {
        let counts = Format::ALL.map(|format| {
            let (records, shortened) = of(Layout::Answer, format, [1000, 0, 0]);
            assert_eq!(shortened, 1);
            records.len()
        });
        // Each repeats the question and has it as its data.
        let text = 2 * (4 * 250 + 3);
        let room = FREE_TEXT + TEXT_PER_BYTE * response([1000, 0, 0]).len();
        assert_eq!(counts, [1 + room / text; 3]);
    }

    #[test]
    fn the_first_answer_has_a_line_however_long_it_is() {
        // NSEC, for all types there may be.
        let windows: Vec<_> = (0..=255).flat_map(|window| [&[window, 32][..], &[255; 32]].concat()).collect();
        let len = (windows.len() as u16 + 1).to_be_bytes();
        let answer = [&b"\0\0\x2f\0\x01\0\0\0\0"[..], &len, b"\0", &windows].concat();
        let message =
            |count: u8| [&[0, 0, 0x80, 0, 0, 0, 0, count, 0, 0, 0, 0][..], &answer.repeat(count.into())].concat();
        let (one, shortened) = records(Encoding::json(Layout::Answer), &message(1));
        assert!(shortened == 0 && one.len() == 1 && contains(&one[0], "TYPE65534"));
        let (first, shortened) = records(Encoding::json(Layout::Answer), &message(2));
        assert!(shortened == 1 && first.len() == 1 && contains(&first[0], "TYPE65534"));
        let (records, shortened) = records(Encoding::json(Layout::Transaction), &message(2));
        assert!(shortened == 1 && contains(&records[0], "left out from answer 1 on"));
    }

    #[test]
    fn names_as_they_occur_are_all_shown() {
        let mut message = b"\0\0\x80\0\0\x01\x03\xe8\0\0\0\0\x07example\x03com\0\0\x01\0\x01".to_vec();
        for _ in 0..1000 {
            message.extend_from_slice(b"\xc0\x0c\0\x0f\0\x01\0\0\0\0\0\x04\0\x0a\xc0\x0c");
        }
        for (layout, count) in [(Layout::Transaction, 1), (Layout::Answer, 1000)] {
            let (records, shortened) = records(Encoding::json(layout), &message);
            assert_eq!((records.len(), shortened), (count, 0));
        }
    }

    #[test]
    fn questions_are_left_out_too() {
        let mut message = response([0; 3]);
        message[4..6].copy_from_slice(&1000_u16.to_be_bytes());
        for _ in 1..1000 {
            message.extend_from_slice(b"\xc0\x0c\0\x01\0\x01");
        }
        let (records, shortened) = records(Encoding::json(Layout::Transaction), &message);
        assert_eq!((records.len(), shortened), (1, 1));
        assert!(contains(&records[0], "response: left out from question 204 on"));
        let line: serde_json::Value = serde_json::from_slice(&records[0]).unwrap();
        assert_eq!(line["questions"].as_array().unwrap().len(), 203);
    }

    #[test]
    fn the_text_is_measured_as_it_is_written() {
        let message = Message::parse(b"\0\0\x80\0\0\0\0\x03\0\0\0\0\x02a\"\x01\\\0\0\x10\0\x01\0\0\0\0\0\x05\x04\"\\\x01x\xc0\x0c\0\x05\0\x01\0\0\0\0\0\x02\xc0\x0f\x01b\xc0\x0c\0\x01\0\x01\0\0\0\0\0\x04\x0a\0\0\x01").unwrap();
        let (mut text, mut length) = (Vec::new(), Length::default());
        for record in message.answers() {
            record.owner.write(&mut text).unwrap();
            record.rdata.write(&mut text);
            record.owner.write(&mut length).unwrap();
            record.rdata.write(&mut length);
            assert_eq!(length.len, text.len(), "{}", text.escape_ascii());
        }
        assert_eq!(message.answers().len(), 3);
    }
}
