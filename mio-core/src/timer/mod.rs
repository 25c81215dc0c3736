//! The timers of a loop: set, push back, cancel, fire in order.
//!
//! Time is nanoseconds since an epoch that the caller keeps; nothing here reads a clock.
//!
//! A timer lives in a slot. An entry stands for it where the order is kept, at its deadline or at an
//! earlier time, its key. Pushing a timer back, which servers do on every read, is thus one
//! store to its slot; the entry is repaired when its key comes first, at most once for every time
//! that was waited for. Cancelling leaves the entry where it is, too: the next timer in the slot is
//! mostly due later, and then it does for that. Firing compares the key with the deadline, so nothing fires
//! early, and since no key is later than its deadline, nothing fires out of order.
//!
//! Entries wait in the [wheel], unsorted, until their time has come; then they are put in order,
//! those that are [near], few enough at a time to be in a near cache. Entries alone are moved and sorted, one after the other
//! in memory; the slots, which are not, are looked at one by one as their timers fire.

mod entry;
mod heap;
mod near;
mod prefetch;
mod slots;
mod wheel;

use crate::Full;
use entry::{NEVER, Place};
use near::{First, Near};
use slots::{Slot, Slots};
use std::{io, num::NonZeroU64};
use wheel::{CHUNK, Span, Wheel};

/// Names one timer of one loop, to cancel or reschedule it.
///
/// It never names a later timer: once the timer has fired or is cancelled, its `Timeout` finds
/// nothing, however often its place has been used again. That of an interval stays valid until
/// the interval is cancelled. Another loop does not know whose it is: there it may find a timer of
/// that loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(Rust, packed(4))] // 12 bytes instead of 16, as programs have tables of them.
pub struct Timeout {
    index: u32,
    sequence: NonZeroU64,
}

const _: () = assert!(size_of::<Option<Timeout>>() == 12);

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
/// A deadline of `u64::MAX` ([`NEVER`]), where sums saturate, never comes.
///
/// What must not take long at once is counted in moves, of one entry each. An entry is moved one to
/// four times before its timer fires, and once more each time it comes first and was pushed back.
/// The last step may be of more moves than were left: up to a whole bucket of [`FEW`].
#[derive(Debug)]
pub(crate) struct Timers {
    slots: Slots,
    /// Keys up to the base of the wheel.
    near: Near,
    /// Keys after it.
    far: Wheel,
    /// The bucket of the wheel that is being emptied.
    dealing: Option<u16>,
}

/// No more moves are allowed for now.
struct Spent;

/// A bucket whose time has come is sorted at once if there are at most so many entries in it.
const FEW: usize = if cfg!(test) { 6 } else { 8192 };

/// A second.
const LONG: u64 = if cfg!(test) { 64 } else { 1_000_000_000 };

/// A 4096th, as a shift.
const HARDLY: u32 = if cfg!(test) { 4 } else { 12 };

/// The least of at most so many entries is looked for one by one.
const VERY_FEW: usize = if cfg!(test) { 3 } else { 64 };

/// So many chunks are between the one that is looked at and the one that is asked for.
const CHUNKS_AHEAD: usize = 8;

