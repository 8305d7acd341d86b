//! pcapng: draft-ietf-opsawg-pcapng, whose sections this file names.

mod interface;

use std::ops::Range;

use interface::Interface;

use super::order::Order;
use super::{FileError, MAX_LENGTH, Step};
use crate::time::Timestamp;

/// The type of a Section Header Block, the same in both byte orders: section 4.1.
pub(super) const MAGIC: [u8; 4] = SECTION.to_be_bytes();

/// A pcapng file, at a block of a section.
#[derive(Debug, Default)]
pub(super) struct Section {
    order: Order,
    interfaces: Vec<Interface>,
    skip: Option<Skip>,
    /// Time of the last frame, for blocks that carry none.
    last: Timestamp,
}

impl Section {
    /// The block at the beginning of `buffer`, which is `offset` bytes into the file.
    #[inline(never)]
    pub(super) fn next(&mut self, buffer: &[u8], offset: u64) -> Result<Step, FileError> {
        if self.skip.is_some() {
            return self.skip(buffer, offset);
        }
        let Some(head) = buffer.first_chunk::<HEAD_LEN>() else {
            return Ok(Step::Need { bytes: HEAD_LEN });
        };
        let kind = self.order.word(head, 0);
        if kind == SECTION {
            return self.section(buffer, offset);
        }
        let length = self.order.word(head, 1);
        if length < MIN_BLOCK || !length.is_multiple_of(4) {
            return Err(FileError::BlockLength { offset, length });
        }
        if !matches!(kind, INTERFACE | PACKET | SIMPLE_PACKET | ENHANCED_PACKET) {
            return Ok(self.start_skip(length, HEAD_LEN, offset));
        }
        if length > MAX_BLOCK {
            return Err(FileError::TooLong { offset, length, max: MAX_BLOCK });
        }
        let Some(block) = buffer.get(..length as usize) else {
            return Ok(Step::Need { bytes: length as usize });
        };
        let trailing = block.last_chunk().map_or(0, |bytes| self.order.u32(*bytes));
        if trailing != length {
            let offset = offset + u64::from(length) - TRAILER_LEN as u64;
            return Err(FileError::Trailer { offset, leading: length, trailing });
        }
        let block = Block { bytes: block, offset };
        match kind {
            ENHANCED_PACKET => self.enhanced_packet(block),
            SIMPLE_PACKET => self.simple_packet(block),
            PACKET => self.packet(block),
            _ => self.interface(block),
        }
    }

    /// Link types of the section's interfaces.
    pub(super) fn links(&self) -> impl Iterator<Item = u16> {
        self.interfaces.iter().map(|interface| interface.link)
    }

    /// The error of a file that ends, with `have` bytes left, in a block that is being skipped.
    pub(super) fn cut_while_skipping(&self, have: usize) -> Option<FileError> {
        let skip = self.skip?;
        let have = u64::from(skip.length - skip.left) + have as u64;
        Some(FileError::Cut { offset: skip.start, need: u64::from(skip.length), have })
    }

    /// Section 4.1: a new byte order, and no interfaces yet. The section's length is not needed: blocks follow one another
    /// anyway.
    fn section(&mut self, buffer: &[u8], offset: u64) -> Result<Step, FileError> {
        let Some(head) = buffer.first_chunk::<SECTION_HEAD_LEN>() else {
            return Ok(Step::Need { bytes: SECTION_HEAD_LEN });
        };
        let order = match Order::Big.word(head, 2) {
            BYTE_ORDER => Order::Big,
            magic if magic.swap_bytes() == BYTE_ORDER => Order::Little,
            magic => return Err(FileError::ByteOrder { offset, magic }),
        };
        let length = order.word(head, 1);
        if length < MIN_SECTION || !length.is_multiple_of(4) {
            return Err(FileError::BlockLength { offset, length });
        }
        let major = order.u16([head[12], head[13]]);
        let minor = order.u16([head[14], head[15]]);
        if major != 1 {
            return Err(FileError::Version { offset, major, minor });
        }
        self.order = order;
        self.interfaces.clear();
        Ok(self.start_skip(length, SECTION_HEAD_LEN, offset))
    }

    /// Section 4.2.
    #[cold]
    fn interface(&mut self, block: Block<'_>) -> Result<Step, FileError> {
        if self.interfaces.len() == MAX_INTERFACES {
            return Err(FileError::Interfaces { offset: block.offset, max: MAX_INTERFACES });
        }
        let interface = Interface::parse(self.order, block.body()).ok_or_else(|| block.short())?;
        self.interfaces.push(interface);
        Ok(Step::Skip { consumed: block.bytes.len() })
    }

    /// Section 4.3. Options that follow the data tell nothing we use.
    #[inline]
    fn enhanced_packet(&mut self, block: Block<'_>) -> Result<Step, FileError> {
        let head = block.body().first_chunk::<PACKET_HEAD_LEN>().ok_or_else(|| block.short())?;
        let interface = self.order.word(head, 0);
        self.timed_packet(block, head, interface)
    }

