//! Whether an interface is there: netdevice(7).

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::net::{AddressFamily, SocketType};

/// Whether an interface is there and up, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Presence {
    Absent,
    Down,
    Up(u32),
}

/// Asks the kernel of single interfaces, over a socket that is opened once: a list of all of them takes long where there are
/// thousands, and new sockets may not be allowed later.
#[derive(Debug)]
pub(in super::super) struct Inquiry(OwnedFd);

impl Inquiry {
    /// Opens the socket, which serves the network namespace of this thread.
    ///
    /// # Errors
    ///
    /// The kernel has no IPv4, or there are too many open files.
    pub(in super::super) fn new() -> io::Result<Self> {
        Ok(Self(rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None)?))
    }

    /// Asks for the interface of this name.
    pub(in super::super) fn presence(&self, name: &str) -> Presence {
        let Ok(index) = rustix::net::netdevice::name_to_index(&self.0, name) else { return Presence::Absent };
        match self.flags(name) {
            None => Presence::Absent,
            Some(flags) if i32::from(flags) & libc::IFF_UP == 0 => Presence::Down,
            Some(_) => Presence::Up(index),
        }
    }

    fn flags(&self, name: &str) -> Option<libc::c_short> {
        // SAFETY: `ifreq` is plain data, for which zeroes are a value.
        let mut request: libc::ifreq = unsafe { mem::zeroed() };
        // The last byte stays the zero that ends the name.
        let room = request.ifr_name.len() - 1;
        for (place, byte) in request.ifr_name[..room].iter_mut().zip(name.bytes()) {
            *place = byte.cast_signed();
        }
        // SAFETY: the socket is open, and for this request the kernel reads and writes an `ifreq`, which outlives the call.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SIOCGIFFLAGS as _, &raw mut request) };
        // SAFETY: the union's field is the one that the kernel writes; before, it was zero.
        let flags = unsafe { request.ifr_ifru.ifru_flags };
        (result == 0).then_some(flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_and_the_list_agree() {
        let inquiry = Inquiry::new().unwrap();
        for interface in crate::live::interfaces() {
            let expected = if interface.up { Presence::Up(interface.index) } else { Presence::Down };
            assert_eq!(inquiry.presence(&interface.name), expected, "{interface}");
        }
        for name in ["", "no-such", "a-name-longer-than-an-interface-may-have", "lo\0"] {
            assert_eq!(inquiry.presence(name), Presence::Absent, "{name:?}");
        }
    }
}
