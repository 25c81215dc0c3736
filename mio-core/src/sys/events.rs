//! The events of one wait, and how far they were handled: one for all backends.
//!
//! The buffer is walked by a pointer and a count in the struct itself. A callback may do anything to a loop,
//! so that the walk has to look its place up again for each event: with a count that goes down the look is a
//! single decrement, and a wait stores its result as it is.
#![allow(unsafe_code)]

use std::{collections::TryReserveError, fmt, mem::ManuallyDrop};

use crate::{event::Event, interest::Readiness};

/// What a place of the buffer holds: an [`Event`], or whatever a kernel writes that is as good as one.
pub(crate) trait Record: Copy + Send + Sync {
    /// More records than this the kernel does not fill in one wait.
    const ROOM_MAX: usize;
    /// In place of an event whose source is gone. No wait reports it.
    const DISOWNED: Self;

    fn of(event: Event) -> Self;

    /// What it reports; not asked of what is disowned.
    fn event(self) -> Event;

    fn is_disowned(self) -> bool;
}

impl Record for Event {
    const ROOM_MAX: usize = usize::MAX;
    const DISOWNED: Event = Event { token: 0, readiness: Readiness::from_bits(u16::MAX) };

    #[inline(always)]
    fn of(event: Event) -> Event {
        event
    }

    #[inline(always)]
    fn event(self) -> Event {
        self
    }

    #[inline(always)]
    fn is_disowned(self) -> bool {
        self.readiness.bits() == u16::MAX
    }
}

/// A kernel that writes records writes them to `buffer`, from its start, `room` at most; `next` is set to the first
/// and `left` to how many there are. What it writes else is translated and [pushed](Events::push), up to
/// [`capacity`](Events::capacity) in one wait.
pub(crate) struct Events<R: Record = Event> {
    /// `places` places. The one before them, where a vector's allocation begins, stays disowned: before
    /// anything is taken, it stands for the event that was taken last.
    pub(in crate::sys) buffer: *mut R,
    places: usize,
    /// How many of them the kernel may fill.
    pub(in crate::sys) room: usize,
    /// The first event that was not taken, or the place behind the last one. All places from `buffer` up
    /// to here are initialized, and as many from here on as `left` says.
    pub(in crate::sys) next: *mut R,
    /// How many events were not taken. Below zero by the times that one was asked for in vain.
    pub(in crate::sys) left: i64,
    parked: Vec<R>,
}

// SAFETY: the pointers are into a buffer that this struct owns, of plain data.
unsafe impl<R: Record> Send for Events<R> {}
// SAFETY: as above; through a shared reference it is only read.
unsafe impl<R: Record> Sync for Events<R> {}

