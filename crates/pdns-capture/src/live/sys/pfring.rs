//! libpfring, opened at run time. Names, signatures and structures are those of PF_RING's public headers
//! `userland/lib/pfring.h` and `kernel/linux/pf_ring.h`.

use std::ffi::{CString, c_char, c_int, c_uint, c_void};
use std::fmt;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use libloading::Library;
use pdns_packet::frame::LinkType;
use pdns_packet::time::Timestamp;

use crate::Frame;

/// Declares the library's functions that are used, and how they are looked up.
macro_rules! functions {
    ($($(#[$doc:meta])* $field:ident: $symbol:literal = fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The library's functions.
        struct Functions {
            $($(#[$doc])* $field: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Functions {
            /// Looks all of them up.
            ///
            /// # Safety
            ///
            /// The library is PF_RING's, and outlives what is returned.
            unsafe fn of(library: &Library) -> Result<Self, libloading::Error> {
                Ok(Self {
                    // SAFETY: the caller vouches for the library, whose headers have this signature for the symbol.
                    $($field: unsafe { *library.get(concat!($symbol, "\0").as_bytes())? },)*
                })
            }
        }
    };
}

functions! {
    /// `pfring_open(device, caplen, flags)`.
    open: "pfring_open" = fn(*const c_char, u32, u32) -> *mut c_void;
    /// `pfring_close(ring)`.
    close: "pfring_close" = fn(*mut c_void);
    /// `pfring_set_application_name(ring, name)`.
    set_application_name: "pfring_set_application_name" = fn(*mut c_void, *mut c_char) -> c_int;
    /// `pfring_set_bpf_filter(ring, filter)`.
    set_bpf_filter: "pfring_set_bpf_filter" = fn(*mut c_void, *mut c_char) -> c_int;
    /// `pfring_set_cluster(ring, id, type)`.
    set_cluster: "pfring_set_cluster" = fn(*mut c_void, c_uint, c_int) -> c_int;
    /// `pfring_enable_ring(ring)`.
    enable_ring: "pfring_enable_ring" = fn(*mut c_void) -> c_int;
    /// `pfring_recv(ring, &buffer, buffer_len, &header, wait)`.
    recv: "pfring_recv" = fn(*mut c_void, *mut *mut u8, c_uint, *mut Header, u8) -> c_int;
    /// `pfring_poll(ring, milliseconds)`.
    poll: "pfring_poll" = fn(*mut c_void, c_uint) -> c_int;
    /// `pfring_get_selectable_fd(ring)`.
    get_selectable_fd: "pfring_get_selectable_fd" = fn(*mut c_void) -> c_int;
    /// `pfring_stats(ring, &stats)`.
    stats: "pfring_stats" = fn(*mut c_void, *mut Stats) -> c_int;
}

/// `struct pfring_pkthdr`, as far as all of its versions agree: the rest of its extended header is room for the library.
#[repr(C)]
struct Header {
    /// `ts`.
    micros: libc::timeval,
    caplen: u32,
    len: u32,
    /// `extended_hdr.timestamp_ns`.
    nanos: u64,
    rest: [u64; 128],
}

/// `pfring_stat`; older versions have only the first two.
#[repr(C)]
#[derive(Default)]
struct Stats {
    received: u64,
    dropped: u64,
    shunted: u64,
}

/// The library.
pub(in super::super) struct PfRing {
    functions: Functions,
    /// Keeps the functions in memory.
    _library: Library,
}

impl fmt::Debug for PfRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PfRing").finish_non_exhaustive()
    }
}

impl PfRing {
    /// Opens the library at `path`, or where the dynamic linker finds it.
    ///
    /// # Errors
    ///
    /// There is none, or it lacks a function; in the dynamic linker's words.
    pub(in super::super) fn load(path: Option<&Path>) -> Result<Self, String> {
        let library = match path {
            Some(path) => open(path)?,
            // The package's unversioned name is a link to what `make install` of the sources leaves.
            None => {
                open(Path::new("libpfring.so")).or_else(|error| open(Path::new("libpfring.so.1")).map_err(|_| error))?
            }
        };
        // SAFETY: whoever asked for PF_RING named or installed this library as PF_RING's; it is kept beside the functions.
        let functions = unsafe { Functions::of(&library) }.map_err(|error| error.to_string())?;
        Ok(Self { functions, _library: library })
    }
}

/// What a ring is opened for.
#[derive(Debug)]
pub(in super::super) struct RingOptions<'a> {
    /// The interface, in PF_RING's notation.
    pub(in super::super) device: &'a str,
    /// How much of a frame is wanted.
    pub(in super::super) snaplen: u32,
    /// Whether the interface is set to promiscuous mode.
    pub(in super::super) promiscuous: bool,
    /// The number of the cluster that the ring belongs to, when there are several.
    pub(in super::super) cluster: Option<u32>,
    /// The filter.
    pub(in super::super) filter: &'a str,
}

/// Which function refused, and with what number if it returns one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Refusal {
    /// The function.
    pub(in super::super) function: &'static str,
    /// The number.
    pub(in super::super) code: Option<i32>,
}

/// A ring of an interface.
pub(in super::super) struct Ring {
    ring: NonNull<c_void>,
    header: Box<Header>,
    snaplen: u32,
    library: Arc<PfRing>,
}

// SAFETY: the library keeps no state by thread; a ring not opened as re-entrant may be used by one thread at a time, which
// exclusive borrows see to.
unsafe impl Send for Ring {}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring").finish_non_exhaustive()
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: the ring came from `pfring_open` and is closed once, here.
        unsafe { (self.library.functions.close)(self.ring.as_ptr()) }
    }
}

