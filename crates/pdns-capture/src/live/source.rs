//! One interface, open.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use pcap::{Active, Capture, Precision};
use pdns_packet::frame::LinkType;
use pdns_packet::time::Timestamp;

use super::device::refuse_loops;
use super::error::describe;
use super::interfaces::ANY;
use super::sys::fanout;
use super::sys::pfring::{PfRing, Refusal, Ring, RingOptions};
use super::{Group, LiveConfig, LiveError, LiveStats, default_filter};
use crate::Frame;

/// An interface that frames come from.
pub(super) enum Source {
    /// The kernel's ring, through libpcap.
    Kernel(Kernel),
    /// PF_RING's.
    PfRing {
        /// The ring.
        ring: Ring,
        /// How many frames it had received and dropped when last asked.
        seen: (u64, u64),
    },
}

/// A ring that libpcap shares with the kernel.
pub(super) struct Kernel {
    capture: Capture<Active>,
    link: u16,
    seen: pcap::Stat,
}

impl Source {
    /// Opens the interface `device`, whose number is `index`.
    ///
    /// # Errors
    ///
    /// It cannot be opened or decoded, or the filter is refused, or it does not get a share of the frames.
    pub(super) fn open(
        device: &str,
        index: u32,
        config: &LiveConfig,
        pf_ring: Option<&Arc<PfRing>>,
        group: &Group,
    ) -> Result<Self, LiveError> {
        match pf_ring {
            Some(library) => Self::open_pf_ring(device, config, library, group),
            None => Kernel::open(device, index, config, group).map(Self::Kernel),
        }
    }

    fn open_pf_ring(
        device: &str,
        config: &LiveConfig,
        library: &Arc<PfRing>,
        group: &Group,
    ) -> Result<Self, LiveError> {
        let default = default_filter(LinkType::ETHERNET.0, &config.ports);
        let options = RingOptions {
            device,
            snaplen: config.snaplen,
            promiscuous: config.promiscuous,
            cluster: (config.rings > 1).then_some(group.cluster),
            filter: config.filter.as_ref().unwrap_or(&default),
        };
        let ring = Ring::open(library, &options).map_err(|Refusal { function, code }| LiveError::PfRing {
            device: device.to_owned(),
            function,
            code,
        })?;
        Ok(Self::PfRing { ring, seen: (0, 0) })
    }

    /// The next frame, if one is there.
    ///
    /// # Errors
    ///
    /// Reading failed, most likely because the interface is gone; in libpcap's words.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<Frame<'_>>, String> {
        match self {
            Self::Kernel(kernel) => kernel.next(),
            Self::PfRing { ring, .. } => ring
                .next()
                .map_err(|Refusal { function, code }| format!("{function} returned {}", code.unwrap_or_default())),
        }
    }

    /// Whether it is PF_RING's.
    pub(super) const fn is_pf_ring(&self) -> bool {
        matches!(self, Self::PfRing { .. })
    }

    /// What is readable when there are frames.
    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Kernel(kernel) => Some(kernel.capture.as_fd()),
            Self::PfRing { ring, .. } => ring.descriptor(),
        }
    }

    /// Waits where there is no descriptor; whether there are frames.
    pub(super) fn wait(&self, milliseconds: u32) -> bool {
        match self {
            Self::Kernel(_) => false,
            Self::PfRing { ring, .. } => ring.wait(milliseconds),
        }
    }

    /// What was counted since the last call.
    pub(super) fn stats(&mut self) -> LiveStats {
        match self {
            Self::Kernel(kernel) => kernel.stats(),
            Self::PfRing { ring, seen } => {
                let now = ring.stats().unwrap_or(*seen);
                let last = std::mem::replace(seen, now);
                LiveStats {
                    received: now.0.saturating_sub(last.0),
                    dropped: now.1.saturating_sub(last.1),
                    if_dropped: 0,
                }
            }
        }
    }
}

impl Kernel {
    fn open(device: &str, index: u32, config: &LiveConfig, group: &Group) -> Result<Self, LiveError> {
        let capture = activate(device, config).map_err(|error| LiveError::open(device, error))?;
        let mut kernel = Self {
            link: linktype(capture.get_datalink().0),
            capture,
            seen: pcap::Stat { received: 0, dropped: 0, if_dropped: 0 },
        };
        check_link(device, kernel.link)?;
        kernel.filter(device, config)?;
        if config.rings > 1 {
            group
                .join(index, |number| fanout::join(kernel.capture.as_fd(), config.sharing, number))
                .map_err(|source| LiveError::Fanout { device: device.to_owned(), rings: config.rings, source })?;
        }
        Ok(kernel)
    }