impl<R: Record> Events<R> {
    /// Room for `room` events from the kernel and `more` from elsewhere.
    pub(crate) fn with_capacity(room: usize, more: usize) -> Result<Events<R>, TryReserveError> {
        let room = room.min(R::ROOM_MAX);
        let places = room.saturating_add(more);
        let (mut all, mut parked) = (Vec::new(), Vec::new());
        all.try_reserve_exact(places.saturating_add(1))?;
        all.push(R::DISOWNED);
        parked.try_reserve_exact(places)?;
        let mut all = ManuallyDrop::new(all);
        let places = all.capacity() - 1;
        // SAFETY: room was made for one place more than `places`.
        let buffer = unsafe { all.as_mut_ptr().add(1) };
        Ok(Events { buffer, places, room, next: buffer, left: 0, parked })
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// How many events one wait can report.
    pub(crate) fn capacity(&self) -> usize {
        self.room
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<Event> {
        self.as_slice().get(index).map(|record| record.event())
    }

    /// The next event that was not taken.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> Option<Event> {
        // Stored before it is looked at, which makes it one instruction. It does not wrap in 100 years.
        self.left -= 1;
        if self.left < 0 {
            return None;
        }
        // SAFETY: one was left, so that its place is initialized and in the buffer.
        let event = unsafe { self.next.read() };
        // SAFETY: one was left, so that one further is in the buffer or behind its last place.
        self.next = unsafe { self.next.add(1) };
        Some(event.event())
    }

    /// The token of the event that was taken last, unless none was or it was disowned.
    #[inline(always)]
    pub(crate) fn current(&self) -> Option<u64> {
        // SAFETY: there is a place before `next`, if need be that before the buffer.
        let taken = unsafe { self.next.sub(1) };
        // SAFETY: what is before `next` is initialized; so is the place before the buffer.
        let taken = unsafe { taken.read() };
        if taken.is_disowned() { None } else { Some(taken.event().token) }
    }

    /// Makes [`current`](Events::current) answer `None` until another event is taken.
    pub(crate) fn disown(&mut self) {
        // SAFETY: there is a place before `next`, if need be that before the buffer.
        let taken = unsafe { self.next.sub(1) };
        // SAFETY: the place is in our allocation.
        unsafe { taken.write(R::DISOWNED) };
    }

    /// Whether all events were taken.
    pub(crate) fn is_done(&self) -> bool {
        self.left <= 0
    }

    /// Adds an event behind the others. Answers whether there was room.
    pub(crate) fn push(&mut self, event: Event) -> bool {
        let len = self.len();
        if len == self.places {
            return false;
        }
        // SAFETY: less than `places` places are before this one.
        let end = unsafe { self.buffer.add(len) };
        // SAFETY: the place is in the buffer.
        unsafe { end.write(R::of(event)) };
        self.left = self.left.max(0) + 1;
        true
    }

    /// Puts the events that were not taken aside, behind those that are there already; answers
    /// whether there are any.
    pub(crate) fn park(&mut self) -> bool {
        for index in self.taken()..self.len() {
            let event = self.as_slice()[index];
            // Not more than `places` in all: they are parked before others can come.
            self.parked.push(event);
        }
        self.left = 0;
        !self.parked.is_empty()
    }

    /// Replaces the events by those that were put aside.
    pub(crate) fn unpark(&mut self) {
        self.clear();
        for index in 0..self.parked.len() {
            let event = self.parked[index].event();
            self.push(event);
        }
        self.parked.clear();
    }

    /// Brings the events into the order of their tokens, then exchanges them as `swaps` says: for
    /// each index from the last down to 1, with the index that it answers.
    pub(crate) fn permute(&mut self, mut swaps: impl FnMut(usize) -> usize) {
        let len = self.len();
        // SAFETY: the first `len` places are initialized, and the buffer is borrowed as this struct is.
        let events = unsafe { std::slice::from_raw_parts_mut(self.buffer, len) };
        events
            .sort_unstable_by_key(|record| (record.event().token, record.event().readiness.bits()));
        for index in (1..len).rev() {
            events.swap(index, swaps(index));
        }
    }

    /// Forgets them all; what was taken last is not current any more.
    pub(in crate::sys) fn clear(&mut self) {
        self.next = self.buffer;
        self.left = 0;
    }

    fn taken(&self) -> usize {
        // SAFETY: both are in the same buffer, `next` not before its start.
        unsafe { self.next.offset_from(self.buffer) as usize }
    }

    fn as_slice(&self) -> &[R] {
        let len = self.taken() + self.left.max(0) as usize;
        // SAFETY: those that were taken and those that were not are initialized, and borrowed as this
        // struct is.
        unsafe { std::slice::from_raw_parts(self.buffer, len) }
    }
}

impl<R: Record> Drop for Events<R> {
    fn drop(&mut self) {
        // SAFETY: the allocation begins one place before the buffer.
        let all = unsafe { self.buffer.sub(1) };
        // SAFETY: a vector of this capacity allocated it, and nobody else frees it.
        drop(unsafe { Vec::from_raw_parts(all, 0, self.places + 1) });
    }
}

impl<R: Record> fmt::Debug for Events<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice().iter().map(|record| record.event())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(token: u64) -> Event {
        Event { token, readiness: Readiness::READABLE }
    }

    #[test]
    fn events_are_taken_in_their_order_and_what_is_left_is_parked() {
        let mut events = Events::<Event>::with_capacity(2, 3).unwrap();
        assert_eq!(events.current(), None);
        for token in 0..5 {
            assert!(events.push(event(token)));
        }
        assert!(!events.push(event(5)), "it is full");
        assert_eq!(events.take(), Some(event(0)));
        assert_eq!((events.current(), events.is_done()), (Some(0), false));
        assert!(events.park());
        assert_eq!((events.take(), events.is_done()), (None, true));
        events.unpark();
        for token in 1..5 {
            assert_eq!(events.take(), Some(event(token)));
        }
        assert_eq!(events.take(), None);
        assert!(!events.park());
    }

    #[test]
    fn a_disowned_event_is_not_current() {
        let mut events = Events::<Event>::with_capacity(4, 0).unwrap();
        events.disown();
        events.push(event(7));
        events.push(event(8));
        events.take();
        events.disown();
        assert_eq!(events.current(), None);
        assert_eq!(events.take(), Some(event(8)));
        assert_eq!(events.current(), Some(8));
    }

    #[test]
    fn a_permutation_starts_from_the_order_of_the_tokens() {
        let mut events = Events::<Event>::with_capacity(4, 0).unwrap();
        for token in [3, 1, 2] {
            events.push(event(token));
        }
        events.permute(|last| last);
        let tokens: Vec<_> = (0..3).filter_map(|i| events.get(i)).map(|e| e.token).collect();
        assert_eq!(tokens, [1, 2, 3]);
        events.permute(|_| 0);
        let tokens: Vec<_> = (0..3).filter_map(|i| events.get(i)).map(|e| e.token).collect();
        assert_eq!(tokens, [2, 3, 1]);
    }

    #[test]
    fn asking_in_vain_loses_no_event_that_comes_later() {
        let mut events = Events::<Event>::with_capacity(2, 0).unwrap();
        assert!(events.push(event(0)));
        assert_eq!(events.take(), Some(event(0)));
        for _ in 0..3 {
            assert_eq!((events.take(), events.current()), (None, Some(0)));
        }
        assert_eq!((events.len(), events.is_done(), events.park()), (1, true, false));
        assert!(events.push(event(1)) && !events.push(event(2)));
        assert_eq!((events.take(), events.take()), (Some(event(1)), None));
    }

    #[test]
    fn too_much_memory_is_an_error() {
        assert!(Events::<Event>::with_capacity(1, usize::MAX / 2).is_err());
    }
}
