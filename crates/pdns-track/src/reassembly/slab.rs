//! Entries at fixed places, each in one of several queues: what a bounded table with time-outs is made of.

/// No entry.
const NONE: u32 = u32::MAX;

/// Entries by number. A freed place is used again, last freed first, so that the numbers depend on nothing but the calls.
#[derive(Debug)]
pub(super) struct Slab<T> {
    nodes: Vec<Node<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Node<T> {
    before: u32,
    after: u32,
    value: Option<T>,
}

/// A queue of entries of one [`Slab`]; an entry is in one queue at most.
#[derive(Debug)]
pub(super) struct Queue {
    first: u32,
    last: u32,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self { first: NONE, last: NONE }
    }

    /// The entry that was put in before all others.
    pub(super) fn first(&self) -> Option<u32> {
        (self.first != NONE).then_some(self.first)
    }
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self { nodes: Vec::new(), free: Vec::new() }
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    pub(super) fn get(&self, index: u32) -> Option<&T> {
        self.nodes.get(index as usize)?.value.as_ref()
    }

    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.nodes.get_mut(index as usize)?.value.as_mut()
    }

    /// Puts `value` at a free place and at the end of `queue`.
    pub(super) fn insert(&mut self, queue: &mut Queue, value: T) -> u32 {
        let node = Node { before: NONE, after: NONE, value: Some(value) };
        let index = if let Some(index) = self.free.pop() {
            self.nodes[index as usize] = node;
            index
        } else {
            self.nodes.push(node);
            (self.nodes.len() - 1) as u32
        };
        self.link(queue, index);
        index
    }

    /// Takes the entry out of `queue`, which must be the one it is in, and out of the slab.
    pub(super) fn remove(&mut self, queue: &mut Queue, index: u32) -> Option<T> {
        let value = self.nodes.get_mut(index as usize)?.value.take()?;
        self.unlink(queue, index);
        self.free.push(index);
        Some(value)
    }

    /// Moves the entry from `queue`, which must be the one it is in, to its end.
    pub(super) fn renew(&mut self, queue: &mut Queue, index: u32) {
        if queue.last != index {
            self.unlink(queue, index);
            self.link(queue, index);
        }
    }

    /// Moves the entry from one queue, which must be the one it is in, to the end of another.
    pub(super) fn transfer(&mut self, from: &mut Queue, to: &mut Queue, index: u32) {
        self.unlink(from, index);
        self.link(to, index);
    }

    fn link(&mut self, queue: &mut Queue, index: u32) {
        let last = std::mem::replace(&mut queue.last, index);
        self.nodes[index as usize].before = last;
        self.nodes[index as usize].after = NONE;
        match self.nodes.get_mut(last as usize) {
            Some(node) => node.after = index,
            None => queue.first = index,
        }
    }

    fn unlink(&mut self, queue: &mut Queue, index: u32) {
        let Node { before, after, .. } = self.nodes[index as usize];
        match self.nodes.get_mut(before as usize) {
            Some(node) => node.after = after,
            None => queue.first = after,
        }
        match self.nodes.get_mut(after as usize) {
            Some(node) => node.before = before,
            None => queue.last = before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(slab: &mut Slab<char>, queue: &mut Queue) -> String {
        let mut text = String::new();
        while let Some(index) = queue.first() {
            text.extend(slab.remove(queue, index));
        }
        text
    }

    #[test]
    fn queues_keep_their_order_through_moves() {
        let mut slab = Slab::new();
        let (mut a, mut b) = (Queue::new(), Queue::new());
        let numbers: Vec<u32> = "abcde".chars().map(|value| slab.insert(&mut a, value)).collect();
        slab.renew(&mut a, numbers[0]);
        slab.renew(&mut a, numbers[0]);
        slab.transfer(&mut a, &mut b, numbers[4]);
        slab.transfer(&mut a, &mut b, numbers[1]);
        assert_eq!(slab.remove(&mut a, numbers[2]), Some('c'));
        assert_eq!(slab.remove(&mut a, numbers[2]), None);
        assert_eq!(slab.insert(&mut a, 'f'), numbers[2]);
        assert_eq!(slab.len(), 5);
        assert_eq!((order(&mut slab, &mut a), order(&mut slab, &mut b)), ("daf".to_owned(), "eb".to_owned()));
        assert_eq!(slab.len(), 0);
    }
}
