//! A queue of the first things by a key that fit into a number of bytes, in whatever order they come.

use std::collections::BinaryHeap;

/// The first things by their keys, as many as fit. Which these are does not depend on the order in which they came: what
/// once fell out closes the queue for all behind it.
pub(super) struct Fitting<K, T> {
    room: usize,
    most: usize,
    used: usize,
    heap: BinaryHeap<Kept<K, T>>,
    closed: Option<K>,
}

struct Kept<K, T> {
    key: K,
    bytes: usize,
    thing: T,
}

impl<K: Ord + Copy, T> Fitting<K, T> {
    /// A queue for so many bytes, and so many things at most.
    pub(super) fn new(room: usize, most: usize) -> Self {
        Fitting { room, most, used: 0, heap: BinaryHeap::new(), closed: None }
    }

    /// Whether a thing with this key may have room.
    pub(super) fn takes(&self, key: K) -> bool {
        self.closed.is_none_or(|closed| key < closed)
    }

    pub(super) fn put(&mut self, key: K, bytes: usize, thing: T) {
        if !self.takes(key) {
            return;
        }
        self.heap.push(Kept { key, bytes, thing });
        self.used += bytes;
        while self.used > self.room || self.heap.len() > self.most {
            let Some(last) = self.heap.pop() else { break };
            self.used -= last.bytes;
            self.closed = Some(last.key);
        }
    }

    /// Whether nothing fell out.
    pub(super) fn has_all(&self) -> bool {
        self.closed.is_none()
    }

    /// The bytes in it.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// What is in it, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.heap.iter().map(|kept| &kept.thing)
    }

    /// What is in it, the first first.
    pub(super) fn into_sorted(self) -> impl Iterator<Item = T> {
        self.heap.into_sorted_vec().into_iter().map(|kept| kept.thing)
    }
}

impl<K: Ord, T> PartialEq for Kept<K, T> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}
impl<K: Ord, T> Eq for Kept<K, T> {}
impl<K: Ord, T> PartialOrd for Kept<K, T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K: Ord, T> Ord for Kept<K, T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_does_not_depend_on_the_order() {
        let things: Vec<(u32, usize)> = vec![(1, 30), (2, 50), (3, 40), (4, 10), (5, 1)];
        let fitting = |order: &[usize]| {
            let mut queue = Fitting::new(100, 9);
            for at in order {
                let (key, bytes) = things[*at];
                queue.put(key, bytes, key);
            }
            queue.into_sorted().collect::<Vec<u32>>()
        };
        for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [3, 0, 4, 2, 1], [2, 4, 1, 3, 0]] {
            assert_eq!(fitting(&order), [1, 2], "{order:?}: the third does not fit, so none behind it is there");
        }
        let mut few = Fitting::new(100, 1);
        few.put(2, 1, 'b');
        assert!(few.has_all());
        few.put(1, 1, 'a');
        assert!(!few.has_all() && !few.takes(2));
        assert_eq!(few.into_sorted().collect::<String>(), "a");
    }
}
