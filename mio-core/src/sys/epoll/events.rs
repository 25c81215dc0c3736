//! The events of one wait, and how far they were handled.
//!
//! The buffer is walked by two pointers in the struct itself. A callback may do anything to a loop,
//! so that the walk has to look its place up again for each event; with pointers that is one load and one
//! comparison, half of what an index costs.
#![allow(unsafe_code)]

use std::{collections::TryReserveError, fmt, mem::ManuallyDrop};

use libc::c_int;

use super::ffi::epoll_event;
use crate::{event::Event, interest::Readiness};

pub(crate) struct Events {
    /// `capacity` places. The one before them, where a vector's allocation begins, stays disowned: before
    /// anything is taken, it stands for the event that was taken last.
    buffer: *mut epoll_event,
    capacity: usize,
    /// How many of them the kernel may fill.
    room: c_int,
    /// Behind the last event; from `buffer` to here all places are initialized.
    end: *mut epoll_event,
    /// The first event that was not taken, or `end`.
    next: *mut epoll_event,
    parked: Vec<epoll_event>,
}

// SAFETY: the pointers are into a buffer that this struct owns, of plain data.
unsafe impl Send for Events {}
// SAFETY: as above; through a shared reference it is only read.
unsafe impl Sync for Events {}

impl Events {
    /// Room for `room` events from the kernel and `more` from elsewhere.
    pub(crate) fn with_capacity(room: usize, more: usize) -> Result<Events, TryReserveError> {
        let room = room.min(ROOM_MAX) as c_int;
        let capacity = (room as usize).saturating_add(more);
        let (mut places, mut parked) = (Vec::new(), Vec::new());
        places.try_reserve_exact(capacity.saturating_add(1))?;
        places.push(DISOWNED);
        parked.try_reserve_exact(capacity)?;
        let mut places = ManuallyDrop::new(places);
        let capacity = places.capacity() - 1;
        // SAFETY: room was made for one place more than `capacity`.
        let buffer = unsafe { places.as_mut_ptr().add(1) };
        Ok(Events { buffer, capacity, room, end: buffer, next: buffer, parked })
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// How many events one wait can report.
    pub(crate) fn capacity(&self) -> usize {
        self.room as usize
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<Event> {
        self.as_slice().get(index).map(to_event)
    }

    /// The next event that was not taken.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> Option<Event> {
        if self.next == self.end {
            return None;
        }
        // SAFETY: `next` is before `end`, so that its place is initialized and in the buffer.
        let event = unsafe { self.next.read() };
        // SAFETY: `next` is before `end`, so that one further is in the buffer or behind its last place.
        self.next = unsafe { self.next.add(1) };
        Some(to_event(&event))
    }

    /// The token of the event that was taken last, unless none was or it was disowned.
    #[inline(always)]
    pub(crate) fn current(&self) -> Option<u64> {
        // SAFETY: there is a place before `next`, if need be that before the buffer.
        let taken = unsafe { self.next.sub(1) };
        // SAFETY: what is before `next` is before `end`, so that it is initialized; so is the place
        // before the buffer.
        let taken = unsafe { taken.read() };
        if taken.events == DISOWNED.events { None } else { Some(taken.u64) }
    }

    /// Makes [`current`](Events::current) answer `None` until another event is taken.
    pub(crate) fn disown(&mut self) {
        // SAFETY: there is a place before `next`, if need be that before the buffer.
        let taken = unsafe { self.next.sub(1) };
        // SAFETY: the place is in our allocation.
        unsafe { taken.write(DISOWNED) };
    }

    /// Whether all events were taken.
    pub(crate) fn is_done(&self) -> bool {
        self.next == self.end
    }

    /// Adds an event behind the others. Answers whether there was room.
    pub(crate) fn push(&mut self, event: Event) -> bool {
        if self.len() == self.capacity {
            return false;
        }
        let event = epoll_event { events: event.readiness.bits().into(), u64: event.token };
        // SAFETY: there is a place at `end`, since less than `capacity` come before it.
        unsafe { self.end.write(event) };
        // SAFETY: one further is in the buffer or behind its last place.
        self.end = unsafe { self.end.add(1) };
        true
    }

    /// Puts the events that were not taken aside, behind those that are there already; answers
    /// whether there are any.
    pub(crate) fn park(&mut self) -> bool {
        let taken = self.taken();
        for index in taken..self.len() {
            let event = self.as_slice()[index];
            // Not more than `capacity` in all: they are parked before others can come.
            self.parked.push(event);
        }
        self.end = self.next;
        !self.parked.is_empty()
    }

    /// Replaces the events by those that were put aside.
    pub(crate) fn unpark(&mut self) {
        self.filled(0);
        for index in 0..self.parked.len() {
            let event = to_event(&self.parked[index]);
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
        events.sort_unstable_by_key(|event| (event.u64, event.events));
        for index in (1..len).rev() {
            events.swap(index, swaps(index));
        }
    }

    /// Where the kernel writes, and how many events at most.
    #[inline(always)]
    pub(super) fn room(&mut self) -> (*mut epoll_event, c_int) {
        (self.buffer, self.room)
    }

    /// The kernel has written this many; none of them is taken.
    #[inline(always)]
    pub(super) fn filled(&mut self, count: usize) {
        debug_assert!(count <= self.room as usize);
        self.next = self.buffer;
        // SAFETY: `count` is not more than `room`, which is not more than `capacity`.
        self.end = unsafe { self.buffer.add(count) };
    }

    fn taken(&self) -> usize {
        // SAFETY: both are in the same buffer, `next` not before its start.
        unsafe { self.next.offset_from(self.buffer) as usize }
    }

    fn as_slice(&self) -> &[epoll_event] {
        // SAFETY: both are in the same buffer, `end` not before its start.
        let len = unsafe { self.end.offset_from(self.buffer) as usize };
        // SAFETY: the places up to `end` are initialized, and borrowed as this struct is.
        unsafe { std::slice::from_raw_parts(self.buffer, len) }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        // SAFETY: the allocation begins one place before the buffer.
        let places = unsafe { self.buffer.sub(1) };
        // SAFETY: a vector of this capacity allocated it, and nobody else frees it.
        drop(unsafe { Vec::from_raw_parts(places, 0, self.capacity + 1) });
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice().iter().map(to_event)).finish()
    }
}

/// More is `EINVAL` (fs/eventpoll.c: `EP_MAX_EVENTS`).
const ROOM_MAX: usize = c_int::MAX as usize / size_of::<epoll_event>();

/// In place of an event whose source is gone: epoll never reports this, nor does `Readiness` have it.
const DISOWNED: epoll_event = epoll_event { events: u32::MAX, u64: 0 };

#[inline(always)]
fn to_event(event: &epoll_event) -> Event {
    Event { token: event.u64, readiness: Readiness::from_bits(event.events as u16) }
}

const _: () = {
    assert!(Readiness::READABLE.bits() as i32 == libc::EPOLLIN);
    assert!(Readiness::PRIORITY.bits() as i32 == libc::EPOLLPRI);
    assert!(Readiness::WRITABLE.bits() as i32 == libc::EPOLLOUT);
    assert!(Readiness::ERROR.bits() as i32 == libc::EPOLLERR);
    assert!(Readiness::HUNG_UP.bits() as i32 == libc::EPOLLHUP);
    assert!(Readiness::READ_CLOSED.bits() as i32 == libc::EPOLLRDHUP);
};

#[cfg(test)]
mod tests {
    use super::*;

    fn event(token: u64) -> Event {
        Event { token, readiness: Readiness::READABLE }
    }

    #[test]
    fn events_are_taken_in_their_order_and_what_is_left_is_parked() {
        let mut events = Events::with_capacity(2, 3).unwrap();
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
        let mut events = Events::with_capacity(4, 0).unwrap();
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
        let mut events = Events::with_capacity(4, 0).unwrap();
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
    fn there_is_no_more_room_than_the_kernel_takes() {
        // As much address space may not be had.
        if let Ok(events) = Events::with_capacity(usize::MAX, 0) {
            assert!(events.capacity() * size_of::<epoll_event>() <= c_int::MAX as usize);
        }
    }

    #[test]
    fn too_much_memory_is_an_error() {
        assert!(Events::with_capacity(1, usize::MAX / 2).is_err());
    }
}
