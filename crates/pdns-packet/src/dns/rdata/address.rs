//! RDATA that holds addresses of several kinds: APL, IPSECKEY, AMTRELAY, HIP.

use crate::dns::edns::zero_extended;
use crate::text::Text;

use super::field::some;
use super::reader::Reader;

/// Address prefixes: RFC 3123 section 4.
pub(super) fn write_apl(reader: &mut Reader<'_>, out: &mut impl Text) -> Option<()> {
    let mut first = true;
    while !reader.is_empty() {
        if !first {
            out.plain(b" ");
        }
        first = false;
        write_prefix(reader, out)?;
    }
    Some(())
}

fn write_prefix(reader: &mut Reader<'_>, out: &mut impl Text) -> Option<()> {
    let family = reader.u16()?;
    let prefix = reader.u8()?;
    let negated_and_len = reader.u8()?;
    let sent = reader.bytes(usize::from(negated_and_len & 0x7f))?;
    if negated_and_len & 0x80 != 0 {
        out.plain(b"!");
    }
    out.number(family.into());
    out.plain(b":");
    match (family, prefix) {
        (1, 0..=32) => out.ipv4(zero_extended::<4>(sent)?.into()),
        (2, 0..=128) => out.ipv6(zero_extended::<16>(sent)?.into()),
        _ => return None,
    }
    out.plain(b"/");
    out.number(prefix.into());
    Some(())
}

/// RFC 4025 section 2.
pub(super) fn write_ipseckey(reader: &mut Reader<'_>, out: &mut impl Text) -> Option<()> {
    let &[precedence, gateway_type, algorithm] = reader.array()?;
    for number in [precedence, gateway_type, algorithm] {
        out.number(number.into());
        out.plain(b" ");
    }
    write_gateway(gateway_type, reader, out)?;
    // Algorithm 0 means that there is no key.
    if let Some(key) = some(reader.rest()) {
        out.plain(b" ");
        out.base64(key);
    }
    Some(())
}

/// RFC 8777 section 4.
pub(super) fn write_amtrelay(reader: &mut Reader<'_>, out: &mut impl Text) -> Option<()> {
    let &[precedence, discovery_and_type] = reader.array()?;
    for number in [precedence, discovery_and_type >> 7, discovery_and_type & 0x7f] {
        out.number(number.into());
        out.plain(b" ");
    }
    write_gateway(discovery_and_type & 0x7f, reader, out)
}

/// Appends what IPSECKEY and AMTRELAY name: nothing, an address or a name.
fn write_gateway(kind: u8, reader: &mut Reader<'_>, out: &mut impl Text) -> Option<()> {
    match kind {
        0 => out.plain(b"."),
        1 => out.ipv4((*reader.array()?).into()),
        2 => out.ipv6((*reader.array()?).into()),
        3 => reader.name()?.write(out).ok()?,
        _ => return None,
    }
    Some(())
}

/// RFC 8005 sections 5 and 6.
pub(super) fn write_hip(reader: &mut Reader<'_>, out: &mut impl Text) -> Option<()> {
    let tag_len = reader.u8()?;
    let algorithm = reader.u8()?;
    let key_len = reader.u16()?;
    out.number(algorithm.into());
    out.plain(b" ");
    out.hex(some(reader.bytes(tag_len.into())?)?);
    out.plain(b" ");
    out.base64(some(reader.bytes(key_len.into())?)?);
    while !reader.is_empty() {
        out.plain(b" ");
        let server = reader.name()?;
        // Section 5 forbids compression. The list has no end but the data's, so a few thousand pointers to one long name
        // would print as megabytes.
        if server.follow().ok()?.pointers > 0 {
            return None;
        }
        server.write(out).ok()?;
    }
    Some(())
}
