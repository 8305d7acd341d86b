//! The requests: a read of the record, an UPDATE of it (RFC 2136), and the beginning of a GSS-TSIG session (TKEY).

use std::str::FromStr;

use domain::base::iana::{Class, Opcode, Rtype};
use domain::base::message_builder::{AdditionalBuilder, PushError};
use domain::base::{MessageBuilder, Name, UnknownRecordData};
use pdns_packet::dns;

use crate::DomainName;

/// A message that may still be signed.
pub(crate) type Builder = AdditionalBuilder<Vec<u8>>;

/// An uncompressed name.
pub(crate) type WireName = Name<Vec<u8>>;

/// A message that does not fit into 65,535 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the message would be longer than 65535 bytes")]
pub struct TooLong;

impl From<PushError> for TooLong {
    fn from(_: PushError) -> Self {
        Self
    }
}

/// What must be true at the server for an update to be made, else nothing is changed: RFC 2136 section 2.4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Prerequisite {
    /// The name has no TXT record.
    Absent,
    /// Its TXT records are exactly these, each as RDATA.
    Exactly(Vec<Vec<u8>>),
}

/// The record that is to be written in place of all TXT records of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewStamp {
    /// The Unix time in seconds.
    pub(crate) value: u64,
    /// The record's time to live in seconds.
    pub(crate) ttl: u32,
}

/// The wire form of a name, in lower case as [`DomainName`] is.
pub(crate) fn wire_name(name: &DomainName) -> WireName {
    // A domain name is at most 253 bytes of labels of at most 63 letters, digits, hyphens and underscores.
    Name::from_str(name.as_str()).unwrap_or_else(|_| Name::root_vec())
}

/// Asks for the TXT records of a name.
pub(crate) fn read(id: u16, name: &WireName) -> Result<Builder, TooLong> {
    let builder = new_message(id);
    let mut builder = builder.question();
    builder.push((name, Rtype::TXT, Class::IN))?;
    Ok(builder.additional())
}

/// Changes the TXT records of a name, or changes nothing and tells only whether the prerequisite is met.
pub(crate) fn update(
    id: u16,
    zone: &WireName,
    name: &WireName,
    prerequisite: &Prerequisite,
    new: Option<NewStamp>,
) -> Result<Builder, TooLong> {
    let mut builder = new_message(id);
    builder.header_mut().set_opcode(Opcode::UPDATE);
    let mut builder = builder.question();
    builder.push((zone, Rtype::SOA, Class::IN))?;

    let mut builder = builder.answer();
    match prerequisite {
        // Section 2.4.3: "RRset does not exist".
        Prerequisite::Absent => builder.push((name, Class::NONE, 0, txt(&[])?))?,
        // Section 2.4.2: "RRset exists (value dependent)".
        Prerequisite::Exactly(records) => {
            for rdata in records {
                builder.push((name, Class::IN, 0, txt(rdata)?))?;
            }
        }
    }

    let mut builder = builder.authority();
    if let Some(new) = new {
        // Sections 2.5.2 and 2.5.1: "delete an RRset" and "add to an RRset", which are done together or not at all.
        builder.push((name, Class::ANY, 0, txt(&[])?))?;
        builder.push((name, Class::IN, new.ttl, txt(&txt_rdata(new.value))?))?;
    }
    Ok(builder.additional())
}

/// Begins a GSS-TSIG session: RFC 3645 section 3.1.2, RFC 2930 section 2.
pub(crate) fn tkey(id: u16, key_name: &WireName, token: &[u8], now: u64) -> Result<Builder, TooLong> {
    /// How long the session is wanted for, in seconds; it is over with the program.
    const LIFETIME: u32 = 3600;
    /// GSS-API negotiation.
    const MODE: u16 = 3;

    let mut rdata = GSS_TSIG.to_vec();
    // RFC 2930 section 2.3: the lower 32 bits of the time.
    let inception = now as u32;
    rdata.extend(inception.to_be_bytes());
    rdata.extend(inception.wrapping_add(LIFETIME).to_be_bytes());
    rdata.extend(MODE.to_be_bytes());
    // No error.
    rdata.extend([0, 0]);
    rdata.extend(u16::try_from(token.len()).map_err(|_| TooLong)?.to_be_bytes());
    rdata.extend(token);
    // No other data.
    rdata.extend([0, 0]);
    let rdata = UnknownRecordData::from_octets(Rtype::TKEY, rdata).map_err(|_| TooLong)?;

    let builder = new_message(id);
    let mut builder = builder.question();
    builder.push((key_name, Rtype::TKEY, Class::ANY))?;
    // Samba takes it in this section only.
    let mut builder = builder.additional();
    builder.push((key_name, Class::ANY, 0, rdata))?;
    Ok(builder)
}

