//! What servers answer to questions, updates and the beginning of a session.

use dns_replication::fuzz::{Exchange, query_reply};
use dns_replication::query::Question;
use dns_replication::tsig::TsigKey;
use dns_replication::{DomainName, Stamp};
use domain::base::iana::Rcode;
use domain::base::{Message, MessageBuilder};
use domain::rdata::tsig::Time48;
use domain::tsig::{Algorithm, Key, KeyName, ServerTransaction};
use pdns_fuzz::{Input, Target, heap};
use pdns_packet::dns::Rtype;

/// Replies: none is taken for another's, none that was changed counts as signed, and what is read lies in them.
pub const REPLY: Target = Target { name: "reply", check, seeds, mutations: 20_000 };

const ID: u16 = 0x1234;
const NOW: u64 = 1_700_000_000;
const SECRET: &[u8] = b"a secret of some length";

/// What was asked; then the reply, or how the true one is changed.
fn check(input: &[u8]) {
    let mut input = Input::new(input);
    match input.below(3) {
        0 => tkey(input.rest()),
        1 => query(input.rest()),
        _ => signed(&mut input),
    }
}

fn tkey(reply: &[u8]) {
    let exchange = Exchange::tkey(ID, &name("k.lan"));
    let read = heap::bounded(4096 + 4 * reply.len(), || exchange.read(reply));
    match read {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(read) => {
            assert_eq!(&reply[..2], exchange.request()[..2].as_ref());
            assert!(reply[2] & 0x80 != 0);
            let holds = |part: &[u8]| part.is_empty() || reply.windows(part.len()).any(|window| window == part);
            if let Some((start, mac)) = read.tsig {
                assert!(start >= 12 && start + mac.len() < reply.len() && holds(&mac));
            }
            assert!(read.tkey.is_none_or(|(_, token)| holds(&token)));
        }
    }
}

fn query(reply: &[u8]) {
    let question = Question { name: name("stamp.local.lan"), rtype: Rtype::TXT, recurse: false };
    let read = heap::bounded(4096 + 4 * reply.len(), || query_reply(reply, &question, ID));
    match read {
        Err(mismatch) => assert!(!mismatch.to_string().is_empty()),
        Ok(read) => {
            assert_eq!(reply[..2], ID.to_be_bytes());
            assert!(read.nsid().is_none_or(|nsid| !nsid.is_empty() && nsid.len() < reply.len()));
            let stamp = read.message(|message| Some(Stamp::read(message, &question.name))).unwrap();
            match stamp {
                Stamp::Time(time) => {
                    let digits = time.to_string();
                    assert!(reply.windows(digits.len()).any(|window| window == digits.as_bytes()));
                }
                Stamp::Garbage(text) => assert!(text.len() <= 3 * 43 && !text.chars().any(char::is_control)),
                Stamp::Missing => {}
                Stamp::Refused(rcode) => assert_eq!(rcode, read.rcode()),
            }
        }
    }
}

/// A signed reply with up to three bytes changed, or cut.
fn signed(input: &mut Input<'_>) {
    let key = TsigKey::new("k.lan", "hmac-sha256", "YSBzZWNyZXQgb2Ygc29tZSBsZW5ndGg=").unwrap();
    let mut exchange = Exchange::update(ID, &name("local.lan"), &name("stamp.local.lan"), key, NOW);
    let reply = answer(exchange.request());
    assert_eq!(exchange.read_signed(&reply).map(|read| read.rcode), Some(0));
    let mut changed = reply.clone();
    for _ in 0..input.below(4) {
        let (at, byte) = (usize::from(input.byte()) % changed.len(), input.byte());
        changed[at] = byte;
    }
    if input.byte() & 1 == 1 {
        changed.truncate(input.byte().into());
        changed.extend_from_slice(input.rest());
    }
    if exchange.read_signed(&changed).is_some() {
        // The names of key and algorithm are signed in lower case.
        assert!(changed.eq_ignore_ascii_case(&reply), "a forged reply is taken for signed: {changed:02x?}");
    }
}

/// What a server that has the key answers.
fn answer(request: &[u8]) -> Vec<u8> {
    let key = Key::new(Algorithm::Sha256, SECRET, "k.lan".parse::<KeyName>().unwrap(), None, None).unwrap();
    let mut message = Message::from_octets(request.to_vec()).unwrap();
    let signed = ServerTransaction::request(&key, &mut message, Time48::from_u64(NOW)).unwrap().unwrap();
    let builder = MessageBuilder::new_vec().start_answer(&message, Rcode::NOERROR).unwrap();
    let mut additional = builder.additional();
    signed.answer(&mut additional, Time48::from_u64(NOW)).unwrap();
    additional.finish()
}

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

fn seeds() -> Vec<Vec<u8>> {
    let mut tkey = Exchange::tkey(ID, &name("k.lan")).request().to_vec();
    // A response, with the TKEY among the answers, and a TSIG.
    tkey[2] |= 0x80;
    (tkey[7], tkey[11]) = (1, 1);
    tkey.extend(b"\x01k\x03lan\0\0\xfa\0\xff\0\0\0\0\0\x1d");
    tkey.extend(b"\x08gss-tsig\0\0\0\x5e\x87\x4d\xa1\x01\x2c\0\x03mac\x12\x34\0\0\0\0");
    let question = b"\x05stamp\x05local\x03lan\0\0\x10\0\x01";
    let query = |counts: [u8; 2], records: &[u8]| {
        [&[1, 0x12, 0x34, 0x84, 0, 0, 1, 0, counts[0], 0, 0, 0, counts[1]][..], question, records].concat()
    };
    let stamp = b"\xc0\x0c\0\x10\0\x01\0\0\0\x3c\0\x0b\x0a1700000000";
    let odd = b"\xc0\x0c\0\x10\0\x01\0\0\0\x3c\0\x04\x03a\x1b\xff";
    let alias = b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x04\x01x\xc0\x12\x01x\xc0\x12\0\x10\0\x01\0\0\0\x3c\0\x02\x017";
    let nsid = b"\0\0\x29\x04\xd0\0\0\0\0\0\x07\0\x03\0\x03abc";
    vec![
        [&[0][..], &tkey].concat(),
        query([1, 0], stamp),
        query([1, 0], odd),
        query([2, 0], alias),
        query([1, 1], &[&stamp[..], nsid].concat()),
        vec![2, 0, 0],
        vec![2, 1, 30, 1, 0],
        vec![2, 2, 3, 1, 60, 7, 0],
        vec![2, 0, 1, 40, 1, 2, 3],
    ]
}
