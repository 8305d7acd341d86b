//! SVCB and HTTPS: RFC 9460.

use crate::dns::scan::printable_prefix;
use crate::text::Text;

use super::field::{some, write_quoted};
use super::reader::Reader;

/// Appends priority, target and parameters: section 2.1. Their order on the wire is kept, rising or not.
pub(super) fn write(reader: &mut Reader<'_>, out: &mut impl Text) -> Option<()> {
    out.number(reader.u16()?.into());
    out.plain(b" ");
    reader.name()?.write(out).ok()?;
    while !reader.is_empty() {
        let key = SvcParamKey(reader.u16()?);
        let value = reader.long_string()?;
        out.plain(b" ");
        key.write(out);
        write_value(key, value, out)?;
    }
    Some(())
}

/// The key of a parameter: IANA "DNS Service Parameter Keys (SvcParamKeys)".
#[derive(Clone, Copy, PartialEq, Eq)]
struct SvcParamKey(u16);

impl SvcParamKey {
    const MANDATORY: Self = Self(0);
    const ALPN: Self = Self(1);
    const NO_DEFAULT_ALPN: Self = Self(2);
    const PORT: Self = Self(3);
    const IPV4HINT: Self = Self(4);
    const ECH: Self = Self(5);
    const IPV6HINT: Self = Self(6);
    const DOHPATH: Self = Self(7);
    const OHTTP: Self = Self(8);
    const TLS_SUPPORTED_GROUPS: Self = Self(9);

    /// Appends the name of a key whose value has a form of its own here, or `keyNNN`: section 2.1.
    fn write(self, out: &mut impl Text) {
        let name = match self {
            Self::MANDATORY => "mandatory",
            Self::ALPN => "alpn",
            Self::NO_DEFAULT_ALPN => "no-default-alpn",
            Self::PORT => "port",
            Self::IPV4HINT => "ipv4hint",
            Self::ECH => "ech",
            Self::IPV6HINT => "ipv6hint",
            Self::DOHPATH => "dohpath",
            Self::OHTTP => "ohttp",
            Self::TLS_SUPPORTED_GROUPS => "tls-supported-groups",
            Self(number) => {
                out.plain(b"key");
                return out.number(number.into());
            }
        };
        out.plain(name.as_bytes());
    }
}

/// Appends `=` and the value, or nothing for a key without one; `None` when the value is not what the key asks for.
fn write_value(key: SvcParamKey, value: &[u8], out: &mut impl Text) -> Option<()> {
    match key {
        SvcParamKey::NO_DEFAULT_ALPN | SvcParamKey::OHTTP => return value.is_empty().then_some(()),
        SvcParamKey::PORT => {
            out.plain(b"=");
            out.number(u16::from_be_bytes(value.try_into().ok()?).into());
        }
        SvcParamKey::MANDATORY => write_list(value, out, |&key, out| SvcParamKey(u16::from_be_bytes(key)).write(out))?,
        SvcParamKey::TLS_SUPPORTED_GROUPS => {
            write_list(value, out, |&group, out| out.number(u16::from_be_bytes(group).into()))?;
        }
        SvcParamKey::IPV4HINT => write_list(value, out, |&octets: &[u8; 4], out| out.ipv4(octets.into()))?,
        SvcParamKey::IPV6HINT => write_list(value, out, |&octets: &[u8; 16], out| out.ipv6(octets.into()))?,
        SvcParamKey::ECH => {
            out.plain(b"=");
            out.base64(some(value)?);
        }
        SvcParamKey::ALPN => {
            out.plain(b"=");
            write_alpn(value, out)?;
        }
        _ if value.is_empty() => {}
        _ => {
            out.plain(b"=");
            write_quoted(value, out);
        }
    }
    Some(())
}

/// Appends `=` and values of `N` bytes with commas between, at least one.
fn write_list<const N: usize, T: Text>(value: &[u8], out: &mut T, write: impl Fn(&[u8; N], &mut T)) -> Option<()> {
    let (values, rest) = value.as_chunks();
    if values.is_empty() || !rest.is_empty() {
        return None;
    }
    for (index, value) in values.iter().enumerate() {
        out.plain(if index == 0 { b"=" } else { b"," });
        write(value, out);
    }
    Some(())
}

/// Appends protocol identifiers as a quoted list: section 7.1.1.
fn write_alpn(value: &[u8], out: &mut impl Text) -> Option<()> {
    let mut rest = some(value)?;
    out.quote();
    let mut first = true;
    while let Some((&len, after)) = rest.split_first() {
        let (id, after) = after.split_at_checked(len.into())?;
        if !first {
            out.plain(b",");
        }
        first = false;
        write_list_item(some(id)?, out);
        rest = after;
    }
    out.quote();
    Some(())
}

/// Appends an item of a quoted list. Appendix A.1 escapes comma and backslash once for the list; the backslashes of
/// that are then escaped for the quotes.
fn write_list_item(item: &[u8], out: &mut impl Text) {
    if printable_prefix(item) == item.len() && !item.contains(&b',') {
        return out.plain(item);
    }
    for &byte in item {
        if matches!(byte, b',' | b'\\') {
            out.escaped(b'\\');
        }
        out.escaped(byte);
    }
}
