//! What stands for a timer that is near, and where what stands for one is.

use super::slots::Slots;

/// The deadline that never comes.
pub(super) const NEVER: u64 = u64::MAX;

/// What stands for a timer where they are in order.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub(super) struct Entry {
    pub(super) key: u64,
    pub(super) slot: u32,
}

/// Where an entry is: in the heap or in the wheel, and at which index there; or somewhere in the run.
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
    pub(super) const RUN: Place = Place(Place::FAR - 1);
    /// There is none.
    pub(super) const NOWHERE: Place = Place(u32::MAX);

    const FAR: u32 = 1 << 31;

    #[inline]
    pub(super) fn heap(index: usize) -> Place {
        Place(index as u32)
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

    #[inline]
    pub(super) fn index(self) -> usize {
        (self.0 & !Place::FAR) as usize
    }
}
