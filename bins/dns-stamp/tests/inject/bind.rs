//! At BIND, with a shared key.

use std::net::SocketAddr;

use pdns_rigs::dns::bind::{Bind, Primary};
use pdns_rigs::process::free_address;

use super::{first_update_and_too_young, inject, stamped, wrong_clocks};

fn primary() -> Option<Bind> {
    pdns_rigs::or_skip(Bind::primary(Primary::default()))
}

#[test]
fn the_record_is_written_first_again_and_not_too_often() {
    let Some(bind) = primary() else { return };
    first_update_and_too_young(|| inject(bind.address));
}

#[test]
fn secondaries_get_what_is_written() {
    let secondaries = [free_address().unwrap(), free_address().unwrap()];
    let primary = Bind::primary(Primary { secondaries: &secondaries, ..Primary::default() });
    let Some(primary) = pdns_rigs::or_skip(primary) else { return };
    let [one, other] = secondaries;
    let copies = [(one, true), (other, false)];
    let copies = copies.map(|(address, knows_key)| Bind::secondary(address, primary.address, knows_key).unwrap());
    inject(primary.address).succeeds();
    for (mut copy, refusal) in copies.into_iter().zip(["it is no primary of example.test", "has no key stamp-key"]) {
        let address = copy.address;
        let has_it = || pdns_rigs::dns::txt(address, super::RECORD).is_ok_and(|records| !records.is_empty());
        copy.process.wait_until(has_it).unwrap();
        assert_eq!(stamped(address), stamped(primary.address));
        inject(address).with(&["--min-interval", "0"]).fails(refusal);
    }
}

#[test]
fn refusals_say_what_is_wrong() {
    let Some(bind) = primary() else { return };
    let server = bind.address;
    let wrong_secret = "stamp-key:hmac-sha256:d3Jvbmc=";
    inject(server).key(wrong_secret).fails("has another secret for the key stamp-key");
    inject(server).key("other-key:hmac-sha256:d3Jvbmc=").fails("has no key other-key of this algorithm");
    inject(server).key(&super::KEY.replace("sha256", "sha512")).fails("has no key stamp-key of this algorithm");
    inject(server).auth(super::Auth::None).fails("takes no unsigned updates of example.test");
    inject(server).with(&["--record", "taken"]).fails("does not let the key stamp-key write taken.example.test");
    inject(server).with(&["--record", "alias"]).fails("alias.example.test is an alias (CNAME) of ns1.example.test");
    inject(server).with(&["--zone", "other.test"]).fails("does not answer for other.test: it has no such zone");
    inject(server).with(&["--zone", "sub.example.test"]).fails("is not the primary of sub.example.test");
    inject(server).with(&["--zone", "test", "--record", "stamp.example"]).fails("is not the primary of test");
}

#[test]
fn a_server_that_is_down_is_named() {
    let server: SocketAddr = free_address().unwrap();
    inject(server).fails(&format!("{server} cannot be reached over TCP: {server}: Connection refused"));
}

#[test]
fn a_wrong_clock_is_noticed_before_anything_is_written() {
    let Some(bind) = primary() else { return };
    wrong_clocks(|| inject(bind.address));
}

#[test]
fn a_name_is_tried_by_all_of_its_addresses() {
    let Some(bind) = primary() else { return };
    // That of IPv6, where there is one, refuses.
    let server = format!("localhost:{}", bind.address.port());
    inject(bind.address).with(&["--primary", &server]).succeeds();
    stamped(bind.address);
}
