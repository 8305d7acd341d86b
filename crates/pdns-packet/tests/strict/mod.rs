//! Text that is looked at while it is written. The tests have it, and the fuzz targets.

use pdns_packet::text::Text;

/// A writer that holds everyone to the contract of [`Text`].
#[derive(Default)]
pub(crate) struct Strict {
    pub(crate) text: Vec<u8>,
    /// Where the backslashes and quotes are that were written as such.
    special: Vec<usize>,
}

impl Strict {
    fn special(&mut self, byte: u8) {
        self.special.push(self.text.len());
        self.text.push(byte);
    }

    /// Fails unless only printable characters were written, and all backslashes and quotes as what they are.
    pub(crate) fn check(&self) {
        let mut special = self.special.iter().copied().peekable();
        for (at, &byte) in self.text.iter().enumerate() {
            let is_special = special.next_if_eq(&at).is_some();
            assert_eq!(is_special, matches!(byte, b'"' | b'\\'), "at {at} of {:?}", self.text);
            assert!(matches!(byte, b' '..=b'~'), "at {at} of {:?}", self.text);
        }
    }
}

impl Text for Strict {
    fn plain(&mut self, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
    }

    fn backslash(&mut self) {
        self.special(b'\\');
    }

    fn quote(&mut self) {
        self.special(b'"');
    }

    fn position(&self) -> usize {
        self.text.len()
    }

    fn rewind(&mut self, position: usize) {
        assert!(position <= self.text.len());
        self.text.truncate(position);
        self.special.retain(|&at| at < position);
    }

    fn overwrite(&mut self, position: usize, byte: u8) {
        self.text[position] = byte;
    }
}
