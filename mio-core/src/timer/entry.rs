//! What stands for a timer where the order is kept, and where that is.

use super::slots::Slots;

/// The deadline that never comes.
pub(super) const NEVER: u64 = u64::MAX;

/// What stands for a timer where the order is kept.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub(super) struct Entry {
    pub(super) key: u64,
    pub(super) slot: u32,
    /// Which one of the wheel it is in.
    pub(super) bucket: u32,
}

/// Where an entry is: an index, and two bits for what of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(u32);

impl Entry {
    /// Whether this entry may stand above the other: what breaks a tie is who was set first.
    #[inline]
    pub(super) fn precedes(self, other: Entry, slots: &Slots) -> bool {
        self.key < other.key
            || (self.key == other.key && slots.rank(self.slot) <= slots.rank(other.slot))
    }
}

impl Place {
    /// There is none.
    pub(super) const NOWHERE: Place = Place(Place::RUN | Place::FAR);

    const RUN: u32 = 1 << 30;
    const FAR: u32 = 1 << 31;

    #[inline]
    pub(super) fn heap(index: usize) -> Place {
        Place(index as u32)
    }

    #[inline]
    pub(super) fn run(index: usize) -> Place {
        Place(index as u32 | Place::RUN)
    }

    #[inline]
    pub(super) fn far(index: usize) -> Place {
        Place(index as u32 | Place::FAR)
    }

    /// In the run or in the heap.
    #[inline]
    pub(super) fn is_near(self) -> bool {
        self.0 & Place::FAR == 0
    }

    /// Of those near, in the run.
    #[inline]
    pub(super) fn is_run(self) -> bool {
        self.0 & Place::RUN != 0
    }

    #[inline]
    pub(super) fn index(self) -> usize {
        (self.0 & !(Place::FAR | Place::RUN)) as usize
    }
}
