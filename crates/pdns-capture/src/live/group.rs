//! What the rings of one interface have in common. It is touched only when the interface goes or comes.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The rings of one interface.
#[derive(Debug)]
pub(super) struct Group {
    /// PF_RING's number of them.
    pub(super) cluster: u32,
    /// The interface's number and the kernel's number of the fanout group there.
    fanout: Mutex<Option<(u32, u16)>>,
    /// How many of the rings have lost the interface.
    down: AtomicUsize,
}

impl Group {
    /// The rings of the interface at this place of the list.
    pub(super) fn new(position: usize) -> Self {
        // PF_RING's clusters are the machine's: another process has another number.
        let cluster = (std::process::id() & 0x0fff) << 4 | (position as u32 & 0x0f);
        Self { cluster, fanout: Mutex::new(None), down: AtomicUsize::new(0) }
    }

    /// Lets a ring `join` the fanout group at the interface of number `index`: that of the others there, or a new one, whose
    /// number it returns.
    pub(super) fn join(&self, index: u32, join: impl FnOnce(Option<u16>) -> io::Result<u16>) -> io::Result<()> {
        let mut fanout = self.fanout.lock().unwrap_or_else(PoisonError::into_inner);
        let number = fanout.filter(|(interface, _)| *interface == index).map(|(_, number)| number);
        *fanout = Some((index, join(number)?));
        Ok(())
    }

    /// A ring has lost the interface. Whether it is the first.
    pub(super) fn went(&self) -> bool {
        self.down.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// A ring has it again. Whether it is the last.
    pub(super) fn came_back(&self) -> bool {
        self.down.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_join_one_group_at_an_interface_and_another_when_it_is_made_again() {
        let group = Group::new(0);
        let joined = |index, new| {
            let mut asked = None;
            let result = group.join(index, |number| {
                asked = Some(number);
                Ok(number.unwrap_or(new))
            });
            assert!(result.is_ok());
            asked.unwrap()
        };
        assert_eq!((joined(3, 7), joined(3, 8)), (None, Some(7)));
        assert_eq!((joined(4, 9), joined(4, 1)), (None, Some(9)));
        assert!(group.join(4, |_| Err(io::ErrorKind::InvalidInput.into())).is_err());
        assert_eq!(joined(4, 1), Some(9));
    }

    #[test]
    fn the_first_to_lose_it_and_the_last_to_have_it_again_tell() {
        let group = Group::new(0);
        assert_eq!((group.went(), group.went()), (true, false));
        assert_eq!((group.came_back(), group.came_back()), (false, true));
    }
}
