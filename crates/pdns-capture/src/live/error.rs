//! Why an interface cannot be captured from, in words that name it.

use std::io;

use super::interfaces::Interface;

/// Why live capture could not be started, or taken up again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// No interface was named.
    #[error("no interface to capture from was named")]
    NoDevice,
    /// An interface was named twice, or one besides `any`, so that each frame would be seen twice.
    #[error("interface '{device}' is named beside '{other}': each of its frames would be seen twice")]
    Overlap {
        /// The interface.
        device: String,
        /// What has it already.
        other: String,
    },
    /// There is no interface of this name.
    #[error("there is no interface '{device}'; there are: {}", list(there))]
    Unknown {
        /// The name.
        device: String,
        /// The interfaces there are.
        there: Vec<Interface>,
    },
    /// There is no socket to ask the kernel of interfaces with.
    #[error("cannot ask for the state of interfaces: {source}")]
    Socket {
        /// What the kernel said.
        source: io::Error,
    },
    /// The system does not let us.
    #[error("no right to capture on '{device}': {message}; it takes root or the capability CAP_NET_RAW")]
    Denied {
        /// The interface.
        device: String,
        /// What libpcap said.
        message: String,
    },
    /// libpcap could not open it.
    #[error("cannot capture on '{device}': {message}")]
    Open {
        /// The interface.
        device: String,
        /// What libpcap said.
        message: String,
    },
    /// Its frames begin with something that is not decoded.
    #[error("cannot capture on '{device}': frames of link type {link}{} cannot be decoded", named(*link))]
    UnsupportedLinkType {
        /// The interface.
        device: String,
        /// The LINKTYPE_ number.
        link: u16,
    },
    /// libpcap or the kernel does not accept the filter.
    #[error("filter '{expression}' on '{device}': {message}")]
    Filter {
        /// The interface.
        device: String,
        /// The filter.
        expression: String,
        /// What libpcap said.
        message: String,
    },
    /// The frames of an interface could not be shared out among the rings.
    #[error(
        "cannot share the frames of '{device}' out among {rings} rings (PACKET_FANOUT): {source}{}",
        fanout_hint(source)
    )]
    Fanout {
        /// The interface.
        device: String,
        /// How many rings there are to be.
        rings: usize,
        /// What the kernel said.
        source: io::Error,
    },
    /// PF_RING's library is not there, or is something else.
    #[error(
        "PF_RING was asked for, but its library cannot be used: {message}; install the package 'pfring' from \
         https://packages.ntop.org, or capture without PF_RING"
    )]
    PfRingLibrary {
        /// What the dynamic linker said.
        message: String,
    },
    /// PF_RING refused.
    #[error(
        "PF_RING on '{device}': {function} failed{}; is the kernel module pf_ring loaded, and is this root?",
        code.map_or_else(String::new, |code| format!(" with {code}"))
    )]
    PfRing {
        /// The interface.
        device: String,
        /// Which of its functions.
        function: &'static str,
        /// What it returned, if it was a number.
        code: Option<i32>,
    },
}

impl LiveError {
    /// Whether it is for want of a right, so that trying again is of no use.
    pub const fn is_denied(&self) -> bool {
        matches!(self, Self::Denied { .. })
    }

    /// The error for what libpcap said on opening.
    pub(super) fn open(device: &str, error: pcap::Error) -> Self {
        let (device, message) = (device.to_owned(), describe(error));
        // libpcap has a code for it, which the `pcap` crate does not hand on.
        if ["CAP_NET_RAW", "CAP_NET_ADMIN", "permi"].iter().any(|word| message.contains(word)) {
            return Self::Denied { device, message };
        }
        Self::Open { device, message }
    }
}

/// What libpcap said.
pub(super) fn describe(error: pcap::Error) -> String {
    match error {
        pcap::Error::PcapError(message) => message,
        error => error.to_string(),
    }
}

fn list(there: &[Interface]) -> String {
    let mut names: Vec<_> = there.iter().map(ToString::to_string).collect();
    names.push("any".to_owned());
    names.join(", ")
}

fn named(link: u16) -> String {
    crate::filter::link_name(link).map_or_else(String::new, |name| format!(" ({name})"))
}

/// What the usual refusals mean: packet(7) tells the one, `fanout_add` in the kernel's af_packet.c the others.
fn fanout_hint(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EINVAL) => "; the interface went down meanwhile, or the group's number is taken",
        Some(libc::ENOSPC) => "; a group has 256 members at most",
        Some(libc::ENOPROTOOPT) => "; the kernel is too old",
        _ => "",
    }
}
