//! What GSS-TSIG signs, and where the signature goes: RFC 8945 section 4.3 with the algorithm of RFC 3645.

use pdns_packet::dns::Header;

use crate::update::{GSS_TSIG, MacForm, Tsig};

/// How far apart the clocks may be for the server, in seconds: RFC 8945 section 10 recommends it.
const FUDGE: u16 = 300;

/// What enters a reply's signature before the reply itself: the request's.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Prior<'a> {
    /// The request had none.
    Unsigned,
    /// The signature of the request.
    Mac(&'a [u8], MacForm),
}

/// What is signed of a request at `time`, in Unix seconds. `key_name` is in lower case and uncompressed.
pub(super) fn request_digest(message: &[u8], key_name: &[u8], time: u64) -> Vec<u8> {
    let mut digest = message.to_vec();
    variables(&mut digest, key_name, time, FUDGE, 0, &[]);
    digest
}

/// Appends the TSIG record with the signature to a request: RFC 8945 section 4.2.
pub(super) fn append(mut message: Vec<u8>, key_name: &[u8], time: u64, mac: &[u8]) -> Vec<u8> {
    /// The type TSIG, the class ANY, and no time to live.
    const FIELDS: [u8; 8] = [0, 250, 0, 255, 0, 0, 0, 0];
    let id: [u8; 2] = message.first_chunk().copied().unwrap_or_default();
    let mut rdata = GSS_TSIG.to_vec();
    rdata.extend(time48(time));
    rdata.extend(FUDGE.to_be_bytes());
    counted(&mut rdata, mac);
    rdata.extend(id);
    // No error and no other data.
    rdata.extend([0; 4]);
    count_additional(&mut message, 1);
    message.extend(key_name);
    message.extend(FIELDS);
    counted(&mut message, &rdata);
    message
}

/// What is signed of a reply.
pub(crate) fn reply_digest(reply: &[u8], tsig: &Tsig<'_>, key_name: &[u8], prior: Prior<'_>) -> Vec<u8> {
    let mut digest = Vec::with_capacity(reply.len() + 512);
    match prior {
        Prior::Unsigned => {}
        Prior::Mac(mac, MacForm::Rfc) => counted(&mut digest, mac),
        Prior::Mac(mac, MacForm::WithoutLength) => digest.extend(mac),
    }
    // As it was before it was signed.
    let mut message = reply.get(..tsig.start).unwrap_or_default().to_vec();
    if let Some(id) = message.first_chunk_mut() {
        *id = tsig.original_id.to_be_bytes();
    }
    count_additional(&mut message, u16::MAX);
    digest.extend(message);
    variables(&mut digest, key_name, tsig.time, tsig.fudge, tsig.error, tsig.other);
    digest
}

/// The fields of the TSIG record that are signed with the message: RFC 8945 section 4.3.3.
fn variables(digest: &mut Vec<u8>, key_name: &[u8], time: u64, fudge: u16, error: u16, other: &[u8]) {
    digest.extend(key_name);
    // The class ANY, and no time to live.
    digest.extend([0, 255, 0, 0, 0, 0]);
    digest.extend(GSS_TSIG);
    digest.extend(time48(time));
    digest.extend(fudge.to_be_bytes());
    digest.extend(error.to_be_bytes());
    counted(digest, other);
}

/// Adds to the number of additional records in a header, modulo 65,536.
fn count_additional(message: &mut [u8], more: u16) {
    if let Some(header) = message.first_chunk_mut::<{ Header::LEN }>() {
        let count = u16::from_be_bytes([header[10], header[11]]).wrapping_add(more);
        [header[10], header[11]] = count.to_be_bytes();
    }
}

/// The lower 48 bits of a time.
fn time48(time: u64) -> [u8; 6] {
    let [_, _, time @ ..] = time.to_be_bytes();
    time
}

/// Appends bytes behind their number; they are always parts of a message.
fn counted(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u16).to_be_bytes());
    out.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::{Asked, Reply};

    const KEY: &[u8] = b"\x01k\x03lan\0";
    const TIME: u64 = 0x5e87_4da1;

    /// A query with the additional record count `additional`.
    fn query(flags: u8, additional: u8) -> Vec<u8> {
        [b"\x12\x34", &[flags, 0, 0, 1, 0, 0, 0, 0, 0, additional][..], b"\x03lan\0\0\x10\0\x01"].concat()
    }

    #[test]
    fn a_request_is_signed_with_the_fields_of_its_tsig() {
        let digest = request_digest(&query(0, 0), KEY, TIME);
        let fields = b"\x01k\x03lan\0\0\xff\0\0\0\0\x08gss-tsig\0\0\0\x5e\x87\x4d\xa1\x01\x2c\0\0\0\0";
        assert_eq!(digest, [&query(0, 0)[..], fields].concat());
    }

    #[test]
    fn a_signed_request_counts_its_tsig() {
        let record = b"\x01k\x03lan\0\0\xfa\0\xff\0\0\0\0\0\x1d\
            \x08gss-tsig\0\0\0\x5e\x87\x4d\xa1\x01\x2c\0\x03mac\x12\x34\0\0\0\0";
        assert_eq!(append(query(0, 0), KEY, TIME, b"mac"), [&query(0, 1)[..], record].concat());
    }

    #[test]
    fn a_reply_is_signed_over_the_request_in_either_form() {
        let signed = append(query(0x80, 0), KEY, TIME, b"reply");
        let asked = Asked::of(&query(0, 0)).unwrap();
        let tsig = Reply::parse(&signed, &asked).unwrap().tsig.unwrap();
        let digest = |prior| reply_digest(&signed, &tsig, KEY, prior);
        let plain = request_digest(&query(0x80, 0), KEY, TIME);
        assert_eq!(digest(Prior::Unsigned), plain);
        assert_eq!(digest(Prior::Mac(b"mac", MacForm::Rfc)), [b"\0\x03mac", &plain[..]].concat());
        assert_eq!(digest(Prior::Mac(b"mac", MacForm::WithoutLength)), [b"mac", &plain[..]].concat());
    }
}
