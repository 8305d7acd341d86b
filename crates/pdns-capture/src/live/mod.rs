//! Frames from network interfaces, as they come.
//!
//! [`open`] makes as many [`LiveRing`]s as there are workers. Each has a ring of its own at every interface, so that workers
//! share nothing, and the kernel sees to it that both directions of a flow come to the same one.
//!
//! ```text
//!                        +-- ring --> LiveRing 0: poll, next, next, ..., poll --> worker 0
//! eth0 -- PACKET_FANOUT -+
//!                        +-- ring --> LiveRing 1
//! ```
//!
//! A worker waits with [`LiveRing::poll`], which also tells it of interfaces that go and come back, and then takes frames
//! from [`LiveRing::next`] until there are none:
//!
//! ```no_run
//! use std::time::Duration;
//! use pdns_capture::live::{self, LiveConfig, Wake};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = LiveConfig { rings: 1, ..LiveConfig::new(["eth0"]) };
//! for mut ring in live::open(config)? {
//!     std::thread::spawn(move || -> std::io::Result<()> {
//!         loop {
//!             match ring.poll(Duration::from_millis(100))? {
//!                 Wake::Frames => {
//!                     while let Some(frame) = ring.next() {
//!                         // decode frame.data
//!                     }
//!                 }
//!                 Wake::Event(event) => eprintln!("{event}"),
//!                 Wake::Timeout => { /* expire, flush, look for a signal */ }
//!             }
//!         }
//!     });
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A program that captures for months should not stay as large as in its busiest moment: [`share_memory`] before there are
//! threads, and [`give_back`] now and then.

mod default_filter;
mod device;
mod error;
mod event;
mod group;
mod hosts;
mod interfaces;
mod ring;
mod source;
mod stats;
mod sys;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use default_filter::default_filter;
pub use error::LiveError;
pub use event::{LiveEvent, Outage};
pub use interfaces::{ANY, Interface, interfaces};
pub use ring::{LiveRing, Wake};
pub use stats::LiveStats;
pub use sys::malloc::{give_back, share_memory};

use device::{Device, now_on_the_wall};
use group::Group;
use sys::pfring::PfRing;
use sys::presence::Inquiry;

/// What to capture, and how.
#[derive(Clone, Debug)]
pub struct LiveConfig {
    /// The interfaces, by name; [`ANY`] alone stands for all of them.
    pub devices: Vec<String>,
    /// How many rings share an interface's frames: one for each worker.
    pub rings: usize,
    /// What the frames are shared out by.
    pub sharing: Sharing,
    /// The kernel filter in the language of pcap-filter(7), used exactly as given; empty for none. Without one it is
    /// [`default_filter`].
    pub filter: Option<String>,
    /// The ports that the default filter passes.
    pub ports: Vec<u16>,
    /// How many bytes of a frame are kept.
    pub snaplen: u32,
    /// The size of each ring, for each interface; 2 GiB at most. libpcap makes do with less where memory is short. The kernel
    /// hands it over in blocks of 256 KiB at least, one for every [`latency`](Self::latency) in which frames came: the ring
    /// must outlast the longest time that a worker is away.
    pub buffer_bytes: usize,
    /// Whether frames for other hosts are asked of the interface. Not to be had on [`ANY`].
    pub promiscuous: bool,
    /// How long the kernel may keep frames back to hand over more at once. With several interfaces frames may come out of
    /// order by this much.
    pub latency: Duration,
    /// How frames are got.
    pub backend: Backend,
}

/// What decides which ring a frame comes to, so that a query and its response come to the same one. PF_RING has its own way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sharing {
    /// Addresses and ports, hashed by the kernel without regard to direction: the most even. IPv4 fragments it puts together
    /// first, as only the first of them has ports. Those of IPv6 it does not, so they may come to another ring than the rest
    /// of their flow; nor does it look into tunnels, whose outer ports may differ by direction.
    #[default]
    Flows,
    /// The outermost addresses alone, by a program of ours. Fragments of either version and tunnels between two hosts stay
    /// together and as they were on the wire, but so does all the traffic between two hosts.
    Hosts,
}

/// How frames are got from an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// From the kernel's ring (TPACKET_V3), through libpcap.
    #[default]
    Kernel,
    /// From PF_RING, whose library is opened only now.
    PfRing {
        /// Where the library is; without, where the dynamic linker finds `libpfring.so`.
        library: Option<PathBuf>,
    },
}

impl LiveConfig {
    /// These interfaces, and for the rest one promiscuous ring of 64 MiB with whole frames and the default filter.
    pub fn new<D: Into<String>>(devices: impl IntoIterator<Item = D>) -> Self {
        Self {
            devices: devices.into_iter().map(Into::into).collect(),
            rings: 1,
            sharing: Sharing::default(),
            filter: None,
            ports: vec![53],
            snaplen: 65535,
            buffer_bytes: 64 << 20,
            promiscuous: true,
            latency: Duration::from_millis(20),
            backend: Backend::Kernel,
        }
    }
}

/// Checks what can be known without opening anything: the interfaces' names, and the filter as if for Ethernet.
///
/// # Errors
///
/// An interface is unknown or named twice, or libpcap does not take the filter.
pub fn check(config: &LiveConfig) -> Result<(), LiveError> {
    if config.backend == Backend::Kernel {
        interfaces::check(&config.devices)?;
    }
    config.devices.first().map_or(Ok(()), |device| device::check_filter(device, config))
}

/// Opens the interfaces, as many rings as asked for. Frames count from when it returns.
///
/// An interface that is there but down is waited for. It takes the capability CAP_NET_RAW, now and when an interface that was
/// deleted is made again; one that was only taken down comes back without.
///
/// # Errors
///
/// An interface is unknown or cannot be opened, its link type is not decoded, a filter is refused, or a library is missing.
pub fn open(config: LiveConfig) -> Result<Vec<LiveRing>, LiveError> {
    let config = Arc::new(LiveConfig { rings: config.rings.max(1), ..config });
    let pf_ring = match &config.backend {
        Backend::Kernel => {
            interfaces::check(&config.devices)?;
            None
        }
        Backend::PfRing { .. } if config.devices.is_empty() => return Err(LiveError::NoDevice),
        Backend::PfRing { library } => {
            let library = PfRing::load(library.as_deref()).map_err(|message| LiveError::PfRingLibrary { message })?;
            Some(Arc::new(library))
        }
    };
    let groups: Vec<_> = (0..config.devices.len()).map(|device| Arc::new(Group::new(device))).collect();
    let inquiry = Arc::new(Inquiry::new().map_err(|source| LiveError::Socket { source })?);
    let mut rings = Vec::with_capacity(config.rings);
    for number in 0..config.rings {
        let mut ring = LiveRing::default();
        for (name, group) in config.devices.iter().zip(&groups) {
            let (device, event) = Device::open(name, &config, pf_ring.as_ref(), group, &inquiry, number == 0)?;
            ring.add(device, event);
        }
        rings.push(ring);
    }
    let now = now_on_the_wall();
    rings.iter_mut().for_each(|ring| ring.start(now));
    Ok(rings)
}
