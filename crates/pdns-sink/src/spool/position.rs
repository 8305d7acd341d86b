//! How far the spool is delivered: a file with two places that are written in turn, so that one is always whole.
//!
//! ```text
//! place: turn u64  segment u64  offset u64  crc32 u32  0 u32
//! ```

use std::io;

use super::fs::{SegmentFile, read_exact_at, write_all_at};

const SLOT: usize = 32;

/// A place in the spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub segment: u64,
    pub offset: u64,
}

/// The file with the position.
#[derive(Debug)]
pub(crate) struct Position<F> {
    file: F,
    turn: u64,
    place: Place,
}

impl<F: SegmentFile> Position<F> {
    pub(crate) fn open(file: F) -> io::Result<Self> {
        let (mut turn, mut place) = (0, Place::default());
        for slot in 0..2 {
            // What a file that is too short does not have reads as zeros, as it will when it grows.
            let mut bytes = [0; SLOT];
            let there = file.len()?.saturating_sub(slot * SLOT as u64).min(SLOT as u64) as usize;
            read_exact_at(&file, slot * SLOT as u64, &mut bytes[..there])?;
            let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| bytes[at + byte]));
            let crc = crc32fast::hash(&bytes[..24]);
            if bytes[24..28] == crc.to_le_bytes() && number(0) > turn {
                (turn, place) = (number(0), Place { segment: number(8), offset: number(16) });
            }
        }
        Ok(Self { file, turn, place })
    }

    pub(crate) const fn place(&self) -> Place {
        self.place
    }

    pub(crate) fn write(&mut self, place: Place) -> io::Result<()> {
        let turn = self.turn + 1;
        let mut bytes = [0; SLOT];
        bytes[..8].copy_from_slice(&turn.to_le_bytes());
        bytes[8..16].copy_from_slice(&place.segment.to_le_bytes());
        bytes[16..24].copy_from_slice(&place.offset.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..24]);
        bytes[24..28].copy_from_slice(&crc.to_le_bytes());
        // The next try writes to the same slot: the other one is whole.
        write_all_at(&mut self.file, (turn % 2) * SLOT as u64, &bytes)?;
        (self.turn, self.place) = (turn, place);
        Ok(())
    }
}
