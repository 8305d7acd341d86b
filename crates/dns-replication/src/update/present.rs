//! What stands in the record now, and what follows from it.

use std::time::Duration;

use pdns_packet::dns::{Class, Message, Name, Rtype};

use super::message::{Prerequisite, WireName};
use super::session::offset;
use crate::stamp::{strings, time};

/// The record as a server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Present {
    /// The TXT records of the name, each as RDATA; none when there is nothing.
    Records(Vec<Vec<u8>>),
    /// The name stands for another, so it can have no records of its own: RFC 1034 section 3.6.2.
    Alias {
        /// The other name.
        target: String,
    },
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Nothing: the record is young.
    Keep {
        /// The newest number in it.
        value: u64,
        /// How many seconds ago that was; less than none when another clock is ahead of this one.
        age: i64,
    },
    /// Write, if the record is still what it was.
    Write {
        prerequisite: Prerequisite,
        /// The newest number in it, if there is any.
        previous: Option<u64>,
    },
}

impl Present {
    /// Reads it from the reply to a query for it.
    pub(crate) fn read(message: &Message<'_>, name: &WireName) -> Self {
        let is_ours = |owner: Name<'_>| {
            let mut buffer = [0; pdns_packet::dns::MAX_NAME_LEN];
            owner.canonical(&mut buffer).is_ok_and(|owner| owner == name.as_slice())
        };
        let mut records = Vec::new();
        for record in message.answers().filter(|record| record.class == Class::IN && is_ours(record.owner)) {
            match (record.rtype, record.rdata.name()) {
                (Rtype::TXT, _) => records.push(record.rdata.bytes().to_vec()),
                (Rtype::CNAME, Some(target)) => return Self::Alias { target: target.to_string() },
                _ => {}
            }
        }
        Self::Records(records)
    }
}

/// Decides what is to be done with records at `now`, in Unix seconds.
///
/// A number from the future is no young one: whoever wrote it had a wrong clock, and it would never become old. What clocks
/// may be apart is let pass.
pub(crate) fn decide(records: Vec<Vec<u8>>, now: u64, min_interval: Duration, max_clock_skew: Duration) -> Decision {
    let previous = newest(&records);
    if let Some(value) = previous {
        let age = offset(now, value);
        let ahead = Duration::from_secs(value.saturating_sub(now));
        let behind = Duration::from_secs(now.saturating_sub(value));
        if behind < min_interval && ahead <= max_clock_skew {
            return Decision::Keep { value, age };
        }
    }
    let prerequisite = if records.is_empty() { Prerequisite::Absent } else { Prerequisite::Exactly(records) };
    Decision::Write { prerequisite, previous }
}

/// The newest time among the strings of the records.
pub(crate) fn newest(records: &[Vec<u8>]) -> Option<u64> {
    records.iter().flat_map(|rdata| strings(rdata)).filter_map(time).max()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(1700);
    const SKEW: Duration = Duration::from_secs(60);

    fn decide_at(now: u64, texts: &[&str]) -> Decision {
        let records = texts.iter().map(|text| [&[text.len() as u8], text.as_bytes()].concat()).collect();
        decide(records, now, INTERVAL, SKEW)
    }

    fn previous(decision: Decision) -> Option<u64> {
        match decision {
            Decision::Write { previous, .. } => previous,
            Decision::Keep { .. } => panic!("{decision:?}"),
        }
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        // As texts, "999" would be the newest.
        assert_eq!(newest(&[b"\x03999".to_vec(), b"\x0a1585917601\x0a1585917600".to_vec()]), Some(1_585_917_601));
        assert_eq!(newest(&[b"\x04 12 ".to_vec(), b"\x03+99\x05-1000\x0212x\x00".to_vec()]), Some(12));
        assert_eq!(newest(&[b"\x1599999999999999999999".to_vec(), vec![]]), None);
    }

    #[test]
    fn a_young_stamp_is_left_alone() {
        let keep = |age| Decision::Keep { value: 10_000, age };
        assert_eq!(decide_at(10_000, &["10000"]), keep(0));
        assert_eq!(decide_at(11_699, &["10000", "garbage", "9000"]), keep(1699));
        assert_eq!(decide_at(9_940, &["10000"]), keep(-60));
    }

    #[test]
    fn what_is_old_or_from_the_future_or_no_number_is_replaced_as_read() {
        assert_eq!(previous(decide_at(11_700, &["10000"])), Some(10_000));
        assert_eq!(previous(decide_at(9_939, &["10000"])), Some(10_000));
        assert_eq!(decide_at(1, &[]), Decision::Write { prerequisite: Prerequisite::Absent, previous: None });
        assert_eq!(
            decide_at(1, &["x"]),
            Decision::Write { prerequisite: Prerequisite::Exactly(vec![b"\x01x".to_vec()]), previous: None }
        );
    }

    proptest! {
        #[test]
        fn no_records_do_harm(records: Vec<Vec<u8>>, now: u64) {
            match decide(records.clone(), now, INTERVAL, SKEW) {
                Decision::Keep { value, age } => {
                    prop_assert_eq!(Some(value), newest(&records));
                    prop_assert!((-60..1700).contains(&age));
                }
                Decision::Write { prerequisite, .. } => {
                    prop_assert_eq!(prerequisite == Prerequisite::Absent, records.is_empty());
                }
            }
        }
    }
}
