//! Every rule of pairing, one scenario each, on virtual time.

#[path = "../common/mod.rs"]
mod common;
mod keys;
mod limits;
mod repetition;
mod responses_without_question;
mod time;

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
