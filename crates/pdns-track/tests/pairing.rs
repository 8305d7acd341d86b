//! Every rule of pairing, one scenario each, on virtual time.

mod common;

use std::net::{IpAddr, Ipv6Addr};

use common::{Ask, Harness, MS, START, Seen, question};
use pdns_packet::frame::VlanTags;
use pdns_track::{PairingConfig, SECOND, Transport};

/// The response to `theirs` is no response to the query `mine`.
#[track_caller]
fn assert_strangers(mine: &Ask, theirs: &Ask) {
    let mut harness = Harness::default();
    harness.query(mine);
    harness.response(theirs);
    let mut statuses = harness.finished();
    statuses.sort_unstable();
    assert_eq!(statuses, ["orphan", "unanswered"], "{mine:?} {theirs:?}");
}

/// The response to `theirs` is one to the query `mine`, under `config`.
#[track_caller]
fn assert_pair(config: PairingConfig, mine: &Ask, theirs: &Ask) -> Seen {
    let mut harness = Harness::new(config);
    harness.query(mine);
    harness.response(theirs);
    let seen = harness.take();
    assert_eq!(seen.len(), 1, "{mine:?} {theirs:?}");
    assert_eq!(seen[0].status, "answered");
    assert!(harness.finished().is_empty());
    seen.into_iter().next().unwrap()
}

fn vlan(ids: &[u16]) -> VlanTags {
    ids.iter().fold(VlanTags::NONE, |tags, &id| tags.push(id).unwrap())
}

mod keys {
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
}

mod responses_without_question {
    use super::*;

    #[test]
    fn go_to_the_oldest_outstanding_query() {
        let mut harness = Harness::default();
        let asks = ["one", "two", "three"].map(Ask::named);
        for ask in &asks {
            harness.query(ask);
        }
        harness.response(&asks[0]);
        harness.bare_response(&asks[2]);
        harness.bare_response(&asks[2]);
        let seen = harness.take();
        let queries: Vec<_> = seen.iter().map(|seen| seen.query.as_ref().unwrap().1.clone()).collect();
        assert_eq!(queries, asks.map(|ask| ask.message(false)));
        assert!(seen.iter().all(|seen| seen.status == "answered"));
    }

    #[test]
    fn are_duplicates_of_the_query_answered_last_when_none_is_outstanding() {
        let mut harness = Harness::default();
        let (one, two) = (Ask::named("one"), Ask::named("two"));
        harness.query(&one);
        harness.query(&two);
        harness.response(&two);
        harness.response(&one);
        harness.take();
        harness.bare_response(&one);
        let seen = harness.take();
        assert_eq!((seen[0].status, &seen[0].query.as_ref().unwrap().1), ("duplicate", &one.message(false)));
    }

    #[test]
    fn still_need_the_rest_of_the_key() {
        let mut harness = Harness::default();
        harness.query(&Ask::default());
        harness.bare_response(&Ask { id: 8, ..Ask::default() });
        harness.bare_response(&Ask { opcode: 4, ..Ask::default() });
        assert_eq!(harness.finished(), ["orphan", "orphan", "unanswered"]);
    }

    #[test]
    fn are_held_for_whatever_is_asked() {
        let mut harness = Harness::default();
        harness.bare_response(&Ask::default());
        harness.advance(MS);
        harness.query(&Ask::named("any"));
        let seen = harness.take();
        assert_eq!((seen[0].status, seen[0].elapsed()), ("answered", Some(-MS)));
    }

    #[test]
    fn yield_to_held_responses_with_the_question() {
        let mut harness = Harness::default();
        harness.bare_response(&Ask::default());
        harness.response(&Ask::default());
        harness.query(&Ask::default());
        let seen = harness.take();
        assert_eq!(seen[0].response.as_ref().unwrap().1, Ask::default().message(true));
        assert_eq!([seen[0].status, seen[1].status], ["answered", "duplicate"]);
        assert!(harness.finished().is_empty());
    }

    #[test]
    fn broken_questions_are_none() {
        let ask = Ask::default();
        for broken in [&b"\x03www"[..], b"\x03www\0\0\x01", b"\x40\0\0\x01\0\x01", b"\xc0\x0c\0\x01\0\x01", b""] {
            let mut harness = Harness::default();
            harness.query(&ask);
            harness.send(&ask, true, &ask.with_questions(true, 1, broken));
            assert_eq!(harness.statuses(), ["answered"], "{broken:?}");
            // A query without a readable question takes only responses without one.
            harness.send(&ask, false, &ask.with_questions(false, 1, broken));
            harness.send(&ask, false, &ask.with_questions(false, 0, &[]));
            harness.response(&Ask::named("other"));
            harness.bare_response(&ask);
            assert_eq!(harness.statuses(), ["answered"], "{broken:?}");
            assert_eq!(harness.pairing.stats().retransmissions, 1);
            assert_eq!(harness.finished(), ["orphan"]);
        }
    }
}

