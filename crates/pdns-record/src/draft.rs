//! The text that is being written.

use std::ops::Range;

use pdns_packet::text::Text;

use crate::buffer::Buffer;
use crate::names::Names;

/// Room for the lines of nearly every transaction.
const USUAL_ROOM: usize = 16 * 1024;

/// For how many transactions' lines room is kept that they do not need.
const KEPT_FOR: u32 = 64;

/// What is repeated is copied in blocks of this length, see [`Text::padded`]; most names are shorter.
const BLOCK: usize = 32;

/// The lines of a transaction under construction; as [`Text`], what is inside a JSON string.
///
/// They are put together here, in room that is there already, and not where they are handed on: a short piece is then
/// appended as a block of fixed length, with one check and no call, and what is too much of it is covered by the next.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// The text, and behind it whatever was there before.
    room: Vec<u8>,
    /// Where the lines begin: behind earlier ones, where the room is lent.
    start: u32,
    /// Where the text ends. Narrower than an address, so that nothing overflows when a piece's length is added.
    len: u32,
    /// How many usual lines there were since one that needed more room.
    usual: u32,
    /// Up to where the text may reach, at least, without a question whether all of it is to be shown.
    allowance: u32,
    /// The names in the text, of the message whose names are being written.
    names: Names,
}

impl Draft {
    pub(crate) fn new() -> Self {
        Self { room: vec![0; USUAL_ROOM], start: 0, len: 0, usual: 0, allowance: u32::MAX, names: Names::default() }
    }

    /// The names in the text. Who turns to another message makes them forgotten.
    #[inline]
    pub(crate) const fn names(&mut self) -> &mut Names {
        &mut self.names
    }

    /// The lines.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.text_from(self.start as usize)
    }

    /// The text from `position` on.
    pub(crate) fn text_from(&self, position: usize) -> &[u8] {
        self.room.get(position..self.len()).unwrap_or_default()
    }

    /// Begins other lines, in the same place.
    #[inline]
    pub(crate) fn begin(&mut self, allowance: usize) {
        self.len = self.start;
        self.names.clear();
        self.allowance = u32::try_from(allowance).unwrap_or(u32::MAX).saturating_add(self.start);
    }

    /// Looks after the room when it is not lent. What only unusual lines need is given back once there were none for a while.
    pub(crate) fn tidy(&mut self) {
        if self.room.len() > USUAL_ROOM {
            self.give_back();
        }
    }

    /// Goes on behind the bytes of `buffer`, in its room, until that [is returned](Self::return_room).
    #[inline]
    pub(crate) fn borrow_room(&mut self, buffer: &mut Buffer) {
        std::mem::swap(&mut self.room, &mut buffer.room);
        self.start = buffer.len as u32;
        self.len = self.start;
        if self.room.len() < buffer.len + USUAL_ROOM {
            self.extend_room();
        }
    }

    /// A little at a time: a buffer has its length soon, and is then used again.
    #[cold]
    fn extend_room(&mut self) {
        self.room.resize(self.len() + 2 * USUAL_ROOM, 0);
    }

    /// Gives `buffer` its room back, with the lines appended.
    #[inline]
    pub(crate) const fn return_room(&mut self, buffer: &mut Buffer) {
        buffer.len = self.len as usize;
        (self.start, self.len) = (0, 0);
        std::mem::swap(&mut self.room, &mut buffer.room);
    }

    /// Unusual lines come in runs, and room that is new costs more than to fill it.
    #[cold]
    fn give_back(&mut self) {
        self.usual = if self.len() > USUAL_ROOM { 0 } else { self.usual + 1 };
        if self.usual > KEPT_FOR {
            *self = Self::new();
        }
    }

    /// Whether the text is longer than it may be. What follows is in vain then.
    #[inline]
    pub(crate) const fn is_too_long(&self) -> bool {
        self.len > self.allowance
    }

    /// Length of the text.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len as usize
    }

    /// Appends a fragment.
    #[inline]
    pub(crate) fn fragment<const N: usize>(&mut self, fragment: &Fragment<N>) {
        self.padded(&fragment.block, fragment.len());
    }

    /// Appends `,"key":` and a number.
    #[inline]
    pub(crate) fn number_field(&mut self, key: &[u8], value: u64) {
        self.plain(key);
        self.number(value);
    }

    /// Appends `,"key":` and a number that hardly ever is 1,000 or more.
    #[inline]
    pub(crate) fn small_number_field(&mut self, key: &[u8], value: u64) {
        self.plain(key);
        self.foreseen_number(value);
    }

    /// Appends once more what is at `range` of the text, which is hardly ever longer than `N`.
    #[inline]
    pub(crate) fn repeat<const N: usize>(&mut self, range: Range<usize>) {
        let len = self.len();
        if range.len() > N || range.end > len || self.room.len() - len < N {
            return self.repeat_long(range);
        }
        // What follows the range is copied too, and covered by what comes next.
        self.room.copy_within(range.start..range.start + N, len);
        self.len += range.len() as u32;
    }

    #[inline(never)]
    fn repeat_long(&mut self, range: Range<usize>) {
        let (len, end) = (range.len(), self.len());
        self.reserve(len);
        self.room.copy_within(range, end);
        self.len += len as u32;
    }

    /// Appends the first `len` bytes of `block` where there was no room for it.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, block: &[u8], len: usize) {
        self.reserve(block.len());
        let start = self.len();
        self.room[start..start + block.len()].copy_from_slice(block);
        self.len += len as u32;
    }

    fn reserve(&mut self, len: usize) {
        let needed = self.len() + len;
        if needed > self.room.len() {
            self.room.resize(needed.max(2 * self.room.len()), 0);
        }
    }
}

