//! PF_RING, with a stand-in for its library that the test compiles: the real one needs a kernel module.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use pdns_capture::live::{self, Backend, LiveConfig, LiveError, LiveEvent, LiveRing, LiveStats, Outage, Wake};
use pdns_rigs::pfring::Standin;

fn config(standin: &Standin, behaviour: &str) -> LiveConfig {
    let library = Some(standin.library());
    LiveConfig { backend: Backend::PfRing { library }, ..LiveConfig::new([standin.device(behaviour)]) }
}

/// The frames there are, as their first byte, length on the wire and time.
fn take(ring: &mut LiveRing) -> Vec<(u8, u32, i64)> {
    let mut frames = Vec::new();
    while let Wake::Frames = ring.poll(Duration::from_millis(50)).unwrap() {
        while let Some(frame) = ring.next() {
            assert_eq!((frame.link, frame.data), (1, &[frame.data[0]; 64][..]));
            frames.push((frame.data[0], frame.wire_len, frame.time.nanos()));
        }
    }
    frames
}

const FRAMES: [(u8, u32, i64); 4] = [
    (0, 90, 1_600_000_000_123_456_789),
    (1, 90, 1_600_000_001_123_456_789),
    (2, 90, 1_600_000_002_123_456_789),
    (3, 90, 1_600_000_003_123_456_000),
];

#[test]
fn frames_come_with_nanoseconds_where_there_are_any() {
    for behaviour in ["quiet", "blind"] {
        let standin = Standin::new();
        let config = LiveConfig { filter: Some("udp port 53".to_owned()), ..config(&standin, behaviour) };
        let mut ring = live::open(config).unwrap().pop().unwrap();
        assert_eq!(take(&mut ring), FRAMES, "{behaviour}");
        assert_eq!(ring.stats(), LiveStats { received: 4, dropped: 8, if_dropped: 0 });
        assert_eq!(ring.stats(), LiveStats::default());

        let start = Instant::now();
        assert!(matches!(ring.poll(Duration::from_millis(100)).unwrap(), Wake::Timeout));
        assert!((90..200).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());

        drop(ring);
        assert_eq!(standin.log(), "open 65535 24\nname pdns-sensor\nfilter udp port 53\nenable\nclose\n");
    }
}

#[test]
fn the_default_filter_is_set_and_none_if_it_is_empty() {
    let standin = Standin::new();
    live::open(LiveConfig { promiscuous: false, ..config(&standin, "quiet") }).unwrap();
    assert!(standin.log().contains(&format!("filter {}\n", live::default_filter(1, &[53]))));
    assert!(standin.log().starts_with("open 65535 16\n"));

    let standin = Standin::new();
    live::open(LiveConfig { filter: Some(String::new()), ..config(&standin, "quiet") }).unwrap();
    assert!(!standin.log().contains("filter"));
}

#[test]
fn several_rings_are_a_cluster() {
    let standin = Standin::new();
    let mut rings = live::open(LiveConfig { rings: 2, ..config(&standin, "quiet") }).unwrap();
    assert_eq!(standin.log().matches("cluster 4\n").count(), 2);
    let mut frames: Vec<_> = rings.iter_mut().map(take).collect();
    frames.sort_unstable();
    assert_eq!(frames, [[FRAMES[0], FRAMES[2]], [FRAMES[1], FRAMES[3]]]);
}

#[test]
fn a_ring_that_fails_is_opened_again() {
    let standin = Standin::new();
    let mut ring = live::open(config(&standin, "fail")).unwrap().pop().unwrap();
    let (mut frames, mut events) = (0, Vec::new());
    let end = Instant::now() + Duration::from_secs(5);
    while Instant::now() < end && (events.len() < 2 || frames < 8) {
        match ring.poll(Duration::from_millis(50)).unwrap() {
            Wake::Frames => {
                while ring.next().is_some() {
                    frames += 1;
                }
            }
            Wake::Event(event) => events.push(event),
            Wake::Timeout => {}
        }
    }
    assert_eq!(frames, 8);
    let [LiveEvent::Down { outage: Outage::Failed(reason), .. }, LiveEvent::Up { .. }, ..] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(reason, "pfring_recv returned -1");
    assert!(standin.log().contains("enable\nclose\nopen "), "{}", standin.log());
    assert_eq!(ring.stats(), LiveStats { received: 8, dropped: 16, if_dropped: 0 });
}

#[test]
fn what_pf_ring_refuses_is_told() {
    let standin = Standin::new();
    let refused = |config| live::open(config).unwrap_err().to_string();
    let error = refused(config(&standin, "closed"));
    assert!(error.starts_with("PF_RING on 'closed:"), "{error}");
    assert!(error.contains("pfring_open failed; is the kernel module pf_ring loaded"), "{error}");

    let error = refused(LiveConfig { filter: Some("nonsense".to_owned()), ..config(&standin, "quiet") });
    assert!(error.contains("pfring_set_bpf_filter failed with -2"), "{error}");
    assert!(standin.log().ends_with("close\n"));
}

#[test]
fn a_missing_library_is_told_with_what_to_install() {
    let config =
        |library: Option<PathBuf>| LiveConfig { backend: Backend::PfRing { library }, ..LiveConfig::new(["lo"]) };
    let refused = |library| {
        let error = live::open(config(library)).unwrap_err();
        assert!(matches!(error, LiveError::PfRingLibrary { .. }));
        error.to_string()
    };
    for library in [None, Some(PathBuf::from("/nowhere/libpfring.so"))] {
        let error = refused(library);
        assert!(error.starts_with("PF_RING was asked for, but its library cannot be used: "), "{error}");
        assert!(error.contains("libpfring.so"), "{error}");
        assert!(error.contains("install the package 'pfring'"), "{error}");
    }
    // A library, but not PF_RING's.
    let error = refused(Some(PathBuf::from("libpcap.so.0.8")));
    assert!(error.contains("pfring_open"), "{error}");
}
