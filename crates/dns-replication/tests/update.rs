//! The update client against servers that do not mean well: nothing of theirs is believed, and it ends in time.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use dns_replication::tsig::TsigKey;
use dns_replication::update::{Auth, InjectError, Injection, Outcome, inject};
use domain::base::iana::Rcode;
use domain::base::{Message, MessageBuilder};
use domain::rdata::tsig::Time48;
use domain::tsig::{Algorithm, ClientTransaction, Key, ServerTransaction};

use crate::liar::{Liar, answer, dribble, framed};

/// The time that all clocks here show.
const NOW: u64 = 1_585_917_601;
const DEADLINE: Duration = Duration::from_millis(600);
/// What may pass on a busy machine after the time is up.
const SLACK: Duration = Duration::from_secs(10);

/// What a server sends to a request to which it would honestly send this reply.
type Lie = fn(request: &[u8], honest: Vec<u8>) -> Vec<u8>;

/// The steps of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Read,
    Time,
    Update,
}

const ALL: [Step; 3] = [Step::Read, Step::Time, Step::Update];
const SIGNED: [Step; 2] = [Step::Time, Step::Update];

impl Step {
    /// By the opcode of a request, and whether it would change anything.
    fn of(request: &[u8]) -> Self {
        match (request[2] >> 3 & 15, u16::from_be_bytes([request[8], request[9]])) {
            (0, _) => Self::Read,
            (_, 0) => Self::Time,
            _ => Self::Update,
        }
    }
}

fn key(secret: &[u8]) -> Key {
    Key::new(Algorithm::Sha256, secret, "stamp-key".parse().unwrap(), None, None).unwrap()
}

/// A reply without a signature.
fn unsigned(request: &[u8], rcode: Rcode) -> Vec<u8> {
    let request = Message::from_octets(request.to_vec()).unwrap();
    MessageBuilder::new_vec().start_answer(&request, rcode).unwrap().finish()
}

/// A reply as an honest server with this clock sends it.
fn honest(request: &[u8], rcode: Rcode, time: u64) -> Vec<u8> {
    if Step::of(request) == Step::Read {
        return answer(request, &[]);
    }
    let mut request = Message::from_octets(request.to_vec()).unwrap();
    let signed = ServerTransaction::request(&key(b"secret"), &mut request, Time48::from_u64(NOW)).unwrap().unwrap();
    let mut reply = MessageBuilder::new_vec().start_answer(&request, rcode).unwrap().additional();
    signed.answer(&mut reply, Time48::from_u64(time)).unwrap();
    reply.finish()
}

fn well(request: &[u8]) -> Vec<u8> {
    honest(request, Rcode::NOERROR, NOW)
}

/// A server that lies at one step, and counts the updates that it is sent.
fn liar(at: Step, lie: Lie) -> (Liar, Arc<AtomicUsize>) {
    let updates = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&updates);
    let serve = move |request: &[u8], mut stream: TcpStream| {
        let step = Step::of(request);
        if step == Step::Update {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let reply = if step == at { lie(request, well(request)) } else { well(request) };
        stream.write_all(&framed(&reply)).ok();
    };
    (Liar::new(|_, _, _| {}, serve), updates)
}

fn injection(liar: &Liar) -> Injection {
    Injection {
        server: liar.address.into(),
        resolver: None,
        zone: "example.test".parse().unwrap(),
        name: "stamp.example.test".parse().unwrap(),
        ttl: 60,
        min_interval: Duration::from_secs(1700),
        max_clock_skew: Duration::from_secs(60),
        deadline: DEADLINE,
        auth: Auth::Tsig(TsigKey::new("stamp-key", "hmac-sha256", "c2VjcmV0").unwrap()),
    }
}

/// For what is not about time, so that a busy machine is no liar.
fn patient(liar: &Liar) -> Injection {
    Injection { deadline: SLACK, ..injection(liar) }
}

fn run(injection: &Injection) -> Result<Outcome, InjectError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let start = Instant::now();
    let outcome = runtime.block_on(inject(injection, || NOW));
    assert!(start.elapsed() < injection.deadline + SLACK, "{:?}", start.elapsed());
    outcome
}

/// Runs against a server that lies at each of `steps`: it must not be believed, nor be asked to write before it lies.
#[track_caller]
fn disbelieved(steps: &[Step], lie: Lie, why: &str) {
    for &step in steps {
        let (liar, updates) = liar(step, lie);
        let error = run(&patient(&liar)).unwrap_err().to_string();
        assert!(error.contains(why), "{step:?}: {error}");
        assert!(!error.contains('\n'), "{error}");
        assert_eq!(updates.load(Ordering::Relaxed), usize::from(step == Step::Update), "{step:?}: {error}");
    }
}

