//! Which partition a record goes to, as Kafka's own clients reckon it: consumers may count on a key's place.

use std::num::NonZeroUsize;

/// The partition of a key, of so many.
///
/// That is `toPositive(murmur2(key)) % partitions` of Kafka's `BuiltInPartitioner`.
pub(super) fn of_key(key: &[u8], partitions: NonZeroUsize) -> usize {
    (murmur2(key) & 0x7fff_ffff) as usize % partitions
}

/// MurmurHash2 of 32 bits with the seed that Kafka has.
fn murmur2(bytes: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const FACTOR: u32 = 0x5bd1_e995;
    let mix = |word: u32| {
        let word = word.wrapping_mul(FACTOR);
        (word ^ word >> 24).wrapping_mul(FACTOR)
    };
    let (words, rest) = bytes.as_chunks::<4>();
    let hash = words
        .iter()
        .fold(SEED ^ bytes.len() as u32, |hash, &word| hash.wrapping_mul(FACTOR) ^ mix(u32::from_le_bytes(word)));
    let last = rest.iter().rev().fold(0, |last, &byte| last << 8 | u32::from(byte));
    let hash = if rest.is_empty() { hash } else { (hash ^ last).wrapping_mul(FACTOR) };
    let hash = (hash ^ hash >> 13).wrapping_mul(FACTOR);
    hash ^ hash >> 15
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_kafkas_own_tests() {
        // UtilsTest.testMurmur2 of Apache Kafka.
        for (text, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(text.as_bytes()) as i32, hash, "{text}");
        }
    }

    #[test]
    fn every_key_has_a_partition() {
        let seven = NonZeroUsize::new(7).unwrap();
        assert!((0..1000_u32).all(|key| of_key(&key.to_be_bytes(), seven) < 7));
    }
}
