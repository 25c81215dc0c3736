//! The kernel's events, as good as ours: their bits are those of a readiness.

use libc::{c_int, epoll_event};

use crate::{
    event::Event,
    interest::Readiness,
    sys::events::{self, Record},
};

pub(crate) type Events = events::Events<epoll_event>;

impl Events {
    /// Where the kernel writes, and how many events at most. The walk goes back to the start; what is there is
    /// said by [`filled`](Events::filled).
    #[inline(always)]
    pub(super) fn room(&mut self) -> (*mut epoll_event, c_int) {
        self.next = self.buffer;
        (self.buffer, self.room as c_int)
    }

    /// The kernel has written this many into the [`room`](Events::room); none of them is taken.
    #[inline(always)]
    pub(super) fn filled(&mut self, count: usize) {
        debug_assert!(self.next == self.buffer && count <= self.room);
        self.left = count as i64;
    }
}

impl Record for epoll_event {
    /// More is `EINVAL` (fs/eventpoll.c: `EP_MAX_EVENTS`).
    const ROOM_MAX: usize = c_int::MAX as usize / size_of::<epoll_event>();
    /// Epoll never reports this, nor does `Readiness` have it.
    const DISOWNED: epoll_event = epoll_event { events: u32::MAX, u64: 0 };

    #[inline(always)]
    fn of(event: Event) -> epoll_event {
        epoll_event { events: event.readiness.bits().into(), u64: event.token }
    }

    #[inline(always)]
    fn event(self) -> Event {
        Event { token: self.u64, readiness: Readiness::from_bits(self.events as u16) }
    }

    #[inline(always)]
    fn is_disowned(self) -> bool {
        self.events == epoll_event::DISOWNED.events
    }
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

    #[test]
    fn there_is_no_more_room_than_the_kernel_takes() {
        // As much address space may not be had.
        if let Ok(events) = Events::with_capacity(usize::MAX, 0) {
            assert!(events.capacity() * size_of::<epoll_event>() <= c_int::MAX as usize);
        }
    }
}
