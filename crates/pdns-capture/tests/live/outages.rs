//! Interfaces that go and come back.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

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