mod repetition {
    use super::*;

    #[test]
    fn retransmissions_are_counted_and_the_first_time_is_kept() {
        let ask = Ask::default();
        let mut harness = Harness::default();
        for _ in 0..4 {
            harness.query(&ask);
            harness.advance(5 * SECOND);
        }
        harness.response(&ask);
        let seen = harness.take();
        assert_eq!((seen[0].status, seen[0].retransmits, seen[0].elapsed()), ("answered", 3, Some(20 * SECOND)));
        // What comes of the repeated queries later is a duplicate of the same transaction, which has told its count.
        harness.response(&ask);
        let seen = harness.take();
        assert_eq!((seen[0].status, seen[0].retransmits), ("duplicate", 0));
        assert_eq!(harness.pairing.stats().retransmissions, 3);
    }

    #[test]
    fn retransmissions_do_not_prolong_the_timeout() {
        let ask = Ask::default();
        let mut harness = Harness::default();
        harness.query(&ask);
        harness.advance(59 * SECOND);
        harness.query(&ask);
        harness.wake_after(SECOND);
        assert!(harness.statuses().is_empty());
        harness.wake_after(1);
        let seen = harness.take();
        assert_eq!((seen[0].status, seen[0].retransmits), ("unanswered", 1));
        assert_eq!(seen[0].query.as_ref().unwrap().0, START);
        assert!(harness.pairing.is_empty());
    }

    #[test]
    fn several_questions_may_be_out_under_one_id_and_port() {
        let mut harness = Harness::default();
        let a = Ask::default();
        let aaaa = Ask { qtype: 28, ..Ask::default() };
        harness.query(&a);
        harness.query(&aaaa);
        harness.response(&aaaa);
        harness.response(&a);
        let seen = harness.take();
        assert_eq!(seen[0].query.as_ref().unwrap().1, aaaa.message(false));
        assert_eq!(seen[1].query.as_ref().unwrap().1, a.message(false));
        assert!(seen.iter().all(|seen| seen.status == "answered"));
    }

    #[test]
    fn a_further_response_is_a_duplicate_within_the_window_and_an_orphan_after() {
        let ask = Ask::default();
        let mut harness = Harness::default();
        harness.query(&ask);
        harness.advance(SECOND);
        harness.response(&ask);
        // A duplicate does not open the window anew.
        harness.advance(SECOND);
        harness.response(&ask);
        harness.advance(SECOND);
        harness.response(&ask);
        let seen = harness.take();
        assert_eq!(seen.iter().map(|seen| seen.status).collect::<Vec<_>>(), ["answered", "duplicate", "duplicate"]);
        assert!(seen.iter().all(|seen| seen.query.as_ref().unwrap().0 == START));
        harness.advance(1);
        harness.response(&ask);
        assert!(harness.statuses().is_empty(), "it is held at first");
        let seen = {
            harness.finish();
            harness.take()
        };
        assert_eq!((seen[0].status, &seen[0].query), ("orphan", &None));
    }

    #[test]
    fn without_a_window_there_are_no_duplicates() {
        let ask = Ask::default();
        let mut harness = Harness::new(PairingConfig { duplicate_window: 0, ..PairingConfig::default() });
        harness.query(&ask);
        harness.response(&ask);
        assert!(harness.pairing.is_empty());
        harness.response(&ask);
        harness.query(&ask);
        assert_eq!(harness.statuses(), ["answered", "answered"], "the second response was held for the second query");
        assert!(harness.pairing.is_empty());
    }

    #[test]
    fn a_query_asked_again_after_its_answer_is_another() {
        let ask = Ask::default();
        let mut harness = Harness::default();
        for _ in 0..3 {
            harness.query(&ask);
            harness.advance(MS);
            harness.response(&ask);
            harness.advance(MS);
        }
        let seen = harness.take();
        let expected: Vec<_> = (0..3).map(|round| ("answered", START + round * 2 * MS)).collect();
        let seen: Vec<_> = seen.iter().map(|seen| (seen.status, seen.query.as_ref().unwrap().0)).collect();
        assert_eq!(seen, expected);
        harness.query(&ask);
        assert_eq!(harness.finished(), ["unanswered"]);
    }
}

