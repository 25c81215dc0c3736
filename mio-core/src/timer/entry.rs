//! What stands for a timer where the order is kept, and where that is.

/// Not the number of a slot.
pub(super) const NO_SLOT: u32 = u32::MAX;

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
    /// Whether this entry may stand above the other.
    #[inline]
    pub(super) fn precedes(self, other: Entry, rank: impl Fn(u32) -> u64) -> bool {
        self.key < other.key || (self.key == other.key && rank(self.slot) <= rank(other.slot))
    }
}

impl Place {
    const FAR: u32 = 1 << 31;
    const RUN: u32 = 1 << 30;

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

    #[inline]
    pub(super) fn is_run(self) -> bool {
        self.0 & Place::RUN != 0
    }

    #[inline]
    pub(super) fn is_far(self) -> bool {
        self.0 & Place::FAR != 0
    }

    #[inline]
    pub(super) fn index(self) -> usize {
        (self.0 & !(Place::FAR | Place::RUN)) as usize
    }
}
