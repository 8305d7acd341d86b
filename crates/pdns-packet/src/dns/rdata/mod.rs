//! What records hold: RDATA, printed in presentation format.
//!
//! Most types are a sequence of fields, and `layout` lists them; the few with a structure of their own have a module
//! each. RDATA that does not parse exactly as its type, or is of a type not known here, prints as RFC 3597 section 5
//! prints unknown types, so nothing is ever lost.

mod address;
mod field;
mod layout;
mod loc;
mod reader;
mod svcb;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::text::Text;

use super::codes::{Class, Rtype};
use super::edns::Options;
use super::name::Name;
use reader::Reader;

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
    pub(super) fn new(message: &'a [u8], start: usize, len: u16, rtype: Rtype, class: Class) -> Option<Self> {
        if start + usize::from(len) > message.len() {
            return None;
        }
        Some(Self { message, start: u32::try_from(start).ok()?, len, rtype, class })
    }

    /// Where the data starts in its message.
    pub const fn start(&self) -> usize {
        self.start as usize
    }

    /// The data as on the wire.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.message.get(self.start()..self.start() + usize::from(self.len)).unwrap_or_default()
    }

    /// The name that the data consists of, for the types that are one name and nothing else; `None` for other types, and
    /// when the name does not end where the data does. Its pointers are not yet followed.
    #[inline]
    pub fn name(&self) -> Option<Name<'a>> {
        if !matches!(self.rtype, Rtype::NS | Rtype::CNAME | Rtype::PTR | Rtype::DNAME) {
            return None;
        }
        let name = Name::new(self.message, self.start());
        (name.end().ok()? == self.start() + usize::from(self.len)).then_some(name)
    }

    /// Appends the data in presentation format: names without the trailing dot, numbers in decimal, and `\# LENGTH HEX`
    /// for what is unknown or does not parse. Only the bytes from space to `~` are ever written.
    #[inline(always)]
    pub fn write(&self, out: &mut impl Text) {
        let is_written = match self.rtype {
            Rtype::A if self.is_internet() => {
                self.exactly().map(|&octets| out.ipv4(Ipv4Addr::from_octets(octets))).is_some()
            }
            Rtype::AAAA if self.is_internet() => {
                self.exactly().map(|&octets| out.ipv6(Ipv6Addr::from_octets(octets))).is_some()
            }
            _ => self.name().is_some_and(|name| name.write(out).is_ok()),
        };
        if !is_written {
            self.write_fields(out);
        }
    }

    /// Appends any data but addresses.
    #[inline(never)]
    fn write_fields(self, out: &mut impl Text) {
        let position = out.position();
        let mut reader = Reader::new(self.message, self.start(), self.start() + usize::from(self.len));
        if self.len == 0 || self.write_typed(&mut reader, out).is_none() || !reader.is_empty() {
            out.rewind(position);
            self.write_generic(out);
        }
    }

    /// Appends what `reader` holds as its type; `None` when it does not parse so. Stops before bytes left over.
    fn write_typed(self, reader: &mut Reader<'a>, out: &mut impl Text) -> Option<()> {
        match self.rtype {
            Rtype::SVCB | Rtype::HTTPS => svcb::write(reader, out),
            Rtype::LOC => loc::write(reader, out),
            Rtype::APL => address::write_apl(reader, out),
            Rtype::IPSECKEY => address::write_ipseckey(reader, out),
            Rtype::AMTRELAY => address::write_amtrelay(reader, out),
            Rtype::HIP => address::write_hip(reader, out),
            Rtype::OPT => write_options(reader, out),
            Rtype::A if self.class == Class::CH => layout::write(layout::CHAOS_ADDRESS, reader, out),
            _ => layout::write(layout::of(self.rtype)?, reader, out),
        }
    }

    /// Appends the form of RFC 3597 section 5.
    fn write_generic(self, out: &mut impl Text) {
        out.backslash();
        out.plain(b"# ");
        out.number(self.len.into());
        if self.len > 0 {
            out.plain(b" ");
            out.hex(self.bytes());
        }
    }

    /// All bytes, if there are `N`.
    #[inline]
    fn exactly<const N: usize>(&self) -> Option<&'a [u8; N]> {
        let bytes = self.message.get(self.start()..self.start() + N)?.first_chunk();
        bytes.filter(|_| usize::from(self.len) == N)
    }

    /// Whether addresses are those of the Internet: class IN, also with the cache-flush bit of RFC 6762 section 10.2,
    /// and the classes that stand for it in an UPDATE (RFC 2136 section 2.4).
    #[inline]
    const fn is_internet(&self) -> bool {
        matches!(self.class, Class::IN | Class::ANY | Class::NONE | Class(0x8001))
    }
}

impl fmt::Display for Rdata<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        self.write(&mut text);
        f.write_str(&String::from_utf8_lossy(&text))
    }
}

impl fmt::Debug for Rdata<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rdata({self})")
    }
}

/// Appends the options of an OPT record as `NAME=HEX`; no RFC defines a form.
fn write_options(reader: &mut Reader<'_>, out: &mut impl Text) -> Option<()> {
    for (index, option) in Options::new(reader.rest(), 0).enumerate() {
        let option = option.ok()?;
        if index > 0 {
            out.plain(b" ");
        }
        option.code.write(out);
        if !option.data.is_empty() {
            out.plain(b"=");
            out.hex(option.data);
        }
    }
    Some(())
}