mod time {
    use super::*;

    #[test]
    fn an_answer_exactly_at_the_timeout_is_in_time_and_a_later_one_an_orphan() {
        for (late, expected) in [(0, &["answered"][..]), (1, &["unanswered", "orphan"])] {
            let mut harness = Harness::default();
            harness.query(&Ask::default());
            harness.advance(60 * SECOND + late);
            harness.response(&Ask::default());
            assert_eq!(harness.finished(), expected);
        }
    }

    #[test]
    fn a_response_may_come_before_its_query_by_the_skew() {
        for (early, expected) in
            [(0, &["answered"][..]), (100 * MS, &["answered"]), (100 * MS + 1, &["orphan", "unanswered"])]
        {
            let mut harness = Harness::default();
            harness.response(&Ask::default());
            harness.advance(early);
            harness.query(&Ask::default());
            harness.finish();
            let seen = harness.take();
            assert_eq!(seen.iter().map(|seen| seen.status).collect::<Vec<_>>(), expected);
            if let [seen] = &seen[..] {
                assert_eq!(seen.elapsed(), Some(-early));
            }
        }
    }

    #[test]
    fn without_a_skew_a_response_before_its_query_is_an_orphan_at_once() {
        let mut harness = Harness::new(PairingConfig { skew_timeout: 0, ..PairingConfig::default() });
        harness.response(&Ask::default());
        assert_eq!(harness.statuses(), ["orphan"]);
        assert!(harness.pairing.is_empty());
    }

    #[test]
    fn of_several_early_responses_the_first_answers_and_the_others_are_duplicates() {
        let ask = Ask::default();
        let mut harness = Harness::default();
        for _ in 0..3 {
            harness.response(&ask);
            harness.advance(MS);
        }
        harness.response(&Ask::named("other"));
        harness.query(&ask);
        harness.response(&ask);
        let seen = harness.take();
        assert_eq!(
            seen.iter().map(|seen| seen.status).collect::<Vec<_>>(),
            ["answered", "duplicate", "duplicate", "duplicate"]
        );
        assert_eq!(seen.iter().map(|seen| seen.elapsed().unwrap() / MS).collect::<Vec<_>>(), [-3, -2, -1, 0]);
        // The query was answered when it came.
        harness.advance(2 * SECOND);
        harness.response(&ask);
        assert_eq!(harness.statuses(), ["orphan", "duplicate"]);
        harness.advance(1);
        harness.response(&ask);
        assert_eq!(harness.finished(), ["orphan"]);
    }

    #[test]
    fn time_outs_are_handed_out_in_the_order_of_their_deadlines() {
        let mut harness = Harness::default();
        harness.query(&Ask::named("first"));
        harness.advance(59_950 * MS);
        harness.response(&Ask::named("held"));
        harness.advance(20 * MS);
        harness.query(&Ask::named("second"));
        harness.wake_after(100 * SECOND);
        assert_eq!(harness.statuses(), ["unanswered", "orphan", "unanswered"]);
        assert!(harness.pairing.is_empty());
    }

    #[test]
    fn a_clock_that_steps_back_stands_still() {
        let mut harness = Harness::default();
        harness.query(&Ask::named("one"));
        harness.advance(-30 * SECOND);
        harness.query(&Ask::named("two"));
        harness.response(&Ask::named("one"));
        let seen = harness.take();
        assert_eq!((seen[0].status, seen[0].elapsed()), ("answered", Some(-30 * SECOND)));
        harness.wake_after(90 * SECOND);
        assert!(harness.statuses().is_empty(), "its time began with the latest time seen");
        harness.wake_after(1);
        assert_eq!(harness.statuses(), ["unanswered"]);
    }

    #[test]
    fn the_end_of_the_capture_ends_everything() {
        let mut harness = Harness::default();
        harness.query(&Ask::named("outstanding"));
        harness.response(&Ask::named("held"));
        harness.query(&Ask::named("answered"));
        harness.response(&Ask::named("answered"));
        assert_eq!(harness.finished(), ["answered", "orphan", "unanswered"]);
        assert!(harness.finished().is_empty(), "once");
    }