    /// Section A.1: obsolete, as the Enhanced Packet Block but for the first word, in which drops are counted too.
    fn packet(&mut self, block: Block<'_>) -> Result<Step, FileError> {
        let head = block.body().first_chunk::<PACKET_HEAD_LEN>().ok_or_else(|| block.short())?;
        let interface = self.order.u16([head[0], head[1]]);
        self.timed_packet(block, head, u32::from(interface))
    }

    #[inline]
    fn timed_packet(&mut self, block: Block<'_>, head: &[u8; PACKET_HEAD_LEN], id: u32) -> Result<Step, FileError> {
        let interface = self.described(id, block)?;
        let ticks = u64::from(self.order.word(head, 1)) << 32 | u64::from(self.order.word(head, 2));
        let time = interface.time(ticks);
        let link = interface.link;
        let captured = self.order.word(head, 3);
        let data = block.data(PACKET_HEAD_LEN, captured)?;
        self.last = time;
        let wire_len = self.order.word(head, 4).max(captured);
        Ok(Step::Frame { time, wire_len, link, data, consumed: block.bytes.len() })
    }

    /// Section 4.4: always of the first interface, whose snap length tells how much was captured; without a time, so that
    /// of the frame before it must do.
    fn simple_packet(&mut self, block: Block<'_>) -> Result<Step, FileError> {
        let head = block.body().first_chunk::<SIMPLE_HEAD_LEN>().ok_or_else(|| block.short())?;
        let interface = self.described(0, block)?;
        let wire_len = self.order.word(head, 0);
        let captured = if interface.snaplen == 0 { wire_len } else { wire_len.min(interface.snaplen) };
        let data = block.data(SIMPLE_HEAD_LEN, captured)?;
        Ok(Step::Frame { time: self.last, wire_len, link: interface.link, data, consumed: block.bytes.len() })
    }

    #[inline]
    fn described(&self, id: u32, block: Block<'_>) -> Result<&Interface, FileError> {
        let known = self.interfaces.len();
        self.interfaces.get(id as usize).ok_or(FileError::Interface { offset: block.offset, interface: id, known })
    }

    /// Passes over the first `head` bytes of a block of `length` bytes, and notes that the others follow.
    fn start_skip(&mut self, length: u32, head: usize, start: u64) -> Step {
        self.skip = Some(Skip { start, length, left: length - head as u32 });
        Step::Skip { consumed: head }
    }

    /// Goes on in the middle of a block that may be longer than any buffer.
    #[cold]
    fn skip(&mut self, buffer: &[u8], offset: u64) -> Result<Step, FileError> {
        let Some(Skip { start, length, left }) = self.skip else {
            return Ok(Step::Need { bytes: buffer.len() + 1 });
        };
        let body = left as usize - TRAILER_LEN;
        if body > 0 {
            let consumed = body.min(buffer.len());
            if consumed == 0 {
                return Ok(Step::Need { bytes: 1 });
            }
            self.skip = Some(Skip { start, length, left: left - consumed as u32 });
            return Ok(Step::Skip { consumed });
        }
        let Some(&trailer) = buffer.first_chunk::<TRAILER_LEN>() else {
            return Ok(Step::Need { bytes: TRAILER_LEN });
        };
        let trailing = self.order.u32(trailer);
        if trailing != length {
            return Err(FileError::Trailer { offset, leading: length, trailing });
        }
        self.skip = None;
        Ok(Step::Skip { consumed: TRAILER_LEN })
    }
}

/// A block of which only the end is of interest: its length once more. `left` counts that too, so it is never under four.
#[derive(Clone, Copy, Debug)]
struct Skip {
    start: u64,
    length: u32,
    left: u32,
}

/// A whole block, with both lengths checked: at least [`MIN_BLOCK`] bytes.
#[derive(Clone, Copy)]
struct Block<'a> {
    bytes: &'a [u8],
    offset: u64,
}

impl<'a> Block<'a> {
    /// What is between the block's type and length and its length.
    #[inline]
    fn body(self) -> &'a [u8] {
        self.bytes.get(HEAD_LEN..self.bytes.len() - TRAILER_LEN).unwrap_or_default()
    }

    /// Where in the block the `length` bytes of data are that begin `at` in its body.
    #[inline]
    fn data(self, at: usize, length: u32) -> Result<Range<usize>, FileError> {
        let room = self.body().len() - at;
        if length as usize > room {
            return Err(FileError::Data { offset: self.offset, length, room });
        }
        let start = HEAD_LEN + at;
        Ok(start..start + length as usize)
    }

    fn short(self) -> FileError {
        FileError::BlockLength { offset: self.offset, length: self.bytes.len() as u32 }
    }
}

const SECTION: u32 = 0x0a0d_0d0a;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
const INTERFACE: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
/// A block's type and length.
const HEAD_LEN: usize = 8;
/// The length that ends a block.
const TRAILER_LEN: usize = 4;
const MIN_BLOCK: u32 = 12;
const MIN_SECTION: u32 = 28;
/// Type, length, byte order mark and version.
const SECTION_HEAD_LEN: usize = 16;
const PACKET_HEAD_LEN: usize = 20;
const SIMPLE_HEAD_LEN: usize = 4;
/// A block with a frame has headers and options beside it.
const MAX_BLOCK: u32 = MAX_LENGTH + (1 << 16);
/// The obsolete Packet Block can number no more.
const MAX_INTERFACES: usize = 1 << 16;
