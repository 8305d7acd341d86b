//! LOC: a place on Earth, RFC 1876.

use crate::text::Text;

use super::reader::Reader;

/// Thousandths of a second of arc in a degree.
const PER_DEGREE: u32 = 3_600_000;

/// Appends a location the way section 3 writes it, every field given.
pub(super) fn write(reader: &mut Reader<'_>, out: &mut impl Text) -> Option<()> {
    // Section 2: "Version number of the representation. This must be zero."
    if reader.u8()? != 0 {
        return None;
    }
    let &[size, horizontal, vertical] = reader.array()?;
    write_angle(reader.u32()?, 90, [b"N", b"S"], out)?;
    write_angle(reader.u32()?, 180, [b"E", b"W"], out)?;
    write_altitude(reader.u32()?, out);
    for precision in [size, horizontal, vertical] {
        out.plain(b" ");
        write_precision(precision, out)?;
    }
    Some(())
}

/// Appends degrees, minutes and seconds from an angle that counts from 2^31, and the hemisphere.
fn write_angle(angle: u32, max_degrees: u32, hemispheres: [&[u8]; 2], out: &mut impl Text) -> Option<()> {
    const ORIGIN: u32 = 1 << 31;
    let magnitude = angle.abs_diff(ORIGIN);
    if magnitude > max_degrees * PER_DEGREE {
        return None;
    }
    out.number(u64::from(magnitude / PER_DEGREE));
    out.plain(b" ");
    out.number(u64::from(magnitude / 60_000 % 60));
    out.plain(b" ");
    write_fraction(u64::from(magnitude % 60_000), 1000, out);
    out.plain(b" ");
    out.plain(hemispheres[usize::from(angle < ORIGIN)]);
    out.plain(b" ");
    Some(())
}

/// Appends metres from centimetres that count from 100 km below the reference spheroid.
fn write_altitude(altitude: u32, out: &mut impl Text) {
    const ORIGIN: u32 = 10_000_000;
    if altitude < ORIGIN {
        out.plain(b"-");
    }
    write_fraction(u64::from(altitude.abs_diff(ORIGIN)), 100, out);
    out.plain(b"m");
}

/// Appends metres from a mantissa and an exponent of ten, in centimetres, whole metres without decimals. Section 2
/// leaves digits above nine undefined.
fn write_precision(precision: u8, out: &mut impl Text) -> Option<()> {
    let (mantissa, exponent) = (u64::from(precision >> 4), u32::from(precision & 15));
    if mantissa > 9 || exponent > 9 {
        return None;
    }
    let centimetres = mantissa * 10_u64.pow(exponent);
    if exponent < 2 {
        write_fraction(centimetres, 100, out);
    } else {
        out.number(centimetres / 100);
    }
    out.plain(b"m");
    Some(())
}

/// Appends `number / unit` with as many decimals as `unit`, a power of ten, has zeros.
fn write_fraction(number: u64, unit: u64, out: &mut impl Text) {
    out.number(number / unit);
    out.plain(b".");
    let mut digit = unit / 10;
    while digit > 0 {
        out.plain(&[b'0' + (number / digit % 10) as u8]);
        digit /= 10;
    }
}
