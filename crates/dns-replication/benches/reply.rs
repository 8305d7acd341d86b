//! A server's reply: whether it is one to the question, and the time in it.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use dns_replication::fuzz::query_reply;
use dns_replication::query::Question;
use dns_replication::{DomainName, Stamp};
use pdns_fixtures::dns::{Edns, Message, Record, Rtype, rdata};

const ID: u16 = 7;
const NAME: &str = "dns-monitor-stamp.local.lan";
const TIME: u64 = 1_768_478_400;

fn reply(criterion: &mut Criterion) {
    let txt = |time: u64| Record::new(NAME, 60, rdata::txt([time.to_string()]));
    let alias = Record::new(NAME, 60, rdata::cname("stamp.local.lan"));
    let target = Record::new("stamp.local.lan", 60, rdata::txt([TIME.to_string()]));
    let replies = [
        ("time", vec![txt(TIME)]),
        ("alias", vec![alias, target]),
        // What writers leave that add and never remove.
        ("fifty-times", (0..50).map(|age| txt(TIME - age)).collect()),
    ];
    let name: DomainName = NAME.parse().expect("a name");
    let question = Question { name: name.clone(), rtype: pdns_packet::dns::Rtype::TXT, recurse: false };
    let read =
        |bytes: &[u8]| query_reply(bytes, &question, ID).ok()?.message(|message| Some(Stamp::read(message, &name)));
    let mut group = criterion.benchmark_group("reply");
    for (case, answers) in replies {
        let query = Message::query(ID, NAME, Rtype::TXT);
        let bytes = query.response().answer(answers).edns(Edns::new(1232).nsid(b"ns1")).compose();
        assert_eq!(read(&bytes), Some(Stamp::Time(TIME)), "{case}");
        group.bench_function(case, |bencher| bencher.iter(|| read(black_box(&bytes))));
    }
    group.finish();
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(50)
        .noise_threshold(0.05)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1000))
}

criterion_group!(name = benches; config = quick(); targets = reply);
criterion_main!(benches);
