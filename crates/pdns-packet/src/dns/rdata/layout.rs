//! The types whose RDATA is a sequence of fields.

use crate::dns::codes::Rtype;
use crate::text::Text;

use super::field::Field;
use super::field::Field::*;
use super::reader::Reader;

/// A host on the Chaos network: RFC 1035 section 3.3 leaves A to each class, and BIND prints the address in octal.
pub(super) const CHAOS_ADDRESS: &[Field] = &[Name, Octal];

/// The fields of a type, in the order of wire and text; `None` for a type that is not made of fields, or not known.
pub(super) const fn of(rtype: Rtype) -> Option<&'static [Field]> {
    let fields: &'static [Field] = match rtype {
        // RFC 1035 section 3.3, RFC 1348, RFC 6672
        Rtype::NS | Rtype::MD | Rtype::MF | Rtype::CNAME | Rtype::MB | Rtype::MG | Rtype::MR => &[Name],
        Rtype::PTR | Rtype::NSAP_PTR | Rtype::DNAME => &[Name],
        Rtype::SOA => &[Name, Name, U32, U32, U32, U32, U32],
        Rtype::HINFO => &[CharString, CharString],
        Rtype::TXT | Rtype::SPF | Rtype::NINFO | Rtype::AVC | Rtype::RESINFO | Rtype::WALLET | Rtype::CLA => &[Strings],
        // RFC 1035 section 3.3.7, RFC 1183 section 2.2, draft-ietf-dnsop-dnssec-trust-history
        Rtype::MINFO | Rtype::RP | Rtype::TALINK => &[Name, Name],
        // RFC 1035, RFC 1183, RFC 2230, RFC 6742
        Rtype::MX | Rtype::AFSDB | Rtype::RT | Rtype::KX | Rtype::LP => &[U16, Name],
        // RFC 1183 sections 3.1 and 3.2
        Rtype::X25 => &[CharString],
        Rtype::ISDN => &[CharString, OptionalString],
        // RFC 1706, RFC 1712, RFC 2163
        Rtype::NSAP => &[Nsap],
        Rtype::GPOS => &[CharString, CharString, CharString],
        Rtype::PX => &[U16, Name, Name],
        Rtype::EID | Rtype::NIMLOC => &[Hex],
        // RFC 2782, RFC 3403, RFC 7553, RFC 8659
        Rtype::SRV => &[U16, U16, U16, Name],
        Rtype::NAPTR => &[U16, U16, CharString, CharString, CharString, Name],
        Rtype::URI => &[U16, U16, QuotedRest],
        Rtype::CAA => &[U8, Tag, QuotedRest],
        // RFC 4034, RFC 5155, RFC 7344, RFC 7477, RFC 2535
        Rtype::DS | Rtype::CDS | Rtype::DLV | Rtype::TA => &[U16, U8, U8, Hex],
        Rtype::DNSKEY | Rtype::CDNSKEY | Rtype::KEY | Rtype::RKEY => &[U16, U8, U8, OptionalBase64],
        Rtype::RRSIG | Rtype::SIG => &[Type, U8, U8, U32, Time, Time, U16, Name, Base64],
        Rtype::NSEC => &[Name, Types],
        Rtype::NSEC3 => &[U8, U8, U16, Salt, Hash, Types],
        Rtype::NSEC3PARAM => &[U8, U8, U16, Salt],
        Rtype::CSYNC => &[U32, U16, Types],
        Rtype::ZONEMD => &[U32, U8, U8, Hex],
        Rtype::DSYNC => &[Type, Scheme, U16, Name],
        // RFC 4255, RFC 6698, RFC 8162, RFC 4398, RFC 4701, RFC 7929, RFC 9886
        Rtype::SSHFP => &[U8, U8, Hex],
        Rtype::TLSA | Rtype::SMIMEA => &[U8, U8, U8, Hex],
        Rtype::CERT => &[CertificateType, U16, Algorithm, Base64],
        Rtype::DHCID | Rtype::OPENPGPKEY | Rtype::HHIT | Rtype::BRID => &[Base64],
        // RFC 6742, RFC 7043, RFC 9758
        Rtype::NID | Rtype::L64 => &[U16, Groups],
        Rtype::L32 => &[U16, Ipv4],
        Rtype::EUI48 => &[Eui48],
        Rtype::EUI64 => &[Eui64],
        Rtype::IPN => &[U64],
        // RFC 2930 section 2, RFC 8945 section 4.2
        Rtype::TKEY => &[Name, U32, U32, U16, TsigError, SizedBase64, SizedBase64],
        Rtype::TSIG => &[Name, U48, U16, SizedBase64, U16, TsigError, SizedBase64],
        // draft-durand-doa-over-dns
        Rtype::DOA => &[U32, U32, U8, CharString, Base64OrDash],
        _ => return None,
    };
    Some(fields)
}

/// Appends the fields with a space between; `None` when one does not parse. An optional last field leaves its space
/// away with itself.
pub(super) fn write(fields: &[Field], reader: &mut Reader<'_>, out: &mut impl Text) -> Option<()> {
    for (index, field) in fields.iter().enumerate() {
        if field.is_optional() && reader.is_empty() {
            break;
        }
        if index > 0 {
            out.plain(b" ");
        }
        field.write(reader, out)?;
    }
    Some(())
}
