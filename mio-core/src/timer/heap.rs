//! A 4-ary min-heap that numbers its own entries.
//!
//! An entry is 16 bytes, a key and the number of a slot, and four siblings are exactly one cache
//! line: finding the least of them costs one miss. (LaMarca and Ladner, "The influence of caches
//! on the performance of heaps", 1996.) The place of every slot stands in an array of its own,
//! four bytes each, because sifting writes a place for every entry it moves and nothing else of
//! the timer.
//!
//! The entries are a permutation of the slots: those in use come first, in heap order, and the
//! spare ones behind them are the free list.
//!
//! Equal keys are rare, so what breaks a tie is not in the entry: each operation that can meet
//! one takes `rank`, which tells it from the slot.

use std::io;

/// The key of an entry that is ordered against no other one of the same key, and the greatest.
pub(super) const NEVER: u64 = u64::MAX;

/// Where the root is. With three places left empty before it, siblings start at a multiple of
/// four, and the children of the entry at `at` are the group `at - 2`.
const ROOT: usize = 3;

#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub(super) struct Entry {
    pub(super) key: u64,
    pub(super) slot: u32,
}

/// Four siblings in one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Siblings([Entry; 4]);

#[derive(Debug)]
pub(super) struct Heap {
    /// Grown as far as entries were ever used; an unused one has the key `NEVER`.
    groups: Vec<Siblings>,
    /// By slot: where its entry is.
    places: Vec<u32>,
    len: usize,
    capacity: usize,
}

