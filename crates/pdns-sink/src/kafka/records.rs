//! A batch as requests to partitions.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use pdns_packet::text::Text;
use pdns_record::Format;
use rskafka::chrono::{DateTime, Utc};
use rskafka::record::Record;

use super::config::Partitioner;
use super::partition;
use crate::{Batch, Detail, RecordId};

/// The header that tells a record from all others.
const ID_HEADER: &str = "pdns-id";

/// What a record takes in a request besides its value: key, header, lengths. More than there ever is.
const OVERHEAD: usize = 112;

/// Records of one batch that go to one partition in one request.
#[derive(Debug)]
pub(super) struct Piece {
    /// The number of the partition among those there are.
    pub partition: usize,
    /// The records' places in the batch.
    pub places: Vec<usize>,
    pub records: Vec<Record>,
    bytes: usize,
}

/// Deals the records of a batch out to so many partitions, in requests of up to `limit` bytes. `turn` is what tells this
/// batch's partition where records have no keys.
pub(super) fn pieces(
    batch: &Batch,
    partitioner: Partitioner,
    partitions: NonZeroUsize,
    turn: usize,
    limit: usize,
    now: DateTime<Utc>,
) -> Vec<Piece> {
    // For each partition the piece that is being filled.
    let mut filling: Vec<Option<usize>> = vec![None; partitions.get()];
    let mut pieces: Vec<Piece> = Vec::new();
    for (place, record) in batch.iter().enumerate() {
        let key = match partitioner {
            Partitioner::Client => record.detail.map(key),
            Partitioner::RoundRobin => None,
        };
        let partition = key.as_deref().map_or(turn % partitions, |key| partition::of_key(key, partitions));
        let value = match batch.encoding().format {
            Format::Json => record.bytes.strip_suffix(b"\n").unwrap_or(record.bytes),
            _ => record.bytes,
        };
        let bytes = value.len() + OVERHEAD;
        let index = match filling[partition] {
            Some(index) if pieces[index].bytes + bytes <= limit => index,
            _ => {
                pieces.push(Piece { partition, places: Vec::new(), records: Vec::new(), bytes: 0 });
                pieces.len() - 1
            }
        };
        filling[partition] = Some(index);
        let piece = &mut pieces[index];
        piece.bytes += bytes;
        piece.places.push(place);
        let headers = record.detail.map(|detail| (ID_HEADER.to_owned(), hex(detail.id)));
        let headers = BTreeMap::from_iter(headers);
        piece.records.push(Record { key, value: Some(value.to_vec()), headers, timestamp: now });
    }
    pieces
}

/// The client's address as text.
fn key(detail: &Detail) -> Vec<u8> {
    let mut key = Vec::with_capacity(39);
    key.ip(detail.client);
    key
}

/// The id as text, in 32 hexadecimal digits.
fn hex(id: RecordId) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    id.to_bytes().into_iter().flat_map(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pdns_packet::time::Timestamp;
    use pdns_record::{Encoding, Layout};

    const THREE: NonZeroUsize = NonZeroUsize::new(3).unwrap();
    const JSON: Encoding = Encoding::json(Layout::Answer);

    fn batch(clients: &[u8], value: &str) -> Batch {
        let mut batch = Batch::new(JSON, true);
        let mut id = RecordId::first(7, 0);
        for &client in clients {
            id = batch.write_each(Timestamp::default(), [192, 0, 2, client].into(), id, |bytes, ended| {
                bytes.extend_from_slice(value.as_bytes());
                bytes.push(b'\n');
                ended(bytes.len());
            });
        }
        batch
    }

    fn dealt(batch: &Batch, partitioner: Partitioner, limit: usize) -> Vec<Piece> {
        pieces(batch, partitioner, THREE, 1, limit, DateTime::default())
    }

    #[test]
    fn a_clients_records_stay_together_and_in_order() {
        let batch = batch(&[1, 2, 1, 3, 1, 2], "{}");
        let pieces = dealt(&batch, Partitioner::Client, 10_000);
        let mut places: Vec<_> = pieces.iter().flat_map(|piece| piece.places.clone()).collect();
        assert!(pieces.iter().all(|piece| piece.places.is_sorted()));
        places.sort_unstable();
        assert_eq!(places, [0, 1, 2, 3, 4, 5]);
        for piece in &pieces {
            for (record, place) in piece.records.iter().zip(&piece.places) {
                let key = record.key.as_deref().unwrap();
                assert_eq!(partition::of_key(key, THREE), piece.partition);
                assert_eq!(record.value.as_deref(), Some(&b"{}"[..]));
                assert_eq!(record.headers["pdns-id"], format!("0000000000000007{place:016x}").as_bytes());
            }
        }
        let first =
            pieces.iter().flat_map(|piece| &piece.records).find(|record| record.headers["pdns-id"].ends_with(b"00"));
        assert_eq!(first.unwrap().key.as_deref(), Some(&b"192.0.2.1"[..]));
    }

    #[test]
    fn without_keys_a_batch_goes_to_one_partition() {
        let pieces = dealt(&batch(&[1, 2, 3], "{}"), Partitioner::RoundRobin, 10_000);
        assert_eq!(pieces.len(), 1);
        assert_eq!((pieces[0].partition, pieces[0].places.len()), (1, 3));
        assert!(pieces[0].records.iter().all(|record| record.key.is_none()));
    }

    #[test]
    fn no_request_is_larger_than_the_limit_unless_a_record_is() {
        let one = OVERHEAD + 2;
        let sizes = |limit| {
            let pieces = dealt(&batch(&[1; 5], "{}"), Partitioner::Client, limit);
            pieces.iter().map(|piece| piece.places.len()).collect::<Vec<_>>()
        };
        assert_eq!(sizes(5 * one), [5]);
        assert_eq!(sizes(2 * one), [2, 2, 1]);
        assert_eq!(sizes(1), [1; 5]);
    }

    #[test]
    fn a_record_never_takes_more_than_is_reckoned() {
        // The longest key, its length and the header with theirs, and the record's own length, attributes and deltas.
        let key = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".len();
        assert!(key + ID_HEADER.len() + 32 + 1 + 1 + 1 + 1 + 5 + 5 + 5 + 1 + 10 <= OVERHEAD);
    }
}
