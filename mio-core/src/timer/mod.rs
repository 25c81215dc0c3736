//! The timers of a loop: set, push back, cancel, fire in order.
//!
//! Time is nanoseconds since an epoch that the caller keeps; nothing here reads a clock.
//!
//! A timer lives in a slot. An entry stands for it where the order is kept, under a key: its
//! deadline, or an earlier one. Pushing a timer back, which servers do on every read, is thus one
//! store to its slot; the entry is repaired when its key comes first, at most once for every time
//! that was waited for. Firing compares the key with the deadline, so nothing fires early, and
//! since no key is later than its deadline, nothing fires out of order.
//!
//! Entries wait in the [wheel], unsorted, until their time has come; then they are put in order,
//! those that are [near]. Most timers are cancelled or pushed back before that, so the price of
//! sorting is paid only for those that fire, and for few enough to be in the nearest cache.

mod entry;
mod heap;
mod near;
mod wheel;

use crate::Full;
use entry::{Entry, Place};
use near::Near;
use std::{io, num::NonZeroU64, time::Instant};
use wheel::{CHUNK, Span, Wheel};

/// Names one timer of one loop, to cancel or reschedule it.
///
/// It never names a later timer: once the timer has fired or is cancelled, its `Timeout` finds
/// nothing, however often its place has been used again. That of an interval stays valid until
/// the interval is cancelled. Another loop does not know whose it is: there it may find a timer of
/// that loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timeout {
    index: u32,
    sequence: NonZeroU64,
}

/// What a handler is told of a timer that fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expiry {
    /// The timer. An interval is already set again, so it may be cancelled or rescheduled.
    pub timeout: Timeout,
    /// When it was due, which is never after the loop's `now()`. Of an interval that is overdue by
    /// several periods, the earliest.
    pub deadline: Instant,
    /// How many further times an interval was due by now. It fires once for all of them, and the
    /// next one keeps the phase. Zero for a timer that fires once.
    pub missed: u64,
}

/// A timer that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) timeout: Timeout,
    pub(crate) token: u64,
    pub(crate) deadline: u64,
    pub(crate) missed: u64,
}

/// Until when nothing will be due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// No timer will ever be due.
    Never,
    /// The least deadline.
    At(u64),
    /// Not known within the moves allowed: look again before sleeping.
    Unsettled,
}

/// An ordered store of timers of fixed capacity.
///
/// A deadline of `u64::MAX` ([`NEVER`](entry::NEVER)), where sums saturate, never comes.
///
/// What must not take long at once is counted in moves, of one entry each. An entry is moved one to
/// four times before its timer fires, and once more each time it comes first and was pushed back.
/// The last step may be of more moves than were left: up to a whole bucket of [`FEW`].
#[derive(Debug)]
pub(crate) struct Timers {
    /// Keys up to the base of the wheel.
    near: Near,
    /// Keys after it.
    far: Wheel,
    /// The bucket of the wheel that is being emptied.
    dealing: Option<u16>,
    slots: Vec<Slot>,
    /// By slot: where its entry is. Apart from the slots, so that moving entries touches little.
    places: Vec<Place>,
    vacant: Vec<u32>,
    capacity: usize,
    /// Of the next timer. A loop that sets a thousand million a second would run for 584 years.
    sequence: NonZeroU64,
}

/// A timer; two to a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(32))]
struct Slot {
    /// Which timer it is, in the order in which they were set. `None`: vacant.
    sequence: Option<NonZeroU64>,
    /// When it is due; never before the key of its entry.
    deadline: u64,
    /// Zero: it fires once.
    period: u64,
    token: u64,
}

/// No more moves are allowed for now.
struct Spent;

/// A bucket whose time has come is sorted at once if there are at most so many entries in it.
const FEW: usize = if cfg!(test) { 6 } else { 512 };

/// The least of at most so many entries is looked for one by one.
const VERY_FEW: usize = if cfg!(test) { 3 } else { 32 };

/// An index into the wheel, which keeps a little more than the capacity, fits into 30 bits.
const CAPACITY_MAX: usize = (1 << 30) - (1 << 16);

