//! Who the timers are: a table of fixed capacity, by the index in a [`Timeout`].
//!
//! All that setting, pushing back, cancelling and firing look at besides the order is in one slot, two of which
//! are a cache line. Vacant slots are a list, the latest first.

use super::{
    Timeout,
    entry::{NEVER, Place},
    prefetch::prefetch,
};
use crate::Full;
use std::{
    collections::TryReserveError,
    num::NonZeroU64,
    ops::{Index, IndexMut},
};

#[derive(Debug)]
pub(super) struct Slots {
    slots: Vec<Slot>,
    /// The first vacant one.
    vacant: u32,
    len: usize,
    capacity: usize,
    /// Of the next timer. A loop that sets a thousand million a second would run for 584 years.
    sequence: NonZeroU64,
    /// Of the intervals; in a spare place, the number of the next one.
    periods: Vec<u64>,
    /// The first spare one.
    spare: u32,
}

#[derive(Clone, Copy, Debug)]
#[repr(C, align(32))]
pub(super) struct Slot {
    /// Which timer it is, in the order in which they were set. `None`: vacant.
    pub(super) sequence: Option<NonZeroU64>,
    /// When it is due; never before the key of its entry. Kept when the slot becomes vacant and
    /// still has an entry; [`NEVER`] whenever it has none.
    pub(super) deadline: u64,
    /// In a vacant slot, the index of the next one.
    token: u64,
    /// Where its entry is. It has none if the deadline is [`NEVER`].
    pub(super) place: Place,
    /// Where its period is; [`NONE`]: it fires once.
    interval: u32,
}

/// Not an index.
pub(super) const NONE: u32 = u32::MAX;

impl Slots {
    /// Takes the memory for `capacity` timers and touches none of it.
    pub(super) fn with_capacity(capacity: usize) -> Result<Slots, TryReserveError> {
        let (mut slots, mut periods) = (Vec::new(), Vec::new());
        slots.try_reserve_exact(capacity)?;
        periods.try_reserve_exact(capacity)?;
        let sequence = NonZeroU64::MIN;
        Ok(Slots { slots, vacant: NONE, len: 0, capacity, sequence, periods, spare: NONE })
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Takes a slot. Its entry and its deadline are what they were, if it is not new.
    #[inline]
    pub(super) fn claim(&mut self, period: u64, token: u64) -> Result<Timeout, Full> {
        let (index, sequence) = (self.vacant, self.sequence);
        let index = if let Some(slot) = self.slots.get_mut(index as usize) {
            self.vacant = slot.token as u32;
            (slot.sequence, slot.token) = (Some(sequence), token);
            index
        } else {
            self.extend(token)?
        };
        if period != 0 {
            self.slots[index as usize].interval = self.add_period(period);
        }
        self.len += 1;
        self.sequence = sequence.saturating_add(1);
        Ok(Timeout { index, sequence })
    }

    fn extend(&mut self, token: u64) -> Result<u32, Full> {
        if self.slots.len() == self.capacity {
            return Err(Full);
        }
        self.slots.push(Slot { sequence: Some(self.sequence), token, ..Slot::VACANT });
        Ok(self.slots.len() as u32 - 1)
    }

    /// Gives a slot back; its entry and its deadline stay.
    #[inline]
    pub(super) fn release(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        (slot.sequence, slot.token) = (None, u64::from(self.vacant));
        self.vacant = index;
        self.len -= 1;
        if slot.interval != NONE {
            let interval = std::mem::replace(&mut slot.interval, NONE);
            self.remove_period(interval);
        }
    }

    /// A timer; `None` if there is no such timer any more.
    #[inline]
    pub(super) fn get(&self, timeout: Timeout) -> Option<&Slot> {
        let slot = self.slots.get(timeout.index as usize);
        slot.filter(|slot| slot.rank() == timeout.sequence.get())
    }

    #[inline]
    pub(super) fn get_mut(&mut self, timeout: Timeout) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(timeout.index as usize);
        slot.filter(|slot| slot.rank() == timeout.sequence.get())
    }

