//! What passes: the default filter, a filter given, and tags.

use std::collections::HashMap;

use super::*;

/// Frames, and whether the default filter is to pass them.
fn traffic() -> Vec<(String, Vec<u8>, bool)> {
    let (a, b) = (host4(1), host4(2));
    let (std::net::IpAddr::V4(a4), std::net::IpAddr::V4(b4)) = (a, b) else {
        unreachable!("host4 gives IPv4 addresses")
    };
    let port = |port: u16| [4000_u16.to_be_bytes(), port.to_be_bytes(), [0, 0], [0, 0]].concat();
    let tcp = |port: u16| [&4000_u16.to_be_bytes()[..], &port.to_be_bytes(), &[0; 8], &[0x50, 2], &[0; 6]].concat();
    let six = |next: u8, payload: &[u8]| packet(host6(1), host6(2), next, payload);
    let fragment = |next: u8| [&[next, 0, 0, 9, 0, 0, 0, 7][..], &[1; 16]].concat();
    let packets = [
        ("udp", udp((a, 4000), (b, 53), b"q"), true),
        ("udp response", udp((b, 53), (a, 4000), b"r"), true),
        ("tcp", packet(a, b, 6, &tcp(53)), true),
        ("first fragment", v4(a4, b4, 17, 0x2000, &port(53)), true),
        ("last fragment", v4(a4, b4, 17, 0x0010, &[7; 16]), true),
        ("udp6", udp((host6(1), 4000), (host6(2), 53), b"q"), true),
        ("tcp6", six(6, &tcp(53)), true),
        ("fragment6", six(44, &fragment(17)), true),
        ("options6", six(60, &[&[17, 0, 1, 4, 0, 0, 0, 0][..], &port(53)].concat()), true),
        ("other port", udp((a, 4000), (b, 54), b"q"), false),
        ("other port6", udp((host6(1), 4000), (host6(2), 54), b"q"), false),
        ("ping", packet(a, b, 1, &[8, 0, 0, 0, 0, 53, 0, 53]), false),
        ("ping6", six(58, &[128, 0, 0, 0, 0, 53, 0, 53]), false),
    ];
    let tags: [&[u16]; 5] = [&[], &[0x8100], &[0x88a8], &[0x8100, 0x8100], &[0x88a8, 0x8100]];
    let tagged = tags.iter().flat_map(|tags| {
        packets.iter().map(move |(name, ip, passes)| (format!("{name} in {tags:x?}"), ethernet(tags, ip), *passes))
    });
    tagged.collect()
}

#[test]
fn the_default_filter_passes_dns_and_fragments_tagged_or_not() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut ring = open_one(&["cap0"]);
        let mut sender = Sender::new("far0");
        let traffic = traffic();
        traffic.iter().for_each(|(_, frame, _)| sender.send(frame));
        let seen: Vec<_> = take(&mut ring).into_iter().map(|frame| frame.data).collect();
        for (name, frame, passes) in &traffic {
            assert_eq!(seen.contains(frame), *passes, "{name}");
        }
        assert_eq!(seen.len(), traffic.iter().filter(|(_, _, passes)| *passes).count());
    });
}

#[test]
fn any_is_all_interfaces_and_keeps_a_tag() {
    in_namespace(|| {
        pair("cap0", "far0");
        pair("cap1", "far1");
        let mut ring = open_one(&["any"]);
        let mut senders = [Sender::new("far0"), Sender::new("far1")];
        // Of two tags Linux 6.11 and later lose one in cooked frames.
        let traffic: Vec<_> = traffic().into_iter().filter(|(_, frame, _)| !twice_tagged(frame)).collect();
        for (number, (_, frame, _)) in traffic.iter().enumerate() {
            senders[number % 2].send(frame);
        }
        // Each is seen leaving the far end and coming to the near one.
        let mut seen = HashMap::new();
        for Kept { data, link, .. } in take(&mut ring) {
            assert_eq!(link, 113);
            // The packet type tells which end it is.
            assert!(matches!(data[..2], [0, 3 | 4]), "{data:02x?}");
            *seen.entry(data[14..].to_vec()).or_insert(0) += 1;
        }
        for (name, frame, passes) in &traffic {
            // On its way out a tag may still be in the frame, where the filter does not look behind it.
            let expected =
                if *passes { 2..=2 } else { 0..=u8::from(frame[12] == 0x81 || frame[12..14] == [0x88, 0xa8]) };
            assert!(expected.contains(&seen.get(&frame[12..]).copied().unwrap_or(0)), "{name}");
        }
    });
}

#[test]
fn a_filter_given_is_used_as_given() {
    in_namespace(|| {
        pair("cap0", "far0");
        let open = |filter: &str| live::open(LiveConfig { filter: Some(filter.to_owned()), ..config(&["cap0"]) });
        let mut rings = [open("udp dst port 54").unwrap(), open("").unwrap()].map(|mut rings| rings.pop().unwrap());
        let mut sender = Sender::new("far0");
        let traffic = traffic();
        traffic.iter().for_each(|(_, frame, _)| sender.send(frame));
        let [other_port, all] = rings.each_mut().map(take);
        assert_eq!(all.len(), traffic.len());
        // The kernel has taken one tag out where there is one.
        assert_eq!(other_port.len(), 2 * 3);

        let error = open("udp port").unwrap_err().to_string();
        assert!(error.starts_with("filter 'udp port' on 'cap0': "), "{error}");
        assert!(error.contains("syntax error"), "{error}");
    });
}