    #[test]
    fn the_last_moment_there_is_harms_nothing() {
        let mut harness = Harness { now: i64::MAX, ..Harness::default() };
        harness.query(&Ask::named("one"));
        harness.response(&Ask::named("two"));
        harness.now = i64::MIN;
        harness.query(&Ask::named("three"));
        assert_eq!(harness.finished(), ["unanswered", "orphan", "unanswered"]);
    }
}

mod limits {
    use super::*;

    fn of_messages(max_messages: usize) -> Harness {
        Harness::new(PairingConfig { max_messages, ..PairingConfig::default() })
    }

    #[test]
    fn the_oldest_answered_then_held_then_outstanding_message_goes() {
        let mut harness = of_messages(4);
        harness.query(&Ask::named("outstanding1"));
        harness.response(&Ask::named("held"));
        harness.query(&Ask::named("answered1"));
        harness.response(&Ask::named("answered1"));
        harness.query(&Ask::named("answered2"));
        harness.response(&Ask::named("answered2"));
        assert_eq!(harness.statuses(), ["answered"; 2]);
        let evicted = |harness: &Harness| {
            let stats = harness.pairing.stats();
            [stats.evicted_answered, stats.evicted_responses, stats.evicted_queries]
        };
        harness.query(&Ask::named("outstanding2"));
        assert_eq!(evicted(&harness), [1, 0, 0]);
        harness.response(&Ask::named("answered2"));
        assert_eq!(harness.statuses(), ["duplicate"], "the younger one is still there");
        harness.query(&Ask::named("outstanding3"));
        assert_eq!((evicted(&harness), harness.statuses()), ([2, 0, 0], vec![]));
        harness.query(&Ask::named("outstanding4"));
        assert_eq!((evicted(&harness), harness.statuses()), ([2, 1, 0], vec!["orphan"]));
        harness.query(&Ask::named("outstanding5"));
        let seen = harness.take();
        assert_eq!((evicted(&harness), seen[0].status), ([2, 1, 1], "unanswered"));
        assert_eq!(seen[0].query.as_ref().unwrap().1, Ask::named("outstanding1").message(false));
        harness.response(&Ask::named("outstanding3"));
        assert_eq!(harness.statuses(), ["answered"], "an answer needs no room");
        assert_eq!(harness.pairing.len(), 4);
        assert_eq!(harness.finished(), ["unanswered"; 3]);
    }

    #[test]
    fn a_flood_of_responses_ends_no_query() {
        let mut harness = of_messages(10);
        harness.query(&Ask::default());
        for id in 100..1000 {
            harness.response(&Ask { id, ..Ask::default() });
        }
        assert_eq!(harness.take().len(), 891);
        harness.response(&Ask::default());
        assert_eq!(harness.statuses(), ["answered"]);
    }

    #[test]
    fn bytes_are_bounded_too() {
        let len = Ask::named("one").message(false).len();
        let mut harness = Harness::new(PairingConfig { max_bytes: 2 * len, ..PairingConfig::default() });
        for name in ["one", "two", "six"] {
            harness.query(&Ask::named(name));
            assert!(harness.pairing.held_bytes() <= 2 * len);
        }
        assert_eq!(harness.statuses(), ["unanswered"]);
        assert_eq!(harness.pairing.held_bytes(), 2 * len);
        // A message longer than all room there is goes in alone.
        harness.query(&Ask::named(&"long".repeat(15)));
        assert_eq!(harness.statuses(), ["unanswered"; 2]);
        assert_eq!((harness.pairing.len(), harness.pairing.stats().evicted_queries), (1, 3));
        assert_eq!(harness.finished(), ["unanswered"]);
    }

    #[test]
    fn bytes_count_the_uncompressed_question_kept_beside_a_compressed_one() {
        let ask = Ask::default();
        let bytes = ask.with_questions(false, 1, b"\x03www\xc0\x16\0\x01\0\x01\x07example\0");
        let mut harness = Harness::default();
        harness.send(&ask, false, &bytes);
        assert_eq!(harness.pairing.held_bytes(), bytes.len() + ask.question().len());
        harness.finish();
    }

    #[test]
    fn room_for_nothing_is_room_for_one() {
        let mut harness = of_messages(0);
        harness.query(&Ask::named("one"));
        harness.query(&Ask::named("two"));
        harness.response(&Ask::named("two"));
        assert_eq!(harness.statuses(), ["unanswered", "answered"]);
        harness.response(&Ask::named("three"));
        harness.query(&Ask::named("three"));
        assert_eq!(harness.statuses(), ["answered"]);
        harness.finish();
        assert_eq!(harness.pairing.stats().evicted_answered, 1);
    }
}
