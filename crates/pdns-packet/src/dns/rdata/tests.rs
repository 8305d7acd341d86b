//! One line of wire and text for every type, from the RFCs' examples where they have any.

use super::*;

/// What the bytes of a `\xNN` literal print as, standing alone in a message after `example.com` at offset 0.
fn printed_in(class: Class, rtype: Rtype, wire: &[u8]) -> String {
    let mut message = b"\x07example\x03com\x00".to_vec();
    let start = message.len();
    message.extend_from_slice(wire);
    Rdata::new(&message, start, wire.len() as u16, rtype, class).unwrap().to_string()
}

#[track_caller]
fn check(rtype: Rtype, wire: &[u8], text: &str) {
    assert_eq!(printed_in(Class::IN, rtype, wire), text, "{rtype}");
    // One byte fewer never prints the same, nor does one more: there must be an exact parse behind the text.
    if !wire.is_empty() {
        assert_ne!(printed_in(Class::IN, rtype, &wire[..wire.len() - 1]), text, "{rtype} cut");
    }
    assert_ne!(printed_in(Class::IN, rtype, &[wire, b"\x00"].concat()), text, "{rtype} with a byte left over");
}

fn generic(wire: &[u8]) -> String {
    let hex: String = wire.iter().map(|byte| format!("{byte:02X}")).collect();
    if wire.is_empty() { "\\# 0".to_owned() } else { format!("\\# {} {hex}", wire.len()) }
}

#[track_caller]
fn check_generic(rtype: Rtype, wire: &[u8]) {
    assert_eq!(printed_in(Class::IN, rtype, wire), generic(wire), "{rtype}");
}

#[test]
fn addresses_belong_to_the_internet() {
    check(Rtype::A, &[192, 0, 2, 1], "192.0.2.1");
    check(Rtype::AAAA, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], "2001:db8::1");
    for class in [Class::ANY, Class::NONE, Class(0x8001)] {
        assert_eq!(printed_in(class, Rtype::A, &[192, 0, 2, 1]), "192.0.2.1");
    }
    assert_eq!(printed_in(Class::CH, Rtype::A, &[10, 0, 2, 1]), "\\# 4 0A000201");
    assert_eq!(printed_in(Class::CH, Rtype::A, b"\xc0\x00\x01\x01"), "example.com 401");
    assert_eq!(printed_in(Class::HS, Rtype::AAAA, &[0; 16]), generic(&[0; 16]));
    assert_eq!(printed_in(Class::ANY, Rtype::A, b""), "\\# 0");
}

#[test]
fn names_are_followed_for_every_type_that_has_them() {
    use Rtype as R;
    for rtype in [R::NS, R::CNAME, R::PTR, R::DNAME, R::MB, R::MD, R::MF, R::MG, R::MR, R::NSAP_PTR] {
        check(rtype, b"\x02Ns\xc0\x00", "Ns.example.com");
        check(rtype, b"\x00", ".");
    }
    for rtype in [R::MX, R::AFSDB, R::RT, R::KX, R::LP] {
        check(rtype, b"\x00\x0a\x04mail\xc0\x00", "10 mail.example.com");
    }
    for rtype in [R::RP, R::MINFO, R::TALINK] {
        check(rtype, b"\x04a\\.b\xc0\x00\xc0\x08", "a\\\\\\.b.example.com com");
    }
    check(R::PX, b"\x00\x0a\xc0\x00\xc0\x08", "10 example.com com");
    check(R::SRV, b"\x00\x0a\x00\x3c\x13\xc4\x03sip\xc0\x00", "10 60 5060 sip.example.com");
    check(
        R::SOA,
        b"\xc0\x00\x05admin\xc0\x00\x78\x95\xa4\xe9\x00\x00\x1c\x20\x00\x00\x0e\x10\x00\x12\x75\x00\x00\x00\x0e\x10",
        "example.com admin.example.com 2023073001 7200 3600 1209600 3600",
    );
    // RFC 3403 section 6.2
    check(
        R::NAPTR,
        b"\x00\x64\x00\x32\x01s\x07http+I2\x00\x05_http\x04_tcp\xc0\x00",
        "100 50 \"s\" \"http+I2\" \"\" _http._tcp.example.com",
    );
}