impl Timers {
    /// Takes the memory for `capacity` timers and touches next to none of it.
    ///
    /// # Errors
    ///
    /// `OutOfMemory`, also for a capacity beyond about 2³⁰.
    pub(crate) fn with_capacity(capacity: usize) -> io::Result<Timers> {
        if capacity > CAPACITY_MAX {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let mut timers = Timers {
            near: Near::with_capacity(capacity)?,
            far: Wheel::with_capacity(capacity)?,
            dealing: None,
            slots: Vec::new(),
            places: Vec::new(),
            vacant: Vec::new(),
            capacity,
            sequence: NonZeroU64::MIN,
        };
        timers.slots.try_reserve_exact(capacity)?;
        timers.places.try_reserve_exact(capacity)?;
        timers.vacant.try_reserve_exact(capacity)?;
        Ok(timers)
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.vacant.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Sets a timer; with a period other than 0 it is an interval.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        deadline: u64,
        period: u64,
        token: u64,
    ) -> Result<Timeout, Full> {
        let sequence = self.sequence;
        let slot = Slot { sequence: Some(sequence), deadline, period, token };
        let index = if let Some(index) = self.vacant.pop() {
            self.slots[index as usize] = slot;
            index
        } else if self.slots.len() < self.capacity {
            self.slots.push(slot);
            self.places.push(Place::heap(0));
            self.slots.len() as u32 - 1
        } else {
            return Err(Full);
        };
        self.sequence = sequence.saturating_add(1);
        self.put(index, deadline);
        Ok(Timeout { index, sequence })
    }

    /// Takes a timer out; `false` if there is no such timer any more.
    #[inline]
    pub(crate) fn cancel(&mut self, timeout: Timeout) -> bool {
        let found = self.deadline(timeout).is_some();
        if found {
            self.remove(timeout.index);
        }
        found
    }

    /// Gives a timer another deadline; `false` if there is no such timer any more.
    ///
    /// It keeps its turn among those of the same deadline: that of when it was set.
    #[inline]
    pub(crate) fn reschedule(&mut self, timeout: Timeout, deadline: u64) -> bool {
        let Some(before) = self.deadline(timeout) else {
            return false;
        };
        self.slots[timeout.index as usize].deadline = deadline;
        if deadline < before {
            self.bring_forward(timeout.index, deadline);
        }
        true
    }

    #[inline(never)]
    fn bring_forward(&mut self, index: u32, deadline: u64) {
        if deadline < self.key(index) {
            self.take(index);
            self.put(index, deadline);
        }
    }

    /// When a timer is due next; `None` if there is no such timer any more.
    #[inline]
    pub(crate) fn deadline(&self, timeout: Timeout) -> Option<u64> {
        let slot = self.slots.get(timeout.index as usize)?;
        (slot.sequence == Some(timeout.sequence)).then_some(slot.deadline)
    }

    /// The least deadline, found with at most so many moves.
    #[inline]
    pub(crate) fn next(&mut self, mut moves: usize) -> Next {
        match self.least(&mut moves) {
            Ok(Some(deadline)) => Next::At(deadline),
            Ok(None) => Next::Never,
            Err(Spent) => Next::Unsettled,
        }
    }

    fn least(&mut self, moves: &mut usize) -> Result<Option<u64>, Spent> {
        loop {
            if let Some(root) = self.settle(moves)? {
                return Ok(Some(root.key));
            }
            let Some(span) = self.far.first() else {
                return Ok(None);
            };
            if self.is_due_at(span.least, span.least_slot) {
                return Ok(Some(span.least));
            }
            if span.len <= VERY_FEW && span.is_narrow() {
                spend(moves, span.len)?;
                self.sort(span);
            } else if span.len > VERY_FEW && span.is_divisible() {
                self.empty(span, span.least);
            } else {
                let least = self.far.find_least(span);
                if !self.is_due_at(least.key, least.slot) {
                    self.repair(least, moves)?;
                }
            }
        }
    }

    /// Takes out the timer that is due first; an interval stays in, with its next deadline.
    ///
    /// `None` if none is due by `now`, or if the moves, which this counts down, were too few to tell.
    #[inline]
    pub(crate) fn pop_due(&mut self, now: u64, moves: &mut usize) -> Option<Due> {
        let root = loop {
            match self.settle(moves).ok()? {
                Some(root) => break root,
                None => self.approach(now, moves)?,
            }
        };
        if root.key <= now { self.fire(root.slot, now) } else { None }
    }

    /// Takes up the first bucket of the wheel, if something there may be due.
    fn approach(&mut self, now: u64, moves: &mut usize) -> Option<()> {
        let span = self.far.first().filter(|span| span.least <= now)?;
        let few = if span.last <= now { FEW } else { VERY_FEW };
        if span.len <= few && (span.last <= now || span.is_narrow()) {
            spend(moves, span.len).ok()?;
            self.sort(span);
        } else if span.len > FEW && span.is_divisible() {
            self.empty(span, span.least);
        } else {
            self.empty(span, span.last.min(now));
        }
        Some(())
    }

    /// Sorts a small bucket of the wheel.
    fn sort(&mut self, span: Span) {
        self.far.advance(span.last);
        while let Some((entries, len)) = self.far.take_chunk(span.bucket) {
            self.near.run().extend_from_slice(&entries[..len]);
        }
        let slots = &self.slots;
        // A loop that does nothing else, so that the processor has many misses under way.
        let stale = |entry: &Entry| slots[entry.slot as usize].deadline != entry.key;
        if self.near.run().iter().map(stale).fold(false, |any, stale| any | stale) {
            self.put_back_stale();
        }
        self.near.sort(&mut self.places, rank(&self.slots));
    }

    /// Puts entries of the run whose timers were pushed back where they belong.
    fn put_back_stale(&mut self) {
        for at in (0..self.near.run().len()).rev() {
            let Entry { key, slot, .. } = self.near.run()[at];
            let deadline = self.slots[slot as usize].deadline;
            if deadline != key {
                self.near.run().swap_remove(at);
                self.put(slot, deadline);
            }
        }
    }

    #[inline]
    fn fire(&mut self, index: u32, now: u64) -> Option<Due> {
        let Slot { sequence, deadline, period, token } = self.slots[index as usize];
        // It is not vacant, since it has an entry.
        let timeout = Timeout { index, sequence: sequence? };
        let missed = (now - deadline).checked_div(period).unwrap_or(0);
        if period == 0 {
            self.remove(index);
        } else {
            // The first sum is not after `now`.
            let next = (deadline + missed * period).saturating_add(period);
            self.slots[index as usize].deadline = next;
            self.take(index);
            self.put(index, next);
        }
        Some(Due { timeout, token, deadline, missed })
    }

    /// The first of those near, when its key is its deadline and all of the bucket is dealt out.
    #[inline]
    fn settle(&mut self, moves: &mut usize) -> Result<Option<Entry>, Spent> {
        if let Some(bucket) = self.dealing {
            self.deal(bucket, moves)?;
        }
        while let Some(root) = self.near.first(rank(&self.slots)) {
            if self.is_due_at(root.key, root.slot) {
                return Ok(Some(root));
            }
            self.repair(root, moves)?;
        }
        Ok(None)
    }

    /// Moves the base of the wheel into its first bucket; the next thing is to deal it out.
    fn empty(&mut self, span: Span, base: u64) {
        self.far.advance(base);
        self.dealing = Some(span.bucket);
    }

    /// Deals out a bucket of the wheel, into narrower ones or to the heap.
    fn deal(&mut self, bucket: u16, moves: &mut usize) -> Result<(), Spent> {
        while !self.far.is_empty(bucket) {
            spend(moves, CHUNK)?;

            let Some((entries, len)) = self.far.take_chunk(bucket) else { break };
            // First all the misses, then the rest.
            let mut keys = [0; CHUNK];
            for (key, entry) in keys.iter_mut().zip(&entries[..len]) {
                *key = self.slots[entry.slot as usize].deadline;
            }
            for (entry, key) in entries[..len].iter().zip(keys) {
                self.put(entry.slot, key);
            }
        }
        self.dealing = None;
        Ok(())
    }

    fn repair(&mut self, entry: Entry, moves: &mut usize) -> Result<(), Spent> {
        spend(moves, 1)?;
        self.take(entry.slot);
        self.put(entry.slot, self.slots[entry.slot as usize].deadline);
        Ok(())
    }

    #[inline]
    fn is_due_at(&self, deadline: u64, index: u32) -> bool {
        let slot = self.slots.get(index as usize);
        slot.is_some_and(|slot| slot.deadline == deadline && slot.sequence.is_some())
    }

    #[inline]
    fn remove(&mut self, index: u32) {
        self.slots[index as usize].sequence = None;
        self.take(index);
        self.vacant.push(index);
    }

    /// Puts in the entry of a slot.
    #[inline]
    fn put(&mut self, slot: u32, key: u64) {
        if key > self.far.base() {
            self.far.insert(key, slot, &mut self.places);
        } else {
            let entry = Entry { key, slot, bucket: 0 };
            self.near.insert(entry, &mut self.places, rank(&self.slots));
        }
    }

    /// Takes out the entry of a slot.
    #[inline]
    fn take(&mut self, slot: u32) {
        let place = self.places[slot as usize];
        if place.is_far() {
            self.far.remove(place.index(), &mut self.places);
        } else {
            self.near.remove(place, &mut self.places, rank(&self.slots));
        }
    }

    fn key(&self, slot: u32) -> u64 {
        let place = self.places[slot as usize];
        if place.is_far() { self.far.entry(place.index()).key } else { self.near.key(place) }
    }
}

/// Counts moves down; those of one step may be more than are left.
#[inline]
fn spend(moves: &mut usize, count: usize) -> Result<(), Spent> {
    if *moves == 0 {
        return Err(Spent);
    }
    *moves = moves.saturating_sub(count);
    Ok(())
}

/// What breaks a tie of deadlines: who was set first.
fn rank(slots: &[Slot]) -> impl Fn(u32) -> u64 + '_ {
    |slot| slots[slot as usize].sequence.map_or(0, NonZeroU64::get)
}

#[cfg(test)]
mod tests;
