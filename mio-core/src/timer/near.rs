//! Timers whose time has come, in order.
//!
//! They arrive from the [wheel](super::wheel) a bucket at a time and are sorted at once into a run,
//! which costs far less than passing each through a heap: they are dealt to some more bins than they
//! are, by the upper bits of their keys, so that one or none is in most and little is left to
//! put in order. Those that come by themselves go to the [heap](super::heap).

use super::{
    FEW,
    entry::{Brief, Entry, Place},
    heap::Heap,
    slots::{Slot, Slots},
    wheel::Span,
};
use std::{collections::TryReserveError, mem};

#[derive(Debug)]
pub(super) struct Near {
    /// In order. Some may have been taken out, which their slots' places tell.
    run: Vec<Brief>,
    /// How many of the run are done with.
    done: usize,
    /// How many of the run are due and before the heap, as far as was looked.
    due: usize,
    /// What is to be sorted, and after that of no meaning.
    gathered: Vec<Brief>,
    /// What keys in these two are after.
    base: u64,
    /// How many of those gathered are in each bin; then where in the run the next of them goes.
    bins: Vec<u16>,
    /// The bin of a key, as a shift.
    shift: u32,
    heap: Heap,
}

/// If more than so many fall into one bin, bins are of no use.
const CROWD: u16 = if cfg!(test) { 3 } else { 16 };

/// So many entries of the run are between the slot that is looked at and the one that is asked for.
const AHEAD: usize = 8;

const _: () = assert!(FEW <= u16::MAX as usize);

impl Near {
    /// Takes the memory for `capacity` entries and touches none of it.
    pub(super) fn with_capacity(capacity: usize) -> Result<Near, TryReserveError> {
        let few = capacity.min(FEW);
        let (mut run, mut gathered, mut bins) = (Vec::new(), Vec::new(), Vec::new());
        run.try_reserve_exact(few)?;
        gathered.try_reserve_exact(few)?;
        bins.try_reserve_exact((few * 4 / 3).next_power_of_two())?;
        let heap = Heap::with_capacity(capacity)?;
        Ok(Near { run, done: 0, due: 0, gathered, base: 0, bins, shift: 0, heap })
    }

    pub(super) fn first(&mut self, slots: &Slots) -> Option<Entry> {
        self.trim(slots);
        match (self.next_of_run(), self.heap.root()) {
            (Some(one), Some(other)) if other.precedes(one, slots) => Some(other),
            (None, heap) => heap,
            (run, _) => run,
        }
    }

    fn next_of_run(&self) -> Option<Entry> {
        self.run.get(self.done).map(|brief| brief.entry(self.base))
    }

    /// The first, if it is in the run and was seen to be due; it may have been taken out.
    #[inline(always)]
    pub(super) fn first_due(&self) -> Option<Entry> {
        if self.done < self.due { self.next_of_run() } else { None }
    }

    /// Says that the slot of an entry that is not far after the first will be looked at soon.
    #[inline(always)]
    pub(super) fn prefetch(&self, slots: &Slots) {
        if let Some(ahead) = self.run.get(self.done + AHEAD) {
            slots.prefetch(ahead.slot());
        }
    }

    /// Looks how many are due.
    pub(super) fn find_due(&mut self, now: u64) {
        if self.done >= self.due {
            let heap = self.heap.least();
            let is_due = |key: u64| key <= now && key < heap;
            self.due = self.run.partition_point(|brief| is_due(brief.entry(self.base).key));
        }
    }