impl Ring {
    /// Opens a ring and lets it receive.
    ///
    /// # Errors
    ///
    /// One of PF_RING's functions refuses.
    pub(in super::super) fn open(library: &Arc<PfRing>, options: &RingOptions<'_>) -> Result<Self, Refusal> {
        let text = |text: &str, function| CString::new(text).map_err(|_| Refusal { function, code: None });
        let device = text(options.device, "pfring_open")?;
        let flags = TIMESTAMP | if options.promiscuous { PROMISC } else { 0 };
        // SAFETY: the name is a C string that outlives the call.
        let ring = unsafe { (library.functions.open)(device.as_ptr(), options.snaplen, flags) };
        let ring = NonNull::new(ring).ok_or(Refusal { function: "pfring_open", code: None })?;
        let ring = Self { ring, header: Box::default(), snaplen: options.snaplen, library: Arc::clone(library) };

        let name = text("pdns-sensor", "pfring_set_application_name")?;
        let filter = text(options.filter, "pfring_set_bpf_filter")?;
        let functions = &ring.library.functions;
        let handle = ring.ring.as_ptr();
        // SAFETY: the handle is open; the strings are C strings that outlive the calls, which do not write to them.
        unsafe {
            accepted(
                "pfring_set_application_name",
                (functions.set_application_name)(handle, name.as_ptr().cast_mut()),
            )?;
            if !options.filter.is_empty() {
                accepted("pfring_set_bpf_filter", (functions.set_bpf_filter)(handle, filter.as_ptr().cast_mut()))?;
            }
            if let Some(cluster) = options.cluster {
                accepted("pfring_set_cluster", (functions.set_cluster)(handle, cluster, CLUSTER_PER_FLOW_5_TUPLE))?;
            }
            accepted("pfring_enable_ring", (functions.enable_ring)(handle))?;
        }
        Ok(ring)
    }

    /// The next frame, if there is one.
    ///
    /// # Errors
    ///
    /// Receiving failed.
    #[inline]
    pub(in super::super) fn next(&mut self) -> Result<Option<Frame<'_>>, Refusal> {
        let mut buffer = ptr::null_mut();
        let handle = self.ring.as_ptr();
        // SAFETY: the handle is open, and header and buffer pointer are valid for writes. With a length of 0 the library
        // points `buffer` at its own memory.
        let result = unsafe { (self.library.functions.recv)(handle, &raw mut buffer, 0, &raw mut *self.header, 0) };
        match result {
            1.. if !buffer.is_null() => {}
            0.. | NO_PACKET => return Ok(None),
            code => return Err(Refusal { function: "pfring_recv", code: Some(code) }),
        }
        let header = &*self.header;
        let length = header.caplen.min(self.snaplen);
        // SAFETY: the library's `caplen` bytes at `buffer` stay until the next call of `pfring_recv`, which takes the ring
        // by an exclusive borrow, as this one lasts as long as the slice.
        let data = unsafe { std::slice::from_raw_parts(buffer, length as usize) };
        let link = LinkType::ETHERNET.0;
        Ok(Some(Frame { time: header.time(), wire_len: header.len.max(length), link, data }))
    }

    /// Waits for a frame where there is no descriptor to wait on.
    pub(in super::super) fn wait(&self, milliseconds: u32) -> bool {
        // SAFETY: the handle is open.
        unsafe { (self.library.functions.poll)(self.ring.as_ptr(), milliseconds) > 0 }
    }

    /// The descriptor that is readable when there are frames, where there is one.
    pub(in super::super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        // SAFETY: the handle is open.
        let descriptor = unsafe { (self.library.functions.get_selectable_fd)(self.ring.as_ptr()) };
        // SAFETY: the descriptor is the ring's, which keeps it open as long as it is borrowed here.
        (descriptor >= 0).then(|| unsafe { BorrowedFd::borrow_raw(descriptor) })
    }

    /// How many frames were received and dropped so far.
    pub(in super::super) fn stats(&self) -> Option<(u64, u64)> {
        let mut stats = Stats::default();
        // SAFETY: the handle is open and the structure as long as any version's.
        let result = unsafe { (self.library.functions.stats)(self.ring.as_ptr(), &raw mut stats) };
        (result >= 0).then_some((stats.received, stats.dropped))
    }
}

impl Default for Header {
    fn default() -> Self {
        Self { micros: libc::timeval { tv_sec: 0, tv_usec: 0 }, caplen: 0, len: 0, nanos: 0, rest: [0; 128] }
    }
}

impl Header {
    /// In nanoseconds where the driver or the hardware has them, else in microseconds.
    fn time(&self) -> Timestamp {
        match i64::try_from(self.nanos) {
            Ok(nanos @ 1..) => Timestamp::from_nanos(nanos),
            _ => Timestamp::new(self.micros.tv_sec, 0).plus(self.micros.tv_usec.saturating_mul(1000)),
        }
    }
}

fn open(path: &Path) -> Result<Library, String> {
    // SAFETY: loading runs the library's initialisers. Whoever asked for PF_RING named or installed this one.
    unsafe { Library::new(path) }.map_err(|error| error.to_string())
}

const fn accepted(function: &'static str, code: c_int) -> Result<(), Refusal> {
    if code < 0 { Err(Refusal { function, code: Some(code) }) } else { Ok(()) }
}

/// `PF_RING_PROMISC`.
const PROMISC: u32 = 1 << 3;

/// `PF_RING_TIMESTAMP`: a time for each frame, which zero-copy drivers leave out otherwise.
const TIMESTAMP: u32 = 1 << 4;

/// `PF_RING_ERROR_NO_PKT_AVAILABLE`.
const NO_PACKET: c_int = -3;

/// `cluster_per_flow_5_tuple`: without regard to direction, and to VLAN tags, which mirrors put on one direction only.
const CLUSTER_PER_FLOW_5_TUPLE: c_int = 4;
