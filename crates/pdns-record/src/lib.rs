//! Log records of DNS transactions and their encodings.
//!
//! An [`Encoder`] turns each [`Transaction`] into the records of one [`Layout`] in one [`Encoding`], straight into a
//! [`Buffer`] that its caller hands on when it is full. `docs/record-layouts.md` describes every field.
//!
//! ```
//! use pdns_packet::dns::Message;
//! use pdns_packet::frame::VlanTags;
//! use pdns_packet::time::Timestamp;
//! use pdns_record::{Encoder, Layout};
//! use pdns_track::{Observed, Status, Transaction, Transport};
//!
//! let query = b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x07example\x03com\0\0\x01\0\x01";
//! let message = Message::parse(query).unwrap();
//! let query = Observed {
//!     time: Timestamp::new(1_585_917_601, 5),
//!     message: &message,
//!     missing: 0,
//!     frame_len: 71,
//! };
//! let transaction = Transaction {
//!     status: Status::Unanswered,
//!     client: [192, 0, 2, 1].into(),
//!     client_port: 40_000,
//!     server: [192, 0, 2, 53].into(),
//!     server_port: 53,
//!     transport: Transport::Udp,
//!     vlan: VlanTags::NONE,
//!     query: Some(&query),
//!     response: None,
//!     retransmits: 0,
//! };
//!
//! let mut lines = Vec::new();
//! let mut encoder = Encoder::new(Layout::Transaction, "ns1", "");
//! assert_eq!(encoder.encode(&transaction, &mut lines), 1);
//! assert_eq!(
//!     String::from_utf8(lines).unwrap(),
//!     concat!(
//!         r#"{"sensor":"ns1","status":"unanswered","query_time":"2020-04-03T12:40:01.000000005Z","#,
//!         r#""client":"192.0.2.1","client_port":40000,"server":"192.0.2.53","server_port":53,"#,
//!         r#""transport":"udp","id":4660,"opcode":"QUERY","qname":"example.com","qtype":"A","#,
//!         r#""qclass":"IN","flags":["rd"],"query_bytes":29}"#,
//!         "\n"
//!     )
//! );
//! ```
#![forbid(unsafe_code)]

mod answer;
mod binary;
mod buffer;
mod damage;
mod draft;
mod edns;
mod encoding;
mod json;
mod names;
mod shown;
mod transaction;

pub use buffer::Buffer;
pub use encoding::{Encoding, Format};
use pdns_packet::time::Rfc3339;
use pdns_track::Transaction;

use draft::Draft;
use shown::Shown;

/// What the records hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layout {
    /// One record for each answer, with gopassivedns's fields.
    Answer,
    /// One record for each transaction, with everything that its messages hold.
    Transaction,
}

/// Encodes transactions.
#[derive(Clone, Debug)]
pub struct Encoder {
    encoding: Encoding,
    clock: Rfc3339,
    draft: Draft,
    answer: answer::Fragments,
    transaction: transaction::Fragments,
    binary: binary::Fragments,
    shortened: u64,
}

impl Encoder {
    /// An encoder of JSON whose records name `sensor`, and carry `level` in layout [`Answer`](Layout::Answer).
    pub fn new(layout: Layout, sensor: &str, level: &str) -> Self {
        Self::of(Encoding::json(layout), sensor, level)
    }

    /// An encoder as [`new`](Self::new) makes it, of any format.
    pub fn of(encoding: Encoding, sensor: &str, level: &str) -> Self {
        let binary = binary::Fragments::new(encoding.format, sensor, level);
        let (sensor, level) = (json::string(sensor), json::string(level));
        Self {
            encoding,
            clock: Rfc3339::default(),
            draft: Draft::new(),
            answer: answer::Fragments::new(&sensor, &level),
            transaction: transaction::Fragments::new(&sensor),
            binary,
            shortened: 0,
        }
    }

    /// Appends the records of one transaction to `out` and returns how many there are.
    pub fn encode(&mut self, transaction: &Transaction<'_>, out: &mut Vec<u8>) -> u64 {
        if self.encoding.format != Format::Json {
            let mut records = 0;
            self.encode_each(transaction, out, &mut |_| records += 1);
            return records;
        }
        self.draft.tidy();
        let lines = self.lines(transaction);
        out.extend_from_slice(self.draft.bytes());
        lines
    }

    /// Appends as [`encode`](Self::encode) does, to a buffer: lines of JSON are put together there and not copied.
    pub fn encode_into(&mut self, transaction: &Transaction<'_>, out: &mut Buffer) -> u64 {
        /// Positions in the text have 32 bits.
        const MOST: usize = 1 << 30;
        if self.encoding.format != Format::Json || out.len() > MOST {
            return out.with_vec(|out| self.encode(transaction, out));
        }
        self.draft.borrow_room(out);
        let lines = self.lines(transaction);
        self.draft.return_room(out);
        lines
    }

    /// Drafts the lines of one transaction, shortened if need be.
    #[inline(always)]
    fn lines(&mut self, transaction: &Transaction<'_>) -> u64 {
        // Lines are longer than the text in them, so that the text needs to be measured only when they are too long.
        let lines = self.draft_whole(transaction, &Shown::ALL, shown::allowance(transaction));
        if !self.draft.is_too_long() {
            return lines;
        }
        let shown = self.shown(transaction);
        self.draft_whole(transaction, &shown, usize::MAX)
    }

    /// Appends the records of one transaction to `out` and calls `ended` with the length of `out` after each.
    pub fn encode_each(&mut self, transaction: &Transaction<'_>, out: &mut Vec<u8>, ended: &mut dyn FnMut(usize)) {
        if self.encoding.format != Format::Json {
            let shown = self.shown(transaction);
            return binary::encode(self.encoding, &self.binary, &mut self.clock, transaction, &shown, out, ended);
        }
        let start = out.len();
        self.encode(transaction, out);
        // JSON has no line feed inside a record.
        let records = out[start..].split_inclusive(|&byte| byte == b'\n');
        records.fold(start, |end, record| {
            ended(end + record.len());
            end + record.len()
        });
    }

    /// How many transactions had some of their questions or records left out, since their text was far longer than their
    /// messages: see "Text that is left out" in `docs/record-layouts.md`.
    pub const fn shortened(&self) -> u64 {
        self.shortened
    }

    /// Drafts lines of JSON until there is room for all of them, unless they are longer than `allowance`, and returns how many there
    /// are.
    #[inline(always)]
    fn draft_whole(&mut self, transaction: &Transaction<'_>, shown: &Shown, allowance: usize) -> u64 {
        loop {
            self.draft.begin(allowance);
            let lines = self.draft(transaction, shown);
            if self.draft.is_whole() || self.draft.is_too_long() {
                return lines;
            }
            self.draft.extend_room();
        }
    }

    /// Drafts lines of JSON, and returns how many there are.
    #[inline(never)]
    fn draft(&mut self, transaction: &Transaction<'_>, shown: &Shown) -> u64 {
        match self.encoding.layout {
            Layout::Answer => answer::encode(&self.answer, &mut self.clock, transaction, shown, &mut self.draft),
            Layout::Transaction => {
                transaction::encode(&mut self.transaction, &mut self.clock, transaction, shown, &mut self.draft);
                1
            }
        }
    }

    fn shown(&mut self, transaction: &Transaction<'_>) -> Shown {
        let shown = Shown::of(self.encoding.layout, transaction);
        self.shortened += u64::from(shown.is_cut());
        shown
    }
}
