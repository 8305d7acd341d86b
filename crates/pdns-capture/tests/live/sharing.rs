//! Which ring a frame comes to.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// Which flow a frame belongs to, whatever its direction.
fn flow(frame: &[u8]) -> (u8, u16) {
    let tags = if twice_tagged(frame) {
        8
    } else if frame[12] == 0x81 {
        4
    } else {
        0
    };
    let frame = &frame[tags..];
    let (protocol, ports) = if frame[12] == 8 { (4, &frame[34..38]) } else { (6, &frame[54..58]) };
    let port = [u16::from_be_bytes([ports[0], ports[1]]), u16::from_be_bytes([ports[2], ports[3]])];
    (protocol, port.into_iter().find(|port| *port != 53).unwrap())
}

/// Sends queries and their responses by many clients, and wants each pair in one of two rings, and pairs in both.
fn check_pairs(mut query: impl FnMut(&[u8]), mut response: impl FnMut(&[u8]), rings: &mut [LiveRing]) {
    for client in 0..600_u16 {
        let port = 10_000 + client;
        for (client, server) in [(host4(client), host4(60_000)), (host6(client), host6(60_000))] {
            query(&udp((client, port), (server, 53), b"query"));
            response(&udp((server, 53), (client, port), b"response"));
        }
    }
    let taken: Vec<Vec<Kept>> = rings.iter_mut().map(take).collect();
    assert!(taken.iter().all(|frames| frames.len() > 600), "{:?}", taken.iter().map(Vec::len).collect::<Vec<_>>());
    let mut flows = BTreeMap::<_, Vec<usize>>::new();
    for (ring, frames) in taken.iter().enumerate() {
        frames.iter().for_each(|frame| flows.entry(flow(&frame.data)).or_default().push(ring));
    }
    assert_eq!(flows.len(), 1200);
    for (flow, rings) in flows {
        assert!(matches!(rings[..], [0, 0] | [1, 1]), "{flow:?} in {rings:?}");
    }
}

#[test]
fn both_directions_of_a_flow_come_to_one_ring() {
    check_sharing(Sharing::Flows);
}

#[test]
fn both_directions_between_two_hosts_come_to_one_ring() {
    check_sharing(Sharing::Hosts);
}

fn check_sharing(sharing: Sharing) {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut rings = live::open(LiveConfig { rings: 2, sharing, ..config(&["cap0"]) }).unwrap();
        let [mut far, mut near, mirror] = ["far0", "cap0", "far0"].map(Sender::new);
        let mirror = RefCell::new(mirror);
        let mut pairs = 0;
        let mut checked = || pairs += 1;
        // A host's own traffic, untagged and, where the kernel can, tagged.
        check_pairs(|ip| far.send(&ethernet(&[], ip)), |ip| near.send(&ethernet(&[], ip)), &mut rings);
        checked();
        if try_ip("link add link cap0 name cap0.5 type vlan id 5").is_ok() {
            ip("link set cap0.5 up");
            let mut tagging = Sender::new("cap0.5");
            check_pairs(|ip| far.send(&ethernet(&[0x8100], ip)), |ip| tagging.send(&ethernet(&[], ip)), &mut rings);
            checked();
        }
        // That of a mirror port: both directions come in, tagged the same or not.
        for (tags, others) in [(&[0x8100][..], &[0x8100][..]), (&[0x8100], &[]), (&[0x88a8, 0x8100], &[0x88a8, 0x8100])]
        {
            let send = |tags, ip: &[u8]| mirror.borrow_mut().send(&ethernet(tags, ip));
            check_pairs(|ip| send(tags, ip), |ip| send(others, ip), &mut rings);
            checked();
        }
        let mut stats = LiveStats::default();
        rings.iter_mut().for_each(|ring| stats += ring.stats());
        assert_eq!(stats, LiveStats { received: pairs * 2400, dropped: 0, if_dropped: 0 });
    });
}

#[test]
fn nothing_is_seen_twice_or_missed_while_the_rings_are_opened() {
    in_namespace(|| {
        pair("cap0", "far0");
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let sending = scope.spawn(|| {
                let mut sender = Sender::new("far0");
                for number in 0..10_000_000_u32 {
                    let client = (host4((number % 500) as u16), 4000);
                    sender.send(&ethernet(&[], &udp(client, (host4(60_000), 53), &number.to_be_bytes())));
                    if over.load(Ordering::Relaxed) {
                        return number;
                    }
                }
                0
            });
            thread::sleep(Duration::from_millis(50));
            let mut rings = live::open(LiveConfig { rings: 4, ..config(&["cap0"]) }).unwrap();
            thread::sleep(Duration::from_millis(50));
            over.store(true, Ordering::Relaxed);
            let last = sending.join().unwrap();
            let mut numbers: Vec<_> = rings.iter_mut().flat_map(take).map(|frame| number(&frame.data)).collect();
            numbers.sort_unstable();
            assert!(numbers[0] > 100 && numbers.len() > 100, "{} from {}", numbers.len(), numbers[0]);
            assert_eq!(numbers, (numbers[0]..=last).collect::<Vec<_>>());
        });
    });
}

