//! PACKET_FANOUT of packet(7).

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::super::Sharing;
use super::super::hosts::{Instruction, program};

/// Makes a packet socket a member of a fanout group, of that number or of a new one, and tells the number.
///
/// # Errors
///
/// The kernel refuses it: the socket is not bound to an interface that is up, or the group is one of another interface.
pub(in super::super) fn join(socket: BorrowedFd<'_>, sharing: Sharing, group: Option<u16>) -> io::Result<u16> {
    let kind = match sharing {
        Sharing::Flows => libc::PACKET_FANOUT_HASH | libc::PACKET_FANOUT_FLAG_DEFRAG,
        Sharing::Hosts => libc::PACKET_FANOUT_CBPF,
    };
    let argument = match group {
        Some(group) => u32::from(group) | kind << 16,
        None => (kind | libc::PACKET_FANOUT_FLAG_UNIQUEID) << 16,
    };
    set(socket, libc::PACKET_FANOUT, &argument)?;
    if sharing == Sharing::Hosts {
        set_program(socket)?;
    }
    // The number is the lower half.
    get(socket).map(|argument| argument as u16)
}

/// Gives the group its program. Every member gives the same one.
fn set_program(socket: BorrowedFd<'_>) -> io::Result<()> {
    let mut filter: Vec<_> = program()
        .into_iter()
        .map(|Instruction { code, yes, no, operand }| libc::sock_filter { code, jt: yes, jf: no, k: operand })
        .collect();
    // It has a few dozen instructions; the kernel copies them before the call returns.
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    set(socket, libc::PACKET_FANOUT_DATA, &program)
}

fn set<T>(socket: BorrowedFd<'_>, option: libc::c_int, argument: &T) -> io::Result<()> {
    // SAFETY: the descriptor is open as long as it is borrowed, and the kernel reads `size_of::<T>()` bytes of the argument,
    // which lives until the call returns, as does what it points to.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            (&raw const *argument).cast(),
            size_of::<T>() as libc::socklen_t,
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
