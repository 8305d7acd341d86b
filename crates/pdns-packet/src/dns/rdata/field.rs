//! The kinds of fields RDATA is made of, and how each is printed.

use crate::dns::codes::{Rcode, Rtype};
use crate::dns::scan::printable_prefix;
use crate::text::{Text, decimals};
use crate::time::civil;

use super::reader::Reader;

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// One byte in decimal.
    U8,
    /// Two bytes in decimal.
    U16,
    /// Four bytes in decimal.
    U32,
    /// Six bytes in decimal: the time of TSIG.
    U48,
    /// Eight bytes in decimal.
    U64,
    /// Two bytes in octal.
    Octal,
    /// A name, its pointers followed.
    Name,
    /// Four bytes as an address, whatever the class.
    Ipv4,
    /// A record type by its mnemonic.
    Type,
    /// The type bitmap that ends NSEC and its like, possibly empty: RFC 4034 section 4.1.2.
    Types,
    /// Seconds since 1970 as YYYYMMDDHHmmSS: RFC 4034 section 3.2.
    Time,
    /// One character-string, quoted.
    CharString,
    /// One character-string, or the end.
    OptionalString,
    /// All character-strings to the end, at least one.
    Strings,
    /// The rest as one quoted string.
    QuotedRest,
    /// A property of CAA, unquoted: RFC 8659 section 4.1.
    Tag,
    /// The rest in hex, at least one byte.
    Hex,
    /// The rest in hex after `0x`, at least one byte: RFC 1706 section 7.
    Nsap,
    /// The rest in base 64, at least one byte.
    Base64,
    /// The rest in base 64, or nothing: a key may be absent (RFC 2535 section 3.1.2).
    OptionalBase64,
    /// The rest in base 64, or `-`.
    Base64OrDash,
    /// A length of two bytes, printed, and as many bytes in base 64.
    SizedBase64,
    /// A length of one byte and as many bytes in hex, `-` for none: RFC 5155 section 3.3.
    Salt,
    /// A length of one byte and as many bytes in base 32, at least one: RFC 5155 section 3.3.
    Hash,
    /// Eight bytes as four groups: RFC 6742 section 2.1.2.
    Groups,
    /// Six bytes with hyphens: RFC 7043 section 3.2.
    Eui48,
    /// Eight bytes with hyphens: RFC 7043 section 4.2.
    Eui64,
    /// The error of TSIG and TKEY.
    TsigError,
    /// A certificate's type by its mnemonic: RFC 4398 section 2.1.
    CertificateType,
    /// A DNSSEC algorithm by its mnemonic, as BIND prints it in CERT.
    Algorithm,
    /// A scheme of DSYNC by its mnemonic: RFC 9859 section 2.1.
    Scheme,
}

impl Field {
    /// Whether the field may be left away when nothing is left to read.
    pub(super) const fn is_optional(self) -> bool {
        matches!(self, Self::Types | Self::OptionalString | Self::OptionalBase64)
    }

    /// Reads the field and appends it; `None` when it does not parse.
    pub(super) fn write(self, reader: &mut Reader<'_>, out: &mut impl Text) -> Option<()> {
        match self {
            Self::U8 => out.number(reader.u8()?.into()),
            Self::U16 => out.number(reader.u16()?.into()),
            Self::U32 => out.number(reader.u32()?.into()),
            Self::U48 => out.number(u64::from(reader.u16()?) << 32 | u64::from(reader.u32()?)),
            Self::U64 => out.number(u64::from_be_bytes(*reader.array()?)),
            Self::Octal => write_octal(reader.u16()?, out),
            Self::Name => reader.name()?.write(out).ok()?,
            Self::Ipv4 => out.ipv4((*reader.array()?).into()),
            Self::Type => Rtype(reader.u16()?).write(out),
            Self::Types => write_types(reader, out)?,
            Self::Time => write_time(reader.u32()?, out),
            Self::CharString | Self::OptionalString => write_quoted(reader.short_string()?, out),
            Self::Strings => write_strings(reader, out)?,
            Self::QuotedRest => write_quoted(reader.rest(), out),
            Self::Tag => out.plain(alphanumeric(reader.short_string()?)?),
            Self::Hex => out.hex(some(reader.rest())?),
            Self::Nsap => {
                out.plain(b"0x");
                out.hex(some(reader.rest())?);
            }
            Self::Base64 | Self::OptionalBase64 => out.base64(some(reader.rest())?),
            Self::Base64OrDash => match some(reader.rest()) {
                Some(bytes) => out.base64(bytes),
                None => out.plain(b"-"),
            },
            Self::SizedBase64 => write_sized(reader.long_string()?, out),
            Self::Salt => match some(reader.short_string()?) {
                Some(salt) => out.hex(salt),
                None => out.plain(b"-"),
            },
            Self::Hash => out.base32hex(some(reader.short_string()?)?),
            Self::Groups => write_groups(reader.array()?, out),
            Self::Eui48 => write_eui(reader.bytes(6)?, out),
            Self::Eui64 => write_eui(reader.bytes(8)?, out),
            Self::TsigError => Rcode(reader.u16()?).write_tsig(out),
            Self::CertificateType => {
                let number = reader.u16()?;
                write_named(certificate_type(number), number, out);
            }
            Self::Algorithm => {
                let number = reader.u8()?;
                write_named(algorithm(number), number.into(), out);
            }
            Self::Scheme => {
                let number = reader.u8()?;
                write_named((number == 1).then_some("NOTIFY"), number.into(), out);
            }
        }
        Some(())
    }
}