#[test]
fn a_name_keeps_to_its_rdata() {
    // Its own bytes run on behind the end.
    let message = b"\x01a\x01b\x00";
    assert_eq!(Rdata::new(message, 0, 2, Rtype::NS, Class::IN).unwrap().to_string(), "\\# 2 0161");
    // A pointer to itself, one to nothing, one cut in half, and none at all.
    for wire in [&b"\xc0\x0d"[..], b"\xff\xff", b"\xc0", b"", b"\x41a\x00"] {
        check_generic(Rtype::CNAME, wire);
    }
    check_generic(Rtype::MX, b"\x00\x0a");
}

#[test]
fn text_is_quoted_and_escaped() {
    check(Rtype::TXT, b"\x00", "\"\"");
    check(Rtype::TXT, b"\x07a \"b\\;\x7f\x03\xc3\xa9~", "\"a \\\"b\\\\;\\127\" \"\\195\\169~\"");
    for rtype in [Rtype::SPF, Rtype::NINFO, Rtype::AVC, Rtype::RESINFO, Rtype::WALLET, Rtype::CLA] {
        check(rtype, b"\x06v=spf1\x04-all", "\"v=spf1\" \"-all\"");
    }
    check(Rtype::HINFO, b"\x05Intel\x05Linux", "\"Intel\" \"Linux\"");
    check(Rtype::X25, b"\x0c311061700956", "\"311061700956\"");
    check(Rtype::ISDN, b"\x0f150862028003217", "\"150862028003217\"");
    check(Rtype::ISDN, b"\x0f150862028003217\x03004", "\"150862028003217\" \"004\"");
    check(Rtype::GPOS, b"\x08-32.6882\x08116.8652\x0410.0", "\"-32.6882\" \"116.8652\" \"10.0\"");
    check_generic(Rtype::TXT, b"\x05abc");
    check_generic(Rtype::TXT, b"");
}

#[test]
fn uris_and_authorizations_are_quoted_to_the_end() {
    let uri = b"\x00\x0a\x00\x01ftp://ftp1.example.com/public";
    assert_eq!(printed_in(Class::IN, Rtype::URI, uri), "10 1 \"ftp://ftp1.example.com/public\"");
    let caa = |wire: &[u8]| printed_in(Class::IN, Rtype::CAA, wire);
    assert_eq!(caa(b"\x00\x05issueletsencrypt.org"), "0 issue \"letsencrypt.org\"");
    assert_eq!(caa(b"\x80\x05issue;"), "128 issue \";\"");
    assert_eq!(caa(b"\x00\x05iodef"), "0 iodef \"\"");
    check_generic(Rtype::CAA, b"\x00\x00x");
    check_generic(Rtype::CAA, b"\x00\x02i x");
    check_generic(Rtype::CAA, b"\x00\x09issue");
    check_generic(Rtype::URI, b"\x00\x0a\x00");
}

#[test]
fn keys_digests_and_fingerprints() {
    let check = |rtype, wire: &[u8], text: &str| assert_eq!(printed_in(Class::IN, rtype, wire), text, "{rtype}");
    for rtype in [Rtype::DS, Rtype::CDS, Rtype::DLV, Rtype::TA] {
        check(rtype, b"\xec\x45\x05\x01\x2b\xb1\x83\xaf", "60485 5 1 2BB183AF");
        check_generic(rtype, b"\xec\x45\x05\x01");
    }
    for rtype in [Rtype::DNSKEY, Rtype::CDNSKEY, Rtype::KEY, Rtype::RKEY] {
        check(rtype, b"\x01\x01\x03\x0dfoobar", "257 3 13 Zm9vYmFy");
    }
    check(Rtype::KEY, b"\xc0\x00\x03\x01", "49152 3 1");
    check(Rtype::SSHFP, b"\x02\x01\x12\x34\x56\x78", "2 1 12345678");
    check(Rtype::TLSA, b"\x03\x01\x01\xab\xcd", "3 1 1 ABCD");
    check(Rtype::SMIMEA, b"\x00\x00\x01\xab\xcd", "0 0 1 ABCD");
    check(Rtype::CERT, b"\x00\x01\x12\x34\x08foo", "PKIX 4660 RSASHA256 Zm9v");
    check(Rtype::CERT, b"\xff\xfe\x00\x00\x63foo", "65534 0 99 Zm9v");
    check(Rtype::OPENPGPKEY, b"foob", "Zm9vYg==");
    check(Rtype::DHCID, b"\x00\x02\x01foob", "AAIBZm9vYg==");
    check(Rtype::ZONEMD, b"\x78\x95\xa4\xe9\x01\x01\xc6\x80", "2023073001 1 1 C680");
    check(Rtype::HHIT, b"foo", "Zm9v");
    check_generic(Rtype::ZONEMD, b"\x78\x95\xa4\xe9\x01\x01");
}