    /// Not if there is only what was taken out, until somebody asked for the first.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.done == self.run.len() && self.heap.is_empty()
    }

    pub(super) fn insert(&mut self, key: u64, slot: u32, slots: &mut Slots) {
        if self.run[..self.due].last().is_some_and(|last| key <= last.entry(self.base).key) {
            self.due = 0;
        }
        self.heap.insert(Entry { key, slot }, slots);
    }

    /// What will be gathered next is in this span, which is brief. The run is empty.
    pub(super) fn start(&mut self, span: Span) {
        let count = (span.len * 4 / 3).next_power_of_two();
        let bits = u64::BITS - (span.last - span.first).leading_zeros();
        (self.base, self.shift) = (span.first, bits.saturating_sub(count.ilog2()));
        (self.done, self.due) = (0, 0);
        self.run.clear();
        self.bins.clear();
        self.bins.resize(count, 0);
    }

    /// Adds to what will be sorted into the run.
    #[inline(always)]
    pub(super) fn gather(&mut self, index: u32, slot: &mut Slot) {
        slot.place = Place::RUN;
        let brief = Brief::new(Entry { key: slot.deadline, slot: index }, self.base);
        self.bins[(brief.after() >> self.shift) as usize] += 1;
        self.gathered.push(brief);
    }

    /// Sorts what was gathered.
    pub(super) fn sort(&mut self, slots: &Slots) {
        if self.bins.iter().fold(0, |most, &count| count.max(most)) <= CROWD {
            self.distribute();
            insertion_sort(&mut self.run, slots);
        } else {
            mem::swap(&mut self.run, &mut self.gathered);
            self.run.sort_unstable_by_key(|brief| brief.after());
            for ties in self.run.chunk_by_mut(|one, other| one.after() == other.after()) {
                if ties.len() > 1 {
                    ties.sort_unstable_by_key(|brief| slots.rank(brief.slot()));
                }
            }
        }
        self.gathered.clear();
    }

    /// Deals what was gathered to the bins, one after the other in the run.
    fn distribute(&mut self) {
        let Near { run, gathered, bins, shift, .. } = self;
        let mut next = 0;
        for bin in bins.iter_mut() {
            next += mem::replace(bin, next);
        }
        run.resize(gathered.len(), Brief::LAST);
        for brief in &*gathered {
            let next = &mut bins[(brief.after() >> *shift) as usize];
            run[usize::from(*next)] = *brief;
            *next += 1;
        }
    }

    /// Takes out the first entry, which is that of the slot.
    pub(super) fn remove_first(&mut self, slot: u32, slots: &mut Slots) {
        if self.run.get(self.done).is_some_and(|first| first.slot() == slot) {
            self.remove_first_of_run();
        } else {
            self.heap.remove_root(slots);
        }
    }

    #[inline(always)]
    pub(super) fn remove_first_of_run(&mut self) {
        self.done += 1;
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
        let out = |first: &Brief| slots[first.slot()].place != Place::RUN;
        while self.run.get(self.done).is_some_and(out) {
            self.done += 1;
        }
    }

    /// The slots of entries in use, after a check of their order.
    #[cfg(test)]
    pub(super) fn check(&self, slots: &Slots) -> Vec<(Place, u32)> {
        let is_in = |entry: &Entry| slots[entry.slot].place == Place::RUN;
        assert!(self.run.len() <= FEW);
        let run = self.run[self.done..].iter().map(|brief| brief.entry(self.base));
        let mut entries: Vec<_> = run.filter(is_in).collect();
        assert!(entries.is_sorted_by(|one, other| one.precedes(*other, slots)));
        entries.dedup_by_key(|entry| entry.slot);
        let run = entries.into_iter().map(|entry| (Place::RUN, entry));
        let all = run.chain(self.heap.check(slots));
        all.inspect(|(_, entry)| assert!(entry.key <= slots[entry.slot].deadline))
            .map(|(place, entry)| (place, entry.slot))
            .collect()
    }
}

/// Sorts what is almost where it belongs.
fn insertion_sort(run: &mut [Brief], slots: &Slots) {
    let mut after_all = 0;
    for at in 0..run.len() {
        let brief = run[at];
        if brief.after() >= after_all {
            after_all = brief.after() + 1;
            continue;
        }
        let mut hole = at;
        while hole > 0 && brief.precedes(run[hole - 1], slots) {
            run[hole] = run[hole - 1];
            hole -= 1;
        }
        run[hole] = brief;
    }
}