    fn filter(&mut self, device: &str, config: &LiveConfig) -> Result<(), LiveError> {
        let expression = config.filter.clone().unwrap_or_else(|| default_filter(self.link, &config.ports));
        refuse_loops(device, &expression)?;
        self.capture.filter(&expression, true).map_err(|error| LiveError::Filter {
            device: device.to_owned(),
            expression,
            message: describe(error),
        })
    }

    #[inline]
    fn next(&mut self) -> Result<Option<Frame<'_>>, String> {
        match self.capture.next_packet() {
            Ok(packet) => {
                let header = packet.header;
                // With nanosecond precision, which was asked for, the field holds nanoseconds.
                let time = Timestamp::new(header.ts.tv_sec, header.ts.tv_usec as u32);
                let wire_len = header.len.max(header.caplen);
                Ok(Some(Frame { time, wire_len, link: self.link, data: packet.data }))
            }
            Err(pcap::Error::TimeoutExpired) => Ok(None),
            Err(error) => Err(describe(error)),
        }
    }

    fn stats(&mut self) -> LiveStats {
        let now = self.capture.stats().unwrap_or(self.seen);
        let last = std::mem::replace(&mut self.seen, now);
        LiveStats {
            received: u64::from(now.received.wrapping_sub(last.received)),
            dropped: u64::from(now.dropped.wrapping_sub(last.dropped)),
            if_dropped: interface_drops(last.if_dropped, now.if_dropped),
        }
    }
}

/// Opens libpcap's handle.
fn activate(device: &str, config: &LiveConfig) -> Result<Capture<Active>, pcap::Error> {
    let limit = |value: usize| i32::try_from(value).unwrap_or(i32::MAX);
    Capture::from_device(device)?
        // There it cannot be had; libpcap would warn, which the `pcap` crate takes for an error.
        .promisc(config.promiscuous && device != ANY)
        .snaplen(limit(config.snaplen as usize))
        .buffer_size(limit(config.buffer_bytes))
        // How long the kernel may keep a block that is not full.
        .timeout(limit(config.latency.as_millis() as usize).max(1))
        .precision(Precision::Nano)
        .open()?
        // A blocking read does not return on an idle interface, whatever the time-out.
        .setnonblock()
}

/// Checks that frames of this link type are decoded.
fn check_link(device: &str, link: u16) -> Result<(), LiveError> {
    if LinkType::SUPPORTED.iter().any(|(supported, _)| supported.0 == link) {
        return Ok(());
    }
    Err(LiveError::UnsupportedLinkType { device: device.to_owned(), link })
}

/// The LINKTYPE_ number of Linux's DLT_ number, from libpcap's pcap-common.c.
fn linktype(dlt: i32) -> u16 {
    match dlt {
        11 => 100,
        12 => 101,
        15 => 102,
        16 => 103,
        18 => 246,
        19 => 106,
        same => u16::try_from(same).unwrap_or(u16::MAX),
    }
}

/// How many frames an interface dropped between two readings.
///
/// libpcap adds up what it reads in /sys, so the count goes back when the interface is made anew, or when /sys is out of
/// reach from now on.
const fn interface_drops(last: u32, now: u32) -> u64 {
    let difference = now.wrapping_sub(last);
    if difference > i32::MAX as u32 { 0 } else { difference as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_are_differences_that_survive_a_wrap_and_a_step_back() {
        assert_eq!(interface_drops(5, 5), 0);
        assert_eq!(interface_drops(5, 12), 7);
        assert_eq!(interface_drops(u32::MAX - 1, 3), 5);
        assert_eq!(interface_drops(12, 5), 0);
    }

    #[test]
    fn a_link_type_that_is_not_decoded_is_refused_by_name() {
        assert!(check_link("tun0", linktype(12)).is_ok());
        let error = check_link("usbmon1", 189).unwrap_err().to_string();
        assert_eq!(error, "cannot capture on 'usbmon1': frames of link type 189 (USB_LINUX) cannot be decoded");
    }

    #[test]
    fn the_numbers_of_raw_ip_differ() {
        assert_eq!((linktype(1), linktype(12), linktype(113), linktype(276)), (1, 101, 113, 276));
    }
}