fn flip(mut reply: Vec<u8>, at: usize, bits: u8) -> Vec<u8> {
    reply[at] ^= bits;
    reply
}

#[test]
fn an_honest_server_is_believed() {
    let (liar, updates) = liar(Step::Read, |_, honest| honest);
    let Outcome::Stamped(stamped) = run(&patient(&liar)).unwrap() else { panic!("left alone") };
    assert_eq!((stamped.value, stamped.previous, stamped.clock_offset), (NOW, None, Some(0)));
    assert_eq!(updates.load(Ordering::Relaxed), 1);
}

#[test]
fn replies_to_something_else_are_not_believed() {
    disbelieved(&ALL, |_, reply| flip(reply, 0, 1), "a response to another request: its id is");
    disbelieved(&ALL, |_, reply| flip(reply, 2, 0x80), "a message that is no response");
    disbelieved(&ALL, |_, reply| flip(reply, 2, 0x08), "a response to another kind of request: its opcode is");
    disbelieved(&ALL, |_, reply| flip(reply, 2, 0x02), "a response that says to be truncated, over TCP");
    disbelieved(&ALL, |_, reply| flip(reply, 13, 1), "a response to another question");
    disbelieved(&ALL, |request, _| request.to_vec(), "a message that is no response");
}

#[test]
fn broken_replies_are_not_believed() {
    disbelieved(&ALL, |_, _| Vec::new(), "a message of 0 bytes, which is no DNS message");
    disbelieved(&ALL, |_, reply| reply[..11].to_vec(), "a message of 11 bytes");
    disbelieved(&ALL, |_, reply| reply[..20].to_vec(), "a broken response: ");
    let garbage: Lie = |_, reply| {
        let mut garbage: Vec<u8> =
            (0..65_535_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        // The right id and opcode, and nothing else.
        garbage[..3].copy_from_slice(&reply[..3]);
        garbage
    };
    disbelieved(&ALL, garbage, "sent, while ");
    let trailing: Lie = |_, reply| [&reply[..], &[0; 3]].concat();
    disbelieved(&ALL, trailing, "3 bytes follow the last record");
    let counts: Lie = |_, mut reply| {
        reply[6..12].fill(0xff);
        reply
    };
    disbelieved(&ALL, counts, "a broken response: ");
}

#[test]
fn replies_without_the_right_signature_are_not_believed() {
    disbelieved(
        &SIGNED,
        |request, _| unsigned(request, Rcode::NOERROR),
        "a reply without a signature; it was not believed",
    );

    // In the signature, behind which are id, error and other data.
    let wrong = "a reply whose signature is wrong";
    disbelieved(
        &SIGNED,
        |_, reply| {
            let at = reply.len() - 7;
            flip(reply, at, 1)
        },
        wrong,
    );
    // What it was not made for.
    disbelieved(&SIGNED, |request, _| flip(honest(request, Rcode::REFUSED, NOW), 3, 5), wrong);
    let other_secret: Lie = |request, _| {
        let request = Message::from_octets(request.to_vec()).unwrap();
        let mut reply = MessageBuilder::new_vec().start_answer(&request, Rcode::NOERROR).unwrap().additional();
        ClientTransaction::request(key(b"other"), &mut reply, Time48::from_u64(NOW)).unwrap();
        reply.finish()
    };
    disbelieved(&SIGNED, other_secret, wrong);
    // Ten bytes of a signature are what RFC 8945 allows at the least, for who asks for it.
    disbelieved(&SIGNED, |_, reply| shorten(&reply, 22), wrong);
    disbelieved(&SIGNED, |_, reply| shorten(&reply, 32), wrong);

    let other_key: Lie = |_, mut reply| {
        let at = tsig_at(&reply);
        reply[at + 1..at + 6].copy_from_slice(b"other");
        reply
    };
    disbelieved(&SIGNED, other_key, "a reply that is signed with another key");

    let broken = "whose TSIG record is broken or not the last";
    let twice: Lie = |_, mut reply| {
        reply.extend(reply[tsig_at(&reply)..].to_vec());
        reply[11] += 1;
        reply
    };
    disbelieved(&SIGNED, twice, broken);
    let as_answer: Lie = |_, mut reply| {
        reply.swap(7, 11);
        reply
    };
    disbelieved(&SIGNED, as_answer, broken);
    // The length of other data, which is not there.
    disbelieved(
        &SIGNED,
        |_, reply| {
            let at = reply.len() - 1;
            flip(reply, at, 9)
        },
        broken,
    );
}

/// Where the TSIG record begins: its name, the key's, is the last of its kind.
fn tsig_at(reply: &[u8]) -> usize {
    reply.windows(10).rposition(|window| window == b"\x09stamp-key").unwrap()
}

/// Takes bytes off the end of the signature, and off the lengths that count them.
fn shorten(reply: &[u8], bytes: u8) -> Vec<u8> {
    let end = reply.len() - 6;
    let mut cut = [&reply[..end - usize::from(bytes)], &reply[end..]].concat();
    // Behind the key's name of 11 bytes: type, class, time to live, and the lower byte of the record's length.
    cut[tsig_at(reply) + 11 + 9] -= bytes;
    // The lower byte of the signature's length, which was 32.
    cut[end - 32 - 1] -= bytes;
    cut
}

#[test]
fn replies_that_were_sent_before_are_not_believed() {
    // What the server said of the time is sent again as what it says of the update, with the id put right.
    let kept = Mutex::new(Vec::new());
    let serve = move |request: &[u8], mut stream: TcpStream| {
        let mut kept = kept.lock().unwrap();
        if Step::of(request) != Step::Update {
            *kept = well(request);
        }
        let mut reply = kept.clone();
        reply[..2].copy_from_slice(&request[..2]);
        stream.write_all(&framed(&reply)).ok();
    };
    let liar = Liar::new(|_, _, _| {}, serve);
    let error = run(&patient(&liar)).unwrap_err().to_string();
    assert!(error.contains("a reply whose signature is wrong"), "{error}");
}

#[test]
fn errors_without_a_signature_end_the_run_and_say_that_they_prove_nothing() {
    disbelieved(&SIGNED, |request, _| unsigned(request, Rcode::SERVFAIL), "(SERVFAIL, not signed)");
    // "It has changed", without end.
    let changed: Lie = |request, _| unsigned(request, Rcode::YXRRSET);
    disbelieved(&[Step::Time], changed, "others change stamp.example.test as fast as it is read");
    let (liar, updates) = liar(Step::Update, changed);
    assert!(matches!(run(&patient(&liar)), Err(InjectError::Conflict { .. })));
    assert_eq!(updates.load(Ordering::Relaxed), 2);
}

#[test]
fn a_signed_time_that_differs_ends_the_run() {
    let slow: Lie = |request, _| honest(request, Rcode::NOERROR, NOW - 61);
    disbelieved(&[Step::Time], slow, "the clock here is 61 s ahead of that of");
    let wild: Lie = |request, _| honest(request, Rcode::NOERROR, (1 << 48) - 1);
    disbelieved(&[Step::Time], wild, "s behind that of");
}

#[test]
fn servers_that_are_slow_or_silent_are_left_in_time() {
    let serve = |at: Step, how: fn(&[u8], TcpStream)| {
        let serve = move |request: &[u8], mut stream: TcpStream| {
            let reply = framed(&well(request));
            if Step::of(request) == at {
                how(&reply, stream);
            } else {
                stream.write_all(&reply).ok();
            }
        };
        Liar::new(|_, _, _| {}, serve)
    };
    let slow: fn(&[u8], TcpStream) = |reply, stream| dribble(stream, reply);
    let silent: fn(&[u8], TcpStream) = |_, stream| {
        std::thread::sleep(DEADLINE * 2);
        drop(stream);
    };
    let cut: fn(&[u8], TcpStream) = |reply, mut stream| {
        stream.write_all(&reply[..reply.len() - 1]).ok();
    };
    for step in ALL {
        for how in [slow, silent] {
            let liar = serve(step, how);
            let error = run(&injection(&liar)).unwrap_err().to_string();
            assert!(error.contains("not done within 600ms; time ran out while "), "{step:?}: {error}");
        }
        for how in [cut, |_, stream| drop(stream)] {
            let liar = serve(step, how);
            assert!(matches!(run(&patient(&liar)), Err(InjectError::Broken { .. })), "{step:?}");
        }
    }
}

#[test]
fn who_wrote_meanwhile_did_the_work() {
    // Between the first read and the update somebody stamps the record.
    let is_written = Mutex::new(false);
    let serve = move |request: &[u8], mut stream: TcpStream| {
        let mut is_written = is_written.lock().unwrap();
        let reply = match Step::of(request) {
            Step::Read if *is_written => answer(request, &[&NOW.to_string()]),
            Step::Read | Step::Time => well(request),
            Step::Update => {
                *is_written = true;
                honest(request, Rcode::YXRRSET, NOW)
            }
        };
        stream.write_all(&framed(&reply)).ok();
    };
    let liar = Liar::new(|_, _, _| {}, serve);
    assert_eq!(run(&patient(&liar)).unwrap(), Outcome::Young { value: NOW, age: 0 });
}
