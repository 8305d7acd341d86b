//! Encoded records on their way to a sink.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use pdns_packet::time::Timestamp;
use pdns_record::{Buffer, Encoding, Format};

/// Encoded records of one encoding, end to end, and where asked for what sinks have to know of each.
///
/// A batch is written once and then shared among sinks as `Arc<Batch>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    encoding: Encoding,
    detailed: bool,
    bytes: Buffer,
    records: u64,
    details: Vec<Detail>,
}

/// What a sink has to know of one record besides its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detail {
    /// Where the record ends in the batch; it begins where the one before ends.
    pub end: usize,
    /// The capture time that the record has.
    pub time: Timestamp,
    /// The client, by which a sink may keep records in order.
    pub client: IpAddr,
    /// What tells the record from any other, also when it is delivered twice.
    pub id: RecordId,
}

/// A record's own number: a run of the program has a random beginning, and counts from there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(u128);

/// One record of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// As it was encoded; of JSON with its line feed.
    pub bytes: &'a [u8],
    /// Only in batches with details.
    pub detail: Option<&'a Detail>,
}

impl Batch {
    /// An empty batch. Where `detailed` is set each record has a [`Detail`]; records of formats in which one cannot see
    /// where they end always have it.
    pub fn new(encoding: Encoding, detailed: bool) -> Self {
        let detailed = detailed || encoding.format != Format::Json;
        Self { encoding, detailed, bytes: Buffer::new(), records: 0, details: Vec::new() }
    }

    /// A batch of what was taken apart: `details` of each record, or of none.
    pub(crate) fn from_parts(encoding: Encoding, bytes: Vec<u8>, records: u64, details: Option<Vec<Detail>>) -> Self {
        let bytes = bytes.into();
        match details {
            Some(details) => Self { encoding, detailed: true, bytes, records, details },
            None => Self { encoding, detailed: false, bytes, records, details: Vec::new() },
        }
    }

    /// What is known of each record, where anything is.
    pub(crate) fn details(&self) -> &[Detail] {
        &self.details
    }

    /// How its records are encoded.
    pub const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Whether each record has a [`Detail`].
    pub const fn is_detailed(&self) -> bool {
        self.detailed
    }

    /// All records, end to end.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.bytes()
    }

    /// How many records there are.
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// Whether there is no record.
    pub const fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// How much memory the batch takes, in bytes.
    pub const fn size(&self) -> usize {
        self.bytes.capacity() + self.details.capacity() * size_of::<Detail>()
    }

    /// Takes the records out; what stays is empty and has memory for as many.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let mut empty = Self::new(self.encoding, self.detailed);
        empty.bytes = Buffer::with_room(self.bytes.len() + self.bytes.len() / 8);
        empty.details.reserve(self.details.len() + self.details.len() / 8);
        let mut full = std::mem::replace(self, empty);
        // A batch that waits should not hold memory for records that never came.
        if full.bytes.capacity() - full.bytes.len() > full.bytes.len() / 8 {
            full.bytes.shrink();
        }
        if full.details.capacity() / 2 > full.details.len() {
            full.details.shrink_to_fit();
        }
        full
    }

    /// Makes the batch empty and keeps its memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.details.clear();
        self.records = 0;
    }

    /// Appends records without details: `encode` writes them and says how many there are, which is returned.
    ///
    /// # Panics
    /// In debug builds, when the batch is detailed.
    pub fn write(&mut self, encode: impl FnOnce(&mut Buffer) -> u64) -> u64 {
        debug_assert!(!self.detailed, "records of this batch have details");
        let records = encode(&mut self.bytes);
        self.records += records;
        records
    }

    /// Appends records of one client at one time: `encode` writes them and calls its second argument with the length
    /// after each. The first gets `id`, the others those after it; returns the id for the next record.
    pub fn write_each(
        &mut self,
        time: Timestamp,
        client: IpAddr,
        mut id: RecordId,
        encode: impl FnOnce(&mut Vec<u8>, &mut dyn FnMut(usize)),
    ) -> RecordId {
        let Self { detailed, bytes, records, details, .. } = self;
        bytes.with_vec(|bytes| {
            encode(bytes, &mut |end| {
                *records += 1;
                if *detailed {
                    details.push(Detail { end, time, client, id });
                }
                id = id.plus(1);
            });
        });
        id
    }

    /// The records, one by one.
    pub fn iter(&self) -> Records<'_> {
        Records { rest: self.bytes(), start: 0, details: self.detailed.then(|| self.details.iter()) }
    }

    /// A batch of the records whose places are in `wanted`, which is sorted.
    #[must_use]
    pub fn select(&self, wanted: &[usize]) -> Self {
        let mut out = Self::new(self.encoding, self.detailed);
        let mut wanted = wanted.iter().copied().peekable();
        for (_, record) in self.iter().enumerate().filter(|&(place, _)| wanted.next_if_eq(&place).is_some()) {
            out.push(record);
        }
        out
    }

    /// The first and the second half of the records; `None` when there are not two.
    pub fn halves(&self) -> Option<[Self; 2]> {
        let half = self.records.div_ceil(2) as usize;
        let mut halves = [Self::new(self.encoding, self.detailed), Self::new(self.encoding, self.detailed)];
        for (place, record) in self.iter().enumerate() {
            halves[usize::from(place >= half)].push(record);
        }
        halves.iter().all(|half| !half.is_empty()).then_some(halves)
    }

    /// Whether the records of another batch can be appended: it has the same encoding, and both have details or neither.
    pub fn can_hold(&self, other: &Self) -> bool {
        (self.encoding, self.detailed) == (other.encoding, other.detailed)
    }

    /// Appends the records of another batch.
    ///
    /// # Panics
    /// In debug builds, when this one [cannot hold](Self::can_hold) them.
    pub fn append(&mut self, other: &Self) {
        debug_assert!(self.can_hold(other), "batches of one encoding");
        let start = self.bytes.len();
        self.bytes.extend_from_slice(other.bytes());
        self.records += other.records;
        self.details.extend(other.details.iter().map(|detail| Detail { end: start + detail.end, ..*detail }));
    }

    /// One batch of the records of all, which takes no more memory than they need. The first [can hold](Self::can_hold) the others.
    ///
    /// # Panics
    /// When there are none.
    pub(crate) fn of_all(batches: &[Arc<Self>]) -> Self {
        let first = &batches[0];
        let sum = |len: fn(&Self) -> usize| batches.iter().map(|batch| len(batch)).sum();
        let mut all = Self::new(first.encoding, first.detailed);
        all.bytes = Vec::with_capacity(sum(|batch| batch.bytes.len())).into();
        all.details.reserve_exact(sum(|batch| batch.details.len()));
        batches.iter().for_each(|batch| all.append(batch));
        all
    }

    fn push(&mut self, record: Record<'_>) {
        self.bytes.extend_from_slice(record.bytes);
        self.records += 1;
        self.details.extend(record.detail.map(|detail| Detail { end: self.bytes.len(), ..*detail }));
    }
}

