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
    slots::Slots,
};
use std::{cmp::Reverse, collections::TryReserveError};

#[derive(Debug)]
pub(super) struct Near {
    /// The first one last. Some may have been taken out, which their slots' places tell, but not that one.
    run: Vec<Entry>,
    /// What is to be sorted.
    gathered: Vec<Entry>,
    /// Where in the run the next entry of each bin goes.
    bins: Vec<u32>,
    heap: Heap,
}

/// So many are sorted by comparing alone.
const ALMOST_NONE: usize = if cfg!(test) { 2 } else { 32 };

/// If more than so many fall into one bin, bins are of no use.
const CROWD: u32 = 16;

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

    #[inline]
    pub(super) fn first(&self, slots: &Slots) -> Option<Entry> {
        let (run, heap) = (self.run.last().copied(), self.heap.root());
        match (run, heap) {
            (Some(one), Some(other)) if other.precedes(one, slots) => heap,
            (None, _) => heap,
            _ => run,
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.run.is_empty() && self.heap.is_empty()
    }

    pub(super) fn insert(&mut self, key: u64, slot: u32, slots: &mut Slots) {
        self.heap.insert(Entry { key, slot, bucket: 0 }, slots);
    }

    /// Adds to what will be sorted into the run, which is empty.
    #[inline]
    pub(super) fn gather(&mut self, key: u64, slot: u32, slots: &mut Slots) {
        slots[slot].place = Place::RUN;
        self.gathered.push(Entry { key, slot, bucket: 0 });
    }

    /// Sorts what was gathered.
    pub(super) fn sort(&mut self, slots: &Slots) {
        self.run.extend_from_slice(&self.gathered);
        if self.run.len() > ALMOST_NONE && self.distribute() {
            insertion_sort(&mut self.run, slots);
        } else {
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
        let keys = self.gathered.iter().map(|entry| entry.key);
        let (least, last) = keys.fold((NEVER, 0), |(l, m), key| (key.min(l), key.max(m)));
        let bins = (self.gathered.len() * 2 / 3).next_power_of_two();
        let bits = u64::BITS - (last - least).leading_zeros();
        let shift = bits.saturating_sub(bins.ilog2());
        let bin = |entry: &Entry| ((last - entry.key) >> shift) as usize;
        self.bins.clear();
        self.bins.resize(bins, 0);
        for entry in &self.gathered {
            self.bins[bin(entry)] += 1;
        }
        let mut next = 0;
        for bin in &mut self.bins {
            if *bin > CROWD {
                return false;
            }
            next += std::mem::replace(bin, next);
        }
        for entry in &self.gathered {
            let next = &mut self.bins[bin(entry)];
            self.run[*next as usize] = *entry;
            *next += 1;
        }
        true
    }

    /// Takes out the first entry, which is that of the slot.
    #[inline]
    pub(super) fn remove_first(&mut self, slot: u32, slots: &mut Slots) {
        if self.run.last().is_some_and(|last| last.slot == slot) {
            self.run.pop();
            self.trim(slots);
        } else {
            self.heap.remove_root(slots);
        }
    }

    /// Takes out the entry of a slot, which then has none.
    pub(super) fn remove(&mut self, slot: u32, slots: &mut Slots) {
        let place = slots[slot].place;
        slots.set_nowhere(slot);
        if place == Place::RUN {
            self.trim(slots);
        } else {
            self.heap.remove(place.index(), slots);
        }
    }

    #[inline]
    fn trim(&mut self, slots: &Slots) {
        while self.run.last().is_some_and(|last| slots[last.slot].place != Place::RUN) {
            self.run.pop();
        }
    }

    /// The entries in use, after a check of their order.
    #[cfg(test)]
    pub(super) fn check(&self, slots: &Slots) -> Vec<(Place, Entry)> {
        let is_in = |entry: &Entry| slots[entry.slot].place == Place::RUN;
        assert!(self.run.len() <= FEW && self.run.last().is_none_or(is_in));
        let mut entries: Vec<_> = self.run.iter().copied().filter(is_in).collect();
        assert!(entries.is_sorted_by(|one, other| other.precedes(*one, slots)));
        entries.dedup_by_key(|entry| entry.slot);
        let run = entries.into_iter().map(|entry| (Place::RUN, entry));
        run.chain(self.heap.check(slots)).collect()
    }
}

/// Sorts entries that are almost where they belong, the first one last.
fn insertion_sort(entries: &mut [Entry], slots: &Slots) {
    for at in 1..entries.len() {
        let entry = entries[at];
        let mut hole = at;
        while hole > 0 && entries[hole - 1].precedes(entry, slots) {
            entries[hole] = entries[hole - 1];
            hole -= 1;
        }
        entries[hole] = entry;
    }
}
