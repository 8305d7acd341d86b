//! At Knot.

use pdns_rigs::dns::knot::Knot;

use super::{Auth, KEY, first_update_and_too_young, inject, stamped, wrong_clocks};
use crate::util::{dns_stamp, stderr};

fn knot() -> Option<Knot> {
    pdns_rigs::or_skip(Knot::start())
}

#[test]
fn the_record_is_written_first_again_and_not_too_often() {
    let Some(knot) = knot() else { return };
    first_update_and_too_young(|| inject(knot.address));
}

#[test]
fn a_wrong_clock_is_noticed_before_anything_is_written() {
    let Some(knot) = knot() else { return };
    wrong_clocks(|| inject(knot.address));
}

#[test]
fn the_key_is_read_from_its_own_configuration() {
    let Some(knot) = knot() else { return };
    let server = knot.address.to_string();
    let mut command = dns_stamp(&["inject", "--server", &server, "--zone", "example.test", "--record", "stamp"]);
    let output = command.arg("--tsig-key-file").arg(knot.config()).output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    stamped(knot.address);
}

#[test]
fn refusals_say_what_is_wrong() {
    let Some(knot) = knot() else { return };
    let server = knot.address;
    inject(server).key("stamp-key:hmac-sha256:d3Jvbmc=").fails("has another secret for the key stamp-key");
    inject(server).key("other-key:hmac-sha256:d3Jvbmc=").fails("has no key other-key of this algorithm");
    inject(server).key(&KEY.replace("sha256", "sha512")).fails("has no key stamp-key of this algorithm");
    inject(server).auth(Auth::None).fails("takes no unsigned updates (as Knot says it)");
    inject(server).with(&["--record", "taken"]).fails("(as Knot says it) does not let it write taken.example.test");
    inject(server).with(&["--zone", "other.test"]).fails("does not answer for other.test: it has no such zone");
    inject(server).with(&["--zone", "sub.example.test"]).fails("is not the primary of sub.example.test");
    let down = pdns_rigs::process::free_address().unwrap();
    inject(down).fails("cannot be reached over TCP");
}
