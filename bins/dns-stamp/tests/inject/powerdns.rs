//! At PowerDNS.

use pdns_rigs::dns::powerdns::PowerDns;

use super::{Auth, KEY, first_update_and_too_young, inject};

fn powerdns() -> Option<PowerDns> {
    pdns_rigs::or_skip(PowerDns::start())
}

#[test]
fn the_record_is_written_first_again_and_not_too_often() {
    let Some(powerdns) = powerdns() else { return };
    first_update_and_too_young(|| inject(powerdns.address));
}

/// It signs its responses with the time that the request was signed at, so its own is not to be learned.
#[test]
fn only_a_very_wrong_clock_is_noticed() {
    let Some(powerdns) = powerdns() else { return };
    if pdns_rigs::or_skip(pdns_rigs::has("faketime")).is_none() {
        return;
    }
    inject(powerdns.address).clock("-1000s").fails("or the clocks are apart");
    inject(powerdns.address).clock("-90s").succeeds();
}

#[test]
fn refusals_say_what_is_wrong() {
    let Some(powerdns) = powerdns() else { return };
    let server = powerdns.address;
    // It has one answer for all of this.
    for key in ["stamp-key:hmac-sha256:d3Jvbmc=", "other-key:hmac-sha256:d3Jvbmc=", &KEY.replace("sha256", "sha512")] {
        inject(server).key(key).fails("PowerDNS says no more than that when the key is unknown");
    }
    inject(server).auth(Auth::None).fails("takes no unsigned updates of example.test");
    inject(server).with(&["--zone", "other.test"]).fails("does not answer for other.test: it has no such zone");
    inject(server).with(&["--zone", "sub.example.test"]).fails("or it is no primary of sub.example.test (REFUSED)");
    let down = pdns_rigs::process::free_address().unwrap();
    inject(down).fails("cannot be reached over TCP");
}
