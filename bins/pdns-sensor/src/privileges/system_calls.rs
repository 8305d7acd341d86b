//! seccomp: which system calls the program can still make.
//!
//! Three filters, of which the strictest answer counts:
//!
//! 1. What only an intruder does ends the program: starting another one, tracing, mounting, loading code into the kernel.
//! 2. Arguments that are not needed fail with EPERM: executable memory, new processes, raw sockets, others' signals.
//! 3. All system calls but for a list fail with ENOSYS, as in a kernel that does not have them. The C library and others
//!    then take an older way, where they would give up after EPERM. So a library that is newer than the list still works.

use std::collections::BTreeMap;
use std::env::consts::ARCH;

use anyhow::{Context, Result};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

use super::calls;

/// What system calls are needed for, besides reading and writing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Purposes {
    /// An interface may be opened again.
    pub raw_sockets: bool,
    /// Sockets of IPv4 and IPv6: to send, and to ask for interfaces.
    pub internet: bool,
    /// A profile is taken.
    pub profile: bool,
}

/// Restricts this thread and those that it starts. Says what the kernel did.
pub(super) fn restrict(purposes: &Purposes) -> String {
    match apply(purposes) {
        Ok(()) => "seccomp".to_owned(),
        Err(error) => format!("unrestricted ({error:#})"),
    }
}

fn apply(purposes: &Purposes) -> Result<()> {
    let architecture = TargetArch::try_from(ARCH).context("no seccomp for this machine")?;
    let programs = filters(purposes)?.map(|(rules, matched, other)| -> Result<BpfProgram> {
        Ok(SeccompFilter::new(rules, other, matched, architecture)?.try_into()?)
    });
    // All are compiled before the first is in force. The last allows no further filter.
    for program in programs.into_iter().collect::<Result<Vec<_>>>()? {
        seccompiler::apply_filter(&program).context("this kernel has no seccomp")?;
    }
    Ok(())
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Rules, what happens to a call that matches one, and to the others.
fn filters(purposes: &Purposes) -> Result<[(Rules, SeccompAction, SeccompAction); 3]> {
    let whatever = |calls: &[i64]| calls.iter().map(|&call| (call, Vec::new())).collect::<Rules>();
    let mut allowed = whatever(&calls::allowed());
    if purposes.profile {
        allowed.extend(whatever(calls::PROFILE));
    }
    Ok([
        (whatever(calls::HOSTILE), SeccompAction::KillProcess, SeccompAction::Allow),
        (refused_arguments(purposes)?, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow),
        (allowed, SeccompAction::Allow, SeccompAction::Errno(libc::ENOSYS as u32)),
    ])
}

/// Calls that are refused for their arguments.
fn refused_arguments(purposes: &Purposes) -> Result<Rules> {
    let mut domains = vec![libc::AF_UNIX];
    if purposes.internet {
        // The C library asks by netlink which of IPv4 and IPv6 there are.
        domains.extend([libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK]);
    }
    if purposes.raw_sockets {
        domains.extend([libc::AF_PACKET, libc::AF_NETLINK, libc::AF_INET]);
    }
    let own = u64::from(std::process::id());
    let executable = || any_bit(2, libc::PROT_EXEC as u64);
    let rules = [
        (libc::SYS_socket, none_of(0, domains)?),
        (libc::SYS_socketpair, none_of(0, [libc::AF_UNIX])?),
        (libc::SYS_mmap, executable()?),
        (libc::SYS_mprotect, executable()?),
        (libc::SYS_clone, no_bit(0, libc::CLONE_THREAD as u64)?),
        (libc::SYS_prctl, none_of(0, PRCTLS)?),
        (libc::SYS_ioctl, none_of(1, IOCTLS)?),
        (libc::SYS_kill, none_of(0, [own])?),
        (libc::SYS_tgkill, none_of(0, [own])?),
        // A limit may be read.
        (libc::SYS_prlimit64, vec![rule([SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0)?])?]),
    ];
    Ok(rules.into_iter().collect())
}

/// Matches when an argument of 32 bits is none of these.
fn none_of<T: TryInto<u64>>(argument: u8, values: impl IntoIterator<Item = T>) -> Result<Vec<SeccompRule>> {
    let conditions = values.into_iter().map(|value| {
        let value = value.try_into().ok().context("a negative argument")?;
        Ok(SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value)?)
    });
    Ok(vec![rule(conditions.collect::<Result<Vec<_>>>()?)?])
}

/// Matches when the bit is set.
fn any_bit(argument: u8, bit: u64) -> Result<Vec<SeccompRule>> {
    masked(argument, bit, bit)
}

/// Matches when the bit is not set.
fn no_bit(argument: u8, bit: u64) -> Result<Vec<SeccompRule>> {
    masked(argument, bit, 0)
}

fn masked(argument: u8, mask: u64, value: u64) -> Result<Vec<SeccompRule>> {
    let operator = SeccompCmpOp::MaskedEq(mask);
    Ok(vec![rule([SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?])?])
}

fn rule(conditions: impl Into<Vec<SeccompCondition>>) -> Result<SeccompRule> {
    Ok(SeccompRule::new(conditions.into())?)
}

/// Names of threads and of memory, the auxiliary vector; and what the filters themselves are made with.
const PRCTLS: [i32; 5] = [libc::PR_SET_NAME, libc::PR_GET_NAME, PR_SET_VMA, PR_GET_AUXV, libc::PR_SET_NO_NEW_PRIVS];

/// Since Linux 6.4, by the kernel's `linux/prctl.h`.
const PR_GET_AUXV: i32 = 0x4155_5856;

/// Since Linux 5.17; the C library names the memory of threads.
const PR_SET_VMA: i32 = 0x5356_4d41;

/// Whether something is a terminal and how wide, whether it blocks, and of interfaces what libpcap and ourselves ask.
const IOCTLS: [libc::Ioctl; 15] = [
    libc::TCGETS,
    libc::TIOCGWINSZ,
    libc::FIONREAD,
    libc::FIONBIO,
    libc::FIOCLEX,
    libc::SIOCGIFNAME,
    libc::SIOCGIFFLAGS,
    libc::SIOCGIFADDR,
    libc::SIOCGIFMTU,
    libc::SIOCGIFHWADDR,
    libc::SIOCGIFINDEX,
    libc::SIOCETHTOOL,
    SIOCGSTAMP,
    SIOCGIWNAME,
    SIOCGIWPRIV,
];

/// When a socket last received something, by the kernel's `linux/sockios.h`.
const SIOCGSTAMP: libc::Ioctl = 0x8906;
/// Whether an interface is wireless, by the kernel's `linux/wireless.h`.
const SIOCGIWNAME: libc::Ioctl = 0x8B01;
/// What else a wireless interface can do, from the same place.
const SIOCGIWPRIV: libc::Ioctl = 0x8B0D;
