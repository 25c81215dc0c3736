//! A 4-ary min-heap: where timers wait once their time is near.
//!
//! An entry is 16 bytes, and four siblings are exactly one cache line: finding the least of them
//! costs one miss. (LaMarca and Ladner, "The influence of caches on the performance of heaps",
//! 1996.)
//!
//! Equal keys are rare, so what breaks a tie is not in the entry but in the slot.

use super::{
    entry::{Entry, NEVER, Place},
    slots::Slots,
};
use std::collections::TryReserveError;

/// Where the root is. With three places left empty before it, siblings start at a multiple of
/// four, and the children of the entry at `at` are the group `at - 2`.
const ROOT: usize = 3;

const SPARE: Entry = Entry { key: NEVER, slot: 0 };

/// Four siblings in one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Siblings([Entry; 4]);

#[derive(Debug)]
pub(super) struct Heap {
    /// Grown as far as entries were ever used; an unused one has the key `NEVER`.
    groups: Vec<Siblings>,
    len: usize,
}

impl Heap {
    /// Takes the memory for `capacity` entries and touches none of it.
    pub(super) fn with_capacity(capacity: usize) -> Result<Heap, TryReserveError> {
        let mut groups = Vec::new();
        groups.try_reserve_exact((capacity + ROOT).div_ceil(4))?;
        Ok(Heap { groups, len: 0 })
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The least entry.
    #[inline]
    pub(super) fn root(&self) -> Option<Entry> {
        if self.len == 0 { None } else { Some(self.entry(ROOT)) }
    }

    /// The least key, [`NEVER`] if there is none.
    #[inline]
    pub(super) fn least(&self) -> u64 {
        self.groups.first().map_or(NEVER, |siblings| siblings.0[ROOT].key)
    }

    #[inline]
    fn entry(&self, at: usize) -> Entry {
        self.groups[at / 4].0[at % 4]
    }

    #[inline]
    pub(super) fn insert(&mut self, entry: Entry, slots: &mut Slots) {
        let at = ROOT + self.len;
        if at / 4 == self.groups.len() {
            self.groups.push(Siblings([SPARE; 4]));
        }
        self.len += 1;
        self.rise(at, entry, slots);
    }

    pub(super) fn remove_root(&mut self, slots: &mut Slots) {
        self.remove(ROOT, slots);
    }

    /// Takes out the entry at a place.
    #[inline]
    pub(super) fn remove(&mut self, at: usize, slots: &mut Slots) {
        self.len -= 1;
        let end = ROOT + self.len;
        let last = std::mem::replace(self.entry_mut(end), SPARE);
        if at != end {
            let hole = self.sink(at, slots);
            self.rise(hole, last, slots);
        }
    }

    /// Moves a hole down to a leaf, each time pulling up the least child, and says where it ends.
    ///
    /// What fills a hole came from the bottom or was put off for long, so it mostly belongs near
    /// a leaf: going down without comparing it, then up again, saves a comparison on every level.
    #[inline]
    fn sink(&mut self, mut hole: usize, slots: &mut Slots) -> usize {
        let end = ROOT + self.len;
        while (hole - 2) * 4 < end {
            let children = hole - 2;
            let (lane, child) = self.groups[children].least(slots);
            self.set(hole, child, slots);
            hole = children * 4 + lane;
        }
        hole
    }

    /// Puts an entry into a hole, or as far above it as it belongs.
    #[inline]
    fn rise(&mut self, mut hole: usize, entry: Entry, slots: &mut Slots) {
        while hole > ROOT {
            let above = hole / 4 + 2;
            let parent = self.entry(above);
            if parent.precedes(entry, slots) {
                break;
            }
            self.set(hole, parent, slots);
            hole = above;
        }
        self.set(hole, entry, slots);
    }

    #[inline]
    fn set(&mut self, at: usize, entry: Entry, slots: &mut Slots) {
        *self.entry_mut(at) = entry;
        slots[entry.slot].place = Place::heap(at);
    }

    #[inline]
    fn entry_mut(&mut self, at: usize) -> &mut Entry {
        &mut self.groups[at / 4].0[at % 4]
    }
}

impl Siblings {
    /// The least of the four and where it is; of four spare ones, the first.
    #[inline]
    fn least(&self, slots: &Slots) -> (usize, Entry) {
        let [a, b, c, d] = self.0.map(|entry| entry.key);
        let (left, left_key) = if b < a { (1, b) } else { (0, a) };
        let (right, right_key) = if d < c { (3, d) } else { (2, c) };
        let lane = if right_key < left_key { right } else { left };
        let tied = (a == b) | (c == d) | (left_key == right_key);
        let lane = if tied { self.least_ranked(slots) } else { lane };
        (lane, self.0[lane])
    }

    #[cold]
    fn least_ranked(&self, slots: &Slots) -> usize {
        let mut least = 0;
        for lane in 1..4 {
            let (one, other) = (self.0[least], self.0[lane]);
            if other.key != NEVER && !one.precedes(other, slots) {
                least = lane;
            }
        }
        least
    }
}

#[cfg(test)]
impl Heap {
    /// The entries in use, after a check that parents precede.
    pub(super) fn check(&self, slots: &Slots) -> impl Iterator<Item = (Place, Entry)> {
        for at in ROOT..self.groups.len() * 4 {
            let entry = self.entry(at);
            assert!(at < ROOT + self.len || entry.key == NEVER);
            if at > ROOT && entry.key != NEVER {
                assert!(self.entry(at / 4 + 2).precedes(entry, slots));
            }
        }
        (ROOT..ROOT + self.len).map(|at| (Place::heap(at), self.entry(at)))
    }
}
