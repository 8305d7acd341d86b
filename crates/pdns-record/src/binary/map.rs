//! A record or an object in it, field by field.

use std::marker::PhantomData;

use super::{Form, write_text};

/// Appends the fields of one object, in the order in which the methods are called.
pub(super) struct Map<'a, F> {
    out: &'a mut Vec<u8>,
    start: usize,
    fields: usize,
    form: PhantomData<F>,
}

impl<'a, F: Form> Map<'a, F> {
    /// Appends an object whose fields `write` appends.
    pub(super) fn write(out: &'a mut Vec<u8>, write: impl FnOnce(&mut Self)) {
        let start = out.len();
        if F::NAMED {
            out.push(0);
        }
        let mut map = Self { out, start, fields: 0, form: PhantomData };
        write(&mut map);
        if F::NAMED {
            F::map_length(map.fields, map.start, map.out);
        }
    }

    /// Fields of an object whose beginning and end are written elsewhere.
    pub(super) const fn part(out: &'a mut Vec<u8>) -> Self {
        Self { out, start: 0, fields: 0, form: PhantomData }
    }

    #[inline]
    pub(super) fn text(&mut self, key: &str, write: impl FnOnce(&mut Vec<u8>)) {
        self.key(key);
        write_text::<F>(self.out, write);
    }

    #[inline]
    pub(super) fn number(&mut self, key: &str, value: impl Into<i64>) {
        self.key(key);
        F::number(value.into(), self.out);
    }

    pub(super) fn boolean(&mut self, key: &str, value: bool) {
        self.key(key);
        F::boolean(value, self.out);
    }

    /// A value that is encoded already.
    pub(super) fn encoded(&mut self, key: &str, value: &[u8]) {
        self.key(key);
        self.out.extend_from_slice(value);
    }

    /// A value that may be absent.
    #[inline]
    pub(super) fn optional<T>(&mut self, key: &str, value: Option<T>, write: impl FnOnce(&mut Vec<u8>, T)) {
        if F::NAMED && value.is_none() {
            return;
        }
        self.key(key);
        F::optional(value.is_some(), self.out);
        if let Some(value) = value {
            write(self.out, value);
        }
    }

    /// A text that may be absent.
    #[inline]
    pub(super) fn optional_text<T>(&mut self, key: &str, value: Option<T>, write: impl FnOnce(&mut Vec<u8>, T)) {
        self.optional(key, value, |out, value| write_text::<F>(out, |out| write(out, value)));
    }

    /// A number that may be absent.
    #[inline]
    pub(super) fn optional_number(&mut self, key: &str, value: Option<impl Into<i64>>) {
        self.optional(key, value, |out, value| F::number(value.into(), out));
    }

    /// An array, written even when it is empty.
    pub(super) fn array<T>(
        &mut self,
        key: &str,
        items: impl Iterator<Item = T>,
        mut write: impl FnMut(&mut Vec<u8>, T),
    ) {
        self.key(key);
        let at = self.out.len();
        self.out.push(0);
        let mut length = 0;
        for item in items {
            write(self.out, item);
            length += 1;
        }
        F::array_length(length, at, self.out);
    }

    /// An array that is absent when it is empty, where fields can be.
    pub(super) fn list<T>(&mut self, key: &str, items: impl Iterator<Item = T>, write: impl FnMut(&mut Vec<u8>, T)) {
        let mut items = items.peekable();
        if !F::NAMED || items.peek().is_some() {
            self.array(key, items, write);
        }
    }

    #[inline]
    fn key(&mut self, key: &str) {
        if F::NAMED {
            write_text::<F>(self.out, |out| out.extend_from_slice(key.as_bytes()));
            self.fields += 1;
        }
    }
}
