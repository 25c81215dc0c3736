//! Timers whose time has come, in order.
//!
//! They arrive from the [wheel](super::wheel) a bucket at a time and are sorted at once into a run,
//! which costs far less than passing each through a heap: they are dealt to as many bins as they
//! are, by how far their keys are from the last, so that about one is in each and little is left to
//! put in order. Those that come by themselves go to the [heap](super::heap).

use super::{
    FEW,
    entry::{Entry, NEVER, Place},
    heap::Heap,
    slots::{Slot, Slots},
};
use std::{cmp::Reverse, collections::TryReserveError, mem};

#[derive(Debug)]
pub(super) struct Near {
    /// The first one last. Some may have been taken out, which their slots' places tell.
    run: Vec<Entry>,
    /// What is to be sorted, and after that of no meaning.
    gathered: Vec<Entry>,
    /// Where in the run the next entry of each bin goes.
    bins: Vec<u16>,
    heap: Heap,
}

/// So many are sorted by comparing alone.
const ALMOST_NONE: usize = if cfg!(test) { 2 } else { 32 };

/// If more than so many fall into one bin, bins are of no use.
const CROWD: u16 = 16;

const _: () = assert!(FEW <= u16::MAX as usize);

impl Near {
    /// Takes the memory for `capacity` entries and touches none of it.
    pub(super) fn with_capacity(capacity: usize) -> Result<Near, TryReserveError> {
        let few = capacity.min(FEW);
        let (mut run, mut gathered, mut bins) = (Vec::new(), Vec::new(), Vec::new());
        run.try_reserve_exact(few)?;
        gathered.try_reserve_exact(few)?;
        bins.try_reserve_exact(few.next_power_of_two())?;
        Ok(Near { run, gathered, bins, heap: Heap::with_capacity(capacity)? })
    }

    pub(super) fn first(&mut self, slots: &Slots) -> Option<Entry> {
        self.trim(slots);
        let (run, heap) = (self.run.last().copied(), self.heap.root());
        match (run, heap) {
            (Some(one), Some(other)) if other.precedes(one, slots) => heap,
            (None, _) => heap,
            _ => run,
        }
    }

    /// The first of the run, if that is before the heap; it may have been taken out.
    #[inline(always)]
    pub(super) fn first_of_run(&self) -> Option<Entry> {
        self.run.last().copied().filter(|first| first.key < self.heap.least())
    }

    /// Not if there is only what was taken out, until somebody asked for the first.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.run.is_empty() && self.heap.is_empty()
    }

    pub(super) fn insert(&mut self, key: u64, slot: u32, slots: &mut Slots) {
        self.heap.insert(Entry { key, slot }, slots);
    }

    /// Adds to what will be sorted into the run, which is empty.
    #[inline(always)]
    pub(super) fn gather(&mut self, index: u32, slot: &mut Slot) {
        slot.place = Place::RUN;
        self.gathered.push(Entry { key: slot.deadline, slot: index });
    }

    /// Sorts what was gathered.
    pub(super) fn sort(&mut self, slots: &Slots) {
        if self.gathered.len() > ALMOST_NONE && self.distribute() {
            insertion_sort(&mut self.run, slots);
        } else {
            mem::swap(&mut self.run, &mut self.gathered);
            self.run.sort_unstable_by_key(|entry| Reverse(entry.key));
            for ties in self.run.chunk_by_mut(|one, other| one.key == other.key) {
                if ties.len() > 1 {
                    ties.sort_unstable_by_key(|entry| Reverse(slots.rank(entry.slot)));
                }
            }
        }
        self.gathered.clear();
    }

    /// Deals what was gathered to bins, one after the other in the run; `false` if they are too uneven.
    fn distribute(&mut self) -> bool {
        let Near { run, gathered, bins, .. } = self;
        let keys = gathered.iter().map(|entry| entry.key);
        let (least, last) = keys.fold((NEVER, 0), |(l, m), key| (key.min(l), key.max(m)));
        let count = (gathered.len() * 2 / 3).next_power_of_two();
        let bits = u64::BITS - (last - least).leading_zeros();
        let shift = bits.saturating_sub(count.ilog2());
        let bin = |entry: &Entry| ((last - entry.key) >> shift) as usize;
        bins.clear();
        bins.resize(count, 0);
        for entry in &*gathered {
            bins[bin(entry)] += 1;
        }
        let (mut next, mut most) = (0, 0);
        for bin in bins.iter_mut() {
            most = most.max(*bin);
            next += mem::replace(bin, next);
        }
        if most > CROWD {
            return false;
        }
        run.resize(gathered.len(), Entry { key: 0, slot: 0 });
        for entry in &*gathered {
            let next = &mut bins[bin(entry)];
            run[usize::from(*next)] = *entry;
            *next += 1;
        }
        true
    }

    /// Takes out the first entry, which is that of the slot.
    pub(super) fn remove_first(&mut self, slot: u32, slots: &mut Slots) {
        if self.run.last().is_some_and(|last| last.slot == slot) {
            self.remove_first_of_run();
        } else {
            self.heap.remove_root(slots);
        }
    }

    #[inline(always)]
    pub(super) fn remove_first_of_run(&mut self) {
        self.run.pop();
    }

    /// Takes out the entry of a slot, which then has none.
    pub(super) fn remove(&mut self, slot: u32, slots: &mut Slots) {
        let place = slots[slot].place;
        slots.set_nowhere(slot);
        if place != Place::RUN {
            self.heap.remove(place.index(), slots);
        }
    }

    /// Drops what was taken out before the first.
    fn trim(&mut self, slots: &Slots) {
        while self.run.last().is_some_and(|last| slots[last.slot].place != Place::RUN) {
            self.run.pop();
        }
    }

    /// The slots of entries in use, after a check of their order.
    #[cfg(test)]
    pub(super) fn check(&self, slots: &Slots) -> Vec<(Place, u32)> {
        let is_in = |entry: &Entry| slots[entry.slot].place == Place::RUN;
        assert!(self.run.len() <= FEW);
        let mut entries: Vec<_> = self.run.iter().copied().filter(is_in).collect();
        assert!(entries.is_sorted_by(|one, other| other.precedes(*one, slots)));
        entries.dedup_by_key(|entry| entry.slot);
        let run = entries.into_iter().map(|entry| (Place::RUN, entry));
        let all = run.chain(self.heap.check(slots));
        all.inspect(|(_, entry)| assert!(entry.key <= slots[entry.slot].deadline))
            .map(|(place, entry)| (place, entry.slot))
            .collect()
    }
}

/// Sorts entries that are almost where they belong, the first one last.
fn insertion_sort(entries: &mut [Entry], slots: &Slots) {
    let mut before = NEVER;
    for at in 0..entries.len() {
        let entry = entries[at];
        if entry.key < before {
            before = entry.key;
            continue;
        }
        let mut hole = at;
        while hole > 0 && entries[hole - 1].precedes(entry, slots) {
            entries[hole] = entries[hole - 1];
            hole -= 1;
        }
        entries[hole] = entry;
    }
}
