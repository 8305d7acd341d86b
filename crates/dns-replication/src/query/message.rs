//! Questions to bytes, and which bytes answer them.

use std::borrow::Cow;
use std::io;

use pdns_packet::dns::{Class, MAX_NAME_LEN, Message, Opcode, OptionData, Rcode};
use simple_dns::rdata::{OPT, OPTCode};
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE};

use super::Question;

/// The largest answer that is asked for by UDP: what passes without fragments almost everywhere, as agreed on for the DNS
/// flag day of 2020.
pub(super) const UDP_SIZE: u16 = 1232;

/// Code of the option NSID: RFC 5001.
const NSID: u16 = 3;

/// Why a message is no answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Shorter than a header, or broken off somewhere.
    #[error("being no whole message")]
    Malformed,
    /// Another transaction ID.
    #[error("its id")]
    Id,
    /// A query, or of another opcode.
    #[error("being no response to a query")]
    Kind,
    /// Another question, or several.
    #[error("its question")]
    Question,
}

/// A question as it is sent.
///
/// # Errors
/// The name is none to the composer, which a [`DomainName`](crate::DomainName) cannot be.
pub(super) fn compose(question: &Question, id: u16, edns: bool) -> io::Result<Vec<u8>> {
    let invalid = |error: simple_dns::SimpleDnsError| io::Error::new(io::ErrorKind::InvalidInput, error.to_string());
    let mut packet = Packet::new_query(id);
    if question.recurse {
        packet.set_flags(PacketFlag::RECURSION_DESIRED);
    }
    let name = Name::new(question.name.as_str()).map_err(invalid)?;
    let qtype = QTYPE::try_from(question.rtype.0).map_err(invalid)?;
    packet.questions.push(simple_dns::Question::new(name, qtype, QCLASS::CLASS(CLASS::IN), false));
    if edns {
        let nsid = OPTCode { code: NSID, data: Cow::Borrowed(&[]) };
        *packet.opt_mut() = Some(OPT { opt_codes: vec![nsid], udp_packet_size: UDP_SIZE, version: 0 });
    }
    packet.build_bytes_vec().map_err(invalid)
}

/// Reads an answer to a question.
///
/// A server that does not understand a message may leave out the question (RFC 1035 section 4.1.1 asks for none in
/// FORMERR and NOTIMP); from others it has to be there.
///
/// # Errors
/// The bytes are no answer, or one to another question.
pub(super) fn read<'a>(bytes: &'a [u8], question: &Question, id: u16) -> Result<Message<'a>, Mismatch> {
    let message = Message::parse(bytes).ok_or(Mismatch::Malformed)?;
    if message.header().id != id {
        return Err(Mismatch::Id);
    }
    if !message.header().is_response() || message.opcode() != Opcode::QUERY {
        return Err(Mismatch::Kind);
    }
    let is_without = message.header().counts[0] == 0 && is_misunderstanding(&message);
    if !is_without && !has_question(&message, question) {
        return Err(Mismatch::Question);
    }
    // What a server cut short itself may end anywhere.
    if message.malformed().is_some() && !message.header().tc() {
        return Err(Mismatch::Malformed);
    }
    Ok(message)
}

/// The server did not understand the message, as one without EDNS does not.
pub(super) fn is_misunderstanding(message: &Message<'_>) -> bool {
    matches!(message.rcode(), Rcode::FORMERR | Rcode::NOTIMP)
}

/// The identifier of the machine that answered.
pub(super) fn nsid(message: &Message<'_>) -> Option<Vec<u8>> {
    message.opt()?.options().find_map(|option| match option.ok()?.decode() {
        OptionData::Nsid(nsid) if !nsid.is_empty() => Some(nsid.to_vec()),
        _ => None,
    })
}

/// Whether a message has this question and no other. Names are compared without case: RFC 4343.
fn has_question(message: &Message<'_>, question: &Question) -> bool {
    let mut questions = message.questions();
    let (Some(first), None) = (questions.next(), questions.next()) else { return false };
    first.qtype == question.rtype && first.qclass == Class::IN && is_name(&first.qname, question.name.as_str())
}

