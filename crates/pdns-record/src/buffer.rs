//! Bytes that records are appended to.

use std::fmt;

/// Bytes that records are appended to: as a vector, but the memory behind them has values too, so that lines can be put
/// together where they will stay.
#[derive(Clone, Default)]
pub struct Buffer {
    /// The bytes, and behind them whatever was there before.
    pub(crate) room: Vec<u8>,
    pub(crate) len: usize,
}

impl Buffer {
    /// No bytes, and no memory for any.
    pub const fn new() -> Self {
        Self { room: Vec::new(), len: 0 }
    }

    /// No bytes, and memory for so many.
    pub fn with_room(len: usize) -> Self {
        Self { room: vec![0; len], len: 0 }
    }

    /// The bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        self.room.get(..self.len).unwrap_or_default()
    }

    /// How many bytes there are.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bytes.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How much memory this takes, in bytes.
    pub const fn capacity(&self) -> usize {
        self.room.capacity()
    }

    /// Forgets the bytes and keeps their memory.
    pub const fn clear(&mut self) {
        self.len = 0;
    }

    /// Appends bytes.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.with_vec(|all| all.extend_from_slice(bytes));
    }

    /// Appends with a vector's methods, to a vector of the bytes.
    pub fn with_vec<R>(&mut self, append: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        self.room.truncate(self.len);
        let result = append(&mut self.room);
        self.len = self.room.len();
        result
    }

    /// Gives back the memory that the bytes do not need.
    pub fn shrink(&mut self) {
        self.room.truncate(self.len);
        self.room.shrink_to_fit();
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(room: Vec<u8>) -> Self {
        Self { len: room.len(), room }
    }
}

impl PartialEq for Buffer {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Buffer {}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Buffer").field(&String::from_utf8_lossy(self.bytes())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_the_bytes_is_never_seen() {
        let mut buffer = Buffer::from(b"abcdef".to_vec());
        buffer.clear();
        assert_eq!((buffer.bytes(), buffer.is_empty(), buffer.capacity()), (&b""[..], true, 6));
        buffer.extend_from_slice(b"xy");
        assert_eq!(buffer.with_vec(|all| std::mem::replace(&mut all[0], b'z')), b'x');
        assert_eq!((buffer.bytes(), buffer.len()), (&b"zy"[..], 2));
        assert_eq!(buffer, Buffer::from(b"zy".to_vec()));
        buffer.shrink();
        assert_eq!((buffer.bytes(), buffer.capacity()), (&b"zy"[..], 2));
        assert_eq!(Buffer::with_room(9).bytes(), b"");
    }
}
