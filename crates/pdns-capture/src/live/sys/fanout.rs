//! PACKET_FANOUT of packet(7).

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Makes a packet socket a member of a fanout group, of that number or of a new one, and tells the number.
///
/// The members share out the frames of one interface. The kernel hashes addresses and ports without regard to direction,
/// so that both directions of a flow come to the same member; IPv4 fragments it puts together first, as only the first of
/// them has ports.
///
/// # Errors
///
/// The kernel refuses it: the socket is not bound to an interface that is up, or the group is one of another interface.
pub(in super::super) fn join(socket: BorrowedFd<'_>, group: Option<u16>) -> io::Result<u16> {
    let kind = libc::PACKET_FANOUT_HASH | libc::PACKET_FANOUT_FLAG_DEFRAG;
    let argument = match group {
        Some(group) => u32::from(group) | kind << 16,
        None => (kind | libc::PACKET_FANOUT_FLAG_UNIQUEID) << 16,
    };
    set(socket, argument)?;
    // The number is the lower half.
    get(socket).map(|argument| argument as u16)
}

fn set(socket: BorrowedFd<'_>, argument: u32) -> io::Result<()> {
    // SAFETY: the descriptor is open as long as it is borrowed, and the kernel reads `size_of::<u32>()` bytes of the value,
    // which lives until the call returns.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_FANOUT,
            (&raw const argument).cast(),
            size_of::<u32>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn get(socket: BorrowedFd<'_>) -> io::Result<u32> {
    let mut argument = 0_u32;
    let mut length = size_of::<u32>() as libc::socklen_t;
    // SAFETY: the descriptor is open as long as it is borrowed, and the kernel writes no more than `length` bytes, which is
    // the size of the value; both live until the call returns.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_FANOUT,
            (&raw mut argument).cast(),
            &raw mut length,
        )
    };
    if result == 0 { Ok(argument) } else { Err(io::Error::last_os_error()) }
}