/// Whether a name of a message is this one, which is in lower case.
pub(crate) fn is_name(name: &pdns_packet::dns::Name<'_>, text: &str) -> bool {
    let mut buffer = [0; MAX_NAME_LEN];
    let Ok(mut wire) = name.canonical(&mut buffer) else { return false };
    for label in text.split('.') {
        let Some((&len, rest)) = wire.split_first() else { return false };
        if usize::from(len) != label.len() || !rest.starts_with(label.as_bytes()) {
            return false;
        }
        wire = &rest[label.len()..];
    }
    wire == [0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use pdns_packet::dns::Rtype;
    use proptest::prelude::*;

    fn question() -> Question {
        Question { name: "Stamp.local.lan".parse().unwrap(), rtype: Rtype::TXT, recurse: false }
    }

    const QUESTION: &[u8] = b"\x05stamp\x05local\x03lan\x00\x00\x10\x00\x01";

    fn response(header: &[u8; 12]) -> Vec<u8> {
        [header, QUESTION].concat()
    }

    #[test]
    fn questions_have_nsid_and_room_for_1232_bytes() {
        let bytes = compose(&question(), 0x1234, true).unwrap();
        let opt = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x04\x00\x03\x00\x00";
        assert_eq!(bytes, [b"\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x01", QUESTION, opt].concat());
        let plain = compose(&Question { recurse: true, ..question() }, 0x1234, false).unwrap();
        assert_eq!(plain, response(b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"));
    }

    #[test]
    fn answers_are_those_to_the_question() {
        let refusal = |bytes: &[u8]| read(bytes, &question(), 0x1234).err();
        assert_eq!(refusal(&response(b"\x12\x34\x84\x00\x00\x01\x00\x00\x00\x00\x00\x00")), None);
        assert_eq!(refusal(b""), Some(Mismatch::Malformed));
        assert_eq!(refusal(&response(b"\x12\x35\x84\x00\x00\x01\x00\x00\x00\x00\x00\x00")), Some(Mismatch::Id));
        assert_eq!(refusal(&response(b"\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00")), Some(Mismatch::Kind));
        assert_eq!(refusal(&response(b"\x12\x34\xa8\x00\x00\x01\x00\x00\x00\x00\x00\x00")), Some(Mismatch::Kind));
        assert_eq!(refusal(&response(b"\x12\x34\x84\x00\x00\x01\x00\x01\x00\x00\x00\x00")), Some(Mismatch::Malformed));
        assert_eq!(refusal(b"\x12\x34\x84\x00\x00\x00\x00\x00\x00\x00\x00\x00"), Some(Mismatch::Question));
        assert_eq!(refusal(b"\x12\x34\x80\x01\x00\x00\x00\x00\x00\x00\x00\x00"), None);
        let twice = [&response(b"\x12\x34\x84\x00\x00\x02\x00\x00\x00\x00\x00\x00"), QUESTION].concat();
        assert_eq!(refusal(&twice), Some(Mismatch::Question));
    }

    #[test]
    fn questions_are_compared_in_every_part() {
        let good = response(b"\x12\x34\x84\x00\x00\x01\x00\x00\x00\x00\x00\x00");
        for at in 12..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            let refusal = read(&bytes, &question(), 0x1234).err();
            assert!(matches!(refusal, Some(Mismatch::Question | Mismatch::Malformed)), "{at}: {refusal:?}");
        }
        let shouted = good.to_ascii_uppercase();
        assert!(read(&shouted, &question(), 0x1234).is_ok());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            read(&bytes, &question(), 0x1234).ok();
            let good = response(b"\x12\x34\x84\x00\x00\x01\x00\x09\x00\x00\x00\x01");
            if let Ok(message) = read(&[good, bytes].concat(), &question(), 0x1234) {
                nsid(&message);
            }
        }
    }
}