#[test]
fn signatures_and_denial() {
    // RFC 4034 section 3.3
    let fields = b"\x00\x01\x05\x03\x00\x01\x51\x80\x3e\x7c\x9d\xd7\x3e\x55\x10\xd7\x0a\x52\xc0\x00foobar";
    for rtype in [Rtype::RRSIG, Rtype::SIG] {
        assert_eq!(
            printed_in(Class::IN, rtype, fields),
            "A 5 3 86400 20030322173103 20030220173103 2642 example.com Zm9vYmFy"
        );
        check_generic(rtype, &fields[..20]);
    }
    let late = b"\xff\x01\x05\x03\x00\x00\x00\x00\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00x";
    assert_eq!(printed_in(Class::IN, Rtype::RRSIG, late), "TYPE65281 5 3 0 21060207062815 19700101000000 0 . eA==");
    // RFC 4034 section 4.3
    let mut nsec = b"\x04host\xc0\x00\x00\x06\x40\x01\x00\x00\x00\x03\x04\x1b".to_vec();
    nsec.extend([0; 26]);
    nsec.push(0x20);
    check(Rtype::NSEC, &nsec, "host.example.com A MX RRSIG NSEC TYPE1234");
    check(Rtype::NSEC, b"\x00", ".");
    check_generic(Rtype::NSEC, b"\x00\x00\x00");
    check_generic(Rtype::NSEC, &[&b"\x00\x00\x21"[..], &[1; 33]].concat());
    check_generic(Rtype::NSEC, b"\x00\x01\x01\x80\x00\x01\x40");
    // RFC 5155 appendix A
    check(
        Rtype::NSEC3,
        b"\x01\x01\x00\x0c\x04\xaa\xbb\xcc\xdd\x05\x00\x44\x32\x14\xc7\x00\x01\x40",
        "1 1 12 AABBCCDD 01234567 A",
    );
    check(Rtype::NSEC3, b"\x01\x00\x00\x00\x00\x01\xff", "1 0 0 - VS");
    check(Rtype::NSEC3PARAM, b"\x01\x00\x00\x0c\x02\xaa\xbb", "1 0 12 AABB");
    check(Rtype::NSEC3PARAM, b"\x01\x00\x00\x00\x00", "1 0 0 -");
    check_generic(Rtype::NSEC3, b"\x01\x00\x00\x00\x00\x00");
    check(Rtype::CSYNC, b"\x00\x00\x00\x42\x00\x03\x00\x04\x60\x00\x00\x08", "66 3 A NS AAAA");
}

#[test]
fn places_on_earth() {
    let loc = |wire: &[u8]| printed_in(Class::IN, Rtype::LOC, wire);
    let cambridge = b"\x00\x12\x16\x13\x89\x17\x2d\xd0\x70\xbe\x15\xf0\x00\x98\x8d\x20";
    assert_eq!(loc(cambridge), "42 21 54.000 N 71 6 18.000 W -24.00m 1m 10000m 10m");
    let wellington = b"\x00\x00\x99\x01\x78\xa4\x7e\xf8\x80\x00\x00\x01\x00\x98\x96\x81";
    assert_eq!(loc(wellington), "34 17 17.320 S 0 0 0.001 E 0.01m 0.00m 90000000m 0.00m");
    for broken in [b"\x01\x12\x16\x13", b"\x00\xa2\x16\x13", b"\x00\x1a\x16\x13"] {
        check_generic(Rtype::LOC, &[&broken[..], &cambridge[4..]].concat());
    }
    let mut off_the_map = *cambridge;
    off_the_map[4] = 0xff;
    check_generic(Rtype::LOC, &off_the_map);
    check(Rtype::LOC, cambridge, "42 21 54.000 N 71 6 18.000 W -24.00m 1m 10000m 10m");
}

