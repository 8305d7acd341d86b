//! Live capture on virtual interfaces, in network namespaces that each test makes and removes.
//!
//! It takes root and ip(8) of iproute2; without them the tests say so and pass, unless `PDNS_REQUIRE_RIGS=1`.

mod filters;
mod outages;
#[path = "../rig/mod.rs"]
mod rig;
mod sharing;

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

fn twice_tagged(frame: &[u8]) -> bool {
    matches!(frame[12..14], [0x81, 0] | [0x88, 0xa8]) && frame[16..18] == [0x81, 0]
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