#[test]
fn fragments_come_to_the_ring_of_their_flow() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut rings = live::open(LiveConfig { rings: 2, ..config(&["cap0"]) }).unwrap();
        let mut sender = Sender::new("far0");
        for client in 1..=100_u16 {
            let (client, server) = (host4(client), host4(60_000));
            sender.send(&ethernet(&[], &udp((client, 4000), (server, 53), b"query")));
            let whole = udp((server, 53), (client, 4000), &[client_byte(client); 200]);
            let (std::net::IpAddr::V4(to), std::net::IpAddr::V4(from)) = (client, server) else {
                unreachable!("host4 gives IPv4 addresses")
            };
            sender.send(&ethernet(&[], &v4(from, to, 17, 0x2000, &whole[20..116])));
            sender.send(&ethernet(&[], &v4(from, to, 17, 96 / 8, &whole[116..])));
        }
        let mut complete = 0;
        for ring in &mut rings {
            let frames = take(ring);
            let is_query = |frame: &&Kept| frame.data.ends_with(b"query");
            let clients: Vec<_> = frames.iter().filter(is_query).map(|frame| frame.data[29]).collect();
            for response in frames.iter().filter(|frame| !is_query(frame)) {
                // Put together by the kernel.
                assert_eq!(response.data.len(), 14 + 20 + 8 + 200);
                assert!(clients.contains(&response.data[33]));
                complete += 1;
            }
        }
        assert_eq!(complete, 100);
    });
}

#[test]
fn what_has_no_ports_or_others_comes_to_the_ring_of_its_hosts() {
    in_namespace(|| {
        pair("cap0", "far0");
        let filter = Some(String::new());
        let mut rings =
            live::open(LiveConfig { rings: 2, sharing: Sharing::Hosts, filter, ..config(&["cap0"]) }).unwrap();
        let mut sender = Sender::new("far0");
        for client in 1..=100_u16 {
            let (a4, b4, a6, b6) = (host4(client), host4(60_000), host6(client), host6(60_000));
            let fragment = |offset: u8| [&[17, 0, 0, offset, 0, 0, 0, 7][..], &[client as u8; 16]].concat();
            let (std::net::IpAddr::V4(a), std::net::IpAddr::V4(b)) = (a4, b4) else {
                unreachable!("host4 gives IPv4 addresses")
            };
            for ip in [
                udp((a4, 4000), (b4, 53), b"q"),
                v4(b, a, 17, 0x2000, &[1; 16]),
                v4(b, a, 17, 2, &[1; 16]),
                // A tunnel whose outer source port is made of what is inside.
                udp((a4, 1), (b4, 4789), b"there"),
                udp((b4, 2), (a4, 4789), b"back"),
                udp((a6, 4000), (b6, 53), b"q"),
                packet(b6, a6, 44, &fragment(1)),
                packet(b6, a6, 44, &fragment(16)),
            ] {
                sender.send(&ethernet(&[], &ip));
            }
        }
        let mut pairs = HashMap::<_, Vec<usize>>::new();
        for (number, ring) in rings.iter_mut().enumerate() {
            for Kept { data, .. } in take(ring) {
                let addresses: [&[u8]; 2] =
                    if data[12] == 8 { [&data[26..30], &data[30..34]] } else { [&data[22..38], &data[38..54]] };
                let pair = (addresses[0].max(addresses[1]).to_vec(), addresses[0].min(addresses[1]).to_vec());
                pairs.entry(pair).or_default().push(number);
            }
        }
        assert_eq!(pairs.len(), 200);
        for (pair, rings) in &pairs {
            let expected = if pair.0.len() == 4 { 5 } else { 3 };
            assert!(rings.len() == expected && rings.iter().all(|ring| ring == &rings[0]), "{pair:?} {rings:?}");
        }
        let first = pairs.values().filter(|rings| rings[0] == 0).count();
        assert!((50..150).contains(&first), "{first}");
    });
}

fn client_byte(client: std::net::IpAddr) -> u8 {
    match client {
        std::net::IpAddr::V4(client) => client.octets()[3],
        std::net::IpAddr::V6(client) => client.octets()[15],
    }
}