#[test]
fn address_lists_and_gateways() {
    // RFC 3123 section 5
    check(
        Rtype::APL,
        b"\x00\x01\x15\x03\xc0\xa8\x20\x00\x01\x1c\x83\xc0\xa8\x26\x00\x02\x08\x01\xff",
        "1:192.168.32.0/21 !1:192.168.38.0/28 2:ff00::/8",
    );
    check_generic(Rtype::APL, b"\x00\x01\x21\x00");
    check_generic(Rtype::APL, b"\x00\x03\x01\x00");
    check_generic(Rtype::APL, b"\x00\x01\x15\x05\x01\x02\x03\x04\x05");
    let printed = |rtype, wire: &[u8]| printed_in(Class::IN, rtype, wire);
    // RFC 4025 section 3.2
    assert_eq!(printed(Rtype::IPSECKEY, b"\x0a\x01\x02\xc0\x00\x02\x26foo"), "10 1 2 192.0.2.38 Zm9v");
    assert_eq!(printed(Rtype::IPSECKEY, b"\x0a\x00\x02foo"), "10 0 2 . Zm9v");
    assert_eq!(printed(Rtype::IPSECKEY, b"\x0a\x03\x02\xc0\x00foo"), "10 3 2 example.com Zm9v");
    assert_eq!(printed(Rtype::IPSECKEY, b"\x0a\x00\x00"), "10 0 0 .");
    check_generic(Rtype::IPSECKEY, b"\x0a\x04\x02\xc0\x00foo");
    // RFC 8777 section 4.3.1
    check(Rtype::AMTRELAY, b"\x0a\x01\xcb\x00\x71\x0f", "10 0 1 203.0.113.15");
    check(Rtype::AMTRELAY, b"\x0a\x83\xc0\x00", "10 1 3 example.com");
    check(Rtype::AMTRELAY, b"\x80\x00", "128 0 0 .");
    check(Rtype::HIP, b"\x02\x02\x00\x03\x20\x01foo\x03rvs\x00\x01b\x00", "2 2001 Zm9v rvs b");
    check_generic(Rtype::HIP, b"\x02\x02\x00\x03\x20\x01foo\xc0\x00");
}

#[test]
fn identifiers_and_locators() {
    check(Rtype::EUI48, b"\x00\x00\x5e\x00\x53\x2a", "00-00-5e-00-53-2a");
    check(Rtype::EUI64, b"\x00\x00\x5e\xef\x10\x00\x00\x2a", "00-00-5e-ef-10-00-00-2a");
    check(Rtype::NID, b"\x00\x0a\x00\x14\x4f\xff\xff\x20\xee\x64", "10 0014:4fff:ff20:ee64");
    check(Rtype::L64, b"\x00\x0a\x20\x01\x0d\xb8\x11\x40\x10\x00", "10 2001:0db8:1140:1000");
    check(Rtype::L32, b"\x00\x0a\x0a\x01\x02\x00", "10 10.1.2.0");
    check(Rtype::IPN, &[0, 0, 0, 1, 0, 0, 0, 2], "4294967298");
    check(Rtype::DSYNC, b"\x00\x3b\x01\x14\xef\x03cds\xc0\x00", "CDS NOTIFY 5359 cds.example.com");
    check(Rtype::DSYNC, b"\x00\x3b\x80\x14\xef\x00", "CDS 128 5359 .");
    let printed = |rtype, wire: &[u8]| printed_in(Class::IN, rtype, wire);
    assert_eq!(printed(Rtype::EID, b"\xe3\x2c"), "E32C");
    assert_eq!(printed(Rtype::NIMLOC, b"\x32\x25"), "3225");
    assert_eq!(printed(Rtype::NSAP, b"\x47\x00\x05"), "0x470005");
    assert_eq!(printed(Rtype::DOA, b"\0\0\0\x01\0\0\0\x02\x03\x09text/htmlfoo"), "1 2 3 \"text/html\" Zm9v");
    assert_eq!(printed(Rtype::DOA, b"\0\0\0\x01\0\0\0\x02\x03\0"), "1 2 3 \"\" -");
}

#[test]
fn transaction_keys_and_signatures() {
    check(
        Rtype::TSIG,
        b"\x0bhmac-sha256\x00\x00\x00\x65\x53\xf1\x00\x01\x2c\x00\x03foo\x30\x39\x00\x00\x00\x00",
        "hmac-sha256 1700000000 300 3 Zm9v 12345 NOERROR 0",
    );
    check(
        Rtype::TSIG,
        b"\x0bhmac-sha256\x00\x00\x01\x00\x00\x00\x00\x01\x2c\x00\x00\x30\x39\x00\x10\x00\x03foo",
        "hmac-sha256 4294967296 300 0 12345 BADSIG 3 Zm9v",
    );
    check(
        Rtype::TKEY,
        b"\x08gss-tsig\x00\x65\x53\xf1\x00\x65\x55\x42\x80\x00\x03\x00\x12\x00\x03foo\x00\x00",
        "gss-tsig 1700000000 1700086400 3 BADTIME 3 Zm9v 0",
    );
}

