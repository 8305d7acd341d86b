//! What records hold: RDATA, printed in presentation format.

use crate::text::Text;

use super::codes::{Class, Rtype};

/// The data of a record, by its place in the message: names in it may point anywhere.
#[derive(Clone, Copy)]
pub struct Rdata<'a> {
    message: &'a [u8],
    start: u32,
    len: u16,
    rtype: Rtype,
    class: Class,
}

impl<'a> Rdata<'a> {
    /// The `len` bytes of `message` at `start`; `None` when they are not all there.
    #[inline]
    pub(super) fn new(message: &'a [u8], start: usize, len: usize, rtype: Rtype, class: Class) -> Option<Self> {
        if start + len > message.len() {
            return None;
        }
        Some(Self { message, start: u32::try_from(start).ok()?, len: u16::try_from(len).ok()?, rtype, class })
    }

    /// Where the data starts in its message.
    pub const fn start(&self) -> usize {
        self.start as usize
    }

    /// The data as on the wire.
    pub fn bytes(&self) -> &'a [u8] {
        self.message.get(self.start()..self.start() + usize::from(self.len)).unwrap_or_default()
    }

    /// Appends the data in presentation format.
    pub fn write(&self, out: &mut impl Text) {
        out.backslash();
        out.plain(b"# ");
        out.number(u64::from(self.len));
        if self.len > 0 {
            out.plain(b" ");
            out.hex(self.bytes());
        }
    }
}

impl std::fmt::Debug for Rdata<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = Vec::new();
        self.write(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}