    /// A slot, vacant or not; `None` if there is none of that index.
    #[inline]
    pub(super) fn at(&self, index: u32) -> Option<&Slot> {
        self.slots.get(index as usize)
    }

    /// Says that a slot will be looked at soon.
    #[inline(always)]
    pub(super) fn prefetch(&self, index: u32) {
        prefetch(self.slots.as_ptr().wrapping_add(index as usize));
    }

    /// Says that a slot has no entry.
    #[inline]
    pub(super) fn set_nowhere(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        (slot.deadline, slot.place) = (NEVER, Place::NOWHERE);
    }

    /// The sequence of the timer that is set next.
    pub(super) fn next_sequence(&self) -> NonZeroU64 {
        self.sequence
    }

    /// Whether a slot has a timer that is due at its `deadline` and was set before that of the sequence `end`.
    #[inline(always)]
    pub(super) fn is_due_before(&self, index: u32, deadline: u64, end: NonZeroU64) -> bool {
        self.at(index).is_some_and(|slot| {
            let is_old = slot.sequence.is_some_and(|sequence| sequence < end);
            is_old && slot.deadline == deadline
        })
    }

    /// A timer that is no interval fires, if it is due at its `deadline`: which one it is, and its token. Its slot becomes
    /// vacant, and its entry is to be taken out.
    #[inline(always)]
    pub(super) fn fire_once(&mut self, index: u32, deadline: u64) -> Option<(Timeout, u64)> {
        let slot = self.slots.get_mut(index as usize)?;
        let (sequence, token) = (slot.sequence?, slot.token);
        if slot.deadline != deadline || slot.interval != NONE {
            return None;
        }
        *slot = Slot { token: u64::from(self.vacant), ..Slot::VACANT };
        self.vacant = index;
        self.len -= 1;
        Some((Timeout { index, sequence }, token))
    }

    /// An interval, if it is due at its `deadline`: which one it is, its token and its period. Its entry is to be moved.
    pub(super) fn fire_again(&self, index: u32, deadline: u64) -> Option<(Timeout, u64, u64)> {
        let slot = self.at(index).filter(|slot| slot.deadline == deadline)?;
        let timeout = Timeout { index, sequence: slot.sequence? };
        let period = self.periods.get(slot.interval as usize)?;
        Some((timeout, slot.token, *period))
    }

    /// Which timer it is, in the order in which they were set.
    #[inline]
    pub(super) fn rank(&self, index: u32) -> u64 {
        self.slots[index as usize].rank()
    }

    fn add_period(&mut self, period: u64) -> u32 {
        let interval = self.spare;
        if let Some(place) = self.periods.get_mut(interval as usize) {
            self.spare = std::mem::replace(place, period) as u32;
            interval
        } else {
            self.periods.push(period);
            self.periods.len() as u32 - 1
        }
    }

    fn remove_period(&mut self, interval: u32) {
        self.periods[interval as usize] = u64::from(self.spare);
        self.spare = interval;
    }
}

impl Slot {
    const VACANT: Slot =
        Slot { sequence: None, deadline: NEVER, token: 0, place: Place::NOWHERE, interval: NONE };

    /// Its sequence; 0 if it is vacant.
    #[inline]
    fn rank(&self) -> u64 {
        self.sequence.map_or(0, NonZeroU64::get)
    }

    #[inline]
    pub(super) fn is_due_at(&self, deadline: u64) -> bool {
        self.deadline == deadline && self.sequence.is_some()
    }
}

impl Index<u32> for Slots {
    type Output = Slot;

    #[inline]
    fn index(&self, index: u32) -> &Slot {
        &self.slots[index as usize]
    }
}

impl IndexMut<u32> for Slots {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut Slot {
        &mut self.slots[index as usize]
    }
}

#[cfg(test)]
impl Slots {
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Slot)> {
        (0..).zip(&self.slots)
    }

    /// Makes timers that fire once of all intervals.
    pub(super) fn forget_periods(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.interval = NONE);
    }
}
