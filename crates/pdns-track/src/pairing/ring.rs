//! Lists through a slab: each entry holds its neighbours' indices, so joining and leaving cost the same for any length.

/// The index that stands for nothing.
pub(super) const NONE: u32 = u32::MAX;

/// An entry's neighbours in one list. The list is a ring, so the first entry knows the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    pub next: u32,
    pub previous: u32,
}

impl Links {
    pub(super) const ALONE: Self = Self { next: NONE, previous: NONE };
}

/// A slab of entries that are in several lists at once, told apart by `list`.
pub(super) trait Linked {
    fn links(&self, list: usize) -> &Links;
    fn links_mut(&mut self, list: usize) -> &mut Links;
}

/// Puts `entry` at the end of the list whose first entry is `head`.
#[inline]
pub(super) fn append<T: Linked>(slab: &mut [T], list: usize, head: &mut u32, entry: u32) {
    if *head == NONE {
        *head = entry;
        *slab[entry as usize].links_mut(list) = Links { next: entry, previous: entry };
        return;
    }
    let last = slab[*head as usize].links(list).previous;
    *slab[entry as usize].links_mut(list) = Links { next: *head, previous: last };
    slab[last as usize].links_mut(list).next = entry;
    slab[*head as usize].links_mut(list).previous = entry;
}

/// Takes `entry` out of the list whose first entry is `head`.
#[inline]
pub(super) fn remove<T: Linked>(slab: &mut [T], list: usize, head: &mut u32, entry: u32) {
    let Links { next, previous } = *slab[entry as usize].links(list);
    if next == entry {
        *head = NONE;
        return;
    }
    slab[previous as usize].links_mut(list).next = next;
    slab[next as usize].links_mut(list).previous = previous;
    if *head == entry {
        *head = next;
    }
}

/// The entry after `entry` in its list, or [`NONE`] at the end.
#[inline]
pub(super) fn next<T: Linked>(slab: &[T], list: usize, head: u32, entry: u32) -> u32 {
    let next = slab[entry as usize].links(list).next;
    if next == head { NONE } else { next }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Linked for Links {
        fn links(&self, _: usize) -> &Links {
            self
        }

        fn links_mut(&mut self, _: usize) -> &mut Links {
            self
        }
    }

    fn all(slab: &[Links], head: u32) -> Vec<u32> {
        let mut found = Vec::new();
        let mut at = head;
        while at != NONE {
            found.push(at);
            at = next(slab, 0, head, at);
        }
        found
    }

    #[test]
    fn entries_leave_from_both_ends_and_the_middle() {
        let mut slab = vec![Links::ALONE; 4];
        let mut head = NONE;
        for entry in 0..4 {
            append(&mut slab, 0, &mut head, entry);
        }
        assert_eq!(all(&slab, head), [0, 1, 2, 3]);
        remove(&mut slab, 0, &mut head, 2);
        remove(&mut slab, 0, &mut head, 0);
        assert_eq!(all(&slab, head), [1, 3]);
        append(&mut slab, 0, &mut head, 0);
        remove(&mut slab, 0, &mut head, 3);
        assert_eq!(all(&slab, head), [1, 0]);
        remove(&mut slab, 0, &mut head, 1);
        remove(&mut slab, 0, &mut head, 0);
        assert_eq!(head, NONE);
    }
}