/// The algorithm's name in TKEY and TSIG: RFC 3645 section 5.
pub(crate) const GSS_TSIG: &[u8] = b"\x08gss-tsig\0";

/// The beginning of a message that cannot become longer than its transport allows.
fn new_message(id: u16) -> MessageBuilder<Vec<u8>> {
    let mut builder = MessageBuilder::new_vec();
    builder.set_push_limit(dns::MAX_MESSAGE_LEN);
    builder.header_mut().set_id(id);
    builder
}

fn txt(rdata: &[u8]) -> Result<UnknownRecordData<&[u8]>, TooLong> {
    UnknownRecordData::from_octets(Rtype::TXT, rdata).map_err(|_| TooLong)
}

/// A TXT record of one string: the number in decimal digits.
fn txt_rdata(value: u64) -> Vec<u8> {
    let digits = value.to_string();
    // At most 20 digits.
    [&[digits.len() as u8], digits.as_bytes()].concat()
}

/// The name, type and class that a message asks for, in the form in which equal ones are equal bytes.
pub(crate) fn canonical_question(message: &dns::Message<'_>) -> Option<Vec<u8>> {
    let question = message.question()?;
    let mut buffer = [0; dns::MAX_NAME_LEN];
    let mut canonical = question.qname.canonical(&mut buffer).ok()?.to_vec();
    canonical.extend(question.qtype.0.to_be_bytes());
    canonical.extend(question.qclass.0.to_be_bytes());
    Some(canonical)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> WireName {
        wire_name(&text.parse().unwrap())
    }

    #[test]
    fn a_first_stamp_is_written_where_there_is_none() {
        let new = NewStamp { value: 1_585_917_601, ttl: 60 };
        let message =
            update(0x1234, &name("local.lan"), &name("s.local.lan"), &Prerequisite::Absent, Some(new)).unwrap();
        assert_eq!(
            message.finish(),
            b"\x12\x34\x28\0\0\x01\0\x01\0\x02\0\0\
              \x05local\x03lan\0\0\x06\0\x01\
              \x01s\x05local\x03lan\0\0\x10\0\xfe\0\0\0\0\0\0\
              \x01s\x05local\x03lan\0\0\x10\0\xff\0\0\0\0\0\0\
              \x01s\x05local\x03lan\0\0\x10\0\x01\0\0\0\x3c\0\x0b\x0a1585917601"
        );
    }

    #[test]
    fn a_later_stamp_is_written_where_the_records_are_as_read() {
        let records = Prerequisite::Exactly(vec![b"\x011".to_vec(), b"\x012\x00".to_vec()]);
        let message = update(1, &name("lan"), &name("s.lan"), &records, None).unwrap();
        assert_eq!(
            message.finish(),
            b"\0\x01\x28\0\0\x01\0\x02\0\0\0\0\
              \x03lan\0\0\x06\0\x01\
              \x01s\x03lan\0\0\x10\0\x01\0\0\0\0\0\x02\x011\
              \x01s\x03lan\0\0\x10\0\x01\0\0\0\0\0\x03\x012\0"
        );
        let many = Prerequisite::Exactly(vec![vec![0; 60_000]; 2]);
        assert_eq!(update(1, &name("lan"), &name("s.lan"), &many, None).unwrap_err(), TooLong);
    }

    #[test]
    fn a_session_begins_with_a_token_in_the_additional_section() {
        let message = tkey(7, &name("k.lan"), b"token", 0x5e87_4da1).unwrap();
        assert_eq!(
            message.finish(),
            b"\0\x07\0\0\0\x01\0\0\0\0\0\x01\
              \x01k\x03lan\0\0\xf9\0\xff\
              \x01k\x03lan\0\0\xf9\0\xff\0\0\0\0\0\x1f\
              \x08gss-tsig\0\x5e\x87\x4d\xa1\x5e\x87\x5b\xb1\0\x03\0\0\0\x05token\0\0"
        );
        assert_eq!(tkey(7, &name("k.lan"), &[0; 65_536], 0).unwrap_err(), TooLong);
    }

    #[test]
    fn questions_are_compared_without_case() {
        let message = read(9, &name("stamp.local.lan")).unwrap().finish();
        let upper = message.to_ascii_uppercase();
        let question = |bytes: &[u8]| canonical_question(&dns::Message::parse(bytes).unwrap());
        assert_eq!(question(&message), question(&upper));
        assert_eq!(question(&message).unwrap(), b"\x05stamp\x05local\x03lan\0\0\x10\0\x01");
    }
}
