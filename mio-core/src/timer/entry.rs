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

/// An [`Entry`] in half the memory, as there are many of them at a time: by how much its key is after a base, as far as 32
/// bits tell, and its slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Brief(u64);

/// Where an entry is: in the heap or in the wheel, and at which index there; or where in the wheel it was, from
/// which it has since been taken into the run.
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

impl Brief {
    /// Later than every other.
    pub(super) const LAST: Brief = Brief(u64::MAX);

    /// After a base of zero.
    #[inline(always)]
    pub(super) fn new(key: u64, slot: u32) -> Brief {
        Brief(key << 32 | u64::from(slot))
    }

    /// What is after a base of zero, after another one: by at most `u32::MAX`.
    #[inline(always)]
    pub(super) fn since(self, base: u64) -> Brief {
        Brief(self.0.wrapping_sub(base << 32))
    }

    #[inline(always)]
    pub(super) fn after(self) -> u64 {
        self.0 >> 32
    }

    #[inline(always)]
    pub(super) fn slot(self) -> u32 {
        self.0 as u32
    }

    #[inline(always)]
    pub(super) fn entry(self, base: u64) -> Entry {
        Entry { key: base + self.after(), slot: self.slot() }
    }

    /// As [`Entry::precedes`], of two that have the same base.
    #[inline]
    pub(super) fn precedes(self, other: Brief, slots: &Slots) -> bool {
        self.entry(0).precedes(other.entry(0), slots)
    }
}

impl Place {
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

    #[inline]
    pub(super) fn is_heap(self) -> bool {
        self.0 & Place::FAR == 0
    }

    #[inline]
    pub(super) fn index(self) -> usize {
        (self.0 & !Place::FAR) as usize
    }
}
