//! What the C library keeps of memory that was given back to it: mallopt(3), malloc_trim(3).

/// The largest block that shares the common heap; it has room for what is sent in one delivery. Larger ones are mapped and
/// unmapped one by one.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGEST_SHARED: libc::c_int = 4 << 20;

/// Has all threads take memory from one heap, which only [`give_back`] shortens. To be called before there is another thread.
///
/// Otherwise each thread has a heap of its own in glibc, and of these not even [`give_back`] shortens the upper end.
/// One for all suits programs whose threads hardly ask for memory while they work. Does nothing without glibc.
pub fn share_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for (parameter, value) in
        [(libc::M_ARENA_MAX, 1), (libc::M_MMAP_THRESHOLD, LARGEST_SHARED), (libc::M_TRIM_THRESHOLD, libc::c_int::MAX)]
    {
        // SAFETY: the call takes two numbers and sets one, under malloc's own lock.
        let done = unsafe { libc::mallopt(parameter, value) };
        debug_assert_eq!(done, 1, "glibc knows the parameter {parameter}");
    }
}

/// Gives memory that is not in use back to the system; for programs that run for months, now and then.
///
/// While it lasts no other thread gets any: 5 ms for 60 MiB in pieces, as measured, and 0.04 ms where hardly anything is to be given
/// back. Without glibc it does nothing.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the call takes a number, and touches nothing but free memory, under malloc's own locks.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    /// How much of the mapping around an address is in memory, in KiB.
    fn resident_around(address: usize) -> u64 {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut is_around = false;
        for line in maps.lines() {
            let number = |text: &str| usize::from_str_radix(text, 16).ok();
            let ends = line.split_once(' ').and_then(|(range, _)| range.split_once('-'));
            match ends.and_then(|(start, end)| Some((number(start)?, number(end)?))) {
                Some((start, end)) => is_around = (start..end).contains(&address),
                None if !is_around => {}
                None => {
                    if let Some(size) = line.strip_prefix("Rss:") {
                        return size.trim().trim_end_matches(" kB").parse().unwrap();
                    }
                }
            }
        }
        panic!("nothing is mapped at {address:#x}");
    }

    #[test]
    fn what_lies_between_blocks_in_use_is_given_back() {
        let mut blocks: Vec<Vec<u8>> = (0..512).map(|_| vec![1; 64 << 10]).collect();
        let mut place = 0;
        blocks.retain(|_| {
            place += 1;
            place % 16 == 0
        });
        let address = blocks[0].as_ptr() as usize;
        let before = resident_around(address);
        give_back();
        let after = resident_around(address);
        assert!(before >= 16 << 10 && after + (16 << 10) <= before, "{before} KiB before, {after} after");
    }
}
