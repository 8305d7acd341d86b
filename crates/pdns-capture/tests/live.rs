//! Live capture on virtual interfaces, in network namespaces that each test makes and removes.
//!
//! It takes root and ip(8) of iproute2; without them the tests say so and pass, unless `PDNS_REQUIRE_RIGS=1`.

mod rig;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pdns_capture::live::{self, LiveConfig, LiveError, LiveEvent, LiveRing, LiveStats, Outage, Sharing, Wake};

use pdns_rigs::network::{Sender, in_namespace, ip, pair, try_ip};
use rig::{Kept, ethernet, event, host4, host6, packet, take, take_each, udp, v4};

fn config(devices: &[&str]) -> LiveConfig {
    LiveConfig { buffer_bytes: 8 << 20, ..LiveConfig::new(devices.iter().copied()) }
}

fn open_one(devices: &[&str]) -> LiveRing {
    live::open(config(devices)).unwrap().pop().unwrap()
}

fn refused(config: LiveConfig) -> LiveError {
    live::open(config).unwrap_err()
}

/// A query with a number.
fn query(number: u32) -> Vec<u8> {
    ethernet(&[], &udp((host4(1), 4000), (host4(2), 53), &number.to_be_bytes()))
}

fn number(frame: &[u8]) -> u32 {
    u32::from_be_bytes(*frame.last_chunk().unwrap())
}

#[test]
fn an_idle_interface_does_not_hold_up() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut ring = open_one(&["cap0"]);
        for _ in 0..3 {
            let start = Instant::now();
            assert!(matches!(ring.poll(Duration::from_millis(100)), Ok(Wake::Timeout)));
            assert!((100..200).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
            assert!(ring.next().is_none());
        }
        assert_eq!(ring.stats(), LiveStats::default());
    });
}

#[test]
fn every_frame_is_seen_with_the_time_it_came() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut ring = open_one(&["cap0"]);
        let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64;
        let mut sender = Sender::new("far0");
        thread::scope(|scope| {
            scope.spawn(move || {
                for number in 0..10_000 {
                    sender.send(&query(number));
                    if number % 10 == 0 {
                        thread::sleep(Duration::from_micros(100));
                    }
                }
            });
            let frames = take(&mut ring);
            let end = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64;
            assert_eq!(frames.len(), 10_000);
            for (expected, frame) in frames.iter().enumerate() {
                assert_eq!(frame.data, query(expected as u32));
                assert_eq!((frame.wire_len as usize, frame.link), (frame.data.len(), 1));
                assert!((start..end).contains(&frame.nanos), "{start} {} {end}", frame.nanos);
            }
            assert!(frames.is_sorted_by_key(|frame| frame.nanos));
            assert!(frames.iter().filter(|frame| frame.nanos % 1000 != 0).count() > 9_000);
        });
        assert_eq!(ring.stats(), LiveStats { received: 10_000, dropped: 0, if_dropped: 0 });
        assert_eq!(ring.stats(), LiveStats::default());
    });
}

#[test]
fn a_frame_is_at_hand_soon_after_it_came() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut ring = open_one(&["cap0"]);
        let mut sender = Sender::new("far0");
        for number in 0..5 {
            let sent = Instant::now();
            sender.send(&query(number));
            let arrived = loop {
                match ring.poll(Duration::from_secs(2)).unwrap() {
                    Wake::Frames if ring.next().is_some() => break sent.elapsed(),
                    Wake::Frames => {}
                    other => panic!("{other:?}"),
                }
            };
            assert!(arrived < Duration::from_millis(150), "{arrived:?}");
            while ring.next().is_some() {}
        }
    });
}

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

fn twice_tagged(frame: &[u8]) -> bool {
    matches!(frame[12..14], [0x81, 0] | [0x88, 0xa8]) && frame[16..18] == [0x81, 0]
}

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

#[test]
fn what_there_was_no_room_for_is_counted() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut ring = live::open(LiveConfig { buffer_bytes: 1 << 20, ..config(&["cap0"]) }).unwrap().pop().unwrap();
        let mut sender = Sender::new("far0");
        let frame = ethernet(&[], &udp((host4(1), 4000), (host4(2), 53), &[7; 1000]));
        for part in 1..=2 {
            (0..4000).for_each(|_| sender.send(&frame));
            let mut seen = 0;
            take_each(&mut ring, |_| seen += 1);
            let stats = ring.stats();
            assert_eq!(stats.received, 4000, "part {part}");
            assert!(stats.dropped > 1000, "{stats:?}");
            assert_eq!(seen, stats.received - stats.dropped, "{stats:?}");
        }
        assert_eq!(ring.stats(), LiveStats::default());
    });
}

