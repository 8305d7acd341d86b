//! Hashes for tables that packets fill, seeded by the system.
//!
//! `foldhash` seeds itself by addresses and the clock, which is meant to be cheap and not to be hard to guess. Here the seed
//! comes from where the standard library has its own: the system's source of randomness.

use std::collections::hash_map;
use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

use foldhash::{SharedSeed, fast, quality};

/// Hashes for tables whose keys are hashed whole and looked up by all bits.
#[derive(Clone, Debug)]
pub(crate) struct Fast(fast::SeedableRandomState);

/// Hashes each of whose bits depends on all of the key.
#[derive(Clone, Debug)]
pub(crate) struct Quality(quality::SeedableRandomState);

impl Default for Fast {
    /// Another one each time.
    fn default() -> Self {
        Self(fast::SeedableRandomState::with_seed(random(), &SHARED))
    }
}

impl BuildHasher for Fast {
    type Hasher = fast::FoldHasher<'static>;

    #[inline]
    fn build_hasher(&self) -> Self::Hasher {
        self.0.build_hasher()
    }
}

impl Default for Quality {
    /// Another one each time.
    fn default() -> Self {
        Self(quality::SeedableRandomState::with_seed(random(), &SHARED))
    }
}

impl BuildHasher for Quality {
    type Hasher = quality::FoldHasher<'static>;

    #[inline]
    fn build_hasher(&self) -> Self::Hasher {
        self.0.build_hasher()
    }
}

static SHARED: LazyLock<SharedSeed> = LazyLock::new(|| SharedSeed::from_u64(random()));

/// Sixty-four bits that nobody outside can know: SipHash of nothing, under keys that the standard library had from the system.
fn random() -> u64 {
    hash_map::RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_hash_alike() {
        let (fast, quality) = ([(); 3].map(|()| Fast::default()), [(); 3].map(|()| Quality::default()));
        let mut hashes: Vec<_> = fast.iter().map(|state| state.hash_one(1_u64)).collect();
        hashes.extend(quality.iter().map(|state| state.hash_one(1_u64)));
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 6);
        assert_eq!(fast[0].hash_one(1_u64), fast[0].clone().hash_one(1_u64));
    }
}