/// The records of a batch, in order.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
    start: usize,
    /// Where records have none they are lines.
    details: Option<std::slice::Iter<'a, Detail>>,
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let (length, detail) = match &mut self.details {
            Some(details) => {
                let detail = details.next()?;
                (detail.end - self.start, Some(detail))
            }
            None if self.rest.is_empty() => return None,
            None => (self.rest.iter().position(|&byte| byte == b'\n').map_or(self.rest.len(), |end| end + 1), None),
        };
        let (bytes, rest) = self.rest.split_at(length);
        self.start += length;
        self.rest = rest;
        Some(Record { bytes, detail })
    }
}

impl<'a> IntoIterator for &'a Batch {
    type Item = Record<'a>;
    type IntoIter = Records<'a>;

    fn into_iter(self) -> Records<'a> {
        self.iter()
    }
}

impl RecordId {
    /// The first id of one of up to 65,536 workers, in the run of the program that drew `run` by chance.
    pub const fn first(run: u64, worker: u16) -> Self {
        Self((run as u128) << 64 | (worker as u128) << 48)
    }

    /// The id so many after this one.
    #[must_use]
    pub const fn plus(self, records: u64) -> Self {
        Self(self.0.wrapping_add(records as u128))
    }

    /// As sixteen bytes, of which the first eight are the run's.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// From what [`to_bytes`](Self::to_bytes) gave.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

/// In 32 hexadecimal digits.
impl fmt::Display for RecordId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RecordId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pdns_record::Layout;

    const JSON: Encoding = Encoding::json(Layout::Answer);
    const AVRO: Encoding = Encoding { layout: Layout::Transaction, format: Format::Avro };

    fn lines(text: &str) -> Batch {
        let mut batch = Batch::new(JSON, false);
        batch.write(|bytes| {
            bytes.extend_from_slice(text.as_bytes());
            text.lines().count() as u64
        });
        batch
    }

    fn detailed(records: &[&str]) -> Batch {
        let mut batch = Batch::new(AVRO, false);
        let mut id = RecordId::first(7, 1);
        for (second, record) in records.iter().enumerate() {
            let time = Timestamp::new(second as i64, 0);
            id = batch.write_each(time, [192, 0, 2, 1].into(), id, |bytes, ended| {
                bytes.extend_from_slice(record.as_bytes());
                ended(bytes.len());
            });
        }
        batch
    }

    fn texts(batch: &Batch) -> Vec<&str> {
        batch.iter().map(|record| str::from_utf8(record.bytes).unwrap()).collect()
    }

    #[test]
    fn records_without_details_are_lines() {
        let batch = lines("a\nbb\n\nc\n");
        assert_eq!(texts(&batch), ["a\n", "bb\n", "\n", "c\n"]);
        assert_eq!((batch.records(), batch.is_detailed()), (4, false));
        assert!(texts(&lines("")).is_empty());
    }

    #[test]
    fn records_with_details_are_what_they_say() {
        let batch = detailed(&["a\nb", "", "c"]);
        assert!(batch.is_detailed(), "Avro has no line feeds");
        assert_eq!(texts(&batch), ["a\nb", "", "c"]);
        let ids: Vec<_> = batch.iter().map(|record| record.detail.unwrap().id.to_string()).collect();
        assert_eq!(ids[0], "00000000000000070001000000000000");
        assert_eq!(ids[2], "00000000000000070001000000000002");
        assert_eq!(RecordId::from_bytes(RecordId::first(7, 1).to_bytes()).to_string(), ids[0]);
    }

    #[test]
    fn parts_together_are_the_whole() {
        for batch in [lines("a\nbb\nccc\n"), detailed(&["a", "bb", "ccc"])] {
            let [mut first, second] = batch.halves().unwrap();
            assert_eq!((first.records(), second.records()), (2, 1));
            assert!(second.halves().is_none());
            let all = Batch::of_all(&[first.clone().into(), second.clone().into()]);
            assert_eq!(
                (&all, all.size()),
                (&batch, first.bytes.len() + second.bytes.len() + all.details.len() * size_of::<Detail>())
            );
            first.append(&second);
            assert_eq!(first, batch);
            assert_eq!(batch.select(&[0, 1, 2]), batch);
            assert_eq!(texts(&batch.select(&[1])), texts(&batch)[1..2]);
            assert!(batch.select(&[]).is_empty());
        }
    }
}