/// The one event that the rings tell together.
fn one_event(rings: &mut [LiveRing]) -> LiveEvent {
    let mut events = Vec::new();
    let mut end = Instant::now() + Duration::from_secs(3);
    while Instant::now() < end {
        for ring in &mut *rings {
            match ring.poll(Duration::from_millis(10)).unwrap() {
                Wake::Frames => while ring.next().is_some() {},
                Wake::Event(event) => {
                    events.push(event);
                    // For another to tell the same.
                    end = Instant::now() + Duration::from_millis(700);
                }
                Wake::Timeout => {}
            }
        }
    }
    assert_eq!(events.len(), 1, "{events:?}");
    events.pop().unwrap()
}

/// Sends queries of many flows, and wants each of them in one of the rings.
fn check_flow(rings: &mut [LiveRing], interface: &str) {
    let mut sender = Sender::new(interface);
    for number in 0..1000_u32 {
        let client = (host4(number as u16), 4000);
        sender.send(&ethernet(&[], &udp(client, (host4(60_000), 53), &number.to_be_bytes())));
    }
    let mut numbers: Vec<_> = rings.iter_mut().flat_map(take).map(|frame| number(&frame.data)).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..1000).collect::<Vec<_>>());
}

#[test]
fn an_interface_that_is_taken_down_is_waited_for() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut rings = live::open(LiveConfig { rings: 2, ..config(&["cap0"]) }).unwrap();
        check_flow(&mut rings, "far0");
        for _ in 0..2 {
            ip("link set cap0 down");
            let down = one_event(&mut rings);
            assert_eq!(down.to_string(), "interface 'cap0' is down; waiting for it");
            ip("link set cap0 up");
            let up = one_event(&mut rings);
            assert_eq!(up.to_string(), "interface 'cap0' is captured from again");
            check_flow(&mut rings, "far0");
        }
        let mut stats = LiveStats::default();
        rings.iter_mut().for_each(|ring| stats += ring.stats());
        assert_eq!((stats.received, stats.dropped), (3000, 0));
    });
}

#[test]
fn an_interface_that_is_deleted_is_waited_for() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut rings = live::open(LiveConfig { rings: 2, ..config(&["cap0"]) }).unwrap();
        check_flow(&mut rings, "far0");
        for _ in 0..2 {
            ip("link del cap0");
            let event = one_event(&mut rings);
            assert!(matches!(event, LiveEvent::Down { outage: Outage::Removed, .. }), "{event}");
            pair("cap0", "far0");
            let event = one_event(&mut rings);
            assert!(matches!(&event, LiveEvent::Up { device } if device == "cap0"), "{event}");
            check_flow(&mut rings, "far0");
        }
        let mut stats = LiveStats::default();
        rings.iter_mut().for_each(|ring| stats += ring.stats());
        assert_eq!((stats.received, stats.dropped), (3000, 0));
    });
}

#[test]
fn frames_that_came_before_an_interface_went_are_not_lost() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut ring = open_one(&["cap0"]);
        let mut sender = Sender::new("far0");
        (0..100).for_each(|number| sender.send(&query(number)));
        ip("link del cap0");
        pair("cap0", "far0");
        let (mut seen, mut events) = (0, 0);
        let end = Instant::now() + Duration::from_secs(3);
        while Instant::now() < end && events < 2 {
            match ring.poll(Duration::from_millis(50)).unwrap() {
                Wake::Frames => {
                    while ring.next().is_some() {
                        seen += 1;
                    }
                }
                Wake::Event(_) => events += 1,
                Wake::Timeout => {}
            }
        }
        assert_eq!((seen, events), (100, 2));
        assert_eq!(ring.stats().received, 100);
    });
}

#[test]
fn a_busy_interface_is_missed_too() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut ring = open_one(&["cap0"]);
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut sender = Sender::new("far0");
                let start = Instant::now();
                // Not for ever, should the test fail.
                while !over.load(Ordering::Relaxed) && start.elapsed() < Duration::from_secs(20) {
                    sender.try_send(&query(1));
                }
            });
            for _ in 0..3 {
                thread::scope(|scope| {
                    let waiting = scope.spawn(|| event(&mut ring));
                    thread::sleep(Duration::from_millis(100));
                    ip("link set cap0 down");
                    let event = waiting.join().unwrap();
                    assert!(matches!(event, Some(LiveEvent::Down { outage: Outage::Down, .. })), "{event:?}");
                });
                ip("link set cap0 up");
                let event = event(&mut ring);
                assert!(matches!(event, Some(LiveEvent::Up { .. })), "{event:?}");
                let end = Instant::now() + Duration::from_secs(2);
                while ring.next().is_none() {
                    assert!(Instant::now() < end);
                    assert!(!matches!(ring.poll(Duration::from_millis(100)).unwrap(), Wake::Event(_)));
                }
            }
            over.store(true, Ordering::Relaxed);
        });
    });
}

