//! Filters against libpcap's own machine, and what that cannot be asked.

use proptest::prelude::*;

use super::*;

/// A query over UDP in IPv4 on Ethernet.
fn query() -> Vec<u8> {
    let mut frame =
        [&[2; 12][..], &[8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]].concat();
    frame.extend([4, 0, 0, 53, 0, 20, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    frame
}

#[test]
fn a_filter_passes_what_it_names() {
    let frame = query();
    for (expression, passes) in [
        ("udp port 53", true),
        ("tcp port 53", false),
        ("host 192.0.2.1 and not src port 53", true),
        ("net 198.51.100.0/24", false),
        ("udp[10:2] & 0x8000 = 0", true),
        ("udp[100] = 0", false),
        ("", true),
    ] {
        let filter = Filter::compile(expression, 1).unwrap();
        assert_eq!(filter.matches(&frame, frame.len() as u32), passes, "{expression}");
    }
}

#[test]
fn the_length_on_the_wire_counts_not_the_captured() {
    let filter = Filter::compile("greater 100", 1).unwrap();
    assert!(filter.matches(&query(), 100));
    assert!(!filter.matches(&query(), 99));
}

#[test]
fn each_link_type_has_its_own_program() {
    let mut set = FilterSet::new("udp dst port 53");
    let ethernet = query();
    let wire_len = ethernet.len() as u32;
    for raw in [101, 228] {
        assert!(set.matches(raw, &ethernet[14..], wire_len - 14).unwrap());
        assert!(!set.matches(raw, &ethernet, wire_len).unwrap());
    }
    assert!(set.matches(1, &ethernet, wire_len).unwrap());
    assert!(!set.matches(1, &ethernet[14..], wire_len - 14).unwrap());
    let cooked = [&[0; 14][..], &[8, 0], &ethernet[14..]].concat();
    assert!(set.matches(113, &cooked, wire_len + 2).unwrap());
    assert_eq!(set.filters.len(), 4);
}

#[test]
fn what_libpcap_refuses_is_told_in_its_words() {
    let error = Filter::compile("port dns or", 1).unwrap_err();
    assert!(error.to_string().starts_with("filter 'port dns or' for link type 1 (EN10MB): "), "{error}");
    let error = Filter::compile("vlan", 0).unwrap_err();
    assert!(matches!(error, FilterError::Refused { link: 0, .. }), "{error}");
    assert!(Filter::compile("port 53\0", 1).is_err());
}

#[test]
fn a_chain_of_headers_is_followed() {
    let filter = Filter::compile("ip6 protochain 17", 101).unwrap();
    let mut frame = [&[0x60, 0, 0, 0, 0, 24, 0, 64][..], &[1; 32]].concat();
    frame.extend([60, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 53, 0, 8, 0, 0]);
    assert!(filter.matches(&frame, 64));
    frame[48] = 6;
    assert!(!filter.matches(&frame, 64));
}

/// The length of an Authentication header leads libpcap's program to where that many bytes are from the start. Its own
/// machine never leaves this frame.
#[test]
fn a_chain_that_is_a_circle_comes_to_an_end() {
    let filter = Filter::compile("ip6 protochain 17", 101).unwrap();
    let mut frame = [&[0x60, 0, 0, 0, 0, 24, 51, 64][..], &[1; 32]].concat();
    frame.extend([51, 40 / 4 - 2, 0, 0, 0, 0, 0, 0]);
    assert!(!filter.matches(&frame, 48));
}

#[test]
fn a_program_that_leaves_itself_is_refused() {
    let new = |texts: &[&str]| Program::new(texts.iter().map(ToString::to_string)).map(|program| program.run(&[1], 1));
    assert_eq!(new(&["6 0 0 7"]), Ok(7));
    for text in ["0 0 0 7", "5 0 0 0", "21 1 0 0", "5 0 0 4294967294", "255 0 0 0", "2 0 0 16", "6 256 0 0", "6"] {
        assert_eq!(new(&[text]), Err(text.to_owned()));
    }
    // It turns once for each byte of the frame, then gives up.
    assert_eq!(new(&["5 0 0 4294967295"]), Ok(0));
    assert_eq!(new(&["4 0 0 1", "21 1 0 2", "5 0 0 4294967293", "6 0 0 9"]), Ok(9));
    // The four tests, on either side of the operand.
    for (test, results) in [("21", "010"), ("37", "001"), ("53", "011"), ("69", "111")] {
        for (a, result) in [2, 3, 7].into_iter().zip(results.bytes()) {
            let [load, jump, jump_x] =
                [format!("0 0 0 {a}"), format!("{test} 0 1 3"), format!("{} 0 1 0", test.parse::<u32>().unwrap() + 8)];
            let expected = Ok(u32::from(result - b'0'));
            assert_eq!(new(&[&load, &jump, "6 0 0 1", "6 0 0 0"]), expected, "{test} {a}");
            assert_eq!(new(&["1 0 0 3", &load, &jump_x, "6 0 0 1", "6 0 0 0"]), expected, "{test} {a}");
        }
    }
    // Division by zero, and shifts by all bits.
    assert_eq!(new(&["52 0 0 0", "6 0 0 1"]), Ok(0));
    assert_eq!(new(&["0 0 0 5", "100 0 0 32", "22 0 0 0"]), Ok(0));
}

/// Frames that get far into a program: headers of what filters ask for, in any order, and cut anywhere.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let part = |bytes: &'static [u8]| Just(bytes.to_vec());
    let link = prop_oneof![part(&[2; 12]), part(&[]), part(&[0, 0, 0, 2]), part(&[0; 14])];
    let tags = prop::collection::vec(
        prop_oneof![part(&[0x81, 0, 0, 5]), part(&[0x88, 0xa8, 0, 6]), part(&[0x88, 0x47, 0, 1, 0x01, 9])],
        0..3,
    );
    let v4 = (
        prop::sample::select(vec![6_u8, 17, 1, 132]),
        prop::sample::select(vec![0x45_u8, 0x46, 0x4f]),
        0_u8..2,
        0_u8..3,
    )
        .prop_map(|(protocol, first, fragment, host)| {
            vec![8, 0, first, 0, 0, 40, 0, 0, 0, fragment, 64, protocol, 0, 0, 192, 0, 2, host, 10, 0, 0, 1]
        });
    let v6 = (prop::sample::select(vec![6_u8, 17, 0, 44, 58]), 0_u8..3).prop_map(|(next, host)| {
        let addresses = [&[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host][..], &[0xfe; 16]].concat();
        [&[0x86, 0xdd, 0x60, 0, 0, 0, 0, 20, next, 64][..], &addresses].concat()
    });
    let port = || prop::sample::select(vec![53_u8, 80, 55, 0]);
    let transport = (port(), port(), any::<[u8; 24]>())
        .prop_map(|(source, destination, rest)| [&[0, source, 0, destination][..], &rest].concat());
    let extension =
        prop::collection::vec(prop_oneof![part(&[17, 0, 0, 0, 0, 0, 0, 0]), part(&[0, 0, 0, 0, 0, 0, 0, 0])], 0..3);
    let network = prop_oneof![v4, v6, part(&[8, 6, 0, 1, 8, 0])];
    (link, tags, network, extension, transport, 0_usize..140).prop_map(
        |(link, tags, network, extension, transport, cut)| {
            let mut frame = [link, tags.concat(), network, extension.concat(), transport].concat();
            frame.truncate(cut);
            frame
        },
    )
}

fn expression() -> impl Strategy<Value = String> {
    let primitive = prop::sample::select(vec![
        "port 53",
        "udp port 53",
        "tcp dst port 53",
        "src portrange 50-60",
        "host 192.0.2.1",
        "net 10.0.0.0/8",
        "ip6 host 2001:db8::1",
        "ip6 net fe80::/10",
        "ip",
        "ip6",
        "arp",
        "icmp",
        "ip proto 17",
        "ip6 proto 44",
        "ip protochain 17",
        "ip6 protochain 17",
        "greater 60",
        "less 50",
        "len & 3 = 1",
        "ip[0] & 0xf > 5",
        "ip[6:2] & 0x1fff != 0",
        "udp[8:2] > 0x1234",
        "tcp[tcpflags] & tcp-syn != 0",
        "ip[2:2] - 20 > len / 2",
        "ip[8] % 7 = 1",
        "ip[8] << 2 > 100",
        "ip[ip[0] & 3] ^ 0x45 = 0",
        "ip[1 + ip[9] * 2] | 1 > len >> 1",
    ]);
    primitive.prop_map(str::to_owned).prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) and ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) or ({b})")),
            inner.prop_map(|a| format!("not ({a})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn as_libpcap_says(
        expression in expression(),
        link in prop::sample::select(vec![1_u16, 101, 113, 276, 0, 9, 105]),
        tagged in any::<bool>(),
        frames in prop::collection::vec(frame(), 20),
    ) {
        let expression = if tagged && link == 1 { format!("vlan and ({expression})") } else { expression };
        let theirs = pcap::Capture::dead(dlt(link)).unwrap().compile(&expression, true);
        let ours = Filter::compile(&expression, link);
        prop_assert_eq!(theirs.is_ok(), ours.is_ok());
        if let (Ok(theirs), Ok(ours)) = (theirs, ours) {
            for frame in frames {
                prop_assert_eq!(ours.matches(&frame, frame.len() as u32), theirs.filter(&frame), "{:02x?}", frame);
            }
        }
    }

    #[test]
    fn any_program_ends(
        instructions in prop::collection::vec((prop::sample::select(CODES), 0_u8..3, 0_u8..3, -6_i32..20), 1..12),
        data in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        // Most programs would leave themselves, but for this.
        let end = [(0x06, 0, 0, 1); 20];
        let instructions = [&instructions[..], &end].concat();
        let texts = instructions.iter().map(|(code, yes, no, k)| format!("{code} {yes} {no} {}", k.cast_unsigned()));
        if let Ok(program) = Program::new(texts.collect::<Vec<_>>().into_iter()) {
            program.run(&data, 100);
        }
    }
}

/// All instructions but for those of arithmetic that are like others.
const CODES: &[u8] = &[
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x14, 0x15, 0x16, 0x1c, 0x1d, 0x20, 0x25, 0x28, 0x2d, 0x30, 0x35,
    0x3c, 0x3d, 0x40, 0x45, 0x48, 0x4d, 0x50, 0x60, 0x61, 0x64, 0x6c, 0x80, 0x81, 0x84, 0x87, 0x94, 0x9c, 0xb1,
];
