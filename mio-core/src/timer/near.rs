//! Timers whose time has come, in order.
//!
//! They arrive from the [wheel](super::wheel) a small bucket at a time and are sorted at once into
//! a run, which costs far less than passing each through a heap. Those that come by themselves go
//! to the [heap](super::heap).

use super::{
    FEW,
    entry::{Entry, NO_SLOT, Place},
    heap::Heap,
};
use std::{cmp::Reverse, collections::TryReserveError};

#[derive(Debug)]
pub(super) struct Near {
    /// The first one last; it is never one that was taken out, others may be.
    run: Vec<Entry>,
    heap: Heap,
}

impl Near {
    /// Takes the memory for `capacity` entries and touches none of it.
    pub(super) fn with_capacity(capacity: usize) -> Result<Near, TryReserveError> {
        let mut run = Vec::new();
        run.try_reserve_exact(capacity.min(FEW))?;
        Ok(Near { run, heap: Heap::with_capacity(capacity)? })
    }

    #[inline]
    pub(super) fn first(&self, rank: impl Fn(u32) -> u64) -> Option<Entry> {
        let (run, heap) = (self.run.last().copied(), self.heap.root());
        match (run, heap) {
            (Some(one), Some(other)) if other.precedes(one, rank) => heap,
            (None, _) => heap,
            _ => run,
        }
    }

    #[inline]
    pub(super) fn key(&self, place: Place) -> u64 {
        if place.is_run() {
            self.run[place.index()].key
        } else {
            self.heap.entry(place.index()).key
        }
    }

    pub(super) fn insert(&mut self, entry: Entry, places: &mut [Place], rank: impl Fn(u32) -> u64) {
        self.heap.insert(entry, places, rank);
    }

    /// The run, to be filled while nothing is here, and then sorted.
    #[inline]
    pub(super) fn run(&mut self) -> &mut Vec<Entry> {
        &mut self.run
    }

    pub(super) fn sort(&mut self, places: &mut [Place], rank: impl Fn(u32) -> u64) {
        self.run.sort_unstable_by_key(|entry| Reverse(entry.key));
        for ties in self.run.chunk_by_mut(|one, other| one.key == other.key) {
            if ties.len() > 1 {
                ties.sort_unstable_by_key(|entry| Reverse(rank(entry.slot)));
            }
        }
        for (at, entry) in self.run.iter().enumerate() {
            places[entry.slot as usize] = Place::run(at);
        }
    }

    /// Takes out the entry at a place.
    #[inline]
    pub(super) fn remove(&mut self, place: Place, places: &mut [Place], rank: impl Fn(u32) -> u64) {
        if place.is_run() {
            self.run[place.index()].slot = NO_SLOT;
            while self.run.last().is_some_and(|last| last.slot == NO_SLOT) {
                self.run.pop();
            }
        } else {
            self.heap.remove(place.index(), places, rank);
        }
    }

    /// The entries in use, after a check of their order.
    #[cfg(test)]
    pub(super) fn check(&self, rank: impl Fn(u32) -> u64) -> Vec<(Place, Entry)> {
        assert!(self.run.len() <= FEW && self.run.last().is_none_or(|last| last.slot != NO_SLOT));
        let places = (0..).map(Place::run);
        let mut entries = Vec::from_iter(places.zip(self.run.iter().copied()));
        entries.retain(|(_, entry)| entry.slot != NO_SLOT);
        assert!(entries.is_sorted_by(|(_, one), (_, other)| other.precedes(*one, &rank)));
        entries.extend(self.heap.check(rank));
        entries
    }
}
