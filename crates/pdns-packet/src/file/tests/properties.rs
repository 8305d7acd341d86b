//! What holds for any bytes.

use proptest::prelude::*;

use super::pcapng::{BIG, LITTLE, Writer, all_kinds};
use super::*;

/// A valid file of either format, long enough to have something broken in it.
fn valid() -> impl Strategy<Value = Vec<u8>> {
    let pcap = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6).prop_map(|frames| {
        let mut file = vec![0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 1, 0, 0, 0];
        for frame in frames {
            file.extend([1, 0, 0, 0, 2, 0, 0, 0, frame.len() as u8, 0, 0, 0, 60, 0, 0, 0]);
            file.extend(frame);
        }
        file
    });
    let kinds = |w: Writer| prop::collection::vec(prop::sample::select(all_kinds(w)), 0..12);
    let pcapng = (kinds(LITTLE), kinds(BIG)).prop_map(|(little, big)| {
        let head = |w: Writer| [w.section(), w.interface(1, 4, &[]), w.interface(0, 0, &[(9, &[0x8a])])].concat();
        [head(LITTLE), little.concat(), head(BIG), big.concat()].concat()
    });
    prop_oneof![pcap, pcapng]
}

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), any::<u8>());
    (valid(), prop::collection::vec(edit, 0..6), any::<prop::sample::Index>()).prop_map(|(mut file, edits, cut)| {
        for (at, byte) in edits {
            let at = at.index(file.len());
            file[at] = byte;
        }
        file.truncate(cut.index(file.len() * 2) + 1);
        file
    })
}

proptest! {
    // `frames` itself asserts that every step goes forward and stays within the buffer and the bound.
    #[test]
    fn arbitrary_bytes_end(file in prop::collection::vec(any::<u8>(), 0..300), chunk in 1_usize..50) {
        let (found, _end) = frames(&file, chunk);
        prop_assert!(found.len() * 16 <= file.len());
    }

    #[test]
    fn reads_of_any_size_give_the_same(file in mutated(), chunk in 1_usize..50) {
        let whole = frames(&file, usize::MAX / 2);
        prop_assert_eq!(&frames(&file, 1), &whole);
        prop_assert_eq!(&frames(&file, chunk), &whole);
    }

    #[test]
    fn a_fault_is_within_the_file(file in mutated()) {
        if let (_, Err(error)) = frames(&file, 1 << 20) {
            prop_assert!(error.offset() <= file.len() as u64);
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