/// Appends bytes between double quotes: RFC 1035 section 5.1.
pub(super) fn write_quoted(bytes: &[u8], out: &mut impl Text) {
    out.quote();
    let mut rest = bytes;
    loop {
        let (printable, special) = rest.split_at(printable_prefix(rest));
        out.plain(printable);
        let Some((&byte, after)) = special.split_first() else { break };
        out.escaped(byte);
        rest = after;
    }
    out.quote();
}

/// The bytes, unless there are none.
pub(super) fn some(bytes: &[u8]) -> Option<&[u8]> {
    (!bytes.is_empty()).then_some(bytes)
}

fn write_strings(reader: &mut Reader<'_>, out: &mut impl Text) -> Option<()> {
    write_quoted(reader.short_string()?, out);
    while !reader.is_empty() {
        out.plain(b" ");
        write_quoted(reader.short_string()?, out);
    }
    Some(())
}

fn alphanumeric(bytes: &[u8]) -> Option<&[u8]> {
    some(bytes).filter(|bytes| bytes.iter().all(u8::is_ascii_alphanumeric))
}

/// Appends the types of a bitmap: windows of up to 32 bytes in rising order.
fn write_types(reader: &mut Reader<'_>, out: &mut impl Text) -> Option<()> {
    let mut last_window = None;
    let mut first = true;
    while !reader.is_empty() {
        let window = reader.u8()?;
        let bitmap = reader.short_string()?;
        if last_window >= Some(window) || !matches!(bitmap.len(), 1..=32) {
            return None;
        }
        last_window = Some(window);
        for (index, &byte) in (0_u16..).zip(bitmap) {
            let lowest = u16::from(window) << 8 | index << 3;
            let mut bits = byte;
            if first && bits != 0 {
                first = false;
                let bit = bits.leading_zeros();
                Rtype(lowest | bit as u16).write(out);
                bits &= 0x7f >> bit;
            }
            write_further_types(lowest, bits, out);
        }
    }
    Some(())
}

/// Whether a type with these upper eight bits has a name.
const HAS_NAMES: [bool; 256] = {
    let mut windows = [false; 256];
    let mut index = 0;
    while index < Rtype::NAMED.len() {
        windows[(Rtype::NAMED[index].0 >> 8) as usize] = true;
        index += 1;
    }
    windows
};

/// Appends a space and a type for each bit of a bitmap's byte, the highest for `lowest`. A bitmap of all types makes 73
/// characters of a byte, so it pays not to ask for the name of what has none.
fn write_further_types(lowest: u16, mut bits: u8, out: &mut impl Text) {
    let has_names = HAS_NAMES[usize::from(lowest >> 8)];
    while bits != 0 {
        let bit = bits.leading_zeros();
        bits &= 0x7f >> bit;
        let rtype = Rtype(lowest | bit as u16);
        let mnemonic = if has_names { rtype.mnemonic() } else { None };
        match mnemonic {
            Some(mnemonic) => {
                out.plain(b" ");
                out.plain(mnemonic.as_bytes());
            }
            None => {
                out.padded(b" TYPE\0\0\0", 5);
                out.number(rtype.0.into());
            }
        }
    }
}

fn write_time(seconds: u32, out: &mut impl Text) {
    let (year, month, day, hour, minute, second) = civil(seconds.into());
    // Four digits are enough for the year: 32 bits of seconds end in 2106.
    let [date, time] =
        [[year, month, day], [hour, minute, second]].map(|[a, b, c]| decimals(((a * 100 + b) * 100 + c) as u64));
    out.plain(&date);
    out.plain(&time[2..]);
}

fn write_sized(bytes: &[u8], out: &mut impl Text) {
    out.number(bytes.len() as u64);
    if !bytes.is_empty() {
        out.plain(b" ");
        out.base64(bytes);
    }
}

fn write_octal(number: u16, out: &mut impl Text) {
    let mut digits = [0; 6];
    for (index, digit) in digits.iter_mut().enumerate() {
        *digit = b'0' + (number >> (15 - 3 * index) & 7) as u8;
    }
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    out.plain(&digits[zeros.min(5)..]);
}

fn write_groups(bytes: &[u8; 8], out: &mut impl Text) {
    for (index, &byte) in bytes.iter().enumerate() {
        if index > 0 && index % 2 == 0 {
            out.plain(b":");
        }
        out.lower_hex(&[byte]);
    }
}

fn write_eui(bytes: &[u8], out: &mut impl Text) {
    for (index, &byte) in bytes.iter().enumerate() {
        if index > 0 {
            out.plain(b"-");
        }
        out.lower_hex(&[byte]);
    }
}

fn write_named(name: Option<&str>, number: u16, out: &mut impl Text) {
    match name {
        Some(name) => out.plain(name.as_bytes()),
        None => out.number(number.into()),
    }
}

/// IANA "CERT RR Certificate Types".
const fn certificate_type(number: u16) -> Option<&'static str> {
    Some(match number {
        1 => "PKIX",
        2 => "SPKI",
        3 => "PGP",
        4 => "IPKIX",
        5 => "ISPKI",
        6 => "IPGP",
        7 => "ACPKIX",
        8 => "IACPKIX",
        253 => "URI",
        254 => "OID",
        _ => return None,
    })
}

/// IANA "DNS Security Algorithm Numbers".
const fn algorithm(number: u8) -> Option<&'static str> {
    Some(match number {
        1 => "RSAMD5",
        2 => "DH",
        3 => "DSA",
        5 => "RSASHA1",
        6 => "NSEC3DSA",
        7 => "NSEC3RSASHA1",
        8 => "RSASHA256",
        10 => "RSASHA512",
        12 => "ECCGOST",
        13 => "ECDSAP256SHA256",
        14 => "ECDSAP384SHA384",
        15 => "ED25519",
        16 => "ED448",
        252 => "INDIRECT",
        253 => "PRIVATEDNS",
        254 => "PRIVATEOID",
        _ => return None,
    })
}
