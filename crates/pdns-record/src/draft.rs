//! The text that is being written.

use std::ops::Range;

use pdns_packet::text::Text;

use crate::buffer::Buffer;
use crate::names::Names;

/// Room for the lines of nearly every transaction.
const USUAL_ROOM: usize = 16 * 1024;

/// For how many transactions' lines room is kept that they do not need.
const KEPT_FOR: u32 = 64;

/// No block is longer.
const LONGEST_BLOCK: usize = 128;

/// What is repeated is copied in blocks of this length, see [`Text::padded`]; most names are shorter.
const BLOCK: usize = 32;

/// The lines of a transaction under construction; as [`Text`], what is inside a JSON string.
///
/// They are put together in room that is there already: a short piece is appended as a block of fixed length, and what is too
/// much of it is covered by the next. Nothing makes room in between, since a call that might happen would keep the length of the
/// text out of a register: text for which there is no room is only counted, and the lines are drafted again with more.
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

    /// The text from `position` on; nothing when it is not [all there](Self::is_whole).
    pub(crate) fn text_from(&self, position: usize) -> &[u8] {
        let end = if self.is_whole() { self.len() } else { 0 };
        self.room.get(position..end).unwrap_or_default()
    }

    /// Whether there was room for all of the text, as blocks.
    #[inline]
    pub(crate) const fn is_whole(&self) -> bool {
        self.len() + LONGEST_BLOCK <= self.room.len()
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

    /// Makes room for the text that was drafted, which is to be drafted again, and some more. Little at a time: a buffer has its
    /// length soon, and is then used again.
    #[cold]
    pub(crate) fn extend_room(&mut self) {
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
        self.len += range.len() as u32;
        if range.len() > N || range.end > len || self.room.len().saturating_sub(len) < N {
            return repeat_long(&mut self.room, range, len);
        }
        // What follows the range is copied too, and covered by what comes next.
        self.room.copy_within(range.start..range.start + N, len);
    }
}

/// Appends once more what is at `range` of the text that ends at `len`, if there is room.
#[inline(never)]
fn repeat_long(room: &mut [u8], range: Range<usize>, len: usize) {
    if range.end <= len && range.len() <= room.len().saturating_sub(len) {
        room.copy_within(range, len);
    }
}

impl Text for Draft {
    #[inline]
    fn plain(&mut self, bytes: &[u8]) {
        let start = self.len();
        self.len += bytes.len() as u32;
        if let Some(room) = self.room.get_mut(start..start + bytes.len()) {
            room.copy_from_slice(bytes);
        }
    }

    #[inline]
    fn padded<const N: usize>(&mut self, block: &[u8; N], len: usize) {
        const { assert!(N <= LONGEST_BLOCK) };
        debug_assert!(len <= N, "{len} bytes of {N}");
        let start = self.len();
        self.len += len as u32;
        if let Some(room) = self.room.get_mut(start..start + N) {
            room.copy_from_slice(block);
        }
    }

    // Edited where it will stand: bytes changed one by one, and then copied as a block, would be waited for.
    #[inline]
    fn edited<const N: usize>(&mut self, block: &[u8; N], edit: impl FnOnce(&mut [u8; N]) -> usize) {
        const { assert!(N <= LONGEST_BLOCK) };
        let start = self.len();
        let len = match self.room.get_mut(start..start + N).and_then(<[u8]>::first_chunk_mut) {
            Some(room) => {
                *room = *block;
                edit(room)
            }
            None => edit(&mut { *block }),
        };
        debug_assert!(len <= N, "{len} bytes of {N}");
        self.len += len as u32;
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

/// Remembers `text` as the fragment for `key`. Not when it is empty, as it is for want of room.
pub(crate) fn remember<K, const N: usize>(place: (&mut K, &mut Fragment<N>), key: K, text: &[u8]) {
    let fragment = Fragment::of(&[text]);
    if !fragment.is_empty() {
        (*place.0, *place.1) = (key, fragment);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Drafts what `write` writes until there is room for it; how often that was.
    fn draft_whole(draft: &mut Draft, write: impl Fn(&mut Draft)) -> u32 {
        let mut times = 1;
        loop {
            draft.begin(usize::MAX);
            write(draft);
            if draft.is_whole() {
                return times;
            }
            assert_eq!(draft.text_from(0), b"", "text that is not whole is not shown");
            draft.extend_room();
            times += 1;
        }
    }

    #[test]
    fn pieces_follow_each_other_whatever_room_there_is() {
        let write = |draft: &mut Draft, most| {
            for number in 0..most {
                let start = draft.len();
                draft.plain(b"number ");
                draft.number(number);
                draft.repeat::<16>(start..draft.len());
                draft.padded(b", and so on", 2);
                draft.edited(b"edit and more", |text| {
                    text[3] = b't';
                    4
                });
                draft.fragment(&Fragment::<48>::of(&[b"one fragment", b" and another"]));
            }
            let half = draft.len();
            draft.repeat::<BLOCK>(0..half);
        };
        for most in [9, 6000] {
            let text = |number| format!("number {number}number {number}, editone fragment and another");
            let expected = (0..most).map(text).collect::<String>().repeat(2);
            let mut draft = Draft::new();
            assert_eq!(draft_whole(&mut draft, |draft| write(draft, most)), if most == 9 { 1 } else { 2 });
            assert!(draft.bytes() == expected.as_bytes());
        }
    }

    #[test]
    fn room_for_unusual_lines_is_given_back_after_a_while() {
        let mut draft = Draft::new();
        draft_whole(&mut draft, |draft| draft.plain(&[b'x'; 2 * USUAL_ROOM]));
        let unusual = draft.room.len();
        assert!(unusual > 2 * USUAL_ROOM);
        for room in [[unusual; KEPT_FOR as usize + 1].as_slice(), &[USUAL_ROOM]].concat() {
            draft.tidy();
            assert_eq!(draft_whole(&mut draft, |draft| draft.plain(b"x")), 1);
            assert_eq!((draft.bytes(), draft.room.len()), (&b"x"[..], room));
        }
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