#[test]
fn options_of_opt() {
    let printed = |wire: &[u8]| printed_in(Class::IN, Rtype::OPT, wire);
    assert_eq!(printed(b"\x00\x03\x00\x00\xfd\xe9\x00\x02\xab\xcd"), "NSID OPT65001=ABCD");
    check_generic(Rtype::OPT, b"\x00\x03\x00\x01");
    check_generic(Rtype::OPT, b"");
}

#[test]
fn service_bindings() {
    for rtype in [Rtype::SVCB, Rtype::HTTPS] {
        // RFC 9460 appendix D
        check(rtype, b"\x00\x00\x03foo\xc0\x00", "0 foo.example.com");
        check(rtype, b"\x00\x01\x00", "1 .");
        check(rtype, b"\x00\x10\x00\x00\x03\x00\x02\x00\x35", "16 . port=53");
        check(rtype, b"\x00\x01\x00\x02\x9b\x00\x05hello", "1 . key667=\"hello\"");
        check(rtype, b"\x00\x01\x00\x02\x9b\x00\x09hello\xd2qoo", "1 . key667=\"hello\\210qoo\"");
        check(rtype, b"\x00\x01\x00\x02\x9b\x00\x00", "1 . key667");
        check(
            rtype,
            b"\x00\x10\x00\x00\x00\x00\x04\x00\x01\x00\x04\x00\x01\x00\x09\x02h2\x05h3-19\x00\x04\x00\x04\xc0\x00\x02\x01",
            "16 . mandatory=alpn,ipv4hint alpn=\"h2,h3-19\" ipv4hint=192.0.2.1",
        );
        check(rtype, b"\x00\x10\x00\x00\x01\x00\x0c\x08f\\oo,bar\x02h2", "16 . alpn=\"f\\\\\\\\oo\\\\,bar,h2\"");
    }
    check(Rtype::HTTPS, b"\x00\x01\x00\x00\x02\x00\x00\x00\x08\x00\x00", "1 . no-default-alpn ohttp");
    check(Rtype::HTTPS, b"\x00\x01\x00\x00\x05\x00\x03foo", "1 . ech=Zm9v");
    check(Rtype::SVCB, b"\x00\x01\x00\x00\x07\x00\x10/dns-query{?dns}", "1 . dohpath=\"/dns-query{?dns}\"");
    check(Rtype::HTTPS, b"\x00\x01\x00\x00\x09\x00\x04\x00\x1d\x11\xec", "1 . tls-supported-groups=29,4588");
    let two = [&b"\x00\x01\x00\x00\x06\x00\x20"[..], &[0; 15], &[1], &[0xff; 16]].concat();
    check(Rtype::HTTPS, &two, "1 . ipv6hint=::1,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    // Keys out of order and repeated are printed as seen.
    check(Rtype::HTTPS, b"\x00\x01\x00\x00\x03\x00\x02\x00\x01\x00\x03\x00\x02\x00\x02", "1 . port=1 port=2");
    for (key, value) in [
        (0, &b""[..]),
        (0, b"\x01"),
        (1, b""),
        (1, b"\x00"),
        (1, b"\x03h2"),
        (2, b"x"),
        (3, b"\x01"),
        (3, b"\x01\x02\x03"),
        (4, b"\x01\x02\x03"),
        (4, b""),
        (5, b""),
        (6, b"\x01\x02\x03\x04"),
        (8, b"x"),
        (9, b"\x01"),
    ] {
        check_generic(Rtype::HTTPS, &[&b"\x00\x01\x00\x00"[..], &[key, 0, value.len() as u8], value].concat());
    }
}

#[test]
fn unknown_types_and_empty_data_print_generically() {
    for rtype in [Rtype(65280), Rtype::NULL, Rtype::WKS, Rtype::ANY, Rtype::UNSPEC, Rtype(0)] {
        check_generic(rtype, b"\x0a\x00\x00\x01");
        check_generic(rtype, b"");
    }
}