impl Text for Draft {
    #[inline]
    fn plain(&mut self, bytes: &[u8]) {
        let start = self.len();
        match self.room.get_mut(start..start + bytes.len()) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.len += bytes.len() as u32;
            }
            None => self.grow(bytes, bytes.len()),
        }
    }

    #[inline]
    fn padded<const N: usize>(&mut self, block: &[u8; N], len: usize) {
        let start = self.len();
        match self.room.get_mut(start..start + N) {
            Some(room) => {
                room.copy_from_slice(block);
                debug_assert!(len <= N, "{len} bytes of {N}");
                self.len += len as u32;
            }
            None => self.grow(block, len.min(N)),
        }
    }

    // Edited where it will stand: bytes changed one by one, and then copied as a block, would be waited for.
    #[inline]
    fn edited<const N: usize>(&mut self, block: &[u8; N], edit: impl FnOnce(&mut [u8; N]) -> usize) {
        let start = self.len();
        match self.room.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
            Some(room) => {
                *room = *block;
                let len = edit(room);
                debug_assert!(len <= N, "{len} bytes of {N}");
                self.len += len as u32;
            }
            None => {
                let mut block = *block;
                let len = edit(&mut block).min(N);
                self.grow(&block, len);
            }
        }
    }

    fn backslash(&mut self) {
        self.plain(b"\\\\");
    }

    fn quote(&mut self) {
        self.plain(b"\\\"");
    }

    fn decimal_escape(&mut self, byte: u8) {
        let [hundreds, tens, ones] = [byte / 100, byte / 10 % 10, byte % 10].map(|digit| b'0' + digit);
        self.plain(&[b'\\', b'\\', hundreds, tens, ones]);
    }

    #[inline]
    fn position(&self) -> usize {
        self.len()
    }

    fn rewind(&mut self, position: usize) {
        self.len = self.len.min(position as u32);
        self.names.forget_behind(position);
    }

    #[inline]
    fn overwrite(&mut self, position: usize, byte: u8) {
        if let Some(place) = self.room.get_mut(position) {
            *place = byte;
        }
    }

    #[inline]
    fn remember_name(&mut self, place: usize, position: usize) {
        self.names.remember(place, position..self.len());
    }

    #[inline(always)]
    fn repeat_name<const N: usize>(&mut self, separator: &[u8; N], place: usize) -> bool {
        let Some(range) = self.names.find(place) else { return false };
        self.plain(separator);
        self.repeat::<BLOCK>(range);
        true
    }
}

