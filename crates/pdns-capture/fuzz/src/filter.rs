//! Capture filters.

use pcap::{Capture, Linktype};
use pdns_capture::Filter;
use pdns_fuzz::{Input, Target, heap, seeds};

/// Filters made of parts, on any frame: they come to an end, and pass what libpcap's own machine passes.
pub const FILTER: Target = Target { name: "filter", check, seeds: frames, mutations: 3000 };

/// LINKTYPE_ numbers that libpcap calls the same.
const LINKS: [u16; 8] = [0, 1, 9, 105, 113, 127, 228, 276];

/// Parts that take no number.
const PARTS: [&str; 20] = [
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
    "vlan",
    "mpls",
    "ip protochain 17",
    "ip6 protochain 17",
    "tcp[tcpflags] & tcp-syn != 0",
    "ip[ip[0] & 3] ^ 0x45 = 0",
    "ip[2:2] - 20 > len / 2",
    "ip[1 + ip[9] * 2] | 1 > len >> 1",
];

fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let link = *input.pick(&LINKS);
    let expression = expression(&mut input);
    let frame = input.rest();
    let theirs = Capture::dead(Linktype(i32::from(link))).unwrap().compile(&expression, true);
    let ours = Filter::compile(&expression, link);
    match (&theirs, &ours) {
        (Ok(theirs), Ok(ours)) => {
            let passes = heap::bounded(0, || ours.matches(frame, frame.len() as u32));
            // There are frames on which libpcap's machine follows the headers for ever.
            if !expression.contains("protochain") {
                assert_eq!(passes, theirs.filter(frame), "{expression}");
            }
        }
        (Err(_), Err(error)) => assert!(error.to_string().contains(&expression)),
        (theirs, ours) => panic!("{expression}: {:?} and {:?}", theirs.is_ok(), ours.is_ok()),
    }
}

/// One to four parts.
fn expression(input: &mut Input<'_>) -> String {
    let mut expression = part(input);
    for _ in 0..input.below(4) {
        let operator = input.pick(&[" and ", " or ", " and not "]);
        expression = format!("({expression}){operator}({})", part(input));
    }
    expression
}

fn part(input: &mut Input<'_>) -> String {
    let choice = input.below(PARTS.len() + 4);
    let Some(form) = choice.checked_sub(PARTS.len()) else { return PARTS[choice].to_owned() };
    let (first, second) = (input.byte(), input.byte());
    let size = input.pick(&[1, 2, 4]);
    let operator = input.pick(&["<<", ">>", "&", "|", "^", "+", "-", "*"]);
    let comparison = input.pick(&["=", "!=", ">", "<", ">=", "<="]);
    match form {
        0 => format!("ip[{first}:{size}] {operator} {second} {comparison} {first}"),
        1 => format!("udp[{first}:{size}] {comparison} {second}"),
        2 => format!("len {operator} {first} {comparison} {second}"),
        _ => format!("ip6[{first}:{size}] % {} {comparison} {second}", u16::from(second) + 1),
    }
}

fn frames() -> Vec<Vec<u8>> {
    let seed = |(index, frame): (usize, &seeds::Frame)| {
        let link = LINKS.iter().position(|&link| link == frame.link)?;
        Some([&[link as u8, index as u8 % 24, 9, 1, 1, 2, 0, 0][..], &frame.bytes].concat())
    };
    seeds::frames().iter().enumerate().filter(|(_, frame)| frame.bytes.len() <= 600).filter_map(seed).collect()
}