impl Heap {
    /// Takes the memory for `capacity` entries and touches none of it.
    pub(super) fn with_capacity(capacity: usize) -> io::Result<Heap> {
        if capacity > u32::MAX as usize - ROOT {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let mut heap = Heap { groups: Vec::new(), places: Vec::new(), len: 0, capacity };
        heap.groups.try_reserve_exact((capacity + ROOT).div_ceil(4))?;
        heap.places.try_reserve_exact(capacity)?;
        Ok(heap)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// The least entry.
    #[inline]
    pub(super) fn root(&self) -> Option<Entry> {
        if self.len == 0 { None } else { Some(self.entry(ROOT)) }
    }

    /// The key of a slot in use.
    #[inline]
    pub(super) fn key(&self, slot: u32) -> u64 {
        self.entry(self.place(slot)).key
    }

    /// Puts a free slot into use and says which: one used before, or the next number.
    /// It ranks after every other entry of the same key. `None`: no slot is free.
    #[inline]
    pub(super) fn insert(&mut self, key: u64) -> Option<u32> {
        if self.len == self.capacity {
            return None;
        }
        let at = ROOT + self.len;
        if at / 4 == self.groups.len() {
            self.groups.push(Siblings::spare(at / 4));
        }
        let slot = self.entry(at).slot;
        if slot as usize == self.places.len() {
            self.places.push(0);
        }
        self.len += 1;
        self.rise(at, Entry { key, slot }, |_| 0);
        Some(slot)
    }

    /// Takes a slot out of use.
    #[inline]
    pub(super) fn remove(&mut self, slot: u32, rank: impl Fn(u32) -> u64) {
        let at = self.place(slot);
        self.len -= 1;
        let end = ROOT + self.len;
        let last = self.entry(end);
        *self.entry_mut(end) = Entry { key: NEVER, slot };
        if at != end {
            let hole = self.sink(at, &rank);
            self.rise(hole, last, rank);
        }
    }

    /// Gives a slot in use a key that is less than the one it has.
    #[inline]
    pub(super) fn lessen(&mut self, slot: u32, key: u64, rank: impl Fn(u32) -> u64) {
        self.rise(self.place(slot), Entry { key, slot }, rank);
    }

    /// Gives the root a key that is greater than the one it has.
    pub(super) fn defer_root(&mut self, key: u64, rank: impl Fn(u32) -> u64) {
        let slot = self.entry(ROOT).slot;
        let hole = self.sink(ROOT, &rank);
        self.rise(hole, Entry { key, slot }, rank);
    }

    /// Moves a hole down to a leaf, each time pulling up the least child, and says where it ends.
    ///
    /// What fills a hole came from the bottom or was put off for long, so it mostly belongs near
    /// a leaf: going down without comparing it, then up again, saves a comparison on every level.
    #[inline]
    fn sink(&mut self, mut hole: usize, rank: &impl Fn(u32) -> u64) -> usize {
        let end = ROOT + self.len;
        while (hole - 2) * 4 < end {
            let children = hole - 2;
            let (lane, child) = self.groups[children].least(rank);
            self.set(hole, child);
            hole = children * 4 + lane;
        }
        hole
    }

    /// Puts an entry into a hole, or as far above it as it belongs.
    #[inline]
    fn rise(&mut self, mut hole: usize, entry: Entry, rank: impl Fn(u32) -> u64) {
        while hole > ROOT {
            let above = hole / 4 + 2;
            let parent = self.entry(above);
            if parent.precedes(entry, &rank) {
                break;
            }
            self.set(hole, parent);
            hole = above;
        }
        self.set(hole, entry);
    }

    #[inline]
    fn set(&mut self, at: usize, entry: Entry) {
        *self.entry_mut(at) = entry;
        self.places[entry.slot as usize] = at as u32;
    }

    #[inline]
    fn place(&self, slot: u32) -> usize {
        self.places[slot as usize] as usize
    }

    #[inline]
    fn entry(&self, at: usize) -> Entry {
        self.groups[at / 4].0[at % 4]
    }

    #[inline]
    fn entry_mut(&mut self, at: usize) -> &mut Entry {
        &mut self.groups[at / 4].0[at % 4]
    }
}

impl Entry {
    /// Whether this entry may stand above the other.
    #[inline]
    fn precedes(self, other: Entry, rank: impl Fn(u32) -> u64) -> bool {
        self.key < other.key || (self.key == other.key && rank(self.slot) <= rank(other.slot))
    }
}

impl Siblings {
    /// A group never used: each entry holds the slot that is new when its turn comes.
    fn spare(group: usize) -> Siblings {
        Siblings(
            [0, 1, 2, 3].map(|lane| Entry {
                key: NEVER,
                slot: (group * 4 + lane).wrapping_sub(ROOT) as u32,
            }),
        )
    }

    /// The least of the four and where it is; of four spare ones, the first.
    #[inline]
    fn least(&self, rank: impl Fn(u32) -> u64) -> (usize, Entry) {
        let [a, b, c, d] = self.0.map(|entry| entry.key);
        let (left, left_key) = if b < a { (1, b) } else { (0, a) };
        let (right, right_key) = if d < c { (3, d) } else { (2, c) };
        let lane = if right_key < left_key { right } else { left };
        let tied = (a == b) | (c == d) | (left_key == right_key);
        let lane = if tied { self.least_ranked(rank) } else { lane };
        (lane, self.0[lane])
    }

    #[cold]
    fn least_ranked(&self, rank: impl Fn(u32) -> u64) -> usize {
        let mut least = 0;
        for lane in 1..4 {
            let (one, other) = (self.0[least], self.0[lane]);
            if other.key != NEVER && !one.precedes(other, &rank) {
                least = lane;
            }
        }
        least
    }
}

#[cfg(test)]
impl Heap {
    /// What always holds: parents precede, places point back, spare entries hold the other slots.
    pub(super) fn check(&self, rank: impl Fn(u32) -> u64) {
        let mut slots: Vec<u32> = Vec::new();
        for at in ROOT..self.groups.len() * 4 {
            let entry = self.entry(at);
            slots.push(entry.slot);
            if at >= ROOT + self.len {
                assert_eq!(entry.key, NEVER);
                continue;
            }
            assert_eq!(self.place(entry.slot), at);
            if at > ROOT && entry.key != NEVER {
                assert!(self.entry(at / 4 + 2).precedes(entry, &rank));
            }
        }
        slots.sort_unstable();
        assert!(slots.into_iter().eq(0..(self.groups.len() * 4).saturating_sub(ROOT) as u32));
    }
}
