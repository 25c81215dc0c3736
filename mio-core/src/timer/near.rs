//! Timers whose time has come, in order.
//!
//! Their entries arrive from the [wheel](super::wheel) a bucket at a time and are sorted at once into a run,
//! which costs far less than passing each through a heap: they are dealt to some more bins than they
//! are, by the upper bits of their keys, so that one or none is in most and little is left to
//! put in order. Those that come by themselves go to the [heap](super::heap).
//!
//! Nobody looks at the slots meanwhile, all over the memory as they are. Which timer an entry of the run
//! stands for, if for any, is found out when it is the first; its slot is asked for some time before.

#[cfg(test)]
use super::entry::Place;
use super::{
    FEW,
    entry::{Brief, Entry},
    heap::Heap,
    slots::Slots,
    wheel::{Span, entries_max},
};
use std::{collections::TryReserveError, mem, num::NonZeroU64};

#[derive(Debug)]
pub(super) struct Near {
    /// In order, whoever they stand for by now.
    run: Vec<Brief>,
    /// The sequence of the first timer that was set after that.
    sorted: NonZeroU64,
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

/// The first of those near.
#[derive(Clone, Copy, Debug)]
pub(super) struct First {
    pub(super) key: u64,
    pub(super) slot: u32,
    /// In the run; otherwise in the heap.
    pub(super) is_of_run: bool,
}

impl First {
    #[inline(always)]
    fn of_run(Entry { key, slot }: Entry) -> First {
        First { key, slot, is_of_run: true }
    }

    fn of_heap(Entry { key, slot }: Entry) -> First {
        First { key, slot, is_of_run: false }
    }
}

/// If more than so many fall into one bin, bins are of no use.
const CROWD: u16 = if cfg!(test) { 3 } else { 16 };

/// So many entries of the run are between the slot that is looked at and the one that is asked for.
const AHEAD: usize = 48;

const _: () = assert!(FEW <= u16::MAX as usize);

impl Near {
    /// Takes the memory for `capacity` entries and touches none of it.
    pub(super) fn with_capacity(capacity: usize) -> Result<Near, TryReserveError> {
        let few = entries_max(capacity).min(FEW);
        let (mut run, mut gathered, mut bins) = (Vec::new(), Vec::new(), Vec::new());
        run.try_reserve_exact(few)?;
        gathered.try_reserve_exact(few)?;
        bins.try_reserve_exact((few * 4 / 3).next_power_of_two())?;
        let heap = Heap::with_capacity(capacity)?;
        let sorted = NonZeroU64::MIN;
        Ok(Near { run, sorted, done: 0, due: 0, gathered, base: 0, bins, shift: 0, heap })
    }

    pub(super) fn first(&self, slots: &Slots) -> Option<First> {
        let (run, heap) = (self.next_of_run(), self.heap.root());
        let (Some(one), Some(other)) = (run, heap) else {
            return run.map(First::of_run).or(heap.map(First::of_heap));
        };
        let first = First::of_run(one);
        // Ranks tell nothing of an entry that stands for another timer than when it was sorted.
        let is_tie = other.key == one.key && self.stands_for(first, slots);
        let heap_precedes = other.key < one.key || is_tie && other.precedes(one, slots);
        Some(if heap_precedes { First::of_heap(other) } else { first })
    }

    /// Whether the first may fire the timer in its slot, if that is due at its key: one in the run not if the timer was set
    /// after it was sorted. If another entry, of the heap, stands for the same deadline, then that was first.
    #[inline(always)]
    pub(super) fn stands_for(&self, First { key, slot, is_of_run }: First, slots: &Slots) -> bool {
        !is_of_run || slots.is_due_before(slot, key, self.sorted)
    }

    fn next_of_run(&self) -> Option<Entry> {
        self.run.get(self.done).map(|brief| brief.entry(self.base))
    }

    /// The first, if it is in the run and was seen to be due.
    #[inline(always)]
    pub(super) fn first_due(&self) -> Option<First> {
        if self.done < self.due { self.next_of_run().map(First::of_run) } else { None }
    }

    /// Looks how many are due.
    pub(super) fn find_due(&mut self, now: u64) {
        if self.done >= self.due {
            let heap = self.heap.least();
            let is_due = |key: u64| key <= now && key < heap;
            self.due = self.run.partition_point(|brief| is_due(brief.entry(self.base).key));
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        !self.has_run() && self.heap.is_empty()
    }

    #[inline]
    pub(super) fn has_run(&self) -> bool {
        self.done < self.run.len()
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
    pub(super) fn gather(&mut self, entries: &[Brief]) {
        let Near { gathered, bins, base, shift, .. } = self;
        gathered.extend(entries.iter().map(|entry| {
            let brief = entry.since(*base);
            bins[(brief.after() >> *shift) as usize] += 1;
            brief
        }));
    }

    /// Sorts what was gathered.
    pub(super) fn sort(&mut self, slots: &Slots) {
        self.sorted = slots.next_sequence();
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
        self.run.iter().take(AHEAD).for_each(|soon| slots.prefetch(soon.slot()));
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

    /// Takes out the first entry.
    #[inline(always)]
    pub(super) fn remove_first(&mut self, First { is_of_run, .. }: First, slots: &mut Slots) {
        if !is_of_run {
            return self.heap.remove_root(slots);
        }
        if let Some(ahead) = self.run.get(self.done + AHEAD) {
            slots.prefetch(ahead.slot());
        }
        self.done += 1;
    }

    /// Takes out the entry at a place in the heap.
    pub(super) fn remove(&mut self, at: usize, slots: &mut Slots) {
        self.heap.remove(at, slots);
    }

    /// What memory there is.
    #[cfg(test)]
    pub(super) fn room(&self) -> [usize; 3] {
        [self.run.capacity(), self.gathered.capacity(), self.bins.capacity()]
    }

    /// The entries of the run and those of the heap, after a check of their order.
    #[cfg(test)]
    pub(super) fn check(&self, slots: &Slots) -> (Vec<Entry>, Vec<(Place, u32)>) {
        assert!(self.run.len() <= FEW);
        let run: Vec<_> =
            self.run[self.done..].iter().map(|brief| brief.entry(self.base)).collect();
        assert!(run.is_sorted_by_key(|entry| entry.key));
        let heap = self.heap.check(slots);
        let heap = heap.inspect(|(_, entry)| assert!(entry.key <= slots[entry.slot].deadline));
        (run, heap.map(|(place, entry)| (place, entry.slot)).collect())
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
