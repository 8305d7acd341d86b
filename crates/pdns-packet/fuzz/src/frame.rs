//! Link layers, IP, tunnels, UDP and TCP.

use pdns_fuzz::{Input, Target, heap, seeds};
use pdns_packet::frame::{Decoder, Discard, Flow, LinkType, MAX_VLANS, Packet, Ports};

/// Frames of every link type: what is found lies in the frame, and cutting a frame does not change its addresses.
pub const FRAME: Target = Target { name: "frame", check, seeds: frames, mutations: 1_000_000 };

/// The link type's number in the list, which ports, how much was not captured, how much more to cut; then the frame.
fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let choice = usize::from(input.byte());
    let link = match LinkType::SUPPORTED.get(choice % (LinkType::SUPPORTED.len() + 1)) {
        Some(&(link, _)) => link,
        None => LinkType(input.word()),
    };
    let ports = if input.byte() & 1 == 0 { Ports::of(&[53]) } else { Ports::any() };
    let (missing, cut) = (usize::from(input.word()), usize::from(input.word()));
    let frame = input.rest();
    let wire_len = frame.len() + missing;
    let decoder = Decoder::new(ports.clone());
    let decoded = heap::bounded(0, || decoder.decode(link, frame, wire_len));
    match &decoded {
        Ok(packet) => examine(packet, frame, wire_len, &ports),
        Err(discard) => {
            // These name the link type of the frame behind them.
            let names_another = matches!(link, LinkType::PPI | LinkType::PKTAP);
            assert!(names_another || (*discard == Discard::LinkType) != link.is_supported(), "{link}: {discard:?}");
            assert_ne!(*discard, Discard::Filtered);
        }
    }
    if let Ok(Packet::Fragment(fragment)) = &decoded {
        let whole =
            decoder.decode_payload(fragment.src, fragment.dst, fragment.vlan, fragment.protocol, fragment.payload);
        if let Ok(packet) = whole {
            examine(&packet, fragment.payload, fragment.payload.len(), &ports);
        }
    }
    let shorter = &frame[..cut.min(frame.len())];
    compare(&decoded, &decoder.decode(link, shorter, wire_len));
}

/// Whether what was found can be in the frame.
fn examine(packet: &Packet<'_>, frame: &[u8], wire_len: usize, ports: &Ports) {
    let (payload, missing) = carried(packet);
    let (inner, outer) = (payload.as_ptr_range(), frame.as_ptr_range());
    assert!(payload.is_empty() || outer.start <= inner.start && inner.end <= outer.end);
    // What IP claims is believed even where the length on the wire contradicts it.
    assert!(payload.len() + missing <= wire_len.max(0xffff));
    match packet {
        Packet::Udp { flow, .. } | Packet::Tcp { flow, .. } => {
            assert!(ports.contains(flow.src_port) || ports.contains(flow.dst_port));
            assert_eq!(flow.src.is_ipv4(), flow.dst.is_ipv4());
            assert!(flow.vlan.len() <= MAX_VLANS && flow.vlan.iter().all(|id| id < 4096));
        }
        Packet::Fragment(fragment) => {
            assert_eq!(fragment.offset % 8, 0);
            assert!(fragment.more || fragment.offset > 0);
            assert_eq!(fragment.src.is_ipv4(), fragment.dst.is_ipv4());
        }
    }
}

/// Whether a datagram has a port of a tunnel. Whether it is one is a guess that takes what is inside for it.
fn may_be_tunnel(packet: &Packet<'_>) -> bool {
    const PORTS: [u16; 10] = [1701, 2152, 3386, 3544, 4754, 4789, 4790, 6081, 6635, 8472];
    matches!(packet, Packet::Udp { flow, .. } if PORTS.contains(&flow.src_port) || PORTS.contains(&flow.dst_port))
}

/// What holds for a frame and the same one cut short: nothing else is found in it.
fn compare(whole: &Result<Packet<'_>, Discard>, cut: &Result<Packet<'_>, Discard>) {
    let (Ok(whole), Ok(cut)) = (whole, cut) else { return };
    if may_be_tunnel(whole) || may_be_tunnel(cut) {
        return;
    }
    assert_eq!(flow(whole), flow(cut));
    let ((payload, missing), (less, more)) = (carried(whole), carried(cut));
    assert!(payload.starts_with(less), "{payload:02x?} {less:02x?}");
    assert_eq!(payload.len() + missing, less.len() + more);
}

fn flow(packet: &Packet<'_>) -> Option<Flow> {
    match packet {
        Packet::Udp { flow, .. } | Packet::Tcp { flow, .. } => Some(*flow),
        Packet::Fragment(_) => None,
    }
}

fn carried<'a>(packet: &Packet<'a>) -> (&'a [u8], usize) {
    match *packet {
        Packet::Udp { payload, missing, .. } => (payload, missing),
        Packet::Tcp { ref segment, .. } => (segment.payload, segment.missing),
        Packet::Fragment(ref fragment) => (fragment.payload, fragment.missing),
    }
}

fn frames() -> Vec<Vec<u8>> {
    let number = |link| LinkType::SUPPORTED.iter().position(|(of, _)| of.0 == link);
    let seed = |frame: &seeds::Frame| {
        let cut = u16::try_from(frame.cut).ok()?.to_be_bytes();
        Some([&[number(frame.link)? as u8, 0][..], &cut, &[0xff, 0xff], &frame.bytes].concat())
    };
    seeds::frames().iter().filter(|frame| frame.bytes.len() <= 1000).filter_map(seed).collect()
}