/// Text that is written often, in a block that is appended whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fragment<const N: usize> {
    block: [u8; N],
    len: u8,
}

impl<const N: usize> Fragment<N> {
    /// No text.
    pub(crate) const EMPTY: Self = Self { block: [0; N], len: 0 };

    /// The parts one after the other; empty when they are longer than the block.
    pub(crate) const fn of(parts: &[&[u8]]) -> Self {
        let mut fragment = Self::EMPTY;
        let (mut len, mut part) = (0, 0);
        while part < parts.len() {
            let mut at = 0;
            while at < parts[part].len() {
                if len == N || len == u8::MAX as usize {
                    return Self::EMPTY;
                }
                fragment.block[len] = parts[part][at];
                at += 1;
                len += 1;
            }
            part += 1;
        }
        fragment.len = len as u8;
        fragment
    }

    pub(crate) const fn len(&self) -> usize {
        self.len as usize
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_follow_each_other_whatever_room_there_is() {
        let mut draft = Draft::new();
        let mut expected = Vec::new();
        for number in 0..6000_u64 {
            let start = draft.len();
            draft.plain(b"number ");
            draft.number(number);
            draft.repeat::<16>(start..draft.len());
            draft.padded(b", and so on", 2);
            draft.fragment(&Fragment::<48>::of(&[b"one fragment", b" and another"]));
            let text = format!("number {number}");
            expected.extend_from_slice(format!("{text}{text}, one fragment and another").as_bytes());
        }
        let half = draft.len();
        draft.repeat::<BLOCK>(0..half);
        assert_eq!(draft.bytes(), expected.repeat(2));
        assert!(draft.room.len() > USUAL_ROOM);
        let unusual = draft.room.len();
        for _ in 0..=KEPT_FOR {
            draft.tidy();
            draft.begin(usize::MAX);
            draft.plain(b"x");
            assert_eq!((draft.bytes(), draft.room.len()), (&b"x"[..], unusual));
        }
        draft.tidy();
        draft.begin(usize::MAX);
        draft.plain(b"x");
        assert_eq!((draft.bytes(), draft.room.len()), (&b"x"[..], USUAL_ROOM));
        draft.plain(b"yz");
        draft.rewind(2);
        draft.rewind(9);
        assert_eq!(draft.bytes(), b"xy");
    }

    #[test]
    fn lines_go_behind_those_in_a_buffer() {
        let (mut draft, mut buffer) = (Draft::new(), Buffer::from(b"first\n".to_vec()));
        let mut expected = buffer.bytes().to_vec();
        for number in 0..5000_u64 {
            draft.borrow_room(&mut buffer);
            for allowance in [3, usize::MAX] {
                draft.begin(allowance);
                draft.number(number);
                assert_eq!(draft.is_too_long(), allowance == 3 && number > 999);
                draft.plain(b"\n");
            }
            assert_eq!(draft.bytes(), format!("{number}\n").as_bytes());
            draft.return_room(&mut buffer);
            expected.extend_from_slice(format!("{number}\n").as_bytes());
        }
        assert_eq!(buffer.bytes(), expected);
        assert!(buffer.capacity() < buffer.len() + 3 * USUAL_ROOM);
        draft.begin(usize::MAX);
        draft.plain(b"own");
        assert_eq!((draft.bytes(), draft.room.len()), (&b"own"[..], USUAL_ROOM));
    }

    #[test]
    fn a_fragment_is_whole_or_empty() {
        assert_eq!(Fragment::<4>::of(&[b"ab", b"", b"cd"]).len(), 4);
        assert!(Fragment::<4>::of(&[b"ab", b"cde"]).is_empty());
        assert!(Fragment::<300>::of(&[&[b'a'; 256]]).is_empty());
    }
}