/// An index into the wheel, which keeps a little more than the capacity, fits into 31 bits.
const CAPACITY_MAX: usize = 1 << 30;

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
        Ok(Timers {
            slots: Slots::with_capacity(capacity)?,
            near: Near::with_capacity(capacity)?,
            far: Wheel::with_capacity(capacity)?,
            dealing: None,
        })
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.slots.capacity()
    }

    /// Sets a timer; with a period other than 0 it is an interval.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        deadline: u64,
        period: u64,
        token: u64,
    ) -> Result<Timeout, Full> {
        let timeout = self.slots.claim(period, token)?;
        let slot = &mut self.slots[timeout.index];
        if deadline < std::mem::replace(&mut slot.deadline, deadline) {
            self.bring_forward(timeout.index, deadline);
        }
        Ok(timeout)
    }

    /// Takes a timer out; `false` if there is no such timer any more.
    ///
    /// Its entry stays, unless it is near: the next timer in the slot may do with it.
    #[inline]
    pub(crate) fn cancel(&mut self, timeout: Timeout) -> bool {
        let Some(&Slot { place, .. }) = self.slots.get(timeout) else {
            return false;
        };
        if place.is_heap() {
            self.near.remove(place.index(), &mut self.slots);
            self.slots.set_nowhere(timeout.index);
        }
        self.slots.release(timeout.index);
        true
    }

    /// Gives a timer another deadline; `false` if there is no such timer any more.
    ///
    /// It keeps its turn among those of the same deadline: that of when it was set.
    #[inline]
    pub(crate) fn reschedule(&mut self, timeout: Timeout, deadline: u64) -> bool {
        let Some(slot) = self.slots.get_mut(timeout) else {
            return false;
        };
        if deadline < std::mem::replace(&mut slot.deadline, deadline) {
            self.bring_forward(timeout.index, deadline);
        }
        true
    }

    /// When a timer is due next; `None` if there is no such timer any more.
    #[inline]
    pub(crate) fn deadline(&self, timeout: Timeout) -> Option<u64> {
        self.slots.get(timeout).map(|slot| slot.deadline)
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

    /// A deadline to sleep towards from `now` on, if that is for a [`LONG`] time and can be told at a glance: the
    /// least, or that of another timer which is later by [`HARDLY`] any of that time. So timers that are pushed
    /// back in every turn need not be put right in every turn.
    #[inline]
    pub(crate) fn glance(&self, now: u64) -> Option<u64> {
        let (least, index) = self.far.least();
        let left = least.saturating_sub(now);
        if left < LONG || !self.is_all_far() {
            return None;
        }
        // What is left behind by another timer may be less than `least`, and wraps around.
        let slot = self.slots.at(index).filter(|slot| slot.sequence.is_some())?;
        (slot.deadline.wrapping_sub(least) <= left >> HARDLY).then_some(slot.deadline)
    }

    /// Whether [`pop_due`](Timers::pop_due) might find something, at a glance.
    #[inline]
    pub(crate) fn may_be_due(&self, now: u64) -> bool {
        self.far.least().0 <= now || !self.is_all_far()
    }

    #[inline]
    fn is_all_far(&self) -> bool {
        self.dealing.is_none() && self.near.is_empty()
    }

    #[inline(never)]
    fn least(&mut self, moves: &mut usize) -> Result<Option<u64>, Spent> {
        if self.is_empty() {
            return Ok(None);
        }
        loop {
            if let Some(first) = self.settle(moves)? {
                return Ok(Some(first));
            }
            let Some(span) = self.far.first() else {
                return Ok(None);
            };
            if self.is_due_at(span.least, span.least_slot) {
                return Ok(Some(span.least));
            }
            if span.len > VERY_FEW {
                self.empty(span, span.least);
                continue;
            }
            spend(moves, span.len)?;
            match self.far.refresh(span, &self.slots) {
                Ok(least) => return Ok(Some(least)),
                Err(at) => self.move_on(at),
            }
        }
    }

    /// Takes out the timer that is due first, if that was seen when the one before it was taken out, and if it fires once.
    ///
    /// Only a shortcut: who finds none here asks [`pop_due`](Timers::pop_due).
    #[inline(always)]
    pub(crate) fn pop_known(&mut self) -> Option<Due> {
        // As long as there is a run, no bucket is being dealt out.
        let first = self.near.first_due()?;
        if !self.near.stands_for(first, &self.slots) {
            return None;
        }
        let (timeout, token) = self.slots.fire_once(first.slot, first.key)?;
        self.near.remove_first(first, &mut self.slots);
        Some(Due { timeout, token, deadline: first.key, missed: 0 })
    }

    /// Takes out the timer that is due first; an interval stays in, with its next deadline.
    ///
    /// `None` if none is due by `now`, which never goes back, or if the moves, which this counts down, were too few to tell.
    pub(crate) fn pop_due(&mut self, now: u64, moves: &mut usize) -> Option<Due> {
        loop {
            if self.dealing.is_some() {
                self.approach(now, moves)?;
            }
            let Some(first) = self.near.first(&self.slots) else {
                self.approach(now, moves)?;
                continue;
            };
            if first.key > now {
                return None;
            }
            self.near.find_due(now);
            if self.near.stands_for(first, &self.slots) {
                if let Some(due) = self.fire(first, now) {
                    return Some(due);
                }
            }
            self.repair(first, moves).ok()?;
        }
    }

    /// The timer that the first of those near stands for, if it is due at its key.
    fn fire(&mut self, first: First, now: u64) -> Option<Due> {
        let First { key: deadline, slot: index, .. } = first;
        if let Some((timeout, token)) = self.slots.fire_once(index, deadline) {
            self.near.remove_first(first, &mut self.slots);
            return Some(Due { timeout, token, deadline, missed: 0 });
        }
        let (timeout, token, period) = self.slots.fire_again(index, deadline)?;
        self.near.remove_first(first, &mut self.slots);
        let missed = (now - deadline).checked_div(period).unwrap_or(0);
        // The first sum is not after `now`.
        let next = (deadline + missed * period).saturating_add(period);
        self.slots[index].deadline = next;
        self.put_right(index);
        Some(Due { timeout, token, deadline, missed })
    }

    /// Takes up the first bucket of the wheel, if something there may be due.
    #[inline(never)]
    fn approach(&mut self, now: u64, moves: &mut usize) -> Option<()> {
        if let Some(bucket) = self.dealing {
            return self.deal(bucket, moves).ok();
        }
        let span = self.far.first().filter(|span| span.least <= now)?;
        if span.len <= FEW && (span.is_narrow() || span.last <= now && span.is_brief()) {
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
        self.near.start(span);
        let Timers { near, far, .. } = self;
        let mut ahead = far.chunk(span.bucket);
        for _ in 0..CHUNKS_AHEAD {
            ahead = far.prefetch(ahead);
        }
        while far.take_chunk(span.bucket, |_, entries| near.gather(entries)).is_some() {
            ahead = far.prefetch(ahead);
        }
        self.near.sort(&self.slots);
    }

    /// The key of the first of those near, when that is a deadline and all of the bucket is dealt out.
    #[inline]
    fn settle(&mut self, moves: &mut usize) -> Result<Option<u64>, Spent> {
        if let Some(bucket) = self.dealing {
            self.deal(bucket, moves)?;
        }
        while let Some(first) = self.near.first(&self.slots) {
            if self.is_due_at(first.key, first.slot) {
                return Ok(Some(first.key));
            }
            self.repair(first, moves)?;
        }
        Ok(None)
    }

    /// Moves the first of those near to where it belongs.
    #[inline(never)]
    fn repair(&mut self, first: First, moves: &mut usize) -> Result<(), Spent> {
        spend(moves, 1)?;
        self.near.remove_first(first, &mut self.slots);
        if first.is_of_run && self.far.has_orphans() && !self.is_in_run(first.slot) {
            self.far.drop_orphans(1);
        } else {
            self.put_right(first.slot);
        }
        Ok(())
    }

    /// Whether the entry of a slot is in the run, among those that are not done with.
    fn is_in_run(&self, index: u32) -> bool {
        let place = self.slots[index].place;
        let is_far = !place.is_heap() && place != Place::NOWHERE;
        is_far && !self.far.holds(place.index(), index)
    }

    /// Moves the base of the wheel into its first bucket; the next thing is to deal it out.
    fn empty(&mut self, span: Span, base: u64) {
        self.far.advance(base);
        self.dealing = Some(span.bucket);
    }

    /// Deals out a bucket of the wheel, into narrower ones or to the heap.
    #[inline(never)]
    fn deal(&mut self, bucket: u16, moves: &mut usize) -> Result<(), Spent> {
        while !self.far.is_empty(bucket) {
            spend(moves, CHUNK)?;
            let Timers { slots, far, .. } = self;
            far.prefetch_slots(bucket, slots);
            let (mut own, mut len, mut orphans) = ([0; CHUNK], 0, 0);
            far.take_chunk(bucket, |first, entries| {
                for (at, entry) in (first..).zip(entries) {
                    if slots[entry.slot()].place == Place::far(at) {
                        own[len % CHUNK] = entry.slot();
                        len += 1;
                    } else {
                        orphans += 1;
                    }
                }
            });
            far.drop_orphans(orphans);
            own[..len].iter().for_each(|&index| self.put_right(index));
        }
        self.dealing = None;
        Ok(())
    }

    /// Sees to it that the entry of a slot has no later key than its new deadline.
    fn bring_forward(&mut self, index: u32, deadline: u64) {
        let place = self.slots[index].place;
        if place.is_heap() {
            self.near.remove(place.index(), &mut self.slots);
        } else if place != Place::NOWHERE {
            if self.near.has_run() && self.is_in_run(index) {
                self.far.abandon_of_run();
            } else if self.far.stand_for(place.index(), deadline, index) {
                return;
            } else if !self.far.abandon(self.slots.len()) {
                self.far.remove(place.index(), &mut self.slots);
            }
        }
        self.put(index, deadline);
    }

    /// Moves an entry of the wheel where it belongs.
    fn move_on(&mut self, at: usize) {
        if let Some(index) = self.far.remove(at, &mut self.slots) {
            self.put_right(index);
        }
    }

    /// Puts the entry of a slot, which was taken out, where it belongs, if there is still need of one.
    #[inline]
    fn put_right(&mut self, index: u32) {
        let Slot { sequence, deadline, .. } = self.slots[index];
        if sequence.is_none() || deadline == NEVER {
            self.slots.set_nowhere(index);
        } else {
            self.put(index, deadline);
        }
    }

    /// Puts in the entry of a slot.
    #[inline]
    fn put(&mut self, index: u32, key: u64) {
        if key > self.far.base() {
            self.far.insert(key, index, &mut self.slots);
        } else {
            self.near.insert(key, index, &mut self.slots);
        }
    }

    #[inline]
    fn is_due_at(&self, deadline: u64, index: u32) -> bool {
        self.slots.at(index).is_some_and(|slot| slot.is_due_at(deadline))
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

#[cfg(test)]
mod tests;