#[test]
fn waiting_takes_no_processor_time() {
    in_namespace(|| {
        pair("cap0", "far0");
        let mut ring = open_one(&["cap0"]);
        for change in ["link set cap0 down", "link del cap0"] {
            ip(change);
            if change == "link set cap0 down" {
                assert!(event(&mut ring).is_some());
            }
            let mut wakes = 0;
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(1) {
                assert!(!matches!(ring.poll(Duration::from_millis(100)).unwrap(), Wake::Event(_)));
                while ring.next().is_some() {}
                wakes += 1;
            }
            assert!(wakes < 20, "{wakes}");
        }
    });
}

#[test]
fn an_interface_that_is_down_at_the_start_is_waited_for() {
    in_namespace(|| {
        ip("link add cap0 type veth peer name far0");
        ip("link set far0 up");
        let mut rings = live::open(LiveConfig { rings: 2, ..config(&["cap0"]) }).unwrap();
        let event = one_event(&mut rings);
        assert!(matches!(event, LiveEvent::Down { outage: Outage::Down, .. }), "{event}");
        ip("link set cap0 up");
        assert!(matches!(one_event(&mut rings), LiveEvent::Up { .. }));
        check_flow(&mut rings, "far0");

        ip("link set cap0 down");
        let error = refused(LiveConfig { filter: Some("port or".to_owned()), ..config(&["cap0"]) });
        assert!(matches!(&error, LiveError::Filter { device, .. } if device == "cap0"), "{error}");
    });
}

#[test]
fn several_interfaces_are_captured_from_together() {
    in_namespace(|| {
        pair("cap0", "far0");
        pair("cap1", "far1");
        let mut rings = live::open(LiveConfig { rings: 2, ..config(&["cap0", "cap1"]) }).unwrap();
        let mut senders = [Sender::new("far0"), Sender::new("far1")];
        for number in 0..6000_u32 {
            let client = (host4((number % 500) as u16), 4000);
            let frame = ethernet(&[], &udp(client, (host4(60_000), 53), &number.to_be_bytes()));
            senders[number as usize % 2].send(&frame);
        }
        let mut numbers: Vec<_> = rings.iter_mut().flat_map(take).map(|frame| number(&frame.data)).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..6000).collect::<Vec<_>>());

        // One of them going does not hold up the other.
        ip("link set cap1 down");
        assert!(matches!(one_event(&mut rings), LiveEvent::Down { device, .. } if device == "cap1"));
        check_flow(&mut rings, "far0");
    });
}

#[test]
fn what_cannot_be_captured_from_is_refused_by_name() {
    in_namespace(|| {
        pair("cap0", "far0");
        ip("link set far0 down");
        let error = refused(config(&["eth9"])).to_string();
        assert_eq!(error, "there is no interface 'eth9'; there are: lo (up, loopback), far0 (down), cap0 (up), any");
        match try_ip("link add nl0 type nlmon") {
            Ok(()) => {
                ip("link set nl0 up");
                let error = refused(config(&["nl0"])).to_string();
                assert_eq!(error, "cannot capture on 'nl0': frames of link type 253 (NETLINK) cannot be decoded");
            }
            // Not every kernel has it.
            Err(reason) => assert!(reason.contains("Unknown device type"), "{reason}"),
        }
    });
}

#[test]
fn a_missing_right_is_told() {
    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

    in_namespace(|| {
        pair("cap0", "far0");
        let mut rings = live::open(config(&["cap0"])).unwrap();
        let mut sets = capabilities(None).unwrap();
        sets.effective.remove(CapabilitySet::NET_RAW);
        sets.permitted.remove(CapabilitySet::NET_RAW);
        // Of this thread alone.
        set_capabilities(None, sets).unwrap();

        let error = refused(config(&["cap0"]));
        assert!(error.is_denied(), "{error}");
        assert!(error.to_string().ends_with("it takes root or the capability CAP_NET_RAW"), "{error}");

        // Down and up needs none.
        let ring = &mut rings[0];
        ip("link set cap0 down");
        assert!(matches!(event(ring), Some(LiveEvent::Down { .. })));
        ip("link set cap0 up");
        assert!(matches!(event(ring), Some(LiveEvent::Up { .. })));

        ip("link del cap0");
        assert!(matches!(event(ring), Some(LiveEvent::Down { .. })));
        pair("cap0", "far0");
        match event(ring) {
            Some(LiveEvent::Stuck { device, error }) => assert!(device == "cap0" && error.is_denied(), "{error}"),
            other => panic!("{other:?}"),
        }
        // Once is enough.
        assert!(event(ring).is_none());
    });
}
