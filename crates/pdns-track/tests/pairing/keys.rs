//! What makes a response belong to a query.

use std::net::{IpAddr, Ipv6Addr};

use super::*;

#[test]
fn a_response_meets_its_query() {
    let ask = Ask { vlan: vlan(&[7, 8]), transport: Transport::Tcp, ..Ask::default() };
    let mut harness = Harness::default();
    harness.query(&ask);
    harness.advance(20 * MS);
    harness.response(&ask);
    let expected = Seen {
        status: "answered",
        client: (ask.client, 40_000),
        server: (ask.server, 53),
        transport: "tcp",
        vlan: ask.vlan.bits(),
        query: Some((START, ask.message(false), 0, 71)),
        response: Some((START + 20 * MS, ask.message(true), 0, 71)),
        retransmits: 0,
    };
    assert_eq!(harness.take(), [expected]);
    assert!(harness.finished().is_empty());
}

#[test]
fn everything_in_the_key_counts() {
    let mine = Ask::default();
    let other: IpAddr = [192, 0, 2, 99].into();
    for theirs in [
        Ask { client: other, ..mine.clone() },
        Ask { server: other, ..mine.clone() },
        Ask { client: mine.server, server: mine.client, ..mine.clone() },
        Ask { client_port: 40_001, ..mine.clone() },
        Ask { transport: Transport::Tcp, ..mine.clone() },
        Ask { vlan: vlan(&[7]), ..mine.clone() },
        Ask { vlan: vlan(&[0]), ..mine.clone() },
        Ask { id: 8, ..mine.clone() },
        Ask { opcode: 5, ..mine.clone() },
        Ask { qtype: 28, ..mine.clone() },
        Ask { qtype: 0x21, ..mine.clone() },
        Ask { qclass: 3, ..mine.clone() },
        Ask { qname: "www.example.com".to_owned(), ..mine.clone() },
        Ask { qname: "example".to_owned(), ..mine.clone() },
        Ask { qname: "www_example".to_owned(), ..mine.clone() },
    ] {
        assert_strangers(&mine, &theirs);
    }
}

#[test]
fn vlans_do_not_count_when_told_so_and_the_querys_are_shown() {
    let config = || PairingConfig { ignore_vlan: true, ..PairingConfig::default() };
    let (there, back) = (Ask { vlan: vlan(&[7]), ..Ask::default() }, Ask { vlan: vlan(&[8]), ..Ask::default() });
    assert_eq!(assert_pair(config(), &there, &back).vlan, there.vlan.bits());
    assert_strangers(&there, &back);
    // An orphan shows its own, and so does a query that answers itself from a held response.
    let mut harness = Harness::new(config());
    harness.response(&back);
    harness.query(&there);
    harness.response(&back);
    harness.response(&Ask { id: 8, ..back.clone() });
    harness.finish();
    let seen: Vec<_> = harness.take().into_iter().map(|seen| (seen.status, seen.vlan)).collect();
    let [there, back] = [there.vlan.bits(), back.vlan.bits()];
    assert_eq!(seen, [("answered", there), ("duplicate", there), ("orphan", back)]);
}

#[test]
fn names_are_compared_without_case_and_kept_as_seen() {
    let (there, back) = (Ask::named("wWw.eXAMPLE-0123456789"), Ask::named("WwW.Example-0123456789"));
    let seen = assert_pair(PairingConfig::default(), &there, &back);
    assert_eq!(seen.query.unwrap().1, there.message(false));
    assert_eq!(seen.response.unwrap().1, back.message(true));
}

#[test]
fn bytes_that_only_look_like_a_case_apart_differ() {
    assert_strangers(&Ask::named("a@b"), &Ask::named("a`b"));
    assert_strangers(&Ask::named("a[b"), &Ask::named("a{b"));
    assert_strangers(&Ask { qtype: 0x41, ..Ask::default() }, &Ask { qtype: 0x61, ..Ask::default() });
}

#[test]
fn an_ipv4_address_is_not_the_ipv6_address_that_it_maps_to() {
    let mapped = |address: IpAddr| match address {
        IpAddr::V4(address) => IpAddr::V6(address.to_ipv6_mapped()),
        IpAddr::V6(_) => address,
    };
    let v4 = Ask::default();
    let v6 = Ask { client: mapped(v4.client), server: mapped(v4.server), ..v4.clone() };
    assert_strangers(&v4, &v6);
    // Nor the one with the same low bits and zeros.
    let low = |address: IpAddr| match address {
        IpAddr::V4(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits().into())),
        IpAddr::V6(_) => address,
    };
    assert_strangers(&v4, &Ask { client: low(v4.client), server: low(v4.server), ..v4.clone() });
    let seen = assert_pair(PairingConfig::default(), &v6, &v6);
    assert_eq!((seen.client.0, seen.server.0), (v6.client, v6.server));
}

#[test]
fn the_root_and_the_longest_name_are_names() {
    let label = "x".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", &label[..61]);
    for qname in ["", "a", &longest] {
        assert_pair(PairingConfig::default(), &Ask::named(qname), &Ask::named(qname));
    }
    assert_strangers(&Ask::named(""), &Ask::named("a"));
    assert_strangers(&Ask::named(&longest), &Ask::named(&longest.replacen('x', "y", 1)));
}

#[test]
fn a_compressed_question_is_the_same_question() {
    let ask = Ask::named("www.example");
    // The name is "www" and a pointer to "example", which stands behind the question.
    let compressed = b"\x03www\xc0\x16\0\x01\0\x01\x07example\0";
    for (is_response, status) in [(true, "answered"), (false, "answered")] {
        let mut harness = Harness::default();
        let mut send = |response: bool| {
            if response == is_response {
                harness.send(&ask, response, &ask.with_questions(response, 1, compressed));
            } else {
                harness.send(&ask, response, &ask.message(response));
            }
        };
        send(false);
        send(false);
        send(true);
        assert_eq!(harness.statuses(), [status]);
        assert_eq!(harness.pairing.stats().retransmissions, 1);
        assert!(harness.finished().is_empty());
    }
}

#[test]
fn a_compressed_question_handed_out_at_its_timeout_is_as_it_was_on_the_wire() {
    let ask = Ask::default();
    let bytes = ask.with_questions(false, 1, b"\x03www\xc0\x16\0\x01\0\x01\x07example\0");
    let mut harness = Harness::default();
    harness.send(&ask, false, &bytes);
    harness.finish();
    assert_eq!(harness.take()[0].query.as_ref().unwrap().1, bytes);
}

#[test]
fn the_first_of_several_questions_counts() {
    let ask = Ask::named("one");
    let both = [question("one", 1, 1), question("two", 1, 1)].concat();
    let mut harness = Harness::default();
    harness.send(&ask, false, &ask.with_questions(false, 2, &both));
    harness.response(&Ask::named("two"));
    harness.send(&ask, true, &ask.with_questions(true, 2, &both));
    assert_eq!(harness.statuses(), ["answered"]);
    assert_eq!(harness.finished(), ["orphan"]);
}
